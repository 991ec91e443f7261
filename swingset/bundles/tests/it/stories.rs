//! Stories between vats, and what vats keep in their stores: through the controller, on the released kernel and supervisor.

use crate::world::World;

const VATS: [&str; 4] = ["bootstrap=stories", "b=stories", "c=stories", "mint"];

/// The vatstore keys of the first vat, but for the records that its supervisor keeps for an upgrade.
fn vatstore(world: &World) -> Vec<String> {
    let dump = world.controller.dump(&world.env).expect("state can be read");
    let keys = dump.keys().filter_map(|key| std::str::from_utf8(key).ok());
    keys.filter_map(|key| key.strip_prefix("v1.vs.")).filter(|key| key.len() > 1).map(str::to_owned).collect()
}

#[test]
fn messages_to_results_go_out_at_once() {
    let mut world = World::version_1(&VATS);
    let waiting = |world: &World| {
        let dump = world.controller.dump(&world.env).expect("state can be read");
        dump.keys().filter(|key| key.starts_with(b"acceptanceQueue.")).count()
    };
    let kpid = world.queue("bootstrap", "pipeline", "[]");
    // Into the run queue, and to the asker.
    for _ in 0..2 {
        let report = world.controller.step(&mut world.env).expect("a crank runs");
        assert!(report.is_some_and(|report| report.terminated.is_none()));
    }
    assert_eq!(waiting(&world), 3, "all three are on their way before any is answered");
    world.run();
    assert_eq!(world.outcome(&kpid), "#\"+7\"");
}

#[test]
fn a_third_party_uses_what_it_was_handed() {
    let mut world = World::version_1(&VATS);
    assert_eq!(world.ask("bootstrap", "hand_over", "[]"), "#\"+2\"");
    world.restart();
    assert_eq!(world.ask("bootstrap", "hand_over_early", "[]"), "#\"+2\"", "handed on before it was there");
}

#[test]
fn what_was_handed_over_and_dropped_is_gone_everywhere() {
    let mut world = World::version_1(&VATS);
    let count = |world: &World, end: &[u8]| {
        let dump = world.controller.dump(&world.env).expect("state can be read");
        dump.keys().filter(|key| key.starts_with(b"ko") && key.ends_with(end)).count()
    };
    world.ask("bootstrap", "hand_over", "[]");
    let before = count(&world, b".refCount");
    for _ in 0..5 {
        world.ask("bootstrap", "hand_over", "[]");
        world.ask("bootstrap", "hand_over_early", "[]");
    }
    assert_eq!(count(&world, b".refCount"), before);
    let dump = world.controller.dump(&world.env).expect("state can be read");
    let buttons = dump.keys().filter(|key| key.starts_with(b"v3.vs.o.")).count();
    assert_eq!(buttons, 0, "and its state with it");
}

#[test]
fn a_durable_counter_survives_many_deliveries() {
    let mut world = World::version_1(&VATS);
    world.ask("bootstrap", "count", "[]");
    let before = vatstore(&world);
    for round in 2..=300 {
        assert_eq!(world.ask("bootstrap", "count", "[]"), format!("#\"+{round}\""));
        if round % 50 == 0 {
            world.restart();
        }
    }
    assert_eq!(vatstore(&world), before, "and takes no more room than at first");
}

#[test]
fn a_collection_is_in_the_order_of_its_keys() {
    let mut world = World::version_1(&VATS);
    let before = vatstore(&world);
    let sorted = world.ask("bootstrap", "sorted", "[[10,\"b\",-5,\"a\",9,true,null,-50]]");
    assert_eq!(sorted, "#[null,true,\"-50\",\"-5\",\"+9\",\"+10\",\"a\",\"b\"]");
    world.restart();
    let sorted = world.ask("bootstrap", "sorted", "[[\"aa\",0,9]]");
    assert_eq!(sorted, "#[null,true,\"-50\",\"-5\",\"+0\",\"+9\",\"+10\",\"a\",\"aa\",\"b\"]");
    assert_eq!(world.ask("bootstrap", "unsort", "[]"), "#true");
    assert_eq!(vatstore(&world), [before, vec!["o.d1/1".to_owned()]].concat(), "only the baggage's size is left");
}

#[test]
fn virtual_objects_that_are_dropped_leave_nothing() {
    let mut world = World::version_1(&VATS);
    let before = vatstore(&world);
    for leaves in [1, 40] {
        world.ask("bootstrap", "grow", &format!("[{leaves}]"));
        assert!(vatstore(&world).len() >= before.len() + 2 * leaves);
        world.restart();
        world.ask("bootstrap", "fell", "[]");
        assert_eq!(vatstore(&world), before);
    }
}
