//! The tutorial's shop, as `docs/tutorial.md` says.

use crate::world::World;

#[test]
fn the_shop_sells_tickets_for_money_and_lets_their_holders_in_once() {
    let mut world = World::version_1(&["bootstrap", "mint", "timer", "shop=tutorial"]);
    let mint = world.make("mint", "makeMint", "[\"moola\"]");
    let takings = world.make(&mint, "makePurse", "[]");
    let purse = world.make(&mint, "issue", "[25]");

    let closed = world.pass("shop", "buy", "[\"gala\",\"$0\"]", &[&purse]);
    assert!(closed.contains("the shop is closed"), "{closed}");
    world.pass("shop", "open", "[\"$0\"]", &[&takings]);

    let long = world.pass("shop", "buy", &format!("[\"{}\",\"$0\"]", "x".repeat(398)), &[&purse]);
    assert!(long.contains("at most 100 bytes"), "{long}");
    let ticket = world.make_with("shop", "buy", "[\"gala\",\"$0\"]", &[&purse]);
    assert_eq!(world.pass(&ticket, "seat", "[]", &[]), "#{\"event\":\"gala\",\"number\":\"+1\"}");
    world.restart();
    assert_eq!(world.pass("shop", "enter", "[\"$0\"]", &[&ticket]), "#\"+1\"");
    let again = world.pass("shop", "enter", "[\"$0\"]", &[&ticket]);
    assert!(again.contains("the ticket was used already"), "{again}");
    let forged = world.pass("shop", "enter", "[\"$0\"]", &[&purse]);
    assert!(forged.contains("expected one of this vat's own objects (Ticket)"), "{forged}");

    world.make_with("shop", "buy", "[\"ball\",\"$0\"]", &[&purse]);
    let poor = world.pass("shop", "buy", "[\"gala\",\"$0\"]", &[&purse]);
    assert!(poor.contains("not enough in the purse"), "{poor}");
    assert_eq!(world.ask("shop", "sold", "[]"), "#[\"ball/2\",\"gala/1\"]");
    assert_eq!(world.ask("shop", "sold", "[\"ball/2\"]"), "#[\"gala/1\"]");
    assert_eq!(world.ask("shop", "takings", "[]"), "#\"+20\"");
    assert_eq!(world.pass(&purse, "balance", "[]", &[]), "#\"+5\"");

    let timer = world.make("timer", "getTimerService", "[]");
    let closing = world.queue_with("shop", "close", "[60,\"$0\"]", &[&timer]);
    world.run();
    world.restart();
    world.at(1_059);
    assert_eq!(world.outcome(&closing), "Unresolved");
    world.at(1_061);
    assert_eq!(world.outcome(&closing), "#\"+1061\"");
    let closed = world.ask("shop", "takings", "[]");
    assert!(closed.contains("the shop is closed"), "{closed}");
}
