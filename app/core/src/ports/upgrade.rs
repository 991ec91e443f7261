//! The running release as a port. `upgrades/core` implements it; the plan's types live here since state holds them.

use std::collections::BTreeMap;

use super::engine::Engine;
use crate::{
    block::Time,
    error::{Failure, Halt},
    modules::upgrade::done,
    state::State,
};

/// A scheduled upgrade. Source: `cosmos.upgrade.v1beta1.Plan`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Its name, which a release's handler is registered under.
    pub name: String,
    /// The height of the first block of the new rules.
    pub height: u64,
    /// Free or machine-read text.
    pub info: String,
}

/// Versions of the modules' state layouts, by module name.
pub type VersionMap = BTreeMap<String, u64>;

/// What to do about the plan before block `height` is executed. Source: x/upgrade's PreBlocker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// No plan is due and this release may go on.
    Continue,
    /// A plan is due and this release handles it: apply it in this block.
    Apply(Plan),
    /// A plan is due and is skipped by the operator's flag: clear it.
    Skip(Plan),
    /// A plan is due that this release cannot handle: `UPGRADE "name" NEEDED at height: H: info`.
    Needed(Plan),
    /// This release handles a plan that is not due, and has not earned to run the previous rules: `BINARY UPDATED BEFORE
    /// TRIGGER! …`.
    TooEarly(Plan),
    /// The last applied upgrade has no handler here: `wrong app version …`.
    MissingHandler {
        /// Name of the last applied plan.
        last_applied: String,
        /// The committed app version.
        app_version: u64,
    },
    /// The committed app version is one that this release cannot run at all.
    UnsupportedAppVersion {
        /// The committed app version.
        app_version: u64,
    },
}

/// What the decision is made from: committed state and flags, nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionInput {
    /// The block about to be executed.
    pub height: u64,
    /// The pending plan.
    pub plan: Option<Plan>,
    /// Name and height of the plan applied last.
    pub last_applied: Option<(String, u64)>,
    /// The committed `ConsensusParams.version.app`.
    pub app_version: u64,
    /// `--unsafe-skip-upgrades`.
    pub skip_heights: Vec<u64>,
}

/// What an upgrade handler works with.
pub struct UpgradeContext<'a, 'base> {
    /// The block's overlay.
    pub state: &'a mut State<'base>,
    /// The contract engine.
    pub engine: &'a mut dyn Engine,
    /// The block in which the upgrade happens.
    pub height: u64,
    /// Its time.
    pub time: Time,
}

impl std::fmt::Debug for UpgradeContext<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpgradeContext").field("height", &self.height).finish_non_exhaustive()
    }
}

/// The running release.
pub trait Release: Sync {
    /// Its name (`version-2`).
    fn name(&self) -> &str;

    /// The app version that it writes when its upgrade is applied.
    fn app_version(&self) -> u64;

    /// Can it handle this plan?
    fn can_handle(&self, plan_name: &str) -> bool;

    /// The decision before a block. Pure.
    fn decide(&self, input: &DecisionInput) -> Decision;

    /// Runs the handler of `plan` inside the block's overlay; gives the new version map.
    ///
    /// # Errors
    /// Any failure: the whole block is then dropped and the node stops with the reason, state at H−1.
    fn apply(
        &self,
        context: &mut UpgradeContext<'_, '_>,
        plan: &Plan,
        from: &VersionMap,
    ) -> Result<VersionMap, Failure>;

    /// Does one slice of the migration that is under way, inside the block's overlay; gives the version map as it is now.
    ///
    /// # Errors
    /// Any failure: the whole block is then dropped and the node stops with the reason, the cursor where it was.
    fn migrate(&self, context: &mut UpgradeContext<'_, '_>, _from: &VersionMap) -> Result<VersionMap, Failure> {
        let reason = format!("{} has no slices for the migration at height {}", self.name(), context.height);
        Err(Failure::Halt(Halt::new(reason)))
    }

    /// What tells this release's handler of a plan from every other one: SHA-256. It is in state once the plan is applied.
    fn handler_digest(&self, plan_name: &str) -> [u8; 32] {
        let version = self.app_version().to_be_bytes();
        done::of_parts([b"handler".as_slice(), self.name().as_bytes(), plan_name.as_bytes(), &version])
    }

    /// The bundles that `initialize_swingset` and `reinitialize_swingset` install under the rules of `app_version`.
    fn bundles(&self, app_version: u64) -> Option<super::engine::ReleaseBundles>;

    /// Versions of the modules' state layouts under the rules of `app_version`: what genesis records. None when this release
    /// does not know that version.
    fn module_versions(&self, app_version: u64) -> Option<VersionMap>;
}
