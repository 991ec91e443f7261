//! A block's surroundings for module tests: an engine with nothing in it and a release that a test describes.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use swing_core::{
    block::Time,
    error::{Failure, Halt, Rejected},
    event::Event,
    modules::{BlockContext, MsgContext, authority, upgrade::migration},
    ports::{
        Ports,
        engine::{
            BundleId, BundleReceipt, BundleSwap, Engine, EngineFailure, Inbound, ReleaseBundles, RunBudget, RunReport,
            StaticVatConfig, SwapForecast, SwapReport,
        },
        signatures::SignatureVerifier,
        upgrade::{Decision, DecisionInput, Plan, Release, UpgradeContext, VersionMap},
    },
    state::{Changes, State},
};
use swing_proto::swing::upgrade::v1::Migration;

/// Committed state in memory.
pub type Memory = BTreeMap<Vec<u8>, Bytes>;

/// Governance's address.
pub fn gov() -> String {
    authority::authority().to_string()
}

/// A block at `height`, one second a height.
pub fn block(height: u64) -> BlockContext {
    BlockContext {
        chain_id: "test-1".to_owned(),
        height,
        time: Time { seconds: 1_700_000_000_i64.saturating_add_unsigned(height), nanos: 0 },
        app_version: 1,
        ..BlockContext::default()
    }
}

/// Runs `act` as a message in a block of its own; commits what it wrote when it succeeds. Gives its events too.
pub fn message<R>(
    memory: &mut Memory,
    block: &BlockContext,
    act: impl FnOnce(&mut MsgContext<'_, '_>) -> Result<R, Failure>,
) -> Result<(R, Vec<Event>), Failure> {
    let mut engine = NoEngine;
    let mut state = State::new(memory);
    let start = state.mark();
    let result = act(&mut MsgContext { state: &mut state, block, engine: &mut engine })?;
    let events = state.take_events(start);
    let changes = state.into_changes();
    commit(memory, changes);
    Ok((result, events))
}

/// Writes changes into memory.
pub fn commit(memory: &mut Memory, changes: Changes) {
    for (key, value) in changes {
        match value {
            Some(value) => memory.insert(key, value),
            None => memory.remove(&key),
        };
    }
}

