//! Devices, used by vats of the SDK.

use swingset_bundles::test_bundle;
use swingset_host::{
    ControllerOptions,
    controller::{MigrationBudget, UpgradeOptions},
};

use crate::world::{World, bundles};

fn world() -> World {
    World::version_1(&["bootstrap=devices"])
}

#[test]
fn a_vat_is_woken_by_the_timer_in_the_order_of_the_times() {
    let mut world = world();
    assert_eq!(world.ask("bootstrap", "now", "[]"), "#\"+1000\"");
    for (when, number) in [(1_200, 1), (1_100, 2), (1_100, 3)] {
        assert_eq!(world.ask("bootstrap", "set", &format!("[{when}]")), format!("#\"+{number}\""));
    }
    assert_eq!(world.ask("bootstrap", "repeat", "[1050,100]"), "#\"+4\"");
    world.at(1_099);
    assert_eq!(world.ask("bootstrap", "told", "[]"), "#[[\"+1099\",\"+4\"]]");
    world.restart();
    world.at(1_250);
    let told = "#[[\"+1250\",\"+2\"],[\"+1250\",\"+3\"],[\"+1250\",\"+4\"],[\"+1250\",\"+1\"]]";
    assert_eq!(world.ask("bootstrap", "told", "[]"), told);
    assert_eq!(world.ask("bootstrap", "cancel", "[4]"), "#true");
    world.at(9_000);
    assert_eq!(world.ask("bootstrap", "told", "[]"), "#[]");
}

#[test]
fn a_block_in_which_nothing_is_due_enters_no_guest_for_the_timer() {
    let mut world = world();
    world.ask("bootstrap", "set", "[2000]");
    let cranks = |world: &World| world.controller.view(&world.env).expect("state can be read").crank_number;
    let before = cranks(&world);
    world.at(1_999);
    assert_eq!(cranks(&world), before);
    world.at(2_000);
    assert!(cranks(&world) > before);
}

#[test]
fn wakeups_of_a_durable_object_outlive_the_upgrade_of_its_vat() {
    let mut world = world();
    world.ask("bootstrap", "set", "[1100]");
    let bundle = test_bundle("devices").expect("a test bundle");
    let id = world.controller.validate_and_install_bundle(&mut world.env, bundle, None).expect("installed").id;
    let options = UpgradeOptions::default();
    let kpid = world.controller.upgrade_static_vat(&mut world.env, "bootstrap", &id, options).expect("queued");
    world.controller.kp_register_interest(&mut world.env, &kpid).expect("interest is registered");
    world.run();
    assert_eq!(world.outcome(&kpid), "#{\"incarnationNumber\":1}");
    world.at(1_100);
    assert_eq!(world.ask("bootstrap", "told", "[]"), "#[[\"+1100\",\"+1\"]]");
    assert_eq!(world.ask("bootstrap", "now", "[]"), "#\"+1100\"", "its devices are in its baggage");
}

#[test]
fn devices_are_replaced_with_the_kernel_and_keep_their_state_and_references() {
    let mut world = world();
    world.ask("bootstrap", "set", "[1100]");
    world.ask("bootstrap", "listen", "[]");
    world.controller.mailbox_inbound(&mut world.env, "peer", vec![(1, "hello".into())], 0).expect("taken");
    world.run();
    let refused = world.ask("bootstrap", "ask_timer", "[\"pending\"]");
    assert!(refused.starts_with('!') && refused.contains("no such method"), "{refused}");
    world.controller.end_block(&mut world.env).expect("a block ends");
    let swapped =
        world.controller.reinitialize_swingset(&mut world.env, &bundles("version-2"), MigrationBudget::UPGRADE);
    assert_eq!(swapped.expect("it is swapped").schema_after, 2);
    world.restart();
    // What the later kernel's timer can do more is there under the same reference, for what was set before.
    assert_eq!(world.ask("bootstrap", "ask_timer", "[\"pending\"]"), "#\"+1\"");
    world.at(1_100);
    world
        .controller
        .mailbox_inbound(&mut world.env, "peer", vec![(1, "hello".into()), (2, "again".into())], 1)
        .expect("taken");
    world.run();
    let told = "#[[\"peer\",[\"+1\",\"hello\"]],[\"+1100\",\"+1\"],[\"peer\",[\"+2\",\"again\"]],[\"peer\",\"+1\"]]";
    assert_eq!(world.ask("bootstrap", "told", "[]"), told, "no message twice, and the answer's number is known");
}

