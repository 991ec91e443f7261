//! Why a genesis is refused.

use crate::{
    error::{Failure, Halt, Rejected},
    state::StateError,
};

/// Why a genesis is refused. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// A section that no module knows.
    #[error("app_state.{section}: no module of this chain has this section; known are {known}")]
    UnknownSection {
        /// Its name.
        section: String,
        /// The names that are known.
        known: String,
    },
    /// Something in a section.
    #[error("{path}: {reason}")]
    Section {
        /// Where, as a JSON path from the document's root.
        path: String,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// A fault of this node.
    #[error(transparent)]
    Halt(#[from] Halt),
}

impl GenesisError {
    /// Something wrong at `path` (from `app_state` on, such as `bank.balances[2]`).
    pub fn at(path: impl std::fmt::Display, reason: impl std::fmt::Display) -> Self {
        GenesisError::Section { path: format!("app_state.{path}"), reason: reason.to_string() }
    }

    /// A failure while a section was written.
    pub fn of(path: impl std::fmt::Display, failure: Failure) -> Self {
        match failure {
            Failure::Halt(halt) => GenesisError::Halt(halt),
            Failure::Rejected(Rejected { log, .. }) => Self::at(path, log),
        }
    }
}

impl From<StateError> for GenesisError {
    fn from(error: StateError) -> Self {
        GenesisError::Halt(Halt::new(error.to_string()))
    }
}
