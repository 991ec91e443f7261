//! Termination, cleanup, garbage collection, reaping and migration.

use swingset_abi::{
    kernel::{Command, CrankKind, PromiseState, Reply, ResolutionPolicy},
    vat::{CapData, DeliveryVerdict, VatDelivery, VatSyscall},
    wire::Blob,
};

use crate::world::{Act, World, data, let_go, send, settle, subscribe, vat};

fn terminate(world: &mut World, vat_id: &str) -> Reply {
    world.call(&Command::TerminateVat {
        vat_id: vat_id.to_owned(),
        reason: CapData::default(),
    })
}

#[test]
fn a_failed_delivery_undoes_the_crank_ends_the_vat_and_is_charged() {
    for (verdict, word) in [
        (
            DeliveryVerdict::Error {
                problem: "trap".to_owned(),
            },
            "delivery error: trap",
        ),
        (DeliveryVerdict::MeterExhausted {}, "meter exhausted"),
    ] {
        let mut world = World::started(&["bootstrap", "b"]);
        let kpid = world.ask("bootstrap", "go");
        let syscalls = vec![send("o-50", "#[\"never\",[]]", &[], None)];
        world.script("v1", move |_| Act {
            syscalls: syscalls.clone(),
            verdict: verdict.clone(),
            computrons: 99,
        });
        let reports = world.run();
        let crank = reports
            .iter()
            .find(|report| report.kind == (CrankKind::Delivery {}))
            .unwrap();
        assert_eq!(
            (crank.aborted, crank.terminated.as_deref(), crank.computrons),
            (true, Some(word), 99)
        );
        assert!(matches!(world.promise(&kpid), PromiseState::Rejected { .. }));
        assert!(!world.messages().iter().any(|line| line.contains("never")));
    }
}

#[test]
fn a_critical_vats_death_stops_the_engine() {
    let mut critical = vat("a");
    critical.options.critical = true;
    let mut world = World::with(vec![critical]);
    world.run();
    assert!(matches!(terminate(&mut world, "v1"), Reply::Refused { code: 8, .. }));
    world.queue("a", "go", ResolutionPolicy::None {});
    world.acts("v1", vec![vec![subscribe("p-99")]]);
    let before = world.text("runQueue");
    assert_eq!(
        world.run().last().and_then(|report| report.panic.clone()).as_deref(),
        Some("critical vat v1 died")
    );
    assert_ne!(
        world.text("v1.options"),
        None,
        "a crank that stops the engine writes nothing"
    );
    assert_ne!(world.text("runQueue"), before, "the message stays where routing put it");
}

#[test]
fn promises_that_a_dead_vat_decided_are_rejected() {
    let mut world = World::started(&["bootstrap", "b"]);
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.acts(
        "v1",
        vec![vec![send("o-50", "#[\"get\",[]]", &[], Some("p+5")), subscribe("p+5")]],
    );
    world.run();
    assert_eq!(terminate(&mut world, "v2"), Reply::Done {});
    world.run();
    assert_eq!(
        world.notifies(),
        ["v1 p+5!#{\"#error\":\"vat terminated\",\"name\":\"Error\"}[]"]
    );
    assert_eq!(world.keys("v2."), Vec::<String>::new());
    assert!(matches!(terminate(&mut world, "v2"), Reply::Refused { .. }));
}

#[test]
fn a_dead_vats_state_is_deleted_a_slice_a_crank() {
    let mut world = World::started(&["a"]);
    world.queue("a", "go", ResolutionPolicy::None {});
    let set = |n: u32| VatSyscall::VatstoreSet {
        key: format!("k{n}"),
        value: Blob(vec![1]),
    };
    world.acts("v1", vec![(0..1000).map(set).collect()]);
    world.run();
    assert_eq!(world.keys("v1.vs.").len(), 1000);
    terminate(&mut world, "v1");
    let cleanups = world
        .run()
        .iter()
        .filter(|report| report.kind == (CrankKind::Cleanup {}))
        .count();
    assert!(
        (10..=12).contains(&cleanups),
        "{cleanups} cranks of at most 100 entries"
    );
    assert_eq!(world.keys("v1."), Vec::<String>::new());
}

#[test]
fn an_export_that_nobody_reaches_is_dropped_and_then_retired() {
    let mut world = World::started(&["bootstrap", "b"]);
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.acts("v1", vec![vec![send("o-50", "#[\"take\",[\"$0\"]]", &["o+9"], None)]]);
    world.acts("v2", vec![let_go(vec!["o-50".to_owned()])]);
    world.run();
    let told: Vec<VatDelivery> = world
        .delivered()
        .into_iter()
        .filter(|(vat, _)| vat == "v1")
        .map(|(_, told)| told)
        .collect();
    let vrefs = vec!["o+9".to_owned()];
    assert_eq!(
        told[1..],
        [
            VatDelivery::DropExports { vrefs: vrefs.clone() },
            VatDelivery::RetireExports { vrefs }
        ]
    );
    assert_eq!(world.keys("ko23"), Vec::<String>::new());
    assert_eq!(world.text("gcActions").as_deref(), Some("0"));
}

