//! Devices: a row a rule. `v1` (`bootstrap`) and `v2` (`b`) have the devices as `d-71` (timer), `d-72` (mailbox) and `d-73` (bridge),
//! as `bootstrap(vats, devices)` gives them.

use swingset_abi::{
    kernel::{Command, Reply, ResolutionPolicy, refusal},
    vat::{SyscallReply, VatDelivery, VatSyscall},
};

use crate::{
    audit,
    world::{Act, World, data, send},
};

const TIMER: &str = "d-71";
pub const MAILBOX: &str = "d-72";
pub const BRIDGE: &str = "d-73";

pub fn world() -> World {
    let mut world = World::started(&["bootstrap", "b"]);
    // b gets the devices from bootstrap, in the same order.
    let (slots, body) = (["d-70", TIMER, MAILBOX, BRIDGE], "#[\"devices\",[[\"$0\",\"$1\",\"$2\",\"$3\"]]]");
    world.go(vec![send("o-50", body, &slots, None)]);
    world.now = 1_000;
    world.vats.borrow_mut().delivered.clear();
    world
}

pub fn call(device: &str, method: &str, args: &str, slots: &[&str]) -> VatSyscall {
    VatSyscall::CallNow {
        target: device.to_owned(),
        method: method.to_owned(),
        args: data(&format!("#{args}"), slots),
    }
}

pub fn value(body: &str) -> SyscallReply {
    SyscallReply::Data {
        data: data(&format!("#{body}"), &[]),
    }
}

pub fn failed(problem: &str) -> SyscallReply {
    SyscallReply::Failed {
        problem: problem.to_owned(),
    }
}

/// `vat` makes these syscalls in one delivery; gives their answers.
pub fn by(world: &mut World, vat: &str, syscalls: Vec<VatSyscall>) -> Vec<SyscallReply> {
    let name = if vat == "v1" { "bootstrap" } else { "b" };
    world.queue(name, "go", ResolutionPolicy::None {});
    world.acts(vat, vec![syscalls]);
    let before = world.vats.borrow().replies.len();
    world.run();
    
    world.vats.borrow().replies[before..].to_vec()
}

#[track_caller]
pub fn check_refused(world: &mut World, command: &Command, code: u32) {
    let before = world.kv.clone();
    match world.call(command) {
        Reply::Refused { code: found, .. } => assert_eq!(found, code, "{command:?}"),
        other => panic!("{command:?} was answered with {other:?}"),
    }
    assert_eq!(world.kv, before, "nothing was written");
}

#[track_caller]
pub fn check(world: &mut World, device: &str, method: &str, args: &str, slots: &[&str], expected: &SyscallReply) {
    let replies = by(world, "v1", vec![call(device, method, args, slots)]);
    assert_eq!(replies, core::slice::from_ref(expected), "{method}({args})");
    audit::check(world);
}

/// Polls as a host does: when something is due, until nothing is. Gives the messages that came of it.
fn poll(world: &mut World, now: u64) -> Vec<String> {
    world.now = now;
    let before = world.messages().len();
    while world.text("timer.next").is_some_and(|next| next.parse::<u64>().unwrap() <= now) {
        assert_eq!(world.call(&Command::PollTimer { now }), Reply::Done {});
    }
    world.run();
    audit::check(world);
    world.messages()[before..].to_vec()
}

#[test]
fn bootstrap_is_given_all_devices_by_name() {
    let mut world = World::with(vec![crate::world::vat("bootstrap")]);
    world.run();
    assert_eq!(
        world.messages(),
        [concat!(
            "v1 o+0 #[\"bootstrap\",[{\"bootstrap\":\"$0.Alleged: root\",\"vatAdmin\":\"$1.Alleged: vatAdmin\"},",
            "{\"vatAdmin\":\"$2.Alleged: vatAdmin\",\"timer\":\"$3.Alleged: timer\",\"mailbox\":\"$4.Alleged: mailbox\",",
            "\"bridge\":\"$5.Alleged: bridge\"}]] [o+0,o-50,d-70,d-71,d-72,d-73] p-60"
        )]
    );
    assert_eq!(world.text("device.names").as_deref(), Some("vatAdmin,timer,mailbox,bridge"));
    assert_eq!(world.text("device.name.timer").as_deref(), Some("d8"));
    assert_eq!((world.text("kd31.owner").as_deref(), world.text("d8.name").as_deref()), (Some("d8"), Some("timer")));
}

