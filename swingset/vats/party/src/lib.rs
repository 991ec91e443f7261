//! A party with a purse: alice and bob are two vats of this code.
//!
//! `setup(purse)` and `meet(other)` come from bootstrap. `pay(amount)` withdraws from the own purse and sends the payment to the
//! other party, whose `receive(amount, payment)` deposits it; the result follows the deposit. `balance()` asks the mint.
#![cfg_attr(target_arch = "wasm32", no_std)]

use swingset_vat_sdk::prelude::*;

/// The party's root object.
#[derive(Debug, Default)]
pub struct Party {
    purse: Option<Far>,
    other: Option<Far>,
}

impl Party {
    fn purse(&self) -> Result<Far, Error> {
        self.purse.clone().ok_or(Error::new("this party has no purse yet"))
    }
}

methods! {
    impl Party as "Party" {
        /// Takes the purse to use from now on.
        fn setup(&mut self, purse: Far) {
            self.purse = Some(purse);
        }

        /// Takes the party to pay to.
        fn meet(&mut self, other: Far) {
            self.other = Some(other);
        }

        /// Pays the other party; fulfilled with its balance once it has the money.
        fn pay(&mut self, amount: u64) -> Result<Promise, Error> {
            let (purse, other) = (self.purse()?, self.other.clone().ok_or(Error::new("this party knows nobody"))?);
            let payment = E(&purse).call("withdraw", (amount,));
            Ok(payment.then(move |payment| Ok::<_, Value>(E(&other).call("receive", (amount, payment?)))))
        }

        /// Puts a payment into the own purse.
        fn receive(&mut self, amount: u64, payment: Far) -> Result<Promise, Error> {
            Ok(E(&self.purse()?).call("deposit", (amount, payment)))
        }

        /// What the mint says of the own purse.
        fn balance(&mut self) -> Result<Promise, Error> {
            Ok(E(&self.purse()?).call("balance", ()))
        }
    }
}

fn start(_parameters: Value) -> Party {
    Party::default()
}

vat!(start);
