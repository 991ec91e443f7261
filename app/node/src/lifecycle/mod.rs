//! The life of the process: what it decides before it opens a port, why it ends, and with which exit code.
//!
//! # Invariants
//! - Whether this binary may go on is decided from committed state and flags ([`decide_from_state`]); `upgrade-info.json` is
//!   written for others and never read here.
//! - The first reason to stop decides the exit code; nothing that happens while the process ends changes it.
//! - Only `start`, the last thing that `main` calls, ends the process. Everything else tells a [`Lifecycle`], which a test binds to one that only remembers.

mod exit;
mod info_file;
mod reason;
mod refusal;
mod skipped;
mod supervised;
mod switch;

pub use exit::{ExitCode, end_process};
pub use info_file::{INFO_FILE, write_info_file};
pub use reason::StopReason;
pub use refusal::{Refusal, decide_from_state, refusal_of, refuse};
pub use skipped::{SKIPPED_FILE, SkippedPlan, note_skipped, skipped_plans};
pub use supervised::{SUPERVISOR_VARIABLE, Supervised};
pub use swing_core::error::Halt;
pub use switch::{Lifecycle, StopSwitch, Watched};
