//! The node's one database: versioned chain state in RocksDB under a Jellyfish Merkle tree.
//!
//! FinalizeBlock stages ([`Store::stage`]: nothing is written, the new root is known), Commit persists ([`Store::commit`]: one
//! atomic, synced write). Reads are by [`View`]s of one version each.
//!
//! # Invariants
//! - One batch a version: values, history, tree nodes, stale lists, root, committed version, metadata and pruning. After a crash
//!   the database is at a whole version (`tests/it/crash.rs`).
//! - The tree does no I/O ([`tree`]); only this crate names rocksdb.
//! - A view answers for its version whatever is committed meanwhile, and waits for nothing (`tests/it/views.rs`).
//! - What is read from a damaged database is an error, not a wrong answer: tree nodes are checked against their parent's hash when
//!   they come from disk, proofs against the root before they are handed out (`tests/it/damage.rs`).
//!
//! [`checkpoint`] keeps whole versions to go back to, [`snapshot`] makes and restores those that other nodes begin from.
//!
//! # Proofs
//! [`View::prove`] gives ICS-23 proofs; [`proof`] has what a light client needs to know.

pub mod checkpoint;
mod db;
mod error;
mod head;
mod options;
pub mod proof;
mod prune;
mod range;
mod reader;
pub mod snapshot;
mod stage;
mod stale;
mod store;
mod transcripts;
pub mod tree;
mod view;
mod window;

pub use error::StoreError;
pub use options::{Pruning, StoreOptions};
pub use reader::Reader;
pub use stage::Staged;
pub use store::Store;
pub use transcripts::Transcript;
pub use view::View;
