//! Staying a moment after the stop before an upgrade, for a supervisor that polls.
//!
//! cosmovisor looks for `upgrade-info.json` every `DAEMON_POLL_INTERVAL`, asks this binary's `status`, and then kills the node. When the
//! node ends by itself while it asks, the look that it takes then and the one under way can each leave the upgrade to the other
//! (seen with 1.5.0 on a busy machine): it ends with the node's exit code, and nobody switches. So a node under cosmovisor stays until
//! it is ended, for a while.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::lifecycle::SUPERVISOR_VARIABLE;

/// cosmovisor's own variable, which its node inherits.
const COSMOVISOR_VARIABLE: &str = "DAEMON_NAME";
/// How long is stayed: some polls, and a `status` on a busy machine.
const STAY_MAX: Duration = Duration::from_secs(20);

/// Stays, under a supervisor that polls, until a signal or for [`STAY_MAX`]. Everything else of the node has ended.
pub(super) fn for_a_poll() {
    if std::env::var_os(COSMOVISOR_VARIABLE).is_none() || std::env::var_os(SUPERVISOR_VARIABLE).is_some() {
        return;
    }
    // Where it cannot be waited, the node ends at once, as it does everywhere else.
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return;
        };
        tracing::info!("stopped; waiting for cosmovisor, {} s at most", STAY_MAX.as_secs());
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = tokio::time::sleep(STAY_MAX) => {}
        }
    });
}
