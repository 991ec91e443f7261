//! Replacing the engine's bundles on a running chain, with no new software: governance names installed bundles and a height; the
//! block of that height begins with the swap.
//!
//! # Invariants
//! - Looked at three times, by the same rules: when the proposal is submitted, when it has passed, and at the swap. Each looks at
//!   state alone, so every node says the same.
//! - A swap is made whole or not at all, in an overlay of its own. One that fails leaves the engine as it was, its reason in state
//!   and an event, and the block goes on.
//! - At most one swap is pending; another decision of governance takes its place, and nothing of it is lost: what became of each is
//!   recorded.
//! - No swap leaves a pending plan without a way, as far as the plan's `info` declares the schemas that its release starts from.

mod handler;
mod perform;
mod state;
mod way;

pub use handler::{cancel_kernel_bundle, check_proposed, set_kernel_bundle};
pub use perform::perform_due;
pub use state::{pending, record};
pub use way::check_plan;

use swing_proto::swing::swingset::v1::PendingSwap;

use crate::ports::engine::BundleSwap;

/// The bundles of a swap in state, as the engine takes them.
fn bundles(swap: &PendingSwap) -> BundleSwap {
    let named = |id: &String| Some(id.clone()).filter(|id| !id.is_empty());
    BundleSwap {
        kernel: named(&swap.kernel_bundle_id),
        lockdown: named(&swap.lockdown_bundle_id),
        supervisor: named(&swap.supervisor_bundle_id),
    }
}
