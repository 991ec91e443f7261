//! The home directory: its layout, its files and how they are written. Source: the Cosmos SDK's `config/` and `data/` folders
//! with CometBFT 0.38's files, so that an unmodified `cometbft` runs on the same home.
//!
//! # Invariants
//! - A file is replaced whole or not at all: written beside its place, synced, renamed ([`files`]).
//! - Secrets have mode 0600.
//! - What is edited keeps the operator's other settings and comments ([`toml_file`]).

pub mod app;
pub mod client;
pub mod cometbft;
pub mod consensus_params;
pub mod files;
pub mod genesis;
pub mod home;
pub mod node_keys;
pub mod swingset;
pub mod toml_file;

pub use app::AppConfig;
pub use client::ClientConfig;
pub use genesis::GenesisDoc;
pub use home::Home;
pub use swingset::SwingsetConfig;

use std::path::PathBuf;

/// Why a file of the home directory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file system refused.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was tried (`read`, `write`, …).
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong in it and what was expected.
        reason: String,
    },
    /// A setting that does not exist, or a value that it cannot have.
    #[error("{0}")]
    Setting(String),
}

impl ConfigError {
    /// The file holds something wrong.
    pub fn content(path: impl Into<PathBuf>, reason: impl std::fmt::Display) -> Self {
        ConfigError::Content { path: path.into(), reason: reason.to_string() }
    }
}
