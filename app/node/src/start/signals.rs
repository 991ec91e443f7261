//! SIGTERM and SIGINT ask for a clean stop.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use crate::lifecycle::{Halt, Lifecycle, StopReason, Watched};

/// Tells the lifecycle of the first signal; later ones change nothing.
///
/// # Errors
/// The system's.
pub(super) fn watch(lifecycle: Arc<dyn Lifecycle>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut terminate, mut interrupt) = {
        let _entered = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let _watched = Watched::new("signals", Arc::clone(&lifecycle));
        runtime.block_on(async {
            loop {
                let (received, signal) = tokio::select! {
                    received = terminate.recv() => (received, "SIGTERM"),
                    received = interrupt.recv() => (received, "SIGINT"),
                };
                let Some(()) = received else {
                    return lifecycle.stop(StopReason::Halt(Halt::new("no signals can be received any more")));
                };
                lifecycle.stop(StopReason::Signal { signal });
            }
        });
    })?;
    Ok(())
}
