//! The controller's methods, a row each: what they do, and what they say when they cannot.

use std::collections::BTreeMap;

use swingset_abi::{
    kernel::{KernelOptions, ReapThreshold, ResolutionPolicy, VatOptions},
    vat::CapData,
    wire::{Blob, Wire},
};
use swingset_host::{
    Controller, ControllerOptions, EngineError, RejectCode,
    bundle::{BundleKind, LockdownPolicy},
    controller::{MigrationBudget, SwingsetConfig, UpgradeOptions, VatConfig},
    env::{Environment, MemoryEnvironment},
    keys,
};

use crate::{
    contract::SLOW_MIGRATION,
    scripted::{Do, keep, scripted},
    support::{
        World, id_of, kernel_1, kernel_2, lockdown, pack, pack_for_schema, raw_vat, release, released, runtime,
        supervisor, vat, wat,
    },
    swap_bundles::speaking,
};

type Done = Result<(), EngineError>;
type Method = (&'static str, fn(&mut World) -> Done);

fn args() -> CapData {
    CapData { body: "#[]".to_owned(), slots: vec![] }
}

fn alice() -> Vec<u8> {
    scripted(&[])
}

/// The bundle of alice's code.
fn code() -> String {
    id_of(&pack(BundleKind::Vat {}, "alice", alice()))
}

/// All methods that are a command of the kernel's.
const COMMANDS: [Method; 15] = [
    ("queue_to_vat_root", |w| {
        let policy = ResolutionPolicy::None {};
        w.controller.queue_to_vat_root(&mut w.env, "alice", "go", args(), policy).map(drop)
    }),
    ("queue_to_vat_object", |w| {
        let policy = ResolutionPolicy::None {};
        w.controller.queue_to_vat_object(&mut w.env, "ko20", "go", args(), policy).map(drop)
    }),
    ("kp_register_interest", |w| w.controller.kp_register_interest(&mut w.env, "kp40")),
    ("kp_release_interest", |w| w.controller.kp_release_interest(&mut w.env, "kp40")),
    ("kp_status", |w| w.controller.kp_status(&mut w.env, "kp40").map(drop)),
    ("kp_resolution", |w| w.controller.kp_resolution(&mut w.env, "kp40").map(drop)),
    ("pin_vat_root", |w| w.controller.pin_vat_root(&mut w.env, "alice")),
    ("terminate_vat", |w| w.controller.terminate_vat(&mut w.env, "v1", args())),
    ("get_stats", |w| w.controller.get_stats(&mut w.env).map(drop)),
    ("change_kernel_options", |w| w.controller.change_kernel_options(&mut w.env, KernelOptions::default())),
    ("reap_all_vats", |w| w.controller.reap_all_vats(&mut w.env)),
    ("inject_queued_upgrade_events", |w| w.controller.inject_queued_upgrade_events(&mut w.env)),
    ("mailbox_inbound", |w| w.controller.mailbox_inbound(&mut w.env, "peer", vec![], 0)),
    ("bridge_inbound", |w| w.controller.bridge_inbound(&mut w.env, "wallet", "1")),
    ("step", |w| w.controller.step(&mut w.env).map(drop)),
];

/// Commands for which a bundle is looked at first.
const WITH_BUNDLE: [Method; 2] = [
    ("upgrade_static_vat", |w| {
        let options = UpgradeOptions::default();
        w.controller.upgrade_static_vat(&mut w.env, "alice", &code(), options).map(drop)
    }),
    ("evaluate", |w| w.controller.evaluate(&mut w.env, &code(), vec![], vec![]).map(drop)),
];

fn world() -> World {
    World::with_raw_vats(&[raw_vat("alice")], &[("alice", alice())])
}

fn install(world: &mut World, bundle: &[u8]) -> String {
    world.controller.validate_and_install_bundle(&mut world.env, bundle, None).unwrap().id
}

fn code_of(result: Done) -> Option<RejectCode> {
    match result {
        Err(EngineError::Rejected(rejection)) => Some(rejection.code),
        _ => None,
    }
}

/// Each of these is refused so, and nothing changes.
#[track_caller]
fn check_refused(world: &mut World, methods: &[Method], code: RejectCode) {
    let before = world.state();
    for (name, method) in methods {
        assert_eq!(code_of(method(world)), Some(code), "{name}");
        assert!(world.state() == before, "{name} changed something");
    }
}

#[test]
fn before_the_first_state_nothing_is_served() {
    let mut world =
        World { env: MemoryEnvironment::new(), controller: Controller::new(runtime(), ControllerOptions::default()) };
    check_refused(&mut world, &COMMANDS, RejectCode::NotInitialized);
    check_refused(&mut world, &WITH_BUNDLE, RejectCode::BundleUnknown);
    let kernel = id_of(&kernel_1());
    check_refused(
        &mut world,
        &[
            ("begin_block", |w| w.controller.begin_block(&w.env, 1, 0)),
            ("check_engine", |w| w.controller.check_engine(&w.env)),
            ("build", |w| Controller::build(runtime(), &w.env, ControllerOptions::default()).map(drop)),
            ("run", |w| w.controller.run(&mut w.env, &mut swingset_host::controller::RunForever).map(drop)),
            ("set_kernel_bundle_id", |w| {
                let id = id_of(&kernel_1());
                w.controller.set_kernel_bundle_id(&mut w.env, &id, MigrationBudget::IN_BAND).map(drop)
            }),
        ],
        RejectCode::NotInitialized,
    );
    assert_eq!(code_of(world.controller.check_kernel_bundle(&world.env, &kernel)), Some(RejectCode::BundleUnknown));
    assert_eq!(world.controller.poll_timer(&mut world.env), Ok(false), "nothing is due");
    assert_eq!(world.activity(), "");
}

#[test]
fn a_stopped_engine_serves_nothing_until_a_swap() {
    let mut world = world();
    let traps = install(&mut world, &pack(BundleKind::Kernel {}, "k", released("test/kernel-trap.wasm")));
    world.controller.set_kernel_bundle_id(&mut world.env, &traps, MigrationBudget::IN_BAND).unwrap();
    assert_eq!(world.run().stopped.as_deref(), Some("unreachable"));
    let before = world.state();
    for (name, method) in COMMANDS.iter().chain(&WITH_BUNDLE) {
        assert_eq!(method(&mut world), Err(EngineError::Stopped("unreachable".to_owned())), "{name}");
        assert!(world.state() == before, "{name} changed something");
    }
    let kernel = id_of(&kernel_1());
    assert_eq!(world.controller.check_kernel_bundle(&world.env, &kernel), Ok(()), "what looks only is served");
    world.controller.set_kernel_bundle_id(&mut world.env, &kernel, MigrationBudget::IN_BAND).unwrap();
    assert_eq!(world.run().deliveries, 1);
}

#[test]
fn while_a_migration_is_under_way_commands_and_swaps_wait() {
    let mut world = world();
    let mut next = release(pack_for_schema(BundleKind::Kernel {}, "slow", wat(SLOW_MIGRATION), (1, 2)), &[]);
    next.supervisor = supervisor();
    let receipt = world.controller.reinitialize_swingset(&mut world.env, &next, MigrationBudget::UPGRADE).unwrap();
    assert!(receipt.migrating);
    let (step, commands) = COMMANDS.split_last().unwrap();
    assert_eq!(step.0, "step");
    check_refused(&mut world, commands, RejectCode::Migrating);
    check_refused(&mut world, &WITH_BUNDLE, RejectCode::Migrating);
    let swap: Method = ("set_kernel_bundle_id", |w| {
        w.controller.set_kernel_bundle_id(&mut w.env, &id_of(&kernel_1()), MigrationBudget::IN_BAND).map(drop)
    });
    check_refused(&mut world, &[swap], RejectCode::Migrating);
    for _ in 0..2 {
        assert_eq!(world.controller.step(&mut world.env), Ok(None), "a step is a slice of it");
    }
    assert_eq!(world.kernel_key("version").as_deref(), Some("2"));
}

#[test]
fn what_the_kernel_does_not_know_is_refused_with_its_words() {
    let mut world = world();
    world.run();
    let unknown: [Method; 6] = [
        ("pin_vat_root", |w| w.controller.pin_vat_root(&mut w.env, "bob")),
        ("terminate_vat", |w| w.controller.terminate_vat(&mut w.env, "v2", args())),
        ("terminate_vat", |w| w.controller.terminate_vat(&mut w.env, "alice", args())),
        ("kp_register_interest", |w| w.controller.kp_register_interest(&mut w.env, "kp99")),
        ("kp_release_interest", |w| w.controller.kp_release_interest(&mut w.env, "kp40")),
        ("queue_to_vat_object", |w| {
            let policy = ResolutionPolicy::None {};
            w.controller.queue_to_vat_object(&mut w.env, "ko99", "go", args(), policy).map(drop)
        }),
    ];
    check_refused(&mut world, &unknown, RejectCode::Kernel);
    world.controller.terminate_vat(&mut world.env, "v1", args()).unwrap();
    check_refused(&mut world, &COMMANDS[6..8], RejectCode::Kernel);
    let huge: Method = ("queue_to_vat_root", |w| {
        let args = CapData { body: format!("#[\"{}\"]", "x".repeat(1024 * 1024)), slots: vec![] };
        w.controller.queue_to_vat_root(&mut w.env, "alice", "go", args, ResolutionPolicy::None {}).map(drop)
    });
    check_refused(&mut world, &[huge], RejectCode::Argument);
}

#[test]
fn changed_kernel_options_hold_for_vats_that_have_none_of_their_own() {
    let mut bundles = release(kernel_1(), &[("counter", released("vats/counter.wasm"))]);
    bundles.supervisor = supervisor();
    let mut world = World::start(&bundles, &[vat("counter")], ControllerOptions::default());
    world.run();
    let deliveries = |world: &mut World| {
        world.queue("counter", "increment", "[1]");
        world.run().deliveries
    };
    assert_eq!(deliveries(&mut world), 1);
    let every = |count: u64| KernelOptions {
        reap_default: ReapThreshold { deliveries: Some(count), ..ReapThreshold::default() },
    };
    world.controller.change_kernel_options(&mut world.env, every(1)).unwrap();
    assert_eq!(deliveries(&mut world), 2, "and bringOutYourDead");
    world.controller.change_kernel_options(&mut world.env, KernelOptions::default()).unwrap();
    assert_eq!(deliveries(&mut world), 2, "what is left out stays");
    world.controller.change_kernel_options(&mut world.env, every(1_000)).unwrap();
    assert_eq!(deliveries(&mut world), 1);
}

/// Alice, who has started and notes what comes next; an event for her as a migration leaves it.
fn noting() -> (World, Vec<u8>) {
    let notes = |text: &str| -> Vec<Do> { vec![keep("told", text)] };
    let code = scripted(&[vec![], notes("once"), notes("twice")]);
    let mut world = World::with_raw_vats(&[raw_vat("alice")], &[("alice", code)]);
    world.run();
    // Options of v1 change: a queued event of the fifth kind.
    let mut event = vec![5];
    "v1".to_owned().encode(&mut event);
    ReapThreshold::default().encode(&mut event);
    "{}".to_owned().encode(&mut event);
    None::<u64>.encode(&mut event);
    (world, vec![Blob(event)].to_bytes())
}

#[test]
fn all_vats_are_reaped_when_an_operator_says_so() {
    let (mut world, _) = noting();
    for _ in 0..2 {
        world.controller.reap_all_vats(&mut world.env).unwrap();
    }
    assert_eq!(world.run().deliveries, 1);
    assert_eq!(world.kernel_key("v1.vs.told").as_deref(), Some("once"));
}

#[test]
fn what_a_migration_left_is_delivered_once() {
    let (mut world, left) = noting();
    let before = world.state();
    world.controller.inject_queued_upgrade_events(&mut world.env).unwrap();
    assert!(world.state() == before, "there is nothing");
    world.env.set(&keys::kernel(b"upgradeEvents"), left.into()).unwrap();
    world.controller.discard();
    for _ in 0..2 {
        world.controller.inject_queued_upgrade_events(&mut world.env).unwrap();
    }
    assert_eq!(world.run().deliveries, 1);
    assert_eq!(world.kernel_key("v1.vs.told").as_deref(), Some("once"));
}

#[test]
fn the_figures_are_those_of_the_state_and_asking_changes_nothing() {
    let mut world = world();
    world.run();
    world.queue("alice", "go", "[]");
    let before = world.state();
    let figures: BTreeMap<String, u64> = world.controller.get_stats(&mut world.env).unwrap().into_iter().collect();
    assert!(world.state() == before);
    let view = world.controller.view(&world.env).unwrap();
    assert_eq!((figures["version"], figures["crankNumber"]), (1, view.crank_number));
    assert_eq!((figures["acceptanceQueue"], figures["runQueue"], figures["vat.nextID"]), (1, 0, 2));
    for counter in ["ko.nextID", "kp.nextID", "meter.nextID"] {
        assert_eq!(world.kernel_key(counter), Some(figures[counter].to_string()));
    }
}

#[test]
fn a_kernel_is_checked_as_it_is_set_and_checking_changes_nothing() {
    let vats = [raw_vat("alice"), vat("bob=alice")];
    let mut world = World::with_raw_vats(&vats, &[("alice", alice())]);
    let kernel = || released("version-1/kernel.wasm");
    let later = install(&mut world, &pack_for_schema(BundleKind::Kernel {}, "k", kernel(), (2, 3)));
    let deaf = install(&mut world, &speaking(BundleKind::Kernel {}, kernel(), &[2]));
    let policy = id_of(&lockdown(&Default::default()));
    install(&mut world, &kernel_2());
    for (id, code) in [
        ("b1-zz".to_owned(), RejectCode::BundleId),
        (format!("b1-{}", "0".repeat(128)), RejectCode::BundleUnknown),
        (policy, RejectCode::BundleKind),
        (later, RejectCode::Compatibility),
        (deaf, RejectCode::Compatibility),
    ] {
        let before = world.state();
        let checked = world.controller.check_kernel_bundle(&world.env, &id);
        let set = world.controller.set_kernel_bundle_id(&mut world.env, &id, MigrationBudget::IN_BAND).map(drop);
        assert_eq!(checked, set, "in the same words");
        assert_eq!(code_of(checked), Some(code), "{id}");
        assert!(world.state() == before);
    }
    for id in [id_of(&kernel_1()), id_of(&kernel_2())] {
        let before = world.state();
        assert_eq!(world.controller.check_kernel_bundle(&world.env, &id), Ok(()));
        assert!(world.state() == before);
        world.controller.set_kernel_bundle_id(&mut world.env, &id, MigrationBudget::IN_BAND).unwrap();
    }
}

#[test]
fn a_static_vats_root_is_pinned_from_the_beginning_and_once_is_as_good_as_twice() {
    let mut world = world();
    assert_eq!(world.kernel_key("pinnedObjects").as_deref(), Some("ko20"));
    let before = world.state();
    world.controller.pin_vat_root(&mut world.env, "alice").unwrap();
    assert!(world.state() == before);
    world.queue("alice", "go", "[]");
    assert_eq!(world.run().deliveries, 2, "the start and the message: nobody holds the root, and it is not dropped");
    assert_eq!(world.kernel_key("ko20.owner").as_deref(), Some("v1"));
}

#[test]
fn a_crank_limit_that_is_too_low_for_a_supervisors_work_is_refused() {
    let refused = |vat: VatConfig, limit: u64| {
        let vat = VatConfig { options: VatOptions { crank_limit: limit, ..vat.options }, ..vat };
        let (mut env, mut controller) =
            (MemoryEnvironment::new(), Controller::new(runtime(), ControllerOptions::default()));
        let config = SwingsetConfig { vats: vec![vat] };
        let bundles = release(kernel_1(), &[("alice", alice())]);
        code_of(controller.initialize_swingset(&mut env, &config, &bundles))
    };
    let least = LockdownPolicy::default().crank_computrons_min();
    assert_eq!(refused(vat("alice"), least - 1), Some(RejectCode::Argument));
    assert_eq!(refused(vat("alice"), least), None);
    assert_eq!(refused(raw_vat("alice"), 1), None, "it has no supervisor");
}
