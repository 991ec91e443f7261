//! What can go wrong with the file.

use std::{io, path::PathBuf};

use swingset_host::env::EnvError;

/// The file cannot serve. None of these is part of any state.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused something.
    #[error("cannot {action} {path}: {error}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Another process works on it.
    #[error("{path} is in use by another process: wait until it ends")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A file was to be made where one is.
    #[error("{path} exists already: remove it or name another file")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// What lies there cannot be read back as it was written.
    #[error("{path} is damaged at byte {offset}: {reason}; restore the file from a copy")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the first bad record begins.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// More was written since the last commit than one batch may hold.
    #[error("a batch of {bytes} bytes; it may have {max}: commit more often")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The most that is allowed.
        max: u64,
    },
    /// A write or sync failed before: what reached the disk is not known.
    #[error("an earlier write to {path} failed: open the file anew, which shows what was kept")]
    Broken {
        /// The file.
        path: PathBuf,
    },
    /// The state in memory refused something.
    #[error(transparent)]
    State(#[from] EnvError),
}
