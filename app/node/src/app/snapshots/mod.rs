//! State sync: snapshots made beside the blocks and served to others, and one from others restored in place of all blocks below it.
//!
//! # Invariants
//! - No block waits for a snapshot, and a snapshot that cannot be made or read ends nothing.
//! - What a peer sent is answered with the result that says so; only this machine's own faults end the process.
//! - A restored version is published like a committed one, and only once it is the committed one of the store.

mod keeper;
mod restore;
mod serve;
mod verify;

pub(super) use keeper::SnapshotKeeper;
pub use keeper::{FOLDER, KEEP_RECENT_DEFAULT, SnapshotPolicy, about};
pub(super) use restore::Restoring;
pub(super) use serve::{list, load};
pub use verify::verify;
