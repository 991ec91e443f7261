//! Why a checkpoint could not be made, found, verified or restored.

use std::path::{Path, PathBuf};

use crate::StoreError;

/// A failure with a checkpoint. The database and the other checkpoints are as they were.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The database's own failure.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be used.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Hard links do not reach from the database's folder to the checkpoints'.
    #[error("{folder} is on another filesystem than {database}: hard links need one, move the folder of checkpoints")]
    OtherFilesystem {
        /// The folder of checkpoints.
        folder: PathBuf,
        /// The database's folder.
        database: PathBuf,
    },
    /// The filesystem is too full.
    #[error("{free} bytes are free at {folder}, a checkpoint needs {needed}")]
    NoRoom {
        /// The folder of checkpoints.
        folder: PathBuf,
        /// Bytes free for this user.
        free: u64,
        /// Bytes needed.
        needed: u64,
    },
    /// The store holds no version yet.
    #[error("no block is committed yet: there is nothing to keep")]
    Empty,
    /// No such checkpoint.
    #[error("no checkpoint {id} in {folder}")]
    NotFound {
        /// The ID asked for.
        id: String,
        /// The folder of checkpoints.
        folder: PathBuf,
    },
    /// The manifest is not one that this build reads.
    #[error("{path}: {reason}")]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The database in a checkpoint is not the one that its manifest tells of.
    #[error("checkpoint {id}: its database has {what} {found}, its manifest {expected}")]
    Mismatch {
        /// The checkpoint.
        id: String,
        /// What differs.
        what: &'static str,
        /// What the manifest says.
        expected: String,
        /// What the database holds.
        found: String,
    },
    /// The filesystem cannot exchange two folders in one step.
    #[error(
        "{path}: this filesystem cannot exchange two folders in one step, and in two a crash between them would leave no database: \
         move the data folder to ext4, XFS or Btrfs"
    )]
    NoExchange {
        /// The database's folder.
        path: PathBuf,
    },
}

impl CheckpointError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| CheckpointError::Io { path: path.to_path_buf(), source }
    }
}
