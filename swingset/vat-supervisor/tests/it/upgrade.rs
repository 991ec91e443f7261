//! From one incarnation to the next: only the vatstore stays.

use swingset_abi::vat::VatDelivery;

use crate::{
    vat,
    world::{Kernel, World, data, incarnation, upgraded},
};

/// An incarnation that ends with bringOutYourDead, as the kernel does before an upgrade.
fn first(story: impl FnOnce(&World) + Send) -> Kernel {
    upgraded(incarnation(Kernel::default(), vat::vat_deliver, |world| {
        world.start();
        story(world);
        world.bring_out_your_dead();
        world.said();
    }))
}

#[test]
fn durable_objects_and_the_baggage_are_found_again() {
    let kernel = first(|world| {
        world.ask("item", "[\"pen\"]", &[]);
        world.ask_of("o+d10/1", "count", "[]", &[]);
        world.ask("put_away", "[\"best\",\"$0\"]", &["o+d10/1"]);
        assert_eq!(world.ask("incarnation", "[]", &[]), "#\"+0\"");
    });
    let kernel = upgraded(incarnation(kernel, vat::next::vat_deliver, |world| {
        world.start();
        assert_eq!(world.ask("incarnation", "[]", &[]), "#\"+1\"");
        assert_eq!(world.ask("fetch", "[\"best\"]", &[]), "#\"$0.Alleged: Item\" [o+d10/1]");
        assert_eq!(
            world.ask_of("o+d10/1", "describe", "[]", &[]),
            "#\"grey pen 1\"",
            "with the new field's default"
        );
        assert_eq!(
            world.ask("item", "[\"ink\"]", &[]),
            "#\"$0.Alleged: Item\" [o+d10/2]",
            "numbers go on"
        );
        world.bring_out_your_dead();
    }));
    incarnation(kernel, vat::next::vat_deliver, |world| {
        world.start();
        assert_eq!(world.ask("incarnation", "[]", &[]), "#\"+2\"");
        assert_eq!(world.ask_of("o+d10/2", "describe", "[]", &[]), "#\"red ink 0\"");
        world.drop_export("o+d10/1");
        world.ask("take_away", "[\"best\"]", &[]);
        assert!(
            !world.keys().iter().any(|key| key.contains("d10/1")),
            "{:?}",
            world.keys()
        );
    });
}

#[test]
fn code_that_defines_not_every_durable_kind_does_not_start() {
    let kernel = first(|_| ());
    incarnation(kernel, vat::forgetful::vat_deliver, |world| {
        let parameters = data("#{}", &[]);
        let failed = world.try_deliver(VatDelivery::StartVat { parameters });
        assert_eq!(
            failed,
            Err("a durable kind of an earlier incarnation was not defined again".to_owned())
        );
    });
}

#[test]
fn what_only_memory_held_is_given_back() {
    let kernel = first(|world| {
        world.send("o+0", "keep", "[\"$0\"]", &["o-50"]);
        world.ask("put_away", "[\"x\",\"$0\"]", &["o-51"]);
        world.send("o+0", "keep", "[\"$0\"]", &["o-51"]);
    });
    assert_eq!(kernel.objects.get("o-50"), Some(&true));
    incarnation(kernel, vat::next::vat_deliver, |world| {
        world.start();
        assert_eq!(world.said(), ["drop o-50", "retire o-50"]);
        assert_eq!(world.flag("o-51"), Some(true), "stored data holds it");
        let said = world.send("o+0", "take_away", "[\"x\"]", &[]);
        assert_eq!(said[1..], ["drop o-51", "retire o-51"]);
    });
}

#[test]
fn virtual_objects_go_with_their_incarnation_and_what_they_held_with_them() {
    let kernel = first(|world| {
        world.ask("item", "[\"pen\"]", &[]);
        world.ask("ticket", "[1,\"$0\"]", &["o+d10/1"]);
        world.ask("temporary", "[3,\"$0\"]", &["o-50"]);
        world.ask("temporary", "[3,\"$0\"]", &["o+v11/1"]);
        world.drop_export("o+d10/1");
    });
    assert!(kernel.store.contains_key("o.d10/1") && kernel.store.contains_key("o.v11/1"));
    incarnation(kernel, vat::next::vat_deliver, |world| {
        world.start();
        world.bring_out_your_dead();
        assert_eq!(world.keys(), [""; 0], "nothing of them is left");
        assert_eq!(world.flag("o-50"), None);
        assert_eq!(world.flag("o+d10/1"), None);
    });
}

