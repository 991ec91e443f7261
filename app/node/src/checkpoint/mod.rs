//! The checkpoint before an upgrade, and the way back to it.
//!
//! Right after Commit(H−1) of a plan that is due at H the node makes a checkpoint of application state, whichever way the upgrade
//! goes on: before it says that it stops, before a release that was installed early executes H, and at a start, where the process
//! that should have made it was killed before it could.
//!
//! # Invariants
//! - A checkpoint is of application state only. CometBFT's data, its log and the signing state are read here and written never.
//! - A decided block is never removed: after a rollback to H−1 block H is executed again.
//! - That a checkpoint cannot be made stops no node: it is said, loudly, and the chain goes on.

mod heights;
mod keeper;
mod leveldb;
mod outlook;
pub mod priority;
mod requests;
pub mod rollback;

pub use heights::{Heights, HeightsError};
pub use keeper::{CheckpointPolicy, FOLDER, Keeper, Kept};
pub use leveldb::crc32c;
pub use outlook::{Outlook, check_possible, of_home};
pub use requests::{Requests, words};
