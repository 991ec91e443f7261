//! version-2: another kernel, whose schema is 2 and which wakes up in version-1's state; the limit of an inbound message's
//! arguments becomes a parameter; plans get numbers, and several may be pending.

use std::sync::Arc;

use swing_core::{
    error::{Failure, Rejected},
    event::Event,
    modules::{swingset, upgrade},
    ports::{
        engine::{EngineFailure, SwapReport},
        upgrade::{Plan, UpgradeContext, VersionMap},
    },
};

use super::version_1;
use crate::{
    migrations::{self, Step, Target},
    registry::Artifacts,
    release::{RegisteredRelease, Rules},
};

/// Its name, and that of the plan that leads to it.
pub const NAME: &str = "version-2";

/// Its app version.
pub const APP_VERSION: u64 = 2;

/// The modules' layouts: those of version-1, swingset's second and upgrade's third.
pub fn modules() -> Vec<Target> {
    let mut modules = version_1::modules();
    modules.retain(|module| !matches!(module.name, "swingset" | "upgrade"));
    modules.push(Target {
        steps: vec![Step::whole(1, swingset::migrations::to_2)],
        ..Target::unchanged("swingset", 2, b"swingset/")
    });
    modules.push(Target {
        steps: vec![Step::whole(2, upgrade::migrations::to_3)],
        ..Target::unchanged("upgrade", 3, b"upgrade/")
    });
    modules
}

/// Its rules.
pub fn rules(artifacts: &Artifacts) -> Rules {
    Rules { bundles: Arc::clone(&artifacts.version_2), modules: modules(), kernel_schemas: 1..=2 }
}

/// The release. It runs version-1's rules until its own height, so it may be installed early.
pub fn release(artifacts: &Artifacts) -> RegisteredRelease {
    RegisteredRelease::new(NAME, APP_VERSION, rules(artifacts))
        .running(version_1::APP_VERSION, version_1::rules(artifacts))
        .running(version_1::UNNAMED_APP_VERSION, version_1::rules(artifacts))
        .handling(NAME, Arc::new(apply))
}

/// The handler: module migrations, then `reinitialize_swingset`.
///
/// # Errors
/// A migration's or the engine's failure, or a kernel schema that this release cannot start from.
pub fn apply(
    context: &mut UpgradeContext<'_, '_>,
    plan: &Plan,
    from: &VersionMap,
    rules: &Rules,
) -> Result<VersionMap, Failure> {
    let versions = migrations::run(context.state, from, &rules.modules)?;
    context.state.emit(Event::new("UPGRADE_SWINGSET").with("upgradeName", &plan.name));
    let report = context.engine.reinitialize(context.state, &rules.bundles).map_err(from_engine)?;
    if !rules.kernel_schemas.contains(&report.schema_before) {
        return Err(Failure::Rejected(Rejected::sdk(
            35,
            format!(
                "the kernel's state has schema {}, {NAME} starts from {} to {}: run the releases between",
                report.schema_before,
                rules.kernel_schemas.start(),
                rules.kernel_schemas.end()
            ),
        )));
    }
    context.state.emit(swap_event(&report));
    Ok(versions)
}

/// What the swap did, for everyone who follows events.
fn swap_event(report: &SwapReport) -> Event {
    Event::new("reinitialize_swingset")
        .with("kernel_bundle_id_before", &report.kernel_before)
        .with("kernel_bundle_id", &report.kernel_after)
        .with("lockdown_bundle_id", &report.lockdown_after)
        .with("supervisor_bundle_id", &report.supervisor_after)
        .with("schema_before", report.schema_before.to_string())
        .with("schema", report.schema_after.to_string())
}

fn from_engine(failure: EngineFailure) -> Failure {
    match failure {
        EngineFailure::Rejected(rejected) => Failure::Rejected(rejected),
        EngineFailure::Stopped(reason) => {
            Failure::Rejected(Rejected::sdk(35, format!("the new kernel stopped while it was started: {reason}")))
        }
        EngineFailure::Halt(halt) => Failure::Halt(halt),
    }
}
