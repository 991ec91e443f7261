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
