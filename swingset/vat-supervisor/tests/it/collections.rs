//! Collections: order, sizes, weak keys, and how large ones go.

use crate::world::shop;

#[test]
fn a_map_is_walked_in_the_order_of_its_keys() {
    shop(|world| {
        world.ask("item", "[\"a\"]", &[]);
        for (key, slots) in [
            ("10", &[][..]),
            ("\"b\"", &[]),
            ("-5", &[]),
            ("\"a\"", &[]),
            ("9", &[]),
            ("\"-170141183460469231731687303715884105728\"", &[]),
            ("true", &[]),
            ("null", &[]),
            ("-50", &[]),
            ("\"$0\"", &["o-60"]),
            ("\"$0\"", &["o+d10/1"]),
        ] {
            world.ask("set", &format!("[\"m\",{key},0]"), slots);
        }
        assert_eq!(
            world.ask("keys", "[\"m\"]", &[]),
            "#[null,true,\"-170141183460469231731687303715884105728\",\"-50\",\"-5\",\"+9\",\"+10\",\"a\",\"b\",\
             \"$0.Alleged: Item\",\"$1\"] [o+d10/1,o-60]"
        );
        assert_eq!(world.ask("page", "[\"m\",-5,3]", &[]), "#[\"+9\",\"+10\",\"a\"]");
        assert_eq!(world.ask("page", "[\"m\",11,1]", &[]), "#[\"a\"]", "after a key that is not there");
        assert_eq!(
            world.ask("page", "[\"m\",\"$0\",3]", &["o+d10/1"]),
            "#[\"$0\"] [o-60]"
        );
        assert_eq!(world.ask("page", "[\"m\",\"$0\",3]", &["o-60"]), "#[]");
        assert_eq!(
            world.ask("set", "[\"m\",9,1]", &[]),
            "#\"+11\"",
            "a known key does not count again"
        );
        assert_eq!(world.ask("delete", "[\"m\",9]", &[]), "#\"+10\"");
        assert_eq!(world.ask("delete", "[\"m\",9]", &[]), "#\"+10\"");
        let refused = world.ask("init", "[\"m\",10,1]", &[]);
        assert!(refused.contains("has this key already"), "{refused}");
        assert_eq!(world.ask("get", "[\"m\",10]", &[]), "#\"+0\"");
        assert_eq!(world.ask("members", "[[2,1,2,\"$0\"]]", &["o+d10/1"]), "#\"+3\"");
        assert_eq!(world.ask("clear", "[\"m\"]", &[]), "#\"+0\"");
        assert_eq!(world.ask("keys", "[\"m\"]", &[]), "#[]");
    });
}

#[test]
fn a_collection_is_not_taken_for_one_of_other_keys() {
    shop(|world| {
        assert_eq!(world.ask("texts", "[]", &[]), "#\"+0\"");
        let refused = world.ask("scores", "[]", &[]);
        assert!(refused.contains("keys of schema int, got text"), "{refused}");
    });
}

#[test]
fn keys_and_values_are_kept_alive_by_a_map() {
    shop(|world| {
        let said = world.send("o+0", "set", "[\"m\",\"$0\",\"$1\"]", &["o-50", "o-51"]);
        assert_eq!(said.len(), 1, "{said:?}");
        let said = world.send("o+0", "delete", "[\"m\",\"$0\"]", &["o-50"]);
        assert_eq!(said[1..], ["drop o-50,o-51", "retire o-50,o-51"]);
    });
}

#[test]
fn a_weak_map_forgets_an_import_that_is_gone() {
    shop(|world| {
        let said = world.send("o+0", "note_about", "[\"$0\",\"$1\"]", &["o-50", "o-51"]);
        assert_eq!(said[1..], ["drop o-50"], "it is still recognized");
        let with_note = world.keys();
        let said = world.send("o+0", "note_of", "[\"$0\"]", &["o-50"]);
        assert_eq!(said, ["p-1=#\"$0\" [o-51]", "drop o-50"]);
        assert_eq!(world.keys(), with_note);
        world.retire_import("o-50");
        assert_eq!(
            world.said(),
            ["drop o-51", "retire o-51"],
            "what was noted goes with it"
        );
        assert!(!world.keys().iter().any(|key| key.contains("-5")), "{:?}", world.keys());
    });
}

#[test]
fn a_weak_map_forgets_a_stored_object_that_is_gone() {
    shop(|world| {
        world.ask("item", "[\"a\"]", &[]);
        world.ask("note_about", "[\"$0\",\"$1\"]", &["o+d10/1", "o-51"]);
        assert_eq!(world.ask("note_of", "[\"$0\"]", &["o+d10/1"]), "#\"$0\" [o-51]");
        world.drop_export("o+d10/1");
        assert_eq!(world.said(), ["retire o+d10/1", "drop o-51", "retire o-51"]);
        assert!(
            !world.keys().iter().any(|key| key.contains("d10/1")),
            "{:?}",
            world.keys()
        );
    });
}

#[test]
fn an_import_is_retired_when_its_weak_map_goes() {
    shop(|world| {
        world.send("o+0", "note_about", "[\"$0\",1]", &["o-50"]);
        let said = world.send("o+0", "take_away", "[\"notes\"]", &[]);
        assert_eq!(said, ["p-1=#true []", "retire o-50"]);
        assert_eq!(world.keys(), ["o.d1/1"], "of the baggage only its size is left");
    });
}

#[test]
fn a_large_collection_goes_over_several_deliveries() {
    shop(|world| {
        assert_eq!(world.ask("fill", "[\"m\",1000]", &[]), "#\"+1000\"");
        world.send("o+0", "take_away", "[\"m\"]", &[]);
        let left = world.keys().len();
        assert!(
            (700..900).contains(&left),
            "one delivery deletes a part: {left} are left"
        );
        world.ask("incarnation", "[]", &[]);
        let before = world.keys().len();
        assert!(before < left, "each goes on");
        world.bring_out_your_dead();
        let after = world.keys().len();
        assert!(before - after > left - before, "bringOutYourDead takes more: {left}, {before}, {after}");
        world.bring_out_your_dead();
        assert_eq!(world.keys(), ["o.d1/1"], "and the next one the rest");
    });
}

#[test]
fn what_is_too_much_for_one_bring_out_your_dead_is_left_to_the_next() {
    shop(|world| {
        assert_eq!(world.ask("fill", "[\"m\",1100]", &[]), "#\"+1100\"");
        world.send("o+0", "take_away", "[\"m\"]", &[]);
        let left = [(); 3].map(|()| {
            world.bring_out_your_dead();
            world.keys().len()
        });
        assert!((350..450).contains(&left[0]), "{left:?}");
        assert_eq!(left[1..], [1, 1], "only the baggage's size");
    });
}

#[test]
fn a_virtual_collection_is_handed_out_and_goes_when_it_is_dropped() {
    shop(|world| {
        assert_eq!(
            world.ask("temporary", "[2,\"$0\"]", &["o-50"]),
            "#\"$0.Alleged: collection\" [o+v1/2]"
        );
        assert_eq!(world.flag("o-50"), Some(true));
        let refused = world.ask_of("o+v1/2", "get", "[0]", &[]);
        assert!(refused.contains("has no method get"), "{refused}");
        world.drop_export("o+v1/2");
        assert_eq!(world.said(), ["retire o+v1/2", "drop o-50", "retire o-50"]);
        assert!(
            !world.keys().iter().any(|key| key.contains("v1/2")),
            "{:?}",
            world.keys()
        );
    });
}
