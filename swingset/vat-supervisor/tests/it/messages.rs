//! Asynchronous code in a vat.

use crate::world::shop;

#[test]
fn a_method_waits_for_results_while_others_are_served() {
    shop(|world| {
        let said = world.send("o+0", "both", "[\"$0\",\"$1\"]", &["o-50", "o-51"]);
        assert_eq!(
            said[..2],
            ["send o-50 #[\"name\",[]] [] p+1", "send o-51 #[\"name\",[]] [] p+2"]
        );
        assert_eq!(world.ask("incarnation", "[]", &[]), "#\"+0\"", "answered meanwhile");
        assert_eq!(world.notify("p+1", false, "#\"left\"", &[]), [""; 0]);
        let said = world.notify("p+2", false, "#\"right\"", &[]);
        assert_eq!(
            said,
            ["p-1=#\"left+right\" []", "drop o-50,o-51", "retire o-50,o-51"],
            "and what it held is let go of"
        );
    });
}

#[test]
fn an_error_that_is_awaited_rejects_the_result() {
    shop(|world| {
        world.send("o+0", "both", "[\"$0\",\"$1\"]", &["o-50", "o-51"]);
        let said = world.notify("p+1", true, "#{\"#error\":\"gone\",\"name\":\"RangeError\"}", &[]);
        assert_eq!(said[..1], ["p-1!#{\"#error\":\"gone\",\"name\":\"RangeError\"} []"]);
        assert_eq!(
            world.ask("fails", "[]", &[]),
            "!#{\"#error\":\"at once\",\"name\":\"Error\"}"
        );
    });
}

#[test]
fn all_who_wait_for_a_promise_get_what_it_came_to() {
    shop(|world| {
        for result in ["p-11", "p-12", "p-13"] {
            world.send_for(result, "o+0", "echo", "[\"&0\"]", &["p-60"]);
        }
        let said = world.notify("p-60", false, "#[\"$0\",7]", &["o-50"]);
        let all = ["p-11", "p-12", "p-13"].map(|result| format!("{result}=#[\"$0\",\"+7\"] [o-50]"));
        assert_eq!(said[..3], all);
        assert_eq!(said[3..], ["drop o-50", "retire o-50"]);
    });
}

#[test]
fn messages_to_a_result_go_out_before_it_is_there() {
    shop(|world| {
        let said = world.send("o+0", "deposit", "[\"$0\",5]", &["o-50"]);
        assert_eq!(
            said[..2],
            [
                "send o-50 #[\"open\",[\"shop\"]] [] p+1",
                "send p+1 #[\"put\",[\"+5\"]] [] p+2"
            ]
        );
        let said = world.notify("p+2", false, "#5", &[]);
        assert_eq!(said, ["send p+1 #[\"put\",[\"+1\"]] [] p+3"]);
        let said = world.notify("p+3", false, "#6", &[]);
        assert_eq!(said[0], "p-1=#\"+11\" []");
    });
}

#[test]
fn a_durable_objects_method_waits_and_then_changes_its_state() {
    shop(|world| {
        world.ask("item", "[\"old\"]", &[]);
        let said = world.send("o+d10/1", "rename", "[\"$0\"]", &["o-50"]);
        assert_eq!(said[0], "send o-50 #[\"name\",[]] [] p+1");
        // Others drop it meanwhile: the waiting method holds it.
        world.drop_export("o+d10/1");
        assert!(world.keys().contains(&"o.d10/1".to_owned()));
        let said = world.notify("p+1", false, "#\"new\"", &[]);
        assert_eq!(said[0], "p-1=#\"old\" []");
        assert_eq!(world.flag("o+d10/1"), None, "and lets go of it: {said:?}");
    });
}

#[test]
fn what_an_object_elsewhere_calls_itself_is_passed_on() {
    shop(|world| {
        world.send("o+0", "put_away", "[\"x\",\"$0.Alleged: thing\"]", &["o-50"]);
        assert_eq!(world.ask("fetch", "[\"x\"]", &[]), "#\"$0.Alleged: thing\" [o-50]");
    });
}
