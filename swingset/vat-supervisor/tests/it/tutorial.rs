//! The tutorial's shop, where its buyers ask for much.

use crate::world::{Kernel, World, incarnation};

#[path = "../../../vats/tutorial/src/lib.rs"]
mod code;

fn open(story: impl FnOnce(&World) + Send) {
    incarnation(Kernel::default(), code::vat_deliver, |world| {
        world.start();
        world.send("o+0", "open", "[\"$0\"]", &["o-40"]);
        story(world);
    });
}

/// Buys a ticket; what is said until the payment is asked for, and after it was made.
fn buy(world: &World, event: &str, number: usize) -> [Vec<String>; 2] {
    let asked = world.send("o+0", "buy", &format!("[\"{event}\",\"$0\"]"), &["o-50"]);
    [asked, world.notify(&format!("p+{number}"), false, "#10", &[])]
}

#[test]
fn the_shop_takes_no_money_for_an_event_whose_name_is_too_long() {
    open(|world| {
        for bytes in [101, 398, 100_000] {
            let said = world.send("o+0", "buy", &format!("[\"{}\",\"$0\"]", "x".repeat(bytes)), &["o-50"]);
            assert!(said[0].starts_with("p-1!") && said[0].contains("at most 100 bytes"), "{said:?}");
        }
        let [asked, sold] = buy(world, &"x".repeat(100), 1);
        assert_eq!(asked[0], "send o-40 #[\"deposit\",[\"+10\",\"$0\"]] [o-50] p+1");
        assert!(sold[0].starts_with("p-1=#\"$0.Alleged: Ticket\""), "{sold:?}");
    });
}

#[test]
fn the_shop_says_what_is_sold_by_pages_however_much_it_is() {
    open(|world| {
        // Each byte takes six where it is told.
        let event = "\\u0001".repeat(100);
        for number in 1..=250 {
            let [_, sold] = buy(world, &event, number);
            assert!(sold[0].starts_with("p-1=#"), "{sold:?}");
        }
        let mut pages = Vec::new();
        let mut page = world.ask("sold", "[]", &[]);
        while page != "#[]" && pages.len() < 4 {
            let last = page.rsplit_once("\",\"").map(|(_, last)| last.trim_end_matches("\"]").to_owned());
            pages.push(page.matches('/').count());
            page = world.ask("sold", &format!("[\"{}\"]", last.expect("many on a page")), &[]);
        }
        assert_eq!(pages, [100, 100, 50]);
    });
}
