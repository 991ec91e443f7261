//! The released handlers, with an engine that records what it is asked.

use std::sync::Arc;

use swing_core::{
    block::Time,
    error::{Failure, Halt},
    modules::{swingset, upgrade::done::of_parts},
    ports::{
        engine::{
            BundleId, BundleReceipt, BundleSwap, Engine, EngineFailure, Inbound, ReleaseBundles, RunBudget, RunReport,
            StaticVatConfig, SwapForecast, SwapReport,
        },
        upgrade::{Decision, DecisionInput, Plan, Release, UpgradeContext, VersionMap},
    },
    state::{Empty, State, StateRead},
};
use swing_upgrades::{
    registry::{Artifacts, Registry},
    release::RegisteredRelease,
    releases::{version_1, version_2},
};

/// An engine that can only be reinitialized: it keeps the kernel's bytes in state, and starts from one schema.
struct SwapOnly {
    schema: u32,
}

fn unused<T>() -> Result<T, EngineFailure> {
    Err(EngineFailure::Halt(Halt::new("a handler has no use for this")))
}

impl Engine for SwapOnly {
    fn initialize(
        &mut self,
        _: &mut State<'_>,
        _: &ReleaseBundles,
        _: &[StaticVatConfig],
    ) -> Result<(), EngineFailure> {
        unused()
    }
    fn begin_block(&mut self, _: &mut State<'_>, _: u64, _: Time) -> Result<(), EngineFailure> {
        unused()
    }
    fn install_bundle(&mut self, _: &mut State<'_>, _: &[u8]) -> Result<BundleReceipt, EngineFailure> {
        unused()
    }
    fn release_bundle(&mut self, _: &mut State<'_>, _: &str) -> Result<(), EngineFailure> {
        unused()
    }
    fn free_bundles(&mut self, _: &mut State<'_>) -> Result<Vec<BundleId>, EngineFailure> {
        unused()
    }
    fn deliver_inbound(&mut self, _: &mut State<'_>, _: &Inbound) -> Result<Option<String>, EngineFailure> {
        unused()
    }
    fn forget_result(&mut self, _: &mut State<'_>, _: &str) -> Result<(), EngineFailure> {
        unused()
    }
    fn poll_timer(&mut self, _: &mut State<'_>) -> Result<bool, EngineFailure> {
        unused()
    }
    fn check_vat_bundle(&mut self, _: &mut State<'_>, _: &str) -> Result<(), EngineFailure> {
        unused()
    }
    fn run(&mut self, _: &mut State<'_>, _: RunBudget) -> Result<RunReport, EngineFailure> {
        unused()
    }
    fn reinitialize(&mut self, state: &mut State<'_>, bundles: &ReleaseBundles) -> Result<SwapReport, EngineFailure> {
        if bundles.kernel.is_empty() {
            return Err(EngineFailure::Stopped("an empty kernel".to_owned()));
        }
        state.set(b"kernel".to_vec(), bundles.kernel.clone()).map_err(|error| Halt::new(error.to_string()))?;
        Ok(SwapReport {
            kernel_before: "b1-old".to_owned(),
            kernel_after: "b1-new".to_owned(),
            schema_before: self.schema,
            schema_after: 2,
            ..SwapReport::default()
        })
    }
    fn check_swap(&mut self, _: &mut State<'_>, _: &BundleSwap) -> Result<SwapForecast, EngineFailure> {
        unused()
    }
    fn swap(&mut self, _: &mut State<'_>, _: &BundleSwap) -> Result<SwapReport, EngineFailure> {
        unused()
    }
    fn end_block(&mut self, _: &mut State<'_>) -> Result<(), EngineFailure> {
        unused()
    }
    fn discard(&mut self) {}
}

fn artifacts(kernel_2: &[u8]) -> Artifacts {
    let kernel = |bytes: &[u8]| Arc::new(ReleaseBundles { kernel: bytes.to_vec(), ..ReleaseBundles::default() });
    Artifacts { version_1: kernel(b"one"), version_2: kernel(kernel_2) }
}

fn plan() -> Plan {
    Plan { name: "version-2".to_owned(), height: 100, info: String::new() }
}

fn apply(release: &RegisteredRelease, state: &mut State<'_>, schema: u32) -> Result<VersionMap, Failure> {
    let from = release.module_versions(1).expect("version-1's rules");
    let mut engine = SwapOnly { schema };
    let mut context = UpgradeContext { state, engine: &mut engine, height: 100, time: Time::default() };
    release.apply(&mut context, &plan(), &from)
}