#[test]
fn what_was_being_deleted_at_an_upgrade_goes_on_being_deleted() {
    let kernel = first(|world| {
        world.ask("fill", "[\"m\",1500]", &[]);
        world.send("o+0", "take_away", "[\"m\"]", &[]);
    });
    assert!(kernel.store.len() > 500, "the last bringOutYourDead was not enough");
    incarnation(kernel, vat::next::vat_deliver, |world| {
        world.start();
        world.bring_out_your_dead();
        world.bring_out_your_dead();
        assert_eq!(world.keys(), ["o.d1/1"], "of the baggage only its size is left");
    });
}

#[test]
fn settlements_of_an_earlier_incarnations_promises_hurt_nobody() {
    let kernel = first(|world| {
        let said = world.send("o+0", "both", "[\"$0\",\"$1\"]", &["o-50", "o-51"]);
        assert_eq!(said.len(), 2, "{said:?}");
        world.kernel.borrow_mut().promises.insert("p-7".to_owned());
        world.send("o+0", "keep", "[\"&0\"]", &["p-7"]);
    });
    let kernel = incarnation(kernel, vat::next::vat_deliver, |world| {
        world.start();
        world.said();
        assert!(
            world.kernel.borrow().subscribed.contains("p-7"),
            "so that the kernel can forget it"
        );
        assert_eq!(
            world.notify("p+1", false, "#\"$0\"", &["o-60"]),
            ["drop o-60", "retire o-60"]
        );
        world.notify("p-7", true, "#null", &[]);
        world.notify("p+2", false, "#null", &[]);
    });
    assert!(kernel.subscribed.is_empty());
}

#[test]
fn the_same_deliveries_leave_the_same_vatstore() {
    let run = || {
        first(|world| {
            world.ask("item", "[\"pen\"]", &[]);
            world.ask("set", "[\"m\",\"$0\",\"$1\"]", &["o-50", "o+d10/1"]);
            world.ask("note_about", "[\"$0\",1]", &["o-51"]);
            world.ask("temporary", "[3,\"$0\"]", &["o-52"]);
            world.ask("clear", "[\"m\"]", &[]);
        })
    };
    let (left, right) = (run(), run());
    assert_eq!(
        (left.store, left.objects, left.syscalls),
        (right.store, right.objects, right.syscalls)
    );
}

#[test]
fn an_incarnation_gives_back_what_a_delivery_has_room_for_and_the_rest_later() {
    // References of the last incarnation's memory: more than a crank has syscalls for.
    const KEPT: usize = 12_000;
    for (sign, kind) in [("$", "o"), ("&", "p")] {
        let kernel = first(|world| {
            world.ask("put_away", "[\"x\",\"$0\"]", &["o-50"]);
            for message in 0..3 {
                let names: Vec<String> = (0..KEPT / 3).map(|slot| format!("\"{sign}{slot}\"")).collect();
                let vref = |slot| format!("{kind}-{}", 1_000 + message * KEPT / 3 + slot);
                let slots: Vec<String> = (0..KEPT / 3).map(vref).collect();
                let slots: Vec<&str> = slots.iter().map(String::as_str).collect();
                world.ask("keep", &format!("[[{}]]", names.join(",")), &slots);
            }
        });
        // One that is upgraded in turn before it has given back all.
        let kernel = upgraded(incarnation(kernel, vat::next::vat_deliver, |world| {
            world.start();
            world.bring_out_your_dead();
        }));
        incarnation(kernel, vat::next::vat_deliver, |world| {
            // Some of them are named again meanwhile, and let go of.
            let again = [format!("{kind}-1001"), format!("{kind}-12999")];
            let again = again.each_ref().map(String::as_str);
            for delivery in 0..16 {
                let before = world.kernel.borrow().syscalls;
                match delivery {
                    0 => world.start(),
                    1 => _ = world.send("o+0", "incarnation", &format!("[\"{sign}0\",\"{sign}1\"]"), &again),
                    _ => world.bring_out_your_dead(),
                }
                let took = world.kernel.borrow().syscalls - before;
                assert!(took < 2_500, "{took} syscalls for delivery {delivery}");
            }
            let kernel = world.kernel.borrow();
            let left = kernel.objects.keys().filter(|vref| vref.starts_with("o-")).count();
            assert_eq!(left, 1, "what is stored");
            assert_eq!(kernel.subscribed.len(), if kind == "p" { KEPT } else { 0 });
        });
    }
}
