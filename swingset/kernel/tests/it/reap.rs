//! When vats are told `bringOutYourDead`.

use swingset_abi::{
    kernel::{Command, KernelOptions, ReapThreshold, Reply, ResolutionPolicy},
    vat::{VatDelivery, VatSyscall},
};

use crate::world::{World, send, vat};

/// Times that a vat was told.
fn reaped(world: &World, vat_id: &str) -> usize {
    let told = world.delivered().into_iter();
    told.filter(|(vat, delivery)| vat == vat_id && *delivery == VatDelivery::BringOutYourDead {})
        .count()
}

fn thresholds(deliveries: Option<u64>, gc_krefs: Option<u64>, computrons: Option<u64>) -> ReapThreshold {
    ReapThreshold {
        deliveries,
        gc_krefs,
        computrons,
    }
}

/// A vat with these thresholds gets its start and three messages, 7 computrons each, under this default.
#[track_caller]
fn check(raw: bool, own: ReapThreshold, default: ReapThreshold, expected: usize) {
    let mut it = vat("a");
    it.options.raw = raw;
    it.options.reap = own;
    let mut world = World::with(vec![it]);
    let options = KernelOptions { reap_default: default };
    assert_eq!(world.call(&Command::ChangeKernelOptions { options }), Reply::Done {});
    for _ in 0..3 {
        world.queue("a", "go", ResolutionPolicy::None {});
    }
    world.run();
    assert_eq!(reaped(&world, "v1"), expected);
}

const NEVER: ReapThreshold = ReapThreshold {
    deliveries: Some(0),
    gc_krefs: Some(0),
    computrons: Some(0),
};

#[test]
fn a_vat_is_reaped_when_one_measure_reaches_its_threshold() {
    check(true, thresholds(Some(2), None, None), NEVER, 2);
    check(true, thresholds(Some(4), None, None), NEVER, 1);
    check(true, thresholds(Some(5), None, None), NEVER, 0);
    check(true, thresholds(None, None, Some(14)), NEVER, 2);
    check(true, thresholds(None, None, Some(15)), NEVER, 1);
    check(true, thresholds(Some(3), None, Some(7)), NEVER, 4);
}

#[test]
fn a_measure_without_a_threshold_has_the_default_unless_the_vat_is_raw() {
    check(false, ReapThreshold::default(), thresholds(Some(2), None, None), 2);
    check(
        false,
        thresholds(Some(4), None, None),
        thresholds(Some(2), None, None),
        1,
    );
    check(
        false,
        thresholds(Some(0), None, None),
        thresholds(Some(1), None, None),
        0,
    );
    check(
        false,
        thresholds(Some(0), None, None),
        thresholds(Some(1), None, Some(28)),
        1,
    );
    check(true, ReapThreshold::default(), thresholds(Some(1), None, None), 0);
}

#[test]
fn references_in_collections_are_dirt() {
    let mut collector = vat("b");
    collector.options.reap.gc_krefs = Some(2);
    let mut world = World::with(vec![vat("bootstrap"), collector]);
    world.run();
    world.go(vec![send("o-50", "#[\"meet\",[]]", &["o+0"], None)]);
    world.acts("v2", vec![vec![send("o-50", "#[\"take\",[]]", &["o+7", "o+8"], None)]]);
    world.queue("b", "give", ResolutionPolicy::None {});
    world.run();
    assert_eq!(reaped(&world, "v2"), 0);
    world.go(vec![VatSyscall::DropImports {
        vrefs: vec!["o-52".to_owned(), "o-53".to_owned()],
    }]);
    assert_eq!(reaped(&world, "v2"), 1, "dropExports named two");
}

#[test]
fn all_living_vats_are_reaped_once_when_an_operator_asks() {
    let mut world = World::started(&["bootstrap", "b", "c"]);
    world.call(&Command::TerminateVat {
        vat_id: "v3".to_owned(),
        reason: Default::default(),
    });
    assert_eq!(world.call(&Command::ReapAllVats {}), Reply::Done {});
    assert_eq!(world.call(&Command::ReapAllVats {}), Reply::Done {});
    assert_eq!(world.stats()["reapQueue"], 2);
    world.queue("b", "go", ResolutionPolicy::None {});
    world.run();
    assert_eq!(
        [reaped(&world, "v1"), reaped(&world, "v2"), reaped(&world, "v3")],
        [1, 1, 0]
    );
    assert!(
        matches!(world.delivered().last(), Some((_, VatDelivery::Message { .. }))),
        "before any message"
    );
    assert_eq!(world.keys("v2.reap"), Vec::<String>::new());
}

#[test]
fn a_new_kernels_default_is_a_thousand_deliveries_or_twenty_references() {
    let mut supervised = vat("a");
    supervised.options.raw = false;
    let mut world = World::with(vec![supervised]);
    for _ in 0..999 {
        world.queue("a", "go", ResolutionPolicy::None {});
    }
    world.run();
    assert_eq!(reaped(&world, "v1"), 1);
    assert_eq!(world.text("v1.reapDirt"), None);
}
