//! Ping-pong through the supervisor, for measuring: one vat of this code is `ping`, another `pong`.
//!
//! `meet(other)` comes from bootstrap. `serve(n)` makes `n` rounds of a message with a result and its notify; it is fulfilled
//! with how many balls came back.
#![cfg_attr(target_arch = "wasm32", no_std)]

use swingset_vat_sdk::prelude::*;

/// The player's root object.
#[derive(Debug, Default)]
pub struct Player {
    other: Option<Far>,
}

fn round(other: Far, left: u64, done: u64, finished: Resolver) {
    if left == 0 {
        finished.resolve(done);
        return;
    }
    E(&other).call("hit", (done,)).when(move |back| match back {
        Ok(_) => round(other, left - 1, done + 1, finished),
        Err(reason) => finished.reject(reason),
    });
}

methods! {
    impl Player as "Player" {
        /// Takes the other player.
        fn meet(&mut self, other: Far) {
            self.other = Some(other);
        }

        /// Plays this many rounds.
        fn serve(&mut self, rounds: u64) -> Result<Promise, Error> {
            let other = self.other.clone().ok_or(Error::new("this player knows nobody"))?;
            let (promise, resolver) = Promise::make();
            round(other, rounds, 0, resolver);
            Ok(promise)
        }

        /// Returns the ball.
        fn hit(&mut self, ball: u64) -> u64 {
            ball
        }
    }
}

fn start(_parameters: Value) -> Player {
    Player::default()
}

vat!(start);
