//! What to do next, as a function of the journal and of facts: no file, clock, process or environment in here.
//!
//! # Invariants
//! - A node is started, and a binary switched to, only on an answer of a binary that looked at committed state. A failed question
//!   is never an answer (held by the tables in `tests/it/decide.rs`).
//! - `upgrade-info.json` is no fact: it cannot be passed in.
//! - An upgrade goes Begun → `BackedUp` → Checked → Switched → done; every stage is in the journal before the next begins.

mod backoff;
mod decide;
mod facts;
mod journal;
mod slot;
mod status;
mod watch;

pub use backoff::rest_ms;
pub use decide::{Action, decide};
pub use facts::{Child, Facts, Policy};
pub use journal::{Done, Journal, JournalError, Reason, Stage, Upgrade};
pub use slot::{NameError, Slot, folder_of_plan};
pub use status::{Answer, Pending, Plan, Readiness, Status, StatusError, Stop};
pub use watch::{Running, WatchAction, stands_by, watch};

/// Exit code of a node that stopped for a plan that it cannot handle.
pub const EXIT_UPGRADE_NEEDED: u8 = 40;
/// Exit code of a node that is for a plan that is not due.
pub const EXIT_TOO_EARLY: u8 = 41;
/// Exit code of a node that is older than its state.
pub const EXIT_WRONG_RELEASE: u8 = 42;
