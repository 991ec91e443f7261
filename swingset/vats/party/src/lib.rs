//! A party with a purse: alice and bob are two vats of this code.
//!
//! `setup(purse)` and `meet(other)` come from bootstrap. `pay(amount)` withdraws from the own purse and sends the payment to the
//! other party, whose `receive(amount, payment)` deposits it; the result follows the deposit. `balance()` asks the mint.
#![cfg_attr(target_arch = "wasm32", no_std)]

use swingset_vat_sdk::prelude::*;

remote! {
    /// A purse, wherever it is.
    pub struct Purse {
        fn balance() -> u64;
        fn withdraw(amount: u64) -> Purse;
        fn deposit(amount: u64, from: &Purse) -> u64;
    }
}

remote! {
    /// The other party.
    pub struct Partner {
        fn receive(amount: u64, payment: Purse) -> u64;
    }
}

/// The party's root object.
#[derive(Debug, Default)]
pub struct Party {
    purse: Option<Purse>,
    other: Option<Partner>,
}

impl Party {
    fn purse(&self) -> Result<Purse, Error> {
        self.purse.clone().ok_or(Error::new("this party has no purse yet"))
    }

    fn other(&self) -> Result<Partner, Error> {
        self.other.clone().ok_or(Error::new("this party knows nobody"))
    }
}

methods! {
    impl Party as "Party" {
        /// Takes the purse to use from now on.
        fn setup(&mut self, purse: Purse) {
            self.purse = Some(purse);
        }

        /// Takes the party to pay to.
        fn meet(&mut self, other: Partner) {
            self.other = Some(other);
        }

        /// Pays the other party; fulfilled with its balance once it has the money.
        async fn pay(this, amount: u64) -> Result<u64, Error> {
            let (purse, other) = this.with(|party| Ok::<_, Error>((party.purse()?, party.other()?)))??;
            let payment = purse.withdraw(amount).await?;
            other.receive(amount, payment).await
        }

        /// Puts a payment into the own purse.
        fn receive(&mut self, amount: u64, payment: Purse) -> Result<Pending<u64>, Error> {
            Ok(self.purse()?.deposit(amount, &payment))
        }

        /// What the mint says of the own purse.
        fn balance(&mut self) -> Result<Pending<u64>, Error> {
            Ok(self.purse()?.balance())
        }
    }
}

fn start(_parameters: Value) -> Party {
    Party::default()
}

vat!(start);
