//! Why a snapshot could not be made, read or restored.

use std::path::{Path, PathBuf};

use swing_core::state::StateError;

use super::{MetadataError, stream::Malformed};
use crate::StoreError;

/// A failure with a snapshot that is made, listed or served. State and the other snapshots are as they were.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The database's own failure.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// State could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// A file could not be used.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The filesystem is too full to go on without harm to the node itself.
    #[error(
        "{free} bytes are free at {folder}, a snapshot leaves at least {spare}: free some, or keep fewer snapshots"
    )]
    NoRoom {
        /// The folder of snapshots.
        folder: PathBuf,
        /// Bytes free for this user.
        free: u64,
        /// Bytes that are left alone.
        spare: u64,
    },
    /// The store holds no version yet.
    #[error("no block is committed yet: there is nothing to make a snapshot of")]
    Empty,
    /// No such snapshot.
    #[error("no snapshot of height {height} and format {format} in {folder}")]
    NotFound {
        /// The height asked for.
        height: u64,
        /// The format asked for.
        format: u32,
        /// The folder of snapshots.
        folder: PathBuf,
    },
    /// A snapshot's files are not what was written.
    #[error("{path}: {reason}: delete this snapshot, others are not harmed")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A value of state that no snapshot carries.
    #[error("the value at {key} has {bytes} bytes, more than a snapshot carries")]
    TooLarge {
        /// The key.
        key: String,
        /// Its size and its value's.
        bytes: usize,
    },
    /// State that needs more chunks than are offered to anybody.
    #[error("state needs more than {max} chunks, which is more than CometBFT takes")]
    TooManyChunks {
        /// The most there may be.
        max: usize,
    },
    /// The metadata would be refused by those to whom it is offered.
    #[error("the snapshot's metadata: {0}")]
    Metadata(#[from] MetadataError),
}

impl SnapshotError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| SnapshotError::Io { path: path.to_path_buf(), source }
    }
}

/// Why a snapshot could not be restored, or not go on being restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A local fault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database is not empty.
    #[error("the database has version {version}: state sync begins with an empty one, remove it first")]
    NotEmpty {
        /// Its committed version.
        version: u64,
    },
    /// A chunk that is not the one that the metadata names. Another sender's may be.
    #[error("chunk {index}: its bytes are not those that the snapshot's metadata names")]
    DamagedChunk {
        /// Which.
        index: u32,
    },
    /// A chunk that is not the next one. Nothing was done with it.
    #[error("chunk {index} came in the place of chunk {expected}")]
    OutOfTurn {
        /// Which came.
        index: u32,
        /// Which is next.
        expected: u32,
    },
    /// The chunks are those of the metadata, and no snapshot: whoever offers it made it up.
    #[error("chunk {index}: {why}")]
    Malformed {
        /// The chunk in which it was found.
        index: u32,
        /// What is wrong.
        why: Malformed,
    },
    /// The state is a state, and another one than the trusted header has.
    #[error("the restored state has app hash {found}, the trusted header {expected}")]
    WrongAppHash {
        /// The trusted one.
        expected: String,
        /// What came out.
        found: String,
    },
    /// What is outside the tree is not what the state in the tree binds.
    #[error("outside the tree: {why}")]
    Unbound {
        /// What is wrong, and where.
        why: String,
    },
}
