//! `--engine solo`: the embedded engine, on the thread that owns consensus.

use std::{
    sync::{Arc, mpsc::sync_channel},
    thread::JoinHandle,
};

use swing_core::ports::engine::Engine;

use crate::{
    app::OpenedApp,
    client::RpcClient,
    config::Home,
    lifecycle::{Halt, Lifecycle, StopReason, StopSwitch, Watched},
    solo::{Solo, SoloError, Started},
};

/// A running engine.
#[derive(Debug)]
pub(super) struct RunningSolo {
    thread: JoinHandle<()>,
}

/// Starts the engine and returns once it serves RPC, with a client of it, or has a reason to stop that is with the switch. `engine`
/// is made on the thread that will own it.
///
/// # Errors
/// The home is not one that this engine can run, or the system makes no thread.
pub(super) fn start(
    opened: OpenedApp,
    engine: impl FnOnce() -> Box<dyn Engine> + Send + 'static,
    home: &Home,
    switch: &Arc<StopSwitch>,
) -> Result<(RunningSolo, Option<RpcClient>), SoloError> {
    let (started, begun) = sync_channel(1);
    let (home, switch) = (home.clone(), Arc::clone(switch));
    let lost = |what: &str| SoloError::App(StopReason::Halt(Halt::new(format!("the solo engine's thread {what}"))));
    let thread = std::thread::Builder::new()
        .name("solo".to_owned())
        .spawn(move || {
            let _watched = Watched::new("solo", Arc::clone(&switch) as _);
            let read = Arc::new(opened.read());
            let mut app = opened.consensus(engine());
            let ended = match Solo::start(&mut app, read, &home, &switch) {
                Ok(Started::Serving(solo)) => {
                    // The receiver waits for this message.
                    let _ = started.send(Ok(Some(solo.client())));
                    solo.run(&mut app)
                }
                Ok(Started::Stopped(reason)) | Err(SoloError::App(reason)) => {
                    let _ = started.send(Ok(None));
                    Ok(reason)
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                    return;
                }
            };
            switch.stop(match ended {
                Ok(reason) | Err(SoloError::App(reason)) => reason,
                Err(error) => StopReason::Halt(Halt::new(error.to_string())),
            });
        })
        .map_err(|error| lost(&format!("cannot be made: {error}")))?;
    match begun.recv() {
        Ok(started) => started.map(|client| (RunningSolo { thread }, client)),
        // It panicked, and the switch knows.
        Err(_) => Ok((RunningSolo { thread }, None)),
    }
}

impl RunningSolo {
    /// Waits for the end of the block in progress, after the switch was thrown.
    pub(super) fn end(self) {
        if self.thread.join().is_err() {
            tracing::error!("the solo engine panicked");
        }
    }
}
