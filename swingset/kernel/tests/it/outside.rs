//! What comes from outside and goes there: mailbox and bridge, a row a rule. The world is that of [`devices`].

use swingset_abi::kernel::{Command, Reply, refusal};

use crate::{
    audit,
    devices::{self, BRIDGE, MAILBOX, by, call, check, check_refused, failed, value},
    world::World,
};

fn world() -> World {
    devices::world()
}

fn inbound(messages: &[(u64, &str)], ack: u64) -> Command {
    Command::MailboxInbound {
        peer: "swing1peer".to_owned(),
        messages: messages.iter().map(|(number, text)| (*number, (*text).to_owned())).collect(),
        ack,
    }
}

#[test]
fn a_message_of_a_peer_is_told_once_however_often_it_comes() {
    let mut world = world();
    check_refused(&mut world, &inbound(&[(1, "a")], 0), refusal::UNKNOWN);
    check(&mut world, MAILBOX, "registerInboundHandler", "[\"$0\"]", &["o+1"], &value("\"#undefined\""));
    world.vats.borrow_mut().delivered.clear();
    for (messages, told) in [
        (vec![(1, "one"), (2, "#two\"")], "[[\"+1\",\"one\"],[\"+2\",\"!#two\\\"\"]]"),
        (vec![(1, "one"), (2, "other"), (3, "three")], "[[\"+3\",\"three\"]]"),
        (vec![(3, "three")], ""),
        (vec![(7, "seven"), (5, "five"), (8, "eight")], "[[\"+7\",\"seven\"],[\"+8\",\"eight\"]]"),
    ] {
        let before = world.messages().len();
        assert_eq!(world.call(&inbound(&messages, 0)), Reply::Done {});
        world.run();
        let expected: Vec<String> = Some(told)
            .filter(|told| !told.is_empty())
            .map(|told| format!("v1 o+1 #[\"deliverInboundMessages\",[\"swing1peer\",{told}]] [] -"))
            .into_iter()
            .collect();
        assert_eq!(world.messages()[before..], expected);
    }
    assert_eq!(world.text("d9.deviceState.in.swing1peer").as_deref(), Some("8"));
    let controls = "\u{1}".repeat(100_000);
    let too_much = inbound(&[(9, &controls), (10, &controls)], 0);
    check_refused(&mut world, &too_much, refusal::BAD_ARGUMENT);
    audit::check(&world);
}

#[test]
fn messages_to_a_peer_wait_in_state_until_it_has_acknowledged_them() {
    let mut world = world();
    check(&mut world, MAILBOX, "registerInboundHandler", "[\"$0\"]", &["o+1"], &value("\"#undefined\""));
    let send = |text: &str| call(MAILBOX, "send", &format!("[\"swing1peer\",\"{text}\"]"), &[]);
    assert_eq!(by(&mut world, "v1", vec![send("a"), send("b"), send("!$c")]), [1, 2, 3].map(|n| value(&format!("\"+{n}\""))));
    let outbox = |world: &World| {
        let keys = world.keys("d9.deviceState.out.swing1peer.");
        keys.iter().map(|key| world.text(key).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(outbox(&world), ["a", "b", "$c"]);
    check_refused(&mut world, &inbound(&[], 4), refusal::BAD_ARGUMENT);
    world.vats.borrow_mut().delivered.clear();
    for ack in [0, 2, 1, 2] {
        assert_eq!(world.call(&inbound(&[], ack)), Reply::Done {});
        world.run();
    }
    assert_eq!(world.messages(), ["v1 o+1 #[\"deliverInboundAck\",[\"swing1peer\",\"+2\"]] [] -"], "told once");
    assert_eq!(outbox(&world), ["$c"]);
    assert_eq!(world.text("d9.deviceState.bytes").as_deref(), Some("2"));
    assert_eq!(by(&mut world, "v1", vec![send("d")]), [value("\"+4\"")], "numbers are not used twice");
}

#[test]
fn an_outbox_has_a_limited_length() {
    let mut world = world();
    let send = call(MAILBOX, "send", "[\"peer\",\"x\"]", &[]);
    let replies = by(&mut world, "v1", vec![send; 1_001]);
    assert_eq!(replies[999], value("\"+1000\""));
    assert_eq!(replies[1_000], failed("the peer has too many messages that it did not acknowledge"));
}

#[test]
fn a_bridge_call_is_answered_in_the_same_delivery() {
    let mut world = world();
    for (given, passed) in [("{\"a\":[\"+5\",null]}", "{\"a\":[\"+5\",null]}"), ("\"!$0\"", "\"!$0\""), (" [ 1 ] ", "[1]")] {
        check(&mut world, BRIDGE, "callOutbound", &format!("[\"echo\",{given}]"), &[], &value(passed));
        assert_eq!(world.vats.borrow().bridged.last().map(String::as_str), Some(passed));
    }
    let calls = by(&mut world, "v1", vec![call(BRIDGE, "callOutbound", "[\"echo\",1]", &[]); 101]);
    assert_eq!(calls[99], value("1"));
    assert_eq!(calls[100], failed("too many calls of the host in one crank"));
}

#[test]
fn a_message_of_the_hosts_goes_to_the_handler_that_was_registered_last() {
    let mut world = world();
    let told = |value: &str| Command::BridgeInbound {
        bridge: "wallet".to_owned(),
        value: value.to_owned(),
    };
    check_refused(&mut world, &told("1"), refusal::UNKNOWN);
    for handler in ["o+1", "o+2"] {
        check(&mut world, BRIDGE, "registerInboundHandler", "[\"$0\"]", &[handler], &value("\"#undefined\""));
    }
    for malformed in ["", "[", "\"$0\"", "{\"a\":\"&1.x\"}"] {
        check_refused(&mut world, &told(malformed), refusal::BAD_ARGUMENT);
    }
    world.vats.borrow_mut().delivered.clear();
    assert_eq!(world.call(&told("{\"type\": \"WALLET_ACTION\"}")), Reply::Done {});
    world.run();
    assert_eq!(world.messages(), ["v1 o+2 #[\"inbound\",[\"wallet\",{\"type\":\"WALLET_ACTION\"}]] [] -"]);
    assert_eq!(world.text("v1.c.o+1"), None, "the first handler was let go of");
    audit::check(&world);
}