#[test]
fn promises_for_times_are_fulfilled_by_the_timer_vat() {
    let mut world = World::version_1(&["bootstrap", "timer"]);
    let service = world.make("timer", "getTimerService", "[]");
    assert_eq!(world.pass(&service, "getCurrentTimestamp", "[]", &[]), "#\"+1000\"");
    assert_eq!(world.pass(&service, "wakeAt", "[900]", &[]), "#\"+1000\"", "the past is now");
    let promise =
        |world: &mut World, method: &str, seconds: u64| world.queue(&service, method, &format!("[{seconds}]"));
    let (soon, late) = (promise(&mut world, "delay", 10), promise(&mut world, "wakeAt", 5_000));
    world.run();
    world.at(1_009);
    assert_eq!(world.outcome(&soon), "Unresolved");
    world.restart();
    world.at(1_012);
    assert_eq!(world.outcome(&soon), "#\"+1012\"");
    assert_eq!(world.outcome(&late), "Unresolved");
    world.at(5_000);
    assert_eq!(world.outcome(&late), "#\"+5000\"");
}

#[test]
fn a_handler_is_woken_until_its_repeater_is_cancelled() {
    let mut world = World::version_1(&["bootstrap", "timer", "devices"]);
    let service = world.make("timer", "getTimerService", "[]");
    let diary = world.make("devices", "diary", "[]");
    let repeater = world.make_with(&service, "makeRepeater", "[1010,10,\"$0\"]", &[&diary]);
    world.at(1_010);
    world.at(1_025);
    assert_eq!(world.pass(&repeater, "cancel", "[]", &[]), "#true");
    world.at(2_000);
    assert_eq!(world.ask("devices", "told", "[]"), "#[[\"+1010\",\"+1\"],[\"+1025\",\"+1\"]]");
    assert_eq!(world.pass(&repeater, "cancel", "[]", &[]), "#false");
}

#[test]
fn a_host_without_a_bridge_says_so_and_the_vat_goes_on() {
    let mut world = world();
    let refused = world.ask("bootstrap", "call", "[\"bank\",{}]");
    assert!(refused.starts_with('!') && refused.contains("the host has no bridge of this ID"), "{refused}");
    assert_eq!(world.ask("bootstrap", "now", "[]"), "#\"+1000\"");
}

/// A story with every device; gives the activity hash at its end.
fn story(options: ControllerOptions) -> String {
    let mut world = World::with_options(&["bootstrap=devices", "timer"], options);
    for round in 0..5_u64 {
        world.ask("bootstrap", "set", &format!("[{}]", 1_005 + round * 3));
        world.ask("bootstrap", "repeat", &format!("[{},7]", 1_001 + round));
        world.ask("bootstrap", "listen", "[]");
        let messages = vec![(round + 1, format!("hello {round}"))];
        world.controller.mailbox_inbound(&mut world.env, "peer", messages, round).expect("taken");
        world.controller.bridge_inbound(&mut world.env, "wallet", "{\"action\":\"look\"}").expect("taken");
        world.at(1_004 + round * 5);
        world.ask("bootstrap", "cancel", &format!("[{round}]"));
    }
    world.controller.get_activityhash(&world.env).expect("state can be read")
}

#[test]
fn devices_are_the_same_whether_kernel_and_vats_stay_or_are_made_anew_at_every_crank() {
    let at_ease = story(ControllerOptions::default());
    assert_eq!(story(ControllerOptions { drop_kernel_each_crank: true, live_vats_max: 1 }), at_ease);
    assert_eq!(story(ControllerOptions { drop_kernel_each_crank: true, live_vats_max: 0 }), at_ease);
}
