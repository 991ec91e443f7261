//! What the kernel says of itself, and what a migration leaves for it to do.

use swingset_abi::{
    kernel::{Command, CrankKind, ReapThreshold, Reply, ResolutionPolicy, refusal},
    vat::{CapData, VatDelivery},
    wire::{Blob, Wire},
};

use crate::{
    admin::{self, create},
    world::{World, let_go, send},
};

/// Names in the order in which the kernel gives them.
fn names(world: &mut World) -> Vec<String> {
    match world.call(&Command::Stats {}) {
        Reply::Stats { figures } => figures.into_iter().map(|(name, _)| name).collect(),
        other => panic!("stats were answered with {other:?}"),
    }
}

const NAMES: [&str; 12] = [
    "version",
    "crankNumber",
    "acceptanceQueue",
    "runQueue",
    "reapQueue",
    "gcActions",
    "vat.nextID",
    "ko.nextID",
    "kp.nextID",
    "vat.dynamicIDs",
    "meter.nextID",
    "vats.terminated",
];

#[test]
fn the_figures_have_fixed_names_in_a_fixed_order() {
    let mut expected: Vec<String> = NAMES.map(str::to_owned).to_vec();
    let of_vats: &[&str] = match swingset_kernel::SCHEMA {
        1 => &[],
        2 => &["deliveries"],
        _ => &["deliveries", "exports", "imports", "promises", "devices"],
    };
    for vat in ["v1", "v2"] {
        expected.extend(of_vats.iter().map(|kind| format!("{vat}.{kind}")));
    }
    let mut world = World::started(&["bootstrap", "b"]);
    let before = world.kv.clone();
    assert_eq!(names(&mut world), expected);
    assert_eq!(world.kv, before, "to ask changes nothing");
}

#[test]
fn a_queues_figure_is_what_waits_in_it_and_an_ids_is_the_next() {
    let mut world = admin::world();
    create(&mut world, "{\"name\":\"new\"}", &[], "p+2");
    world.call_of("o-52", "#[\"createMeter\",[10,0]]", &[], "p+3");
    world.go(vec![send("o-50", "#[\"take\",[\"$0\"]]", &["o+9"], None)]);
    let import = world.keys("v2.c.o-").remove(0)["v2.c.".len()..].to_owned();
    let idle = world.stats();
    assert_eq!(idle["version"], u64::from(swingset_kernel::SCHEMA));
    assert_eq!((idle["vat.nextID"], idle["vat.dynamicIDs"], idle["meter.nextID"]), (4, 1, 2));
    for name in ["acceptanceQueue", "runQueue", "reapQueue", "gcActions", "vats.terminated"] {
        assert_eq!(idle[name], 0, "{name}");
    }
    // b lets go of what it was given, and one message stays in the run queue, two in the acceptance queue.
    world.acts("v2", vec![let_go(vec![import])]);
    world.queue("b", "drop", ResolutionPolicy::None {});
    world.queue("b", "later", ResolutionPolicy::Ignore {});
    for _ in 0..3 {
        world.step();
    }
    world.queue("b", "last", ResolutionPolicy::None {});
    world.queue("bootstrap", "last", ResolutionPolicy::Ignore {});
    world.call(&Command::TerminateVat {
        vat_id: "v3".to_owned(),
        reason: CapData::default(),
    });
    world.call(&Command::ReapAllVats {});
    let busy = world.stats();
    let figures = |names: [&str; 6]| names.map(|name| busy[name]);
    assert_eq!(
        figures(["acceptanceQueue", "runQueue", "reapQueue", "gcActions", "vats.terminated", "vat.dynamicIDs"]),
        [2, 1, 2, 2, 1, 0],
        "of the object one action drops the export and one retires it"
    );
    assert_eq!(busy["crankNumber"], idle["crankNumber"] + 3, "commands are no cranks");
    assert_eq!((busy["ko.nextID"], busy["kp.nextID"]), (idle["ko.nextID"], idle["kp.nextID"] + 2));
    world.run();
    assert_eq!(world.stats()["vats.terminated"], 0);
}

#[test]
fn what_a_migration_left_is_queued_once() {
    let mut world = World::started(&["a"]);
    let inject = Command::InjectQueuedUpgradeEvents {};
    let before = world.kv.clone();
    assert_eq!(world.call(&inject), Reply::Done {});
    assert_eq!(world.kv, before, "there is nothing");
    // Events as they lie in a queue: a change of a vat's options is the fifth kind.
    let event = |options: &str| {
        let mut bytes = vec![5];
        "v1".to_owned().encode(&mut bytes);
        ReapThreshold::default().encode(&mut bytes);
        options.to_owned().encode(&mut bytes);
        None::<u64>.encode(&mut bytes);
        Blob(bytes)
    };
    let left = vec![event("{\"first\":1}"), event("{\"second\":2}")];
    world.kv.insert(b"upgradeEvents".to_vec(), left.to_bytes());
    for _ in 0..2 {
        assert_eq!(world.call(&inject), Reply::Done {});
        assert_eq!(world.text("upgradeEvents"), None);
    }
    let deliveries = world.run().into_iter().filter(|report| report.kind == (CrankKind::Delivery {})).count();
    assert_eq!(deliveries, 2);
    let told = |options: &str| {
        let options = options.to_owned();
        ("v1".to_owned(), VatDelivery::ChangeVatOptions { options })
    };
    assert_eq!(world.delivered(), [told("{\"first\":1}"), told("{\"second\":2}")]);
}

#[test]
fn a_malformed_event_of_a_migration_is_refused_and_stays() {
    let mut world = World::started(&["a"]);
    for left in [vec![9], vec![Blob(vec![99])].to_bytes()] {
        world.kv.insert(b"upgradeEvents".to_vec(), left);
        let before = world.kv.clone();
        let refused = world.call(&Command::InjectQueuedUpgradeEvents {});
        assert!(matches!(refused, Reply::Refused { code: refusal::CORRUPT, .. }), "{refused:?}");
        assert_eq!(world.kv, before);
    }
}
