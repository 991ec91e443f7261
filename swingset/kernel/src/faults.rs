//! Faults on purpose, each behind a feature, for test artifacts alone: a chain must survive a kernel that has them. A released kernel
//! is built without these features and has nothing of this file.

use crate::{
    crank::Kernel,
    host::Host,
    store::{Kept, number_text},
};

/// Steps that a kernel with `trap-late` does before it traps at each further one. A block without messages is one step.
const STEPS_BEFORE_TRAP: u64 = 100;
/// Where it counts them.
const STEPS: &str = "test.steps";

/// Ends the call as a broken kernel does.
#[allow(clippy::panic, reason = "a fault on purpose, never in a released kernel")]
pub fn trap() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    panic!("a fault on purpose");
}

impl<H: Host> Kernel<'_, H> {
    /// Counts a step; traps when there were enough.
    pub fn trap_when_late(&mut self) -> Kept<()> {
        let steps = self.store.get_number(STEPS)?.unwrap_or(0);
        if steps >= STEPS_BEFORE_TRAP {
            trap();
        }
        self.store.set_text(STEPS, &number_text(steps.saturating_add(1)));
        Ok(())
    }
}