#[test]
fn calls_that_a_device_refuses_are_told_and_change_nothing() {
    let mut world = world();
    let no = failed;
    for (device, method, args, slots, problem) in [
        (TIMER, "fly", "[]", vec![], "timer has no such method"),
        (TIMER, "setWakeup", "[\"+5\"]", vec![], "the arguments are not a time and a handler"),
        (TIMER, "setWakeup", "[\"+5\",\"$0\"]", vec![TIMER], "the arguments are not a time and a handler"),
        (TIMER, "setWakeup", "[\"+5\",\"&0\"]", vec!["p+9"], "the arguments are not a time and a handler"),
        (
            TIMER,
            "setRepeater",
            "[\"+5\",\"+0\",\"$0\"]",
            vec!["o+1"],
            "the arguments are not a time, an interval above 0 and a handler",
        ),
        (TIMER, "cancel", "[]", vec![], "the argument is not a number"),
        (MAILBOX, "send", "[\"a.b\",\"x\"]", vec![], "the arguments are not a peer's address and a text"),
        (MAILBOX, "send", "[\"\",\"x\"]", vec![], "the arguments are not a peer's address and a text"),
        (MAILBOX, "registerInboundHandler", "[5]", vec![], "the argument is not an object"),
        (MAILBOX, "fly", "[]", vec![], "mailbox has no such method"),
        (BRIDGE, "callOutbound", "[\"echo\"]", vec![], "the arguments are not a bridge's ID and a value"),
        (BRIDGE, "callOutbound", "[\"echo\",\"$0\"]", vec!["o+1"], "a value for the host holds no references"),
        (BRIDGE, "callOutbound", "[\"nobody\",1]", vec![], "the host has no bridge of this ID"),
        (BRIDGE, "callOutbound", "[\"echo\",\"no\"]", vec![], "the host says \"no\""),
        (BRIDGE, "fly", "{}", vec![], "the arguments are not a list"),
    ] {
        check(&mut world, device, method, args, &slots, &no(problem));
    }
    assert!(world.keys("d8.deviceState").is_empty());
    assert!(world.keys("d9.deviceState").is_empty());
    assert!(world.keys("d10.deviceState").is_empty());
}

#[test]
fn an_object_that_a_call_exported_and_the_device_did_not_keep_is_dropped() {
    let mut world = world();
    by(&mut world, "v1", vec![call(TIMER, "cancel", "[\"$0\"]", &["o+7"])]);
    let retired = VatDelivery::RetireExports {
        vrefs: vec!["o+7".to_owned()],
    };
    assert!(world.delivered().contains(&("v1".to_owned(), retired)));
    assert_eq!(world.text("v1.c.o+7"), None);
}

#[test]
fn wakeups_come_in_the_order_of_their_times_then_of_their_numbers() {
    let mut world = world();
    let set = |when: &str, handler: &str| call(TIMER, "setWakeup", &format!("[\"+{when}\",\"$0\"]"), &[handler]);
    let numbers = by(&mut world, "v1", vec![set("1200", "o+1"), set("1100", "o+2"), set("1100", "o+3"), set("5000", "o+4")]);
    assert_eq!(numbers, ["1", "2", "3", "4"].map(|number| value(&format!("\"+{number}\""))));
    assert_eq!(world.text("timer.next").as_deref(), Some("1100"));
    audit::check(&world);
    assert!(poll(&mut world, 1_099).is_empty());
    assert_eq!(
        poll(&mut world, 1_300),
        [
            "v1 o+2 #[\"wake\",[\"+1300\",\"+2\"]] [] -",
            "v1 o+3 #[\"wake\",[\"+1300\",\"+3\"]] [] -",
            "v1 o+1 #[\"wake\",[\"+1300\",\"+1\"]] [] -",
        ]
    );
    assert_eq!(world.text("timer.next").as_deref(), Some("5000"));
    assert_eq!(world.text("d8.deviceState.count.v1").as_deref(), Some("1"));
}

