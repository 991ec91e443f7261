//! Why the store could not do as asked.

use std::path::PathBuf;

use swing_core::state::StateError;

use crate::tree::TreeError;

/// A failure of the store. All are local: none is a function of the block alone.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process (or another `Store` of this one) has the database open.
    #[error(
        "the database {path} is in use by another process: stop that process first, two nodes must never share a home"
    )]
    Locked {
        /// The database's folder.
        path: PathBuf,
    },
    /// The database was written in a format that this build does not know.
    #[error(
        "the database {path} has format {found}, this build reads format {supported}: use the release that wrote it"
    )]
    UnknownFormat {
        /// The database's folder.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The one format that is read.
        supported: u32,
    },
    /// Stored bytes are not what was written. Nothing read from them is handed out.
    #[error("the database is damaged: {what}: restore it from a backup or by state sync")]
    Corrupt {
        /// What is wrong, and where.
        what: String,
    },
    /// The version is not, or no longer, or not yet kept.
    #[error("version {version} is not kept: this node has versions {oldest} to {latest}")]
    NotKept {
        /// The version asked for.
        version: u64,
        /// The oldest that can be read.
        oldest: u64,
        /// The committed one.
        latest: u64,
    },
    /// A stage of a version that does not follow the committed one.
    #[error("version {version} cannot be staged on version {committed}: the next is {expected}")]
    OutOfOrder {
        /// The version asked for.
        version: u64,
        /// The committed version, 0 when there is none.
        committed: u64,
        /// What would follow.
        expected: u64,
    },
    /// A commit of something staged on a version that is not the committed one any more.
    #[error("the changes were staged on version {base}, but version {committed} is committed: stage them again")]
    StaleBase {
        /// The version that the changes were staged on.
        base: u64,
        /// The committed version.
        committed: u64,
    },
    /// ICS-23 has no proof for an empty key, so state holds none.
    #[error("a state key is empty: every key needs a module's name in front")]
    EmptyKey,
    /// Unhashed keys are outside the tree.
    #[error("keys beginning with '~' are not in the tree, so nothing proves them: prove the hash that binds them")]
    NotInTree,
    /// ICS-23 proves absence by a neighbour, and an empty tree has none.
    #[error("no key is in the tree at version {version}, and ICS-23 has no proof of absence from an empty tree")]
    EmptyTree {
        /// The version asked for.
        version: u64,
    },
    /// Pruning options that no node should run with.
    #[error("pruning: {why}")]
    BadPruning {
        /// What was wrong and what is accepted.
        why: String,
    },
    /// A snapshot is being restored into the store.
    #[error("a snapshot is being restored: no block can be executed before that has ended")]
    Restoring,
    /// An earlier commit failed half-way; what the database holds is known only after opening it again.
    #[error("an earlier commit failed: restart the node, which opens the database again")]
    Failed,
    /// A file could not be used.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// RocksDB failed.
    #[error("database: {doing}: {source}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// RocksDB's error.
        source: rocksdb::Error,
    },
}

impl StoreError {
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        StoreError::Corrupt { what: what.into() }
    }

    /// Turns RocksDB's error into ours; its own finding of damage is `Corrupt`.
    pub(crate) fn database(doing: &'static str) -> impl FnOnce(rocksdb::Error) -> Self {
        move |source| match source.kind() {
            rocksdb::ErrorKind::Corruption => StoreError::corrupt(format!("{doing}: {source}")),
            _ => StoreError::Database { doing, source },
        }
    }
}

impl From<TreeError> for StoreError {
    fn from(error: TreeError) -> Self {
        StoreError::corrupt(format!("the state tree: {error}"))
    }
}

impl From<StoreError> for StateError {
    fn from(error: StoreError) -> Self {
        StateError::Storage(error.to_string())
    }
}
