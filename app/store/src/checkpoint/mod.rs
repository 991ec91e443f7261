//! Checkpoints: a version of the whole database under hard links, to go back to.
//!
//! RocksDB's table files are never changed once written, so that a checkpoint links them and copies only what is small: the time
//! that it takes does not depend on the data's size. A checkpoint costs room later, when the live database has replaced the files
//! that it holds. It is no backup: a damaged disk block under a table damages both.
//!
//! A checkpoint is a folder `HEIGHT-COUNTER` with `manifest.json` and a database.
//!
//! # Invariants
//! - A folder under such a name is whole: it was made under another name, synced, opened and compared with its manifest, and then
//!   renamed. What a crash leaves under other names is removed by the next one that is made (`tests/it/checkpoints.rs`).
//! - Restoring exchanges two folders in one step: at every moment there is a whole database in its place. The checkpoint stays.

mod error;
pub(crate) mod files;
mod folder;
mod manifest;
mod restore;
mod verify;

pub use error::CheckpointError;
pub use folder::{Checkpoints, Room, Step};
pub use manifest::{Label, Manifest};
pub use restore::{Prepared, Restored};
pub use verify::Verified;
