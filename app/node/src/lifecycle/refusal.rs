//! The upgrade decision as this process takes it: what was decided, what is said about it, and what is left on disk.

use std::path::Path;

use swing_core::{
    error::Halt,
    ports::upgrade::{Decision, DecisionInput, Plan, Release},
};
use swing_files::Files;
use swing_upgrades::lines;

use super::{ExitCode, write_info_file};

/// A decision that forbids the next block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The release that refuses.
    pub release: String,
    /// The block that it will not execute.
    pub height: u64,
    /// What was decided: one of those that are not `Continue`, `Apply` or `Skip`.
    pub decision: Decision,
}

impl Refusal {
    /// The lines that operators and supervisors look for, in order.
    pub fn lines(&self) -> Vec<String> {
        lines::of_decision(&self.release, &self.decision)
    }

    /// The exit code that it leads to.
    pub fn exit_code(&self) -> ExitCode {
        match self.decision {
            Decision::TooEarly(_) => ExitCode::UpgradeTooEarly,
            Decision::MissingHandler { .. } | Decision::UnsupportedAppVersion { .. } => ExitCode::WrongRelease,
            Decision::Needed(_) | Decision::Continue | Decision::Apply(_) | Decision::Skip(_) => {
                ExitCode::UpgradeNeeded
            }
        }
    }

    /// The plan that another release must apply, when that is why.
    pub fn needed_plan(&self) -> Option<&Plan> {
        match &self.decision {
            Decision::Needed(plan) => Some(plan),
            _ => None,
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.lines().join("; "))
    }
}

/// The refusal that a decision amounts to, if it is one.
pub fn refusal_of(release: &dyn Release, height: u64, decision: Decision) -> Option<Refusal> {
    match decision {
        Decision::Continue | Decision::Apply(_) | Decision::Skip(_) => None,
        decision => Some(Refusal { release: release.name().to_owned(), height, decision }),
    }
}

/// Whether `release` may execute block `input.height`.
///
/// # Errors
/// The refusal.
pub fn decide_from_state(release: &dyn Release, input: &DecisionInput) -> Result<(), Refusal> {
    refusal_of(release, input.height, release.decide(input)).map_or(Ok(()), Err)
}

/// Says why this binary goes no further and, where another release is needed, leaves `upgrade-info.json` for a supervisor.
/// Nothing is decided by the file, so that it cannot be written changes nothing but what is said.
pub fn refuse(refusal: &Refusal, files: &dyn Files, data_folder: &Path) {
    for line in refusal.lines() {
        tracing::error!("{line}");
    }
    if let Some(plan) = refusal.needed_plan()
        && let Err(Halt { reason }) = write_info_file(files, data_folder, plan)
    {
        tracing::error!("{reason}");
    }
}
