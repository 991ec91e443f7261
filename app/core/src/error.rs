//! Failure families. A function that can fail in both ways returns [`Failure`]; the families never turn into each other.

use crate::state::StateError;

/// A deterministic refusal: every node gives the same code for the same input. Codespace and code follow the Cosmos SDK's
/// registered errors, since clients switch on them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{log}")]
pub struct Rejected {
    /// The SDK codespace (`sdk`, `gov`, `upgrade`, …).
    pub codespace: &'static str,
    /// The registered code, never 0.
    pub code: u32,
    /// What was wrong, what was expected and what to do. Not part of consensus.
    pub log: String,
}

impl Rejected {
    /// A refusal with the SDK's root codespace.
    pub fn sdk(code: u32, log: impl Into<String>) -> Self {
        Rejected { codespace: "sdk", code, log: log.into() }
    }
}

/// A fault of this node (storage, memory, a broken invariant). The process must stop; no vote is cast on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("halt: {reason}")]
pub struct Halt {
    /// What failed, for the operator.
    pub reason: String,
}

impl Halt {
    /// A halt for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Halt { reason: reason.into() }
    }
}

/// Either family.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Deterministic.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// Local.
    #[error(transparent)]
    Halt(#[from] Halt),
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        match error {
            StateError::OutOfGas { .. } => Failure::Rejected(Rejected::sdk(11, format!("{error}: out of gas"))),
            StateError::Storage(reason) => Failure::Halt(Halt::new(reason)),
        }
    }
}
