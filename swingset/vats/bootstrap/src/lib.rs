//! The bootstrap vat: makes the other static vats known to each other.
//!
//! With `mint`, `alice` and `bob`: a currency is made, alice gets a purse with 1,000 and bob an empty one, and they meet.
//! With `timer`: it gets the timer's device, and serves from then on. With `ping` and `pong`: they meet. Vats that are not configured are left out.
#![cfg_attr(target_arch = "wasm32", no_std)]

use swingset_vat_sdk::prelude::*;

/// What alice begins with.
const ALICE_BEGINS_WITH: u64 = 1_000;

/// The root object.
#[derive(Debug)]
pub struct Bootstrap;

fn named(vats: &Value, name: &str) -> Option<Far> {
    vats.field(name).ok().and_then(|root| root.clone().far().ok())
}

fn wire_mint(mint: &Far, alice: Far, bob: Far) -> Promise {
    let currency = E(mint).call("makeMint", ("moola",));
    let full = E(&currency).call("issue", (ALICE_BEGINS_WITH,));
    let empty = E(&currency).call("makePurse", ());
    E(&alice).tell("meet", (&bob,));
    E(&bob).tell("meet", (&alice,));
    let alice_is_set = full.then(move |purse| Ok::<_, Value>(E(&alice).call("setup", (purse?,))));
    empty.then(move |purse| {
        let bob_is_set = E(&bob).call("setup", (purse?,));
        Ok::<_, Value>(bob_is_set.then(move |done| done.map(|_| alice_is_set)))
    })
}

methods! {
    impl Bootstrap as "Bootstrap" {
        /// The first message: all static vats' roots, and devices.
        fn bootstrap(&mut self, vats: Value, devices: Value) -> Option<Promise> {
            if let (Some(timer), Ok(device)) = (named(&vats, "timer"), devices.field("timer")) {
                E(&timer).tell("createTimerService", (device.clone(),));
            }
            if let (Some(ping), Some(pong)) = (named(&vats, "ping"), named(&vats, "pong")) {
                E(&ping).tell("meet", (pong,));
            }
            match (named(&vats, "mint"), named(&vats, "alice"), named(&vats, "bob")) {
                (Some(mint), Some(alice), Some(bob)) => Some(wire_mint(&mint, alice, bob)),
                _ => None,
            }
        }
    }
}

fn start(_parameters: Value) -> Bootstrap {
    Bootstrap
}

vat!(start);