/// Writes straight into committed state, as earlier blocks would have.
pub fn write<R>(memory: &mut Memory, act: impl FnOnce(&mut State<'_>) -> R) -> R {
    let mut state = State::new(memory);
    let result = act(&mut state);
    let changes = state.into_changes();
    commit(memory, changes);
    result
}

/// The refusal in a result.
#[track_caller]
pub fn refusal<R: std::fmt::Debug>(result: Result<R, Failure>) -> Rejected {
    match result.expect_err("a refusal") {
        Failure::Rejected(rejected) => Some(rejected),
        Failure::Halt(_) => None,
    }
    .expect("a refusal, not a fault")
}

/// An event as one line: `kind key=value …`.
pub fn line(event: &Event) -> String {
    event.attributes.iter().fold(event.kind.clone(), |line, (key, value)| format!("{line} {key}={value}"))
}

/// An engine that nothing here may need.
pub struct NoEngine;

fn none<T>() -> Result<T, EngineFailure> {
    Err(EngineFailure::Halt(Halt::new("no engine here")))
}

impl Engine for NoEngine {
    fn initialize(
        &mut self,
        _: &mut State<'_>,
        _: &ReleaseBundles,
        _: &[StaticVatConfig],
    ) -> Result<(), EngineFailure> {
        none()
    }
    fn begin_block(&mut self, _: &mut State<'_>, _: u64, _: Time) -> Result<(), EngineFailure> {
        none()
    }
    fn install_bundle(&mut self, _: &mut State<'_>, _: &[u8]) -> Result<BundleReceipt, EngineFailure> {
        none()
    }
    fn release_bundle(&mut self, _: &mut State<'_>, _: &str) -> Result<(), EngineFailure> {
        none()
    }
    fn free_bundles(&mut self, _: &mut State<'_>) -> Result<Vec<BundleId>, EngineFailure> {
        none()
    }
    fn deliver_inbound(&mut self, _: &mut State<'_>, _: &Inbound) -> Result<Option<String>, EngineFailure> {
        none()
    }
    fn forget_result(&mut self, _: &mut State<'_>, _: &str) -> Result<(), EngineFailure> {
        none()
    }
    fn poll_timer(&mut self, _: &mut State<'_>) -> Result<bool, EngineFailure> {
        none()
    }
    fn check_vat_bundle(&mut self, _: &mut State<'_>, _: &str) -> Result<(), EngineFailure> {
        none()
    }
    fn run(&mut self, _: &mut State<'_>, _: RunBudget) -> Result<RunReport, EngineFailure> {
        none()
    }
    fn reinitialize(&mut self, _: &mut State<'_>, _: &ReleaseBundles) -> Result<SwapReport, EngineFailure> {
        none()
    }
    fn check_swap(&mut self, _: &mut State<'_>, _: &BundleSwap) -> Result<SwapForecast, EngineFailure> {
        none()
    }
    fn swap(&mut self, _: &mut State<'_>, _: &BundleSwap) -> Result<SwapReport, EngineFailure> {
        none()
    }
    fn end_block(&mut self, _: &mut State<'_>) -> Result<(), EngineFailure> {
        none()
    }
    fn discard(&mut self) {}
}

/// Signature checks that nothing here may need.
pub struct NoSignatures;

impl SignatureVerifier for NoSignatures {
    fn verify_secp256k1(&self, _: &[u8], _: &[u8], _: &[u8]) -> bool {
        false
    }
}

/// All ports, with this release.
pub fn ports<'a>(engine: &'a mut NoEngine, release: &'a TestRelease) -> Ports<'a> {
    Ports { engine, signatures: &NoSignatures, release }
}

/// A release that a test describes. It decides by plan name and height alone.
#[derive(Debug, Default)]
pub struct TestRelease {
    /// Plans that it applies.
    pub plans: BTreeSet<&'static str>,
    /// Its handler fails with this, after it has written.
    pub failure: Option<&'static str>,
    /// What its handler writes beside the plan's name.
    pub writes: &'static str,
    /// Slices of the migration that its handler begins; none when 0.
    pub slices: u64,
}

impl TestRelease {
    /// A release that handles these plans.
    pub fn handling(plans: &[&'static str]) -> Self {
        TestRelease { plans: plans.iter().copied().collect(), ..TestRelease::default() }
    }
}

impl TestRelease {
    /// Where its migration stands after so many slices.
    fn stands(&self, slices: u64) -> Migration {
        let cursor = slices.to_be_bytes().to_vec();
        Migration { module: "bank".to_owned(), from_version: 4, to_version: 5, cursor, slices, ..Migration::default() }
    }
}

impl Release for TestRelease {
    fn name(&self) -> &str {
        "test-release"
    }
    fn app_version(&self) -> u64 {
        2
    }
    fn can_handle(&self, plan_name: &str) -> bool {
        self.plans.contains(plan_name)
    }
    fn decide(&self, input: &DecisionInput) -> Decision {
        match &input.plan {
            Some(plan) if plan.height <= input.height => {
                if input.skip_heights.contains(&input.height) {
                    Decision::Skip(plan.clone())
                } else if self.can_handle(&plan.name) {
                    Decision::Apply(plan.clone())
                } else {
                    Decision::Needed(plan.clone())
                }
            }
            _ => Decision::Continue,
        }
    }
    fn apply(
        &self,
        context: &mut UpgradeContext<'_, '_>,
        plan: &Plan,
        from: &VersionMap,
    ) -> Result<VersionMap, Failure> {
        context.state.set(b"migrated".to_vec(), format!("{}{}", plan.name, self.writes).into_bytes())?;
        if let Some(reason) = self.failure {
            return Err(Failure::Rejected(Rejected::sdk(1, reason)));
        }
        if self.slices > 0 {
            migration::set(context.state, &self.stands(1))?;
        }
        Ok(from.iter().map(|(module, version)| (module.clone(), version + 1)).collect())
    }
    fn migrate(&self, context: &mut UpgradeContext<'_, '_>, from: &VersionMap) -> Result<VersionMap, Failure> {
        let slice = migration::under_way(context.state)?.map_or(0, |migration| migration.slices) + 1;
        context.state.set(format!("migrated/{slice}").into_bytes(), b"x".to_vec())?;
        if let Some(reason) = self.failure {
            return Err(Failure::Rejected(Rejected::sdk(1, reason)));
        }
        if slice >= self.slices {
            migration::clear(context.state)?;
        } else {
            let before = migration::under_way(context.state)?.unwrap_or_default();
            let Migration { cursor, slices, .. } = self.stands(slice);
            migration::set(context.state, &Migration { cursor, slices, ..before })?;
        }
        Ok(from.clone())
    }
    fn bundles(&self, _: u64) -> Option<ReleaseBundles> {
        None
    }
    fn module_versions(&self, app_version: u64) -> Option<VersionMap> {
        let mut versions = VersionMap::from([("bank".to_owned(), 4), ("swingset".to_owned(), app_version.clamp(1, 2))]);
        // App version 3 is one whose plans have numbers.
        if app_version == 3 {
            versions = VersionMap::from([("bank".to_owned(), 5), ("upgrade".to_owned(), 4)]);
        }
        (app_version <= 3).then_some(versions)
    }
}