#[test]
fn version_2_swaps_the_kernel_and_says_so() {
    let registry = Registry::new(&artifacts(b"two"));
    let release = registry.release("version-2").expect("registered");
    let mut state = State::new(&Empty);
    let start = state.mark();
    let versions = apply(release, &mut state, 1).expect("the upgrade");
    assert_eq!(versions.get("swingset"), Some(&2));
    assert_eq!(versions.get("bank"), release.module_versions(1).expect("version-1's rules").get("bank"));
    assert_eq!(Some(versions), release.module_versions(2));
    let params = swingset::state::params(&state).expect("memory");
    assert_eq!(params.inbound_args_size_limit_bytes, 128 << 10);
    assert_eq!(state.get(b"kernel").expect("memory").as_deref(), Some(b"two".as_slice()));
    let events = state.take_events(start);
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["UPGRADE_SWINGSET", "reinitialize_swingset"]);
    assert_eq!(
        events.first().map(|event| event.attributes.clone()),
        Some(vec![("upgradeName".to_owned(), "version-2".to_owned())])
    );
}

#[test]
fn a_kernel_that_cannot_start_from_the_schema_or_at_all_fails_the_upgrade() {
    let registry = Registry::new(&artifacts(b"two"));
    let error = apply(registry.newest(), &mut State::new(&Empty), 3).expect_err("schema 3");
    assert!(error.to_string().contains("schema 3, version-2 starts from 1 to 2"), "{error}");
    let registry = Registry::new(&artifacts(b""));
    let error = apply(registry.newest(), &mut State::new(&Empty), 1).expect_err("no kernel");
    assert!(error.to_string().contains("an empty kernel"), "{error}");
}

#[test]
fn each_release_carries_the_bundles_of_the_rules_that_it_runs() {
    let registry = Registry::new(&artifacts(b"two"));
    let kernel = |release: &RegisteredRelease, app_version| release.bundles(app_version).map(|bundles| bundles.kernel);
    let (one, two) = (registry.release("version-1").expect("one"), registry.newest());
    assert_eq!(kernel(one, 0), Some(b"one".to_vec()));
    assert_eq!(kernel(one, 1), Some(b"one".to_vec()));
    assert_eq!(kernel(one, 2), None);
    assert_eq!(kernel(two, 1), Some(b"one".to_vec()));
    assert_eq!(kernel(two, 2), Some(b"two".to_vec()));
    assert_eq!(kernel(&two.clone().not_running(1), 1), None);
}

#[test]
fn the_registry_knows_releases_by_name_and_by_plan() {
    let registry = Registry::new(&Artifacts::default());
    let names: Vec<&str> = registry.releases().iter().map(Release::name).collect();
    assert_eq!(names, [version_1::NAME, version_2::NAME]);
    assert_eq!(registry.newest().app_version(), 2);
    assert_eq!(registry.for_plan("version-2").map(Release::name), Some("version-2"));
    assert!(registry.for_plan("version-1").is_none());
    assert!(registry.release("version-3").is_none());
}

#[test]
fn a_broken_release_can_be_composed_from_a_good_one() {
    let registry = Registry::new(&artifacts(b"two"));
    let broken = registry.newest().clone().named("version-2-failing").handling(
        "version-2",
        Arc::new(|_: &mut UpgradeContext<'_, '_>, _: &Plan, _: &VersionMap, _: &swing_upgrades::release::Rules| {
            Err(Failure::Halt(Halt::new("broken on purpose")))
        }),
    );
    let error = apply(&broken, &mut State::new(&Empty), 1).expect_err("it is broken");
    assert_eq!(error.to_string(), "halt: broken on purpose");
}

#[test]
fn a_release_asked_to_apply_what_it_cannot_handle_halts() {
    let registry = Registry::new(&artifacts(b"two"));
    let one = registry.release("version-1").expect("registered");
    let input = DecisionInput { height: 100, plan: Some(plan()), app_version: 1, ..DecisionInput::default() };
    assert_eq!(one.decide(&input), Decision::Needed(plan()));
    assert!(matches!(apply(one, &mut State::new(&Empty), 1), Err(Failure::Halt(_))));
}

/// Digests of the files of released handlers, by plan and edition. Where this fails: a repair of a handler takes the next edition
/// (`handling_as`), so that the plan's record tells it from the one before; anything else is recorded here again.
const FILES: [(&str, &str, &[u8]); 1] = [(
    "version-2",
    "55b7fd975e714956fc13d2fba100d7e72d5811ff59d620b7546ad709c07a7708",
    include_bytes!("../../src/releases/version_2.rs"),
)];

#[test]
fn the_file_of_a_released_handler_is_not_changed_by_accident() {
    for (name, recorded, file) in FILES {
        let digest: String = of_parts([file]).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, recorded, "{name}: see above what to do");
    }
}

#[test]
fn another_edition_of_a_handler_has_another_digest() {
    let registry = Registry::new(&artifacts(b"two"));
    let release = registry.newest();
    let again = release.clone().handling_as("version-2", 1, Arc::new(version_2::apply));
    let repaired = release.clone().handling_as("version-2", 2, Arc::new(version_2::apply));
    assert_eq!(again.handler_digest("version-2"), release.handler_digest("version-2"));
    assert_ne!(repaired.handler_digest("version-2"), release.handler_digest("version-2"));
    assert_ne!(release.clone().named("other").handler_digest("version-2"), release.handler_digest("version-2"));
}
