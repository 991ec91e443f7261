//! Snapshots for state sync: one version of state as a stream in chunks, made beside the blocks, and restored into an empty
//! database.
//!
//! The stream has the keys that are in the tree, in the order of its leaves, then the unhashed ones in byte order. It is cut in
//! chunks of one size, and is the same on every node that has the state: so is the [`Metadata`], by which nodes that never spoke
//! serve one snapshot together. Why it is as it is: `docs/adr/0028-state-sync.md`.
//!
//! # Invariants
//! - Making one reads a view: it waits for no block, no block waits for it, and its version is not pruned meanwhile.
//! - What is exported was checked against the app hash, leaf by leaf: a damaged database makes no snapshot.
//! - A restored version is seen by nobody before its root is the trusted one and what is outside the tree was verified. Until then
//!   a row says that the database is half restored, and the next opening empties it (`tests/it/snapshots.rs`).
//! - Nothing that a peer says decides how much memory is taken.

mod error;
mod export;
mod folder;
mod metadata;
mod restore;
mod stream;

pub use error::{RestoreError, SnapshotError};
pub use folder::{Listed, Snapshots};
pub use metadata::{About, CHUNKS_MAX, FORMAT, METADATA_BYTES_MAX, Metadata, MetadataError};
pub use restore::Restore;
pub(crate) use restore::{is_half_restored, recover};
pub use stream::CHUNK_BYTES;