#[test]
fn an_orphan_is_retired_from_its_importer_once_it_is_dropped() {
    let mut world = World::started(&["bootstrap", "b"]);
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.acts("v1", vec![vec![send("o-50", "#[\"take\",[\"$0\"]]", &["o+9"], None)]]);
    world.run();
    terminate(&mut world, "v1");
    world.run();
    assert_eq!(world.text("ko23.owner"), None);
    assert_eq!(world.text("ko23.refCount").as_deref(), Some("1,1"));
    world.queue("b", "drop", ResolutionPolicy::None {});
    world.acts(
        "v2",
        vec![vec![VatSyscall::DropImports {
            vrefs: vec!["o-50".to_owned()],
        }]],
    );
    world.run();
    let (_, last) = world.delivered().pop().unwrap();
    assert_eq!(
        last,
        VatDelivery::RetireImports {
            vrefs: vec!["o-50".to_owned()]
        }
    );
    assert_eq!(world.keys("ko23"), Vec::<String>::new());
    assert_eq!(world.text("v2.c.o-50"), None);
}

#[test]
fn a_vat_is_reaped_at_its_interval() {
    let mut reaped = vat("a");
    reaped.options.reap.deliveries = Some(2);
    let mut world = World::with(vec![reaped]);
    world.queue("a", "go", ResolutionPolicy::None {});
    world.run();
    assert_eq!(
        world.delivered().last().map(|(_, last)| last.clone()),
        Some(VatDelivery::BringOutYourDead {})
    );
}

#[test]
fn commands_are_refused_with_their_codes() {
    let mut world = World::default();
    let step = Command::Step {
        crank_limit_default: 1,
        cleanup_max: 100,
        now: 0,
        unchanged: false,
    };
    assert!(matches!(world.call(&step), Reply::Refused { code: 1, .. }));
    let mut world = World::started(&["a"]);
    let again = Command::Initialize {
        vats: vec![],
        supervisor_bundle_id: String::new(),
        lockdown_bundle_id: String::new(),
    };
    assert!(matches!(world.call(&again), Reply::Refused { code: 2, .. }));
    let queue = |name: &str, body: &str| Command::QueueToVatRoot {
        vat_name: name.to_owned(),
        method: "m".to_owned(),
        args: data(body, &[]),
        policy: ResolutionPolicy::None {},
    };
    assert!(matches!(world.call(&queue("a", "#{}")), Reply::Refused { code: 3, .. }));
    assert!(matches!(world.call(&queue("b", "#[]")), Reply::Refused { code: 4, .. }));
    terminate(&mut world, "v1");
    assert!(matches!(world.call(&queue("a", "#[]")), Reply::Refused { code: 5, .. }));
    assert!(matches!(
        world.call(&Command::Migrate {
            cursor: Blob(vec![]),
            budget: 1
        }),
        Reply::Migrated { more: false, .. }
    ));
}

#[test]
fn a_start_that_fails_is_not_tried_again() {
    let mut world = World::with(vec![vat("a")]);
    world.acts("v1", vec![vec![settle("p-99", false, "#1", &[])]]);
    let reports = world.run();
    assert_eq!(reports.iter().filter(|report| report.aborted).count(), 1);
    assert_eq!(world.stats()["runQueue"], 0);
}

/// The state of a version-1 kernel, woken by a later one.
#[cfg(feature = "schema-2")]
#[test]
fn schema_1_is_migrated_in_slices_and_no_crank_runs_before_the_last() {
    let mut world = World::with((0..5).map(|n| vat(&format!("a{n}"))).collect());
    // What schema 1 looks like: no counts, and the older version.
    world.kv.insert(b"version".to_vec(), b"1".to_vec());
    world
        .kv
        .retain(|key, _| !key.ends_with(b".deliveries") && !key.ends_with(b".references"));
    let step = Command::Step {
        crank_limit_default: 1,
        cleanup_max: 100,
        now: 0,
        unchanged: false,
    };
    assert!(matches!(world.call(&step), Reply::Refused { code: 6, .. }));
    let mut cursor = Blob(vec![]);
    let mut slices = 0;
    loop {
        let Reply::Migrated { cursor: next, more } = world.call(&Command::Migrate { cursor, budget: 2 }) else {
            panic!("a slice is done");
        };
        slices += 1;
        if !more {
            break;
        }
        assert!(matches!(world.call(&step), Reply::Refused { code: 7, .. }));
        let lost = Command::Migrate {
            cursor: Blob(vec![]),
            budget: 2,
        };
        assert!(
            matches!(world.call(&lost), Reply::Refused { code: 3, .. }),
            "a migration is not begun twice"
        );
        cursor = next;
    }
    // Five vats, two a slice; then each vat and its root's entry.
    let expected = if swingset_kernel::SCHEMA == 2 { 3 } else { 3 + 5 };
    assert_eq!(slices, expected);
    assert_eq!(world.text("version"), Some(swingset_kernel::SCHEMA.to_string()));
    assert_eq!(world.text("v5.deliveries").as_deref(), Some("0"));
    world.run();
    assert_eq!(world.stats()["v5.deliveries"], 1);
}
