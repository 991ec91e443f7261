//! Why the process ends.

use swing_core::{error::Halt, ports::upgrade::Plan};

use super::{ExitCode, Refusal};
use crate::divergence::Divergence;

/// A reason to end the process.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// SIGTERM or SIGINT.
    #[error("{signal} received")]
    Signal {
        /// Its name.
        signal: &'static str,
    },
    /// The upgrade decision forbids the next block.
    #[error("{0}")]
    Upgrade(Refusal),
    /// The upgrade's handler failed; state is that of the block before.
    #[error(
        "UPGRADE \"{}\" FAILED at height {}: {reason}; state is that of height {}, start a repaired binary on it",
        plan.name, height, height.saturating_sub(1)
    )]
    UpgradeFailed {
        /// The plan.
        plan: Plan,
        /// The block in which it was to be applied.
        height: u64,
        /// What failed.
        reason: String,
    },
    /// The genesis document cannot be used.
    #[error("genesis: {reason}")]
    GenesisRefused {
        /// What is wrong with it, and where.
        reason: String,
    },
    /// The chain has gone on from another state.
    #[error(transparent)]
    Diverged(#[from] Divergence),
    /// A local fault.
    #[error(transparent)]
    Halt(#[from] Halt),
    /// A thread panicked.
    #[error("thread `{thread}` panicked: the lines above say where")]
    Panicked {
        /// The thread's name.
        thread: String,
    },
    /// The consensus connection ended.
    #[error("the consensus connection was lost: {detail}")]
    ConsensusLost {
        /// How.
        detail: String,
    },
}

impl StopReason {
    /// The exit code that it leads to.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            StopReason::Signal { .. } => ExitCode::Ok,
            StopReason::Upgrade(refusal) => refusal.exit_code(),
            StopReason::UpgradeFailed { .. } => ExitCode::UpgradeFailed,
            StopReason::GenesisRefused { .. } => ExitCode::Failed,
            StopReason::Diverged(_) => ExitCode::Diverged,
            StopReason::Halt(_) => ExitCode::Halt,
            StopReason::Panicked { .. } => ExitCode::Panicked,
            StopReason::ConsensusLost { .. } => ExitCode::ConsensusLost,
        }
    }
}