#[test]
fn who_asks_for_the_past_is_woken_in_a_later_second() {
    let mut world = world();
    by(&mut world, "v1", vec![call(TIMER, "setWakeup", "[\"+3\",\"$0\"]", &["o+1"])]);
    assert_eq!(world.text("timer.next").as_deref(), Some("1001"));
    assert!(poll(&mut world, 1_000).is_empty());
    assert_eq!(poll(&mut world, 1_001).len(), 1);
    assert_eq!(world.text("timer.next"), None);
    assert!(world.keys("d8.deviceState.wake").is_empty() && world.keys("d8.deviceState.set").is_empty());
    check(&mut world, TIMER, "getCurrentTime", "[]", &[], &value("\"+1001\""));
}

#[test]
fn a_repeater_wakes_once_for_all_that_it_missed_and_ends_when_it_is_cancelled() {
    let mut world = world();
    by(&mut world, "v1", vec![call(TIMER, "setRepeater", "[\"+1010\",\"+10\",\"$0\"]", &["o+1"])]);
    for (now, woken, next) in [(1_010, 1, "1020"), (1_019, 0, "1020"), (1_055, 1, "1060")] {
        assert_eq!(poll(&mut world, now).len(), woken, "{now}");
        assert_eq!(world.text("timer.next").as_deref(), Some(next), "{now}");
    }
    let cancel = call(TIMER, "cancel", "[\"+1\"]", &[]);
    assert_eq!(by(&mut world, "v2", vec![call("d-71", "cancel", "[\"+1\"]", &[])]), [value("false")], "not b's");
    assert_eq!(by(&mut world, "v1", vec![cancel.clone(), cancel]), [value("true"), value("false")]);
    assert_eq!(world.text("timer.next"), None);
    assert!(poll(&mut world, 9_000).is_empty());
    assert_eq!(world.text("v1.c.o+1"), None, "the timer held the last reference on the handler");
}

#[test]
fn a_vat_has_a_limited_number_of_wakeups() {
    let mut world = world();
    let set = call(TIMER, "setWakeup", "[\"+1001\",\"$0\"]", &["o+1"]);
    let replies = by(&mut world, "v1", vec![set; 10_001]);
    assert_eq!(replies[9_999], value("\"+10000\""));
    assert_eq!(replies[10_000], failed("the vat has too many wake-ups"));
    let other = call(TIMER, "setWakeup", "[\"+1002\",\"$0\"]", &["o+1"]);
    assert_eq!(by(&mut world, "v2", vec![other]), [value("\"+10001\"")], "another vat has its own");
}

#[test]
fn one_poll_tells_a_limited_number_and_the_next_the_rest() {
    let mut world = world();
    let set = call(TIMER, "setWakeup", "[\"+1001\",\"$0\"]", &["o+1"]);
    by(&mut world, "v1", vec![set; 250]);
    for left in [150, 50, 0] {
        assert!(world.text("timer.next").is_some());
        assert_eq!(world.call(&Command::PollTimer { now: 1_001 }), Reply::Done {});
        assert_eq!(world.keys("d8.deviceState.wake").len(), left);
    }
    assert_eq!(world.text("timer.next"), None);
    let before = world.messages().len();
    world.run();
    assert_eq!(world.messages().len() - before, 250);
}

