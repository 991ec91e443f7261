//! Failure families of the engine. They never turn into each other: a refusal and a stop are the same on every node, a halt is
//! this node's own fault and must end the process.

use crate::env::EnvError;

/// What is wrong with an input, as a number that clients and tests may rely on. A code keeps its meaning for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum RejectCode {
    /// The bytes are not a bundle in its one canonical form.
    BundleFormat = 1,
    /// The bundle is larger than allowed.
    BundleSize = 2,
    /// The bundle's content is not what its alleged ID names.
    BundleId = 3,
    /// The bundle's kind is not the one that is needed here.
    BundleKind = 4,
    /// No bundle with this ID is installed.
    BundleUnknown = 5,
    /// A module of the bundle is not admitted.
    Admission = 6,
    /// A lockdown policy is malformed or above the engine's ceiling.
    Policy = 7,
    /// Host ABI, supervisor ABI or schema do not fit.
    Compatibility = 8,
    /// `initialize_swingset` was called on an initialized state.
    AlreadyInitialized = 9,
    /// The state was never initialized.
    NotInitialized = 10,
    /// A schema migration is under way; the call must wait until it is done.
    Migrating = 11,
    /// The kernel refused a migration, or did not end it within the budget.
    Migration = 12,
    /// An argument is malformed or too large.
    Argument = 13,
    /// The kernel refused the command; its own code is in the text.
    Kernel = 14,
}

/// A deterministic refusal: nothing was changed, and every node says the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Rejection {
    /// The stable code.
    pub code: RejectCode,
    /// What was wrong, what was expected and what to do. For people. Made of the input, the state and fixed words, so that every
    /// node says the same: embedders keep the reason of a failed swap in state.
    pub problem: String,
}

impl Rejection {
    /// A refusal.
    pub fn new(code: RejectCode, problem: impl Into<String>) -> Self {
        Rejection { code, problem: problem.into() }
    }
}

/// A fault of this node: storage, memory, a broken invariant, an engine that cannot do what it promised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("halt: {0}")]
pub struct Halt(
    /// What failed, for the operator.
    pub String,
);

impl Halt {
    /// A halt for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Halt(reason.into())
    }
}

impl From<EnvError> for Halt {
    fn from(error: EnvError) -> Self {
        Halt(error.to_string())
    }
}

/// Why an engine call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The input is refused; nothing was changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The engine is stopped: the reason is in state, and the call cannot be served until a kernel swap clears it.
    #[error("engine stopped: {0}")]
    Stopped(String),
    /// A local fault: the process must stop.
    #[error(transparent)]
    Halt(#[from] Halt),
}

impl EngineError {
    /// A refusal.
    pub fn rejected(code: RejectCode, problem: impl Into<String>) -> Self {
        EngineError::Rejected(Rejection::new(code, problem))
    }

    /// A halt.
    pub fn halt(reason: impl Into<String>) -> Self {
        EngineError::Halt(Halt::new(reason))
    }
}

impl From<EnvError> for EngineError {
    fn from(error: EnvError) -> Self {
        EngineError::Halt(error.into())
    }
}
