//! What users of the example vats see.

use swingset_host::bundle::{CRANK_SYSCALLS_MIN, LockdownPolicy};

use crate::world::World;

#[test]
fn a_counter_counts_across_restarts() {
    let mut world = World::version_1(&["bootstrap", "counter"]);
    assert_eq!(world.ask("counter", "increment", "[5]"), "#\"+5\"");
    world.restart();
    assert_eq!(world.ask("counter", "increment", "[\"-2\"]"), "#\"+3\"");
    for id in 0..3 {
        assert_eq!(world.ask("counter", "add", &format!("[\"m{id}\"]")), format!("#\"+{}\"", id + 1));
        world.restart();
    }
    assert_eq!(world.ask("counter", "ids", "[0,10]"), "#[\"m0\",\"m1\",\"m2\"]");
    let reading = world.ask("counter", "read", "[]");
    assert!(reading.starts_with("#{\"value\":\"+3\",\"count\":\"+3\",\"distinct\":\"+3\","), "{reading}");
}

#[test]
fn mistakes_of_a_caller_reject_its_result_and_hurt_nobody() {
    let mut world = World::version_1(&["bootstrap", "counter"]);
    for (method, args, word) in [
        ("nothing", "[]", "has no method nothing"),
        ("increment", "[\"five\"]", "argument by: expected an integer, got text"),
        ("increment", "[]", "got nothing"),
        ("increment", "[1,2]", "too many arguments"),
        ("increment", "[1.5]", "the body is not smallcaps"),
        ("increment", "[\"$0\"]", "index is out of range"),
    ] {
        let outcome = world.ask("counter", method, args);
        assert!(outcome.starts_with("!#{\"#error\":") && outcome.contains(word), "{method}{args}: {outcome}");
    }
    assert_eq!(world.ask("counter", "increment", "[1]"), "#\"+1\"");
}

#[test]
fn a_record_of_many_fields_does_not_use_up_the_crank_of_the_vat_that_it_is_sent_to() {
    let mut world = World::version_1(&["bootstrap", "counter"]);
    let fields: Vec<String> = (0..24_000).map(|field| format!("\"{field:x}\":0")).collect();
    let refused = world.ask("counter", "increment", &format!("[{{{}}}]", fields.join(",")));
    assert!(refused.contains("expected an integer, got a record"), "{refused}");
    assert_eq!(world.ask("counter", "increment", "[1]"), "#\"+1\"");
}

#[test]
fn two_parties_pay_each_other_through_the_mint() {
    let mut world = World::version_1(&["bootstrap", "mint", "alice=party", "bob=party"]);
    assert_eq!(world.ask("alice", "balance", "[]"), "#\"+1000\"");
    assert_eq!(world.ask("bob", "balance", "[]"), "#\"+0\"");
    assert_eq!(world.ask("alice", "pay", "[300]"), "#\"+300\"");
    world.restart();
    assert_eq!(world.ask("bob", "pay", "[50]"), "#\"+750\"");
    let refused = world.ask("bob", "pay", "[251]");
    assert!(refused.starts_with('!') && refused.contains("not enough in the purse"), "{refused}");
    assert_eq!(world.ask("alice", "balance", "[]"), "#\"+750\"");
    assert_eq!(world.ask("bob", "balance", "[]"), "#\"+250\"");
}

#[test]
fn payments_leave_no_objects_behind() {
    let mut world = World::version_1(&["bootstrap", "mint", "alice=party", "bob=party"]);
    let objects = |world: &World| {
        let dump = world.controller.dump(&world.env).expect("state can be read");
        dump.keys().filter(|key| key.starts_with(b"ko") && key.ends_with(b".refCount")).count()
    };
    world.ask("alice", "pay", "[1]");
    let before = objects(&world);
    for _ in 0..5 {
        world.ask("alice", "pay", "[1]");
    }
    assert_eq!(objects(&world), before, "each payment's purse is dropped, retired and deleted");
}

#[test]
fn ping_pong_is_played_to_the_end() {
    let mut world = World::version_1(&["bootstrap", "ping=pingpong", "pong=pingpong"]);
    assert_eq!(world.ask("ping", "serve", "[10]"), "#\"+10\"");
}

#[test]
fn a_hostile_vat_dies_alone() {
    for (method, args, word) in [
        ("looper", "[]", "vat terminated"),
        ("trapper", "[]", "vat terminated"),
        ("flooder", "[1000000]", "vat terminated"),
        ("hog", "[]", "vat terminated"),
        ("burner", "[1000]", "vat terminated"),
        ("deep", "[]", "vat terminated"),
        ("exit", "[true]", "vat terminated"),
    ] {
        let mut world = World::version_1(&["bootstrap", "hostile", "counter"]);
        let kpid = world.queue("hostile", method, args);
        let summary = world.run();
        assert_eq!(summary.stopped, None, "{method}");
        assert!(world.outcome(&kpid).contains(word), "{method}: {}", world.outcome(&kpid));
        assert_eq!(world.ask("counter", "increment", "[1]"), "#\"+1\"", "after {method}");
        let dump = world.controller.dump(&world.env).expect("state can be read");
        assert!(!dump.keys().any(|key| key.starts_with(b"v2.")), "{method}: nothing of the dead vat is left");
    }
}

#[test]
fn under_the_tightest_policy_a_vat_lives_on_whatever_it_lets_go_of() {
    let mut policy = LockdownPolicy { syscalls_per_crank_max: CRANK_SYSCALLS_MIN, ..LockdownPolicy::default() };
    policy.crank_computrons_default = policy.crank_computrons_min();
    let mut world = World::under(&policy, &["bootstrap=stories", "b=stories", "c=stories", "mint"]);
    let leaves = |world: &World| {
        let dump = world.controller.dump(&world.env).expect("state can be read");
        dump.keys().filter(|key| key.starts_with(b"v1.vs.o.v")).count()
    };
    for _ in 0..30 {
        world.ask("bootstrap", "grow", "[50]");
    }
    assert!(leaves(&world) > 1_000, "more than one crank deletes");
    world.ask("bootstrap", "fell", "[]");
    let mut before = usize::MAX;
    // Each deletes as much as its budget allows.
    while leaves(&world) < before {
        before = leaves(&world);
        world.controller.reap_all_vats(&mut world.env).expect("all vats are told");
        assert_eq!(world.run().stopped, None);
        world.restart();
    }
    assert_eq!(world.ask("bootstrap", "count", "[]"), "#\"+1\"", "it lives");
    assert_eq!(leaves(&world), 0);
}