#[test]
fn a_wakeup_of_a_vat_that_ended_is_dropped_when_it_is_due() {
    let mut world = world();
    by(&mut world, "v2", vec![call(TIMER, "setRepeater", "[\"+1010\",\"+10\",\"$0\"]", &["o+1"])]);
    let terminate = Command::TerminateVat {
        vat_id: "v2".to_owned(),
        reason: data("#\"over\"", &[]),
    };
    assert_eq!(world.call(&terminate), Reply::Done {});
    world.run();
    audit::check(&world);
    assert!(poll(&mut world, 1_010).is_empty());
    assert_eq!(world.text("timer.next"), None);
    assert!(world.keys("d8.deviceState.wake").is_empty() && world.keys("d8.deviceState.count").is_empty());
}

#[test]
fn what_an_undone_delivery_set_is_not_set() {
    let mut world = world();
    world.queue("b", "go", ResolutionPolicy::None {});
    world.script("v2", |_| Act {
        verdict: swingset_abi::vat::DeliveryVerdict::MeterExhausted {},
        ..Act::of(vec![
            call(TIMER, "setWakeup", "[\"+2000\",\"$0\"]", &["o+1"]),
            call(MAILBOX, "send", "[\"peer\",\"x\"]", &[]),
        ])
    });
    assert!(world.run().iter().any(|report| report.aborted), "so that the host takes back what bridges did");
    assert_eq!(world.text("timer.next"), None);
    assert!(world.keys("d8.deviceState").is_empty() && world.keys("d9.deviceState").is_empty());
}

#[cfg(feature = "schema-2")]
#[test]
fn a_later_kernels_timer_can_do_more() {
    let mut world = world();
    by(&mut world, "v1", vec![call(TIMER, "setWakeup", "[\"+2000\",\"$0\"]", &["o+1"])]);
    check(&mut world, TIMER, "pending", "[]", &[], &value("\"+1\""));
    assert_eq!(by(&mut world, "v2", vec![call(TIMER, "pending", "[]", &[])]), [value("\"+0\"")]);
}

#[cfg(not(feature = "schema-2"))]
#[test]
fn a_later_kernels_method_is_unknown_to_this_one() {
    check(&mut world(), TIMER, "pending", "[]", &[], &failed("timer has no such method"));
}

#[test]
fn code_that_governance_runs_gets_the_powers_that_are_named_and_no_others() {
    let mut world = world();
    let id = world.install('a');
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let evaluate = |bundle_id: &str, vats: &[&str], devices: &[&str]| Command::Evaluate {
        bundle_id: bundle_id.to_owned(),
        vats: names(vats),
        devices: names(devices),
    };
    for (command, code) in [
        (evaluate("b1-0", &[], &[]), refusal::UNKNOWN),
        (evaluate(&id, &["nobody"], &[]), refusal::UNKNOWN),
        (evaluate(&id, &[], &["rocket"]), refusal::UNKNOWN),
        (evaluate(&id, &["b", "b"], &[]), refusal::BAD_ARGUMENT),
    ] {
        check_refused(&mut world, &command, code);
    }
    let Reply::Queued { kpid: Some(kpid) } = world.call(&evaluate(&id, &["vatAdmin", "b"], &["bridge"])) else {
        panic!("it is queued");
    };
    world.call(&Command::RegisterInterest { kpid: kpid.clone() });
    world.run();
    audit::check(&world);
    let body = concat!(
        "#{\"vats\":{\"vatAdmin\":\"$0.Alleged: vatAdmin\",\"b\":\"$1.Alleged: root\"},",
        "\"devices\":{\"bridge\":\"$2.Alleged: bridge\"}}"
    );
    let start = VatDelivery::StartVat {
        parameters: data(body, &["o-50", "o-51", "d-70"]),
    };
    assert!(world.delivered().contains(&("v3".to_owned(), start)));
    assert!(matches!(world.promise(&kpid), swingset_abi::kernel::PromiseState::Fulfilled { .. }));
}
