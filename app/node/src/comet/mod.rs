//! A CometBFT that the node starts and watches (`swingd start --engine cometbft`).
//!
//! # Invariants
//! - The child dies with its parent, also when the parent is killed (held by `tests/e2e`).
//! - Two CometBFTs on one home are impossible: the child inherits the lock on the home, so a new one waits for the old one's
//!   death even when their parent was killed in between.

mod binary;
mod child;
mod lock;

pub use binary::{CometBinary, VERSION_LINE};
pub use child::CometChild;
pub use lock::HomeLock;

/// Why a CometBFT could not be started.
#[derive(Debug, thiserror::Error)]
pub enum CometError {
    /// No binary was found.
    #[error(
        "cometbft is not found: looked at $COMETBFT and the PATH. Install CometBFT {VERSION_LINE} \
         (go install github.com/cometbft/cometbft/cmd/cometbft@v0.38.26), name it with --cometbft, or run it yourself with --engine external"
    )]
    NotFound,
    /// The binary is of another version line.
    #[error("{path} is CometBFT {version}, expected {VERSION_LINE}: ABCI 2.0 as this node speaks it came with 0.38")]
    WrongVersion {
        /// The binary.
        path: String,
        /// What it says of itself.
        version: String,
    },
    /// Another process holds the home.
    #[error("another node or CometBFT runs on {home} (lock {lock}): stop it first")]
    HomeInUse {
        /// The home.
        home: String,
        /// The lock file.
        lock: String,
    },
    /// The system refused something.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl CometError {
    fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| CometError::System { what, source }
    }
}
