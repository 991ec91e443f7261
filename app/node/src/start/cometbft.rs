//! `--engine cometbft`: the child, on a thread of its own.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    comet::{CometBinary, CometChild, CometError},
    config::Home,
    lifecycle::{Halt, Lifecycle, StopReason, Watched},
};

/// How often the child is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long the child may take to stop by itself.
const GRACE: Duration = Duration::from_secs(20);

/// A running child.
#[derive(Debug)]
pub(super) struct RunningComet {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

/// Finds the program.
///
/// # Errors
/// [`CometError`].
pub(super) fn find(named: Option<&Path>) -> Result<CometBinary, CometError> {
    CometBinary::find(named, std::env::var_os("COMETBFT"), std::env::var_os("PATH"))
}

/// Starts the child. The thread that starts it also waits for it, since the system ends it with that thread.
///
/// # Errors
/// The system's; that the child itself did not start is told to the lifecycle.
pub(super) fn start(
    binary: CometBinary,
    home: Home,
    abci: String,
    lifecycle: Arc<dyn Lifecycle>,
) -> std::io::Result<RunningComet> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let thread = std::thread::Builder::new().name("cometbft".to_owned()).spawn(move || {
        let _watched = Watched::new("cometbft", Arc::clone(&lifecycle));
        match CometChild::start(&binary, &home, &abci) {
            Ok(child) => watch(child, &asked, lifecycle.as_ref()),
            Err(error) => lifecycle.stop(StopReason::Halt(Halt::new(error.to_string()))),
        }
    })?;
    Ok(RunningComet { stop, thread })
}

fn watch(mut child: CometChild, asked: &AtomicBool, lifecycle: &dyn Lifecycle) {
    tracing::info!(pid = child.id(), "CometBFT started");
    while !asked.load(Ordering::SeqCst) {
        match child.ended() {
            Ok(None) => std::thread::park_timeout(LOOK_EVERY),
            Ok(Some(status)) => {
                return lifecycle.stop(StopReason::ConsensusLost { detail: format!("CometBFT ended: {status}") });
            }
            Err(error) => return lifecycle.stop(StopReason::Halt(Halt::new(error.to_string()))),
        }
    }
    match child.end(GRACE) {
        Ok(status) => tracing::info!(%status, "CometBFT stopped"),
        Err(error) => tracing::error!(%error, "CometBFT"),
    }
}

impl RunningComet {
    /// Asks the child to stop and waits for its end.
    pub(super) fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.thread().unpark();
        if self.thread.join().is_err() {
            tracing::error!("the thread that watches CometBFT panicked");
        }
    }
}
