//! Checking many signatures on several cores before they are asked for one by one.

use std::sync::atomic::{AtomicUsize, Ordering};

use swing_core::{ports::signatures::SignatureVerifier, tx::SignatureCheck};

/// Threads that check; the machine that this is sized for has two cores.
const THREADS: usize = 2;

/// Below this a thread costs more than it saves.
const CHECKS_MIN: usize = 8;

/// Checks made by a thread before it looks for more.
const CHUNK: usize = 16;

/// Has `verifier` see all checks, so that it remembers those that succeed. The answers themselves are not used: execution asks
/// again, in its own order.
pub fn verify_ahead(verifier: &dyn SignatureVerifier, checks: &[SignatureCheck]) {
    if checks.len() < CHECKS_MIN {
        return;
    }
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let from = next.fetch_add(CHUNK, Ordering::Relaxed);
            let Some(rest) = checks.get(from..).filter(|rest| !rest.is_empty()) else {
                return;
            };
            for check in rest.iter().take(CHUNK) {
                check.verify(verifier);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..THREADS {
            scope.spawn(work);
        }
        work();
    });
}
