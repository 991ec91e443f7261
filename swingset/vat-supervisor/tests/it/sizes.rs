//! What is too large under the default lockdown policy is an error to whom it concerns, and not the vat's end.

use crate::world::{Kernel, POLICY_BYTES_MAX, World, incarnation, shop, upgraded};

/// Integers are written longer than they may be read.
fn growing() -> String {
    format!("[{}1]", "1,".repeat(100_000))
}

fn text(bytes: usize) -> String {
    format!("\"{}\"", "x".repeat(bytes))
}

/// A list of the references to all slots.
fn references(count: usize) -> (String, Vec<String>) {
    let names: Vec<String> = (0..count).map(|slot| format!("\"${slot}\"")).collect();
    (format!("[{}]", names.join(",")), (0..count).map(|slot| format!("o-{}", 1_000_000 + slot)).collect())
}

#[track_caller]
fn refused(world: &World, method: &str, args: &str, slots: &[&str]) {
    let answer = world.ask(method, args, slots);
    let start: String = answer.chars().take(200).collect();
    assert!(start.starts_with('!') && start.contains("260,000 bytes"), "{start}");
    assert_eq!(world.ask("incarnation", "[]", &[]), "#\"+0\"", "and the vat goes on");
}

#[test]
fn what_is_too_large_for_an_answer_a_message_or_the_store_is_an_error() {
    shop(|world| {
        let growing = growing();
        refused(world, "echo", &format!("[{growing}]"), &[]);
        refused(world, "set", &format!("[\"m\",1,{growing}]"), &[]);
        refused(world, "init", &format!("[\"m\",1,{growing}]"), &[]);
        refused(world, "put_away", &format!("[\"x\",{growing}]"), &[]);
        refused(world, "note_about", &format!("[\"$0\",{growing}]"), &["o-50"]);
        refused(world, "forward", &format!("[\"$0\",{growing}]"), &["o-50"]);
        // Without a method of this name: what is said about that is as long as the name, and longer with its escapes.
        refused(world, &"\\n".repeat(100_000), "[]", &[]);
        let (list, slots) = references(4_000);
        let slots: Vec<&str> = slots.iter().map(String::as_str).collect();
        refused(world, "echo", &format!("[[{list},{}]]", text(170_000)), &slots);
        let deep = format!("{}{}", "[".repeat(63), "]".repeat(63));
        let answer = world.ask("forward", &format!("[\"$0\",{deep}]"), &["o-50"]);
        assert!(answer.contains("nests too deep"), "it is in a list: {answer}");
        // Nobody learns of it.
        let said = world.send("o+0", "tell", &format!("[\"$0\",{growing}]"), &["o-50"]);
        assert_eq!(said[0], "p-1=#\"#undefined\" []");
    });
}

#[test]
fn a_text_key_of_399_bytes_is_the_longest() {
    shop(|world| {
        let set = |bytes| world.ask("set", &format!("[\"m\",{},0]", text(bytes)), &[]);
        assert_eq!(set(399), "#\"+1\"");
        assert!(set(400).contains("at most 399 bytes"), "{}", set(400));
    });
}

#[test]
fn the_largest_values_pass() {
    shop(|world| {
        let large = text(259_900);
        assert_eq!(world.ask("echo", &format!("[{large}]"), &[]), format!("#{large}"));
        assert_eq!(world.ask("set", &format!("[\"m\",1,{large}]"), &[]), "#\"+1\"");
        assert_eq!(world.ask("get", "[\"m\",1]", &[]), format!("#{large}"));
        let said = world.send("o+0", "forward", &format!("[\"$0\",{large}]"), &["o-50"]);
        assert_eq!(said[0], format!("send o-50 #[\"take\",[[{large}]]] [] p+1"));
        let (list, slots) = references(4_000);
        let slots: Vec<&str> = slots.iter().map(String::as_str).collect();
        let echoed = world.ask("echo", &format!("[[{list},{}]]", text(130_000)), &slots);
        assert!(echoed.ends_with(&format!("[{}]", slots.join(","))));
        world.ask("put_away", &format!("[\"x\",[{list},{}]]", text(130_000)), &slots);
    });
}

#[test]
fn promises_that_settle_together_take_as_many_syscalls_as_they_need() {
    shop(|world| {
        let said = world.send("o+0", "promises", &format!("[3,{}]", text(200_000)), &[]);
        assert_eq!(said[0], "p-1=#[\"&0\",\"&1\",\"&2\"] [p+1,p+2,p+3]");
        let settled = said[1..].iter().map(|line| line.len()).collect::<Vec<_>>();
        assert_eq!(settled, [200_010; 3], "each is told once");
    });
}

#[test]
fn a_value_from_elsewhere_that_is_too_large_to_be_passed_on_is_told_as_an_error() {
    shop(|world| {
        world.send("o+0", "wait", "[\"&0\"]", &["p-60"]);
        world.notify("p-60", false, &format!("#{}", text(POLICY_BYTES_MAX - 10)), &[]);
        let said = world.send("o+0", "kept", "[]", &[]);
        assert_eq!(said[0], "p-1=#[\"&0\"] [p+1]");
        assert!(said[1].starts_with("p+1!#") && said[1].contains("260,000 bytes"), "{}", said[1]);
    });
}

#[test]
fn what_an_incarnation_leaves_is_no_larger_than_a_value_may_be() {
    shop(|world| {
        for message in 0..25 {
            let (list, _) = references(4_000);
            let slots: Vec<String> = (0..4_000).map(|slot| format!("o-{}", 1_000_000 + message * 4_000 + slot)).collect();
            let slots: Vec<&str> = slots.iter().map(String::as_str).collect();
            world.ask("keep", &format!("[{list}]"), &slots);
        }
        world.bring_out_your_dead();
        let record = world.kernel.borrow().store["h"].len();
        assert!(record > 100_000, "{record} bytes are kept");
    });
}

#[test]
fn a_vat_that_has_more_weak_keys_than_a_value_has_room_for_goes_on_and_is_upgraded() {
    const OBJECTS: usize = 88_000;
    let first = |world: &World| {
        world.start();
        for message in 0..OBJECTS / 4_000 {
            let (list, _) = references(4_000);
            let slots: Vec<String> = (0..4_000).map(|slot| format!("o-{}", 1_000_000 + message * 4_000 + slot)).collect();
            let slots: Vec<&str> = slots.iter().map(String::as_str).collect();
            world.ask("notes_about", &format!("[{list}]"), &slots);
            (0..4).for_each(|_| world.bring_out_your_dead());
        }
        assert_eq!(world.flag("o-1000000"), Some(false), "it is known only as a key");
    };
    let kernel = incarnation(Kernel::default(), crate::vat::vat_deliver, first);
    assert!(kernel.store["m1"].len() > 1_000, "the record has a second part");
    let kernel = incarnation(upgraded(kernel), crate::vat::next::vat_deliver, |world| {
        world.start();
        assert_eq!(world.ask("incarnation", "[]", &[]), "#\"+1\"");
        for object in 0..2_000 {
            world.retire_import(&format!("o-{}", 1_000_000 + object));
        }
        world.bring_out_your_dead();
    });
    assert!(!kernel.store.contains_key("m1"), "it is small again");
}
