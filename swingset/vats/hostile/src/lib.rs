//! What a vat may try against the chain it runs on, a method each. For tests only.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

use core::hint::black_box;

use swingset_vat_sdk::{prelude::*, store, trap};

/// The root object.
#[derive(Debug, Default)]
pub struct Hostile {
    hoard: Vec<Vec<u8>>,
    deliveries: u64,
}

/// Burns this many rounds of work.
fn burn(rounds: u64) -> u64 {
    (0..rounds).fold(1u64, |sum, round| {
        black_box(sum.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(round))
    })
}

/// Recursion that the compiler does not turn into a loop.
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    if depth == u64::MAX {
        0
    } else {
        recurse(depth + 1).wrapping_add(frame[(depth % 16) as usize])
    }
}

methods! {
    impl Hostile as "Hostile" {
        /// Never returns.
        fn looper(&mut self) {
            burn(u64::MAX);
        }

        /// Traps at once.
        fn trapper(&mut self) {
            trap();
        }

        /// Sends itself this many messages and writes as many entries.
        fn flooder(&mut self, count: u64) {
            let own = export(Hostile::default());
            for round in 0..count {
                E(&own).tell("nothing", (round,));
                store::set(&["flood", &alloc::string::ToString::to_string(&round)].concat(), &[0; 64]);
            }
        }

        /// Takes memory until there is no more.
        fn hog(&mut self) {
            loop {
                let mut block = Vec::new();
                if block.try_reserve_exact(1 << 20).is_err() {
                    trap();
                }
                block.resize(1 << 20, 1);
                self.hoard.push(block);
            }
        }

        /// Works for a while, then traps: what it burned is charged all the same.
        fn burner(&mut self, rounds: u64) {
            burn(rounds);
            trap();
        }

        /// Exhausts the stack.
        fn deep(&mut self) -> u64 {
            recurse(0)
        }

        /// Ends itself; with `failure`, the delivery is undone.
        fn exit(&mut self, failure: bool) {
            swingset_vat_sdk::exit(failure, "hostile");
        }

        /// Does nothing but count.
        fn nothing(&mut self, _round: Value) -> u64 {
            self.deliveries += 1;
            self.deliveries
        }
    }
}

fn start(_parameters: Value) -> Hostile {
    Hostile::default()
}

vat!(start);
