//! A mint: money as objects. Who holds a mint can issue; who holds a purse can use what is in it; nobody else can do either.
//!
//! Root: `makeMint(name)` → mint. Mint: `issue(amount)` → purse, `makePurse()` → empty purse, `supply()`, `name()`. Purse:
//! `balance()`, `withdraw(amount)` → purse with that much, `deposit(amount, from)` moves between purses of the same mint.
//!
//! Mints and purses are durable: they outlive an upgrade of this vat. A purse that nobody refers to any more is gone, and what was in
//! it with it; the supply counts it on, as of coins lost at sea.
//!
//! # Invariants
//! - What is moved leaves one purse and enters another of the same mint (held by `bundles/tests`, since it takes a supervisor).
#![cfg_attr(target_arch = "wasm32", no_std)]

use swingset_vat_sdk::prelude::*;

/// The vat's root object.
#[derive(Debug)]
pub struct Root;

kind! {
    /// The right to issue one currency.
    pub durable struct Mint as "Mint" { name: String, supply: u64 }
}

kind! {
    /// The right to use what is in it.
    pub durable struct Purse as "Purse" { mint: Own<Mint>, balance: u64 }
}

impl Purse {
    fn pay_out(&mut self, amount: u64) -> Result<(), Error> {
        self.balance = self.balance.checked_sub(amount).ok_or("not enough in the purse")?;
        Ok(())
    }
}

methods! {
    impl Root as "MintRoot" {
        /// A new currency's mint.
        fn makeMint(&mut self, name: String) -> Own<Mint> {
            make(Mint { name, supply: 0 })
        }
    }
}

methods! {
    impl Mint as "Mint" {
        /// A purse with new money in it.
        fn issue(&mut self, amount: u64) -> Result<Own<Purse>, Error> {
            self.supply = self.supply.checked_add(amount).ok_or("the supply is full")?;
            Ok(make(Purse { mint: Own::current(), balance: amount }))
        }

        /// An empty purse.
        fn makePurse(&mut self) -> Own<Purse> {
            make(Purse { mint: Own::current(), balance: 0 })
        }

        /// How much was issued.
        fn supply(&mut self) -> u64 {
            self.supply
        }

        /// The currency's name.
        fn name(&mut self) -> String {
            self.name.clone()
        }
    }
}

methods! {
    impl Purse as "Purse" {
        /// How much is in it.
        fn balance(&mut self) -> u64 {
            self.balance
        }

        /// A new purse with this much out of it.
        fn withdraw(&mut self, amount: u64) -> Result<Own<Purse>, Error> {
            self.pay_out(amount)?;
            Ok(make(Purse { mint: self.mint.clone(), balance: amount }))
        }

        /// Moves this much from another purse of the same mint, and gives the new balance.
        fn deposit(&mut self, amount: u64, from: Own<Purse>) -> Result<u64, Error> {
            if from.is_current() {
                return Err(Error::new("a purse cannot be its own source"));
            }
            // The sum is at most the supply, which fits.
            let sum = self.balance.checked_add(amount).ok_or("the purse is full")?;
            from.with(|from| if from.mint == self.mint {
                from.pay_out(amount)
            } else {
                Err(Error::new("not a purse of this mint"))
            })??;
            self.balance = sum;
            Ok(sum)
        }
    }
}

fn start(_parameters: Value) -> Root {
    Root
}

vat!(start, kinds: [Mint, Purse]);
