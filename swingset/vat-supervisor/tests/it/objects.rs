//! Stored objects and who keeps them alive.

use crate::world::shop;

#[test]
fn a_stored_object_answers_by_its_state_and_keeps_what_it_changed() {
    shop(|world| {
        assert_eq!(world.ask("item", "[\"pen\"]", &[]), "#\"$0.Alleged: Item\" [o+d10/1]");
        assert_eq!(world.ask_of("o+d10/1", "name", "[]", &[]), "#\"pen\"");
        assert_eq!(world.ask_of("o+d10/1", "count", "[]", &[]), "#\"+1\"");
        assert_eq!(world.ask_of("o+d10/1", "count", "[]", &[]), "#\"+2\"");
        assert_eq!(
            world.ask("ticket", "[7,null]", &[]),
            "#\"$0.Alleged: Ticket\" [o+v11/1]"
        );
        assert_eq!(world.ask_of("o+v11/1", "number", "[]", &[]), "#\"+7\"");
        let wrong = world.ask_of("o+v11/1", "name", "[]", &[]);
        assert!(wrong.contains("Ticket has no method name"), "{wrong}");
    });
}

#[test]
fn what_nobody_refers_to_leaves_nothing_in_the_vatstore() {
    shop(|world| {
        world.send("o+0", "put_away", "[\"x\",1]", &[]);
        world.ask("take_away", "[\"x\"]", &[]);
        let before = world.keys();
        // Made and handed out: others hold them.
        world.ask("item", "[\"a\"]", &[]);
        world.ask("ticket", "[1,\"$0.Alleged: Item\"]", &["o+d10/1"]);
        assert!(world.keys().len() > before.len());
        // The item is dropped by others, the ticket still refers to it.
        world.drop_export("o+d10/1");
        assert!(world.keys().contains(&"o.d10/1".to_owned()));
        assert_eq!(world.said(), [""; 0]);
        world.drop_export("o+v11/1");
        assert_eq!(
            world.said(),
            ["retire o+v11/1", "retire o+d10/1"],
            "in the order of their going"
        );
        assert_eq!(world.keys(), before);
    });
}

#[test]
fn an_object_that_others_only_recognize_stays_while_the_vat_refers_to_it() {
    shop(|world| {
        world.ask("item", "[\"a\"]", &[]);
        world.send("o+0", "put_away", "[\"a\",\"$0\"]", &["o+d10/1"]);
        world.drop_export("o+d10/1");
        world.retire_export("o+d10/1");
        assert_eq!(
            world.ask("fetch", "[\"a\"]", &[]),
            "#\"$0.Alleged: Item\" [o+d10/1]",
            "it is exported again"
        );
        world.drop_export("o+d10/1");
        world.ask("take_away", "[\"a\"]", &[]);
        assert!(
            !world.keys().iter().any(|key| key.contains("d10/1")),
            "{:?}",
            world.keys()
        );
        assert_eq!(world.flag("o+d10/1"), None);
    });
}

#[test]
fn memory_keeps_a_stored_object_alive() {
    shop(|world| {
        world.ask("item", "[\"a\"]", &[]);
        world.send("o+0", "keep", "[\"$0\"]", &["o+d10/1"]);
        world.drop_export("o+d10/1");
        assert!(world.keys().contains(&"o.d10/1".to_owned()));
        let said = world.send("o+0", "forget", "[]", &[]);
        assert_eq!(said[1..], ["retire o+d10/1"]);
        assert!(
            !world.keys().iter().any(|key| key.contains("d10/1")),
            "{:?}",
            world.keys()
        );
    });
}

#[test]
fn stored_data_keeps_an_import_alive() {
    shop(|world| {
        world.ask("item", "[\"a\"]", &[]);
        let said = world.send("o+d10/1", "refer", "[\"$0.Alleged: thing\"]", &["o-50"]);
        assert_eq!(said.len(), 1, "not dropped: {said:?}");
        assert_eq!(
            world.ask_of("o+d10/1", "other", "[]", &[]),
            "#\"$0.Alleged: thing\" [o-50]"
        );
        assert_eq!(world.ask_of("o+d10/1", "name", "[]", &[]), "#\"a\"");
        assert_eq!(world.flag("o-50"), Some(true));
        let said = world.send("o+d10/1", "refer", "[null]", &[]);
        assert_eq!(said[1..], ["drop o-50", "retire o-50"]);
    });
}

#[test]
fn durable_data_refuses_what_ends_with_the_incarnation() {
    shop(|world| {
        world.ask("note", "[]", &[]);
        world.ask("ticket", "[1,null]", &[]);
        for (slot, word) in [
            ("o+1", "an object in memory cannot be stored"),
            ("o+v11/1", "a virtual object cannot"),
        ] {
            let refused = world.ask("put_away", "[\"x\",\"$0\"]", &[slot]);
            assert!(refused.starts_with('!') && refused.contains(word), "{slot}: {refused}");
        }
        world.kernel.borrow_mut().promises.insert("p-9".to_owned());
        let refused = world.ask("put_away", "[\"x\",\"&0\"]", &["p-9"]);
        assert!(refused.contains("a promise cannot be stored"), "{refused}");
        assert_eq!(
            world.ask("fetch", "[\"x\"]", &[]),
            "#\"#undefined\"",
            "nothing was written"
        );
    });
}

#[test]
fn an_object_that_is_being_called_is_recognized_and_cannot_be_entered_again() {
    shop(|world| {
        assert_eq!(world.ask("is_self", "[\"$0\"]", &["o+0"]), "#true");
        world.ask("note", "[]", &[]);
        let refused = world.ask("is_self", "[\"$0\"]", &["o+1"]);
        assert!(
            refused.contains("expected one of this vat's own objects (Shop)"),
            "{refused}"
        );
    });
}

#[test]
fn virtual_data_may_refer_to_memory() {
    shop(|world| {
        world.ask("note", "[]", &[]);
        world.ask("ticket", "[1,\"$0\"]", &["o+1"]);
        world.drop_export("o+1");
        assert_eq!(world.said(), [""; 0], "the ticket holds it");
        world.drop_export("o+v11/1");
        assert_eq!(world.said(), ["retire o+v11/1"]);
        world.bring_out_your_dead();
    });
}

#[test]
fn thousands_of_deliveries_to_a_durable_counter_leave_no_more_than_one() {
    shop(|world| {
        world.ask("item", "[\"a\"]", &[]);
        world.ask_of("o+d10/1", "count", "[]", &[]);
        let before = world.keys();
        for round in 2..=3_000 {
            assert_eq!(world.ask_of("o+d10/1", "count", "[]", &[]), format!("#\"+{round}\""));
        }
        assert_eq!(world.keys(), before);
    });
}
