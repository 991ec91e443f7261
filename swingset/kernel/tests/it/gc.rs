//! Actions of garbage collection that are pending: told in their order, or dropped when they do not hold any more.
//!
//! Everywhere `v2` imports an object of bootstrap's, `o+9` there, as `o-50`.

use swingset_abi::{
    kernel::{Command, CrankKind, ResolutionPolicy},
    vat::{CapData, VatDelivery, VatSyscall},
};

use crate::{
    audit,
    world::{Act, World, data, let_go, send},
};

fn shared() -> World {
    let mut world = World::started(&["bootstrap", "b"]);
    world.go(vec![send("o-50", "#[\"take\",[\"$0\"]]", &["o+9"], None)]);
    assert_eq!(world.text("v2.c.o-50").as_deref(), Some("ko23"));
    world.vats.borrow_mut().delivered.clear();
    world
}

/// `v2` makes these syscalls; what comes of it waits.
fn by_b(world: &mut World, syscalls: Vec<VatSyscall>) {
    world.queue("b", "go", ResolutionPolicy::None {});
    world.acts("v2", vec![syscalls]);
    for kind in [CrankKind::Routing {}, CrankKind::Delivery {}] {
        assert_eq!(world.step().kind, kind);
    }
}

/// What is left is run, with the counts audited after each crank; gives what was delivered but messages.
fn collected(world: &mut World) -> Vec<String> {
    let before = world.delivered().len();
    loop {
        let report = world.step();
        assert_eq!((&report.terminated, &report.panic), (&None, &None));
        audit::check(world);
        if report.kind == (CrankKind::Idle {}) {
            break;
        }
    }
    assert_eq!(world.text("gcActions").as_deref(), Some("0"));
    let told = |(vat, delivery): &(String, VatDelivery)| match delivery {
        VatDelivery::DropExports { vrefs } => Some(format!("{vat} dropExports {}", vrefs.join(","))),
        VatDelivery::RetireExports { vrefs } => Some(format!("{vat} retireExports {}", vrefs.join(","))),
        VatDelivery::RetireImports { vrefs } => Some(format!("{vat} retireImports {}", vrefs.join(","))),
        _ => None,
    };
    world.delivered()[before..].iter().filter_map(told).collect()
}

#[test]
fn several_objects_are_told_of_at_once_drops_before_retirements() {
    let mut world = shared();
    world.go(vec![send("o-50", "#[\"take\",[]]", &["o+10"], None)]);
    by_b(&mut world, let_go(vec!["o-50".to_owned(), "o-51".to_owned()]));
    assert_eq!(world.text("gcActions").as_deref(), Some("4"));
    assert_eq!(collected(&mut world), ["v1 dropExports o+9,o+10", "v1 retireExports o+9,o+10"]);
    assert_eq!((world.keys("ko23"), world.keys("ko24")), (vec![], vec![]));
}

#[test]
fn one_vat_is_told_everything_before_the_next() {
    let mut world = shared();
    world.go(vec![send("o-50", "#[\"meet\",[]]", &["o+0"], None)]);
    world.acts("v2", vec![vec![send("o-51", "#[\"take\",[]]", &["o+7"], None)]]);
    world.queue("b", "give", ResolutionPolicy::None {});
    world.run();
    // Only the queued message holds o+7 when v2 gets it back, and then v2 lets go of o+9.
    let back = vec![send("o-50", "#[\"back\",[]]", &["o-52"], None)];
    world.acts("v1", vec![[back, let_go(vec!["o-52".to_owned()])].concat()]);
    world.acts("v2", vec![let_go(vec!["o-50".to_owned()])]);
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    let told = ["v1 dropExports o+9", "v1 retireExports o+9", "v2 dropExports o+7", "v2 retireExports o+7"];
    assert_eq!(collected(&mut world), told);
}

#[test]
fn an_object_that_the_host_names_again_is_not_dropped() {
    let mut world = shared();
    by_b(&mut world, let_go(vec!["o-50".to_owned()]));
    assert_eq!(world.text("ko23.refCount").as_deref(), Some("0,0"));
    let queued = world.queue_with("b", "again", data("#[\"$0\"]", &["ko23"]), ResolutionPolicy::None {});
    assert_eq!(queued, None);
    assert_eq!(collected(&mut world), Vec::<String>::new());
    assert_eq!(
        world.messages().last().map(String::as_str),
        Some("v2 o+0 #[\"again\",[\"$0\"]] [o-51] -"),
        "a new import: the old one was retired"
    );
    by_b(&mut world, let_go(vec!["o-51".to_owned()]));
    assert_eq!(collected(&mut world), ["v1 dropExports o+9", "v1 retireExports o+9"], "in the end it is");
}

#[test]
fn an_object_that_its_vat_sends_again_while_it_is_told_of_the_drop_is_not_retired() {
    let mut world = shared();
    by_b(&mut world, let_go(vec!["o-50".to_owned()]));
    let mut acts = vec![Act::of(vec![send("o-50", "#[\"again\",[]]", &["o+9"], None)])];
    world.script("v1", move |_| acts.pop().unwrap_or_else(|| Act::of(Vec::new())));
    assert_eq!(collected(&mut world), ["v1 dropExports o+9"]);
    assert_eq!(world.text("v1.c.ko23").as_deref(), Some("R o+9"), "it is the same object");
    by_b(&mut world, let_go(vec!["o-51".to_owned()]));
    assert_eq!(collected(&mut world), ["v1 dropExports o+9", "v1 retireExports o+9"]);
}

#[test]
fn a_vat_that_ended_is_told_nothing_whether_its_state_is_deleted_yet_or_not() {
    for cleanup_max in [100, 0] {
        let mut world = shared();
        by_b(&mut world, let_go(vec!["o-50".to_owned()]));
        world.call(&Command::TerminateVat {
            vat_id: "v1".to_owned(),
            reason: CapData::default(),
        });
        while world.step_with(cleanup_max).kind != (CrankKind::Idle {}) {
            audit::check(&world);
        }
        assert_eq!(world.text("gcActions").as_deref(), Some("0"));
        assert!(world.delivered().iter().all(|(vat, _)| vat == "v2"), "{cleanup_max}");
        collected(&mut world);
        assert_eq!(world.keys("ko23"), Vec::<String>::new());
    }
}

#[test]
fn a_vat_that_retires_what_was_dropped_ends_it_for_those_who_recognize_it() {
    let mut world = shared();
    let drop = VatSyscall::DropImports {
        vrefs: vec!["o-50".to_owned()],
    };
    by_b(&mut world, vec![drop]);
    assert_eq!(collected(&mut world), ["v1 dropExports o+9"], "v2 recognizes it: it is not retired");
    assert_eq!(world.text("ko23.refCount").as_deref(), Some("0,1"));
    let retire = VatSyscall::RetireExports {
        vrefs: vec!["o+9".to_owned()],
    };
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.acts("v1", vec![vec![retire]]);
    assert_eq!(collected(&mut world), ["v2 retireImports o-50"]);
    assert_eq!((world.keys("ko23"), world.keys("v2.c.o-50")), (vec![], vec![]));
    assert_eq!(world.keys("v1.c.o+9"), Vec::<String>::new());
}
