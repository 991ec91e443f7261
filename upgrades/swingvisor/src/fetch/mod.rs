//! Getting a plan's binary, from where the plan says or from a file, into its slot.
//!
//! # Invariants
//! - Nothing is executed before its checksum was verified, and nothing is in a slot before it was executed: it is asked who it is
//!   beside its place.
//! - Only this platform's entry is looked at, and no content without a checksum is used.
//! - A file that somebody put into a slot is held against the checksum that the plan has for it, see [`planned`].

mod archive;
mod install;
mod plan_info;
mod planned;
mod source;
mod transfer;

pub use install::{Installer, install};
pub use plan_info::{Entry, entry};
pub use planned::Planned;
pub use source::{Checksum, Location, Source};
pub use transfer::Transfer;

/// Why there is no binary.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The plan's info names no download for this platform.
    #[error("the plan's info {0}")]
    Info(String),
    /// A download's address that is not taken.
    #[error("{url}: {reason}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The content could not be had.
    #[error("{url}: {reason}")]
    Transfer {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// The content is another one.
    #[error("{url} has {kind} {found}, the plan says {expected}: not used")]
    Checksum {
        /// The address.
        url: String,
        /// The kind of digest.
        kind: &'static str,
        /// The content's.
        found: String,
        /// The plan's.
        expected: String,
    },
    /// An archive without the binary.
    #[error("the archive {0}")]
    Archive(String),
    /// The file is not a binary that answers.
    #[error("{file} is not used: {reason}")]
    Binary {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// Something is in the slot.
    #[error("{slot} has a binary already: add --force to replace it")]
    Occupied {
        /// The slot.
        slot: String,
    },
    /// The system refused.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl FetchError {
    fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| FetchError::System { what, source }
    }
}
