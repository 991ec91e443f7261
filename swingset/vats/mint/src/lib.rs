//! A mint: money as objects. Who holds a mint can issue; who holds a purse can use what is in it; nobody else can do either.
//!
//! Root: `makeMint(name)` → mint. Mint: `issue(amount)` → purse, `makePurse()` → empty purse, `supply()`. Purse: `balance()`,
//! `withdraw(amount)` → purse with that much, `deposit(amount, from)` moves between purses of the same mint.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

use alloc::{collections::BTreeMap, rc::Rc};
use core::cell::RefCell;

use swingset_vat_sdk::prelude::*;

/// One currency's balances.
///
/// # Invariants
/// - The balances add up to what was issued (held by `tests::moving_keeps_the_supply`).
#[derive(Debug, Default)]
struct Ledger {
    next: u64,
    balances: BTreeMap<u64, u64>,
    /// A purse's number by the number of its object.
    purses: BTreeMap<u64, u64>,
    supply: u64,
}

impl Ledger {
    fn open(&mut self, balance: u64) -> u64 {
        self.next += 1;
        self.balances.insert(self.next, balance);
        self.next
    }

    fn balance(&self, purse: u64) -> u64 {
        self.balances.get(&purse).copied().unwrap_or(0)
    }

    fn move_between(&mut self, from: u64, to: u64, amount: u64) -> Result<(), Error> {
        if from == to {
            return Err(Error::new("a purse cannot be its own source"));
        }
        let left = self
            .balance(from)
            .checked_sub(amount)
            .ok_or(Error::new("not enough in the purse"))?;
        // The sum is at most the supply, which fits.
        let there = self
            .balance(to)
            .checked_add(amount)
            .ok_or(Error::new("the purse is full"))?;
        self.balances.insert(from, left);
        self.balances.insert(to, there);
        Ok(())
    }
}

type Shared = Rc<RefCell<Ledger>>;

fn hand_out(ledger: &Shared, number: u64) -> Far {
    let far = export(Purse {
        ledger: ledger.clone(),
        number,
    });
    if let Some(id) = far.own_id() {
        ledger.borrow_mut().purses.insert(id, number);
    }
    far
}

/// The vat's root object.
#[derive(Debug)]
pub struct Root;

/// The right to issue one currency.
#[derive(Debug)]
pub struct Mint {
    name: String,
    ledger: Shared,
}

/// The right to use what is in it.
#[derive(Debug)]
pub struct Purse {
    ledger: Shared,
    number: u64,
}

impl Drop for Purse {
    /// Nobody can reach the purse any more, so what is in it can never be used again; its entry goes, the supply shrinks.
    fn drop(&mut self) {
        if let Ok(mut ledger) = self.ledger.try_borrow_mut() {
            let lost = ledger.balances.remove(&self.number).unwrap_or(0);
            ledger.supply = ledger.supply.saturating_sub(lost);
            let number = self.number;
            ledger.purses.retain(|_, purse| *purse != number);
        }
    }
}

methods! {
    impl Root as "MintRoot" {
        /// A new currency's mint.
        #[allow(non_snake_case, reason = "message names are JavaScript's")]
        fn makeMint(&mut self, name: String) -> Far {
            export(Mint { name, ledger: Shared::default() })
        }
    }
}

methods! {
    impl Mint as "Mint" {
        /// A purse with new money in it.
        fn issue(&mut self, amount: u64) -> Result<Far, Error> {
            let number = {
                let mut ledger = self.ledger.borrow_mut();
                ledger.supply = ledger.supply.checked_add(amount).ok_or(Error::new("the supply is full"))?;
                ledger.open(amount)
            };
            Ok(hand_out(&self.ledger, number))
        }

        /// An empty purse.
        #[allow(non_snake_case, reason = "message names are JavaScript's")]
        fn makePurse(&mut self) -> Far {
            let number = self.ledger.borrow_mut().open(0);
            hand_out(&self.ledger, number)
        }

        /// How much there is in all purses.
        fn supply(&mut self) -> u64 {
            self.ledger.borrow().supply
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
            self.ledger.borrow().balance(self.number)
        }

        /// A new purse with this much out of it.
        fn withdraw(&mut self, amount: u64) -> Result<Far, Error> {
            let number = {
                let mut ledger = self.ledger.borrow_mut();
                let number = ledger.open(0);
                if let Err(error) = ledger.move_between(self.number, number, amount) {
                    ledger.balances.remove(&number);
                    return Err(error);
                }
                number
            };
            Ok(hand_out(&self.ledger, number))
        }

        /// Moves this much from another purse of the same mint, and gives the new balance.
        fn deposit(&mut self, amount: u64, from: Far) -> Result<u64, Error> {
            let mut ledger = self.ledger.borrow_mut();
            let source = from.own_id().and_then(|id| ledger.purses.get(&id).copied());
            let source = source.ok_or(Error::new("not a purse of this mint"))?;
            ledger.move_between(source, self.number, amount)?;
            Ok(ledger.balance(self.number))
        }
    }
}

fn start(_parameters: Value) -> Root {
    Root
}

vat!(start);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_keeps_the_supply() {
        let mut ledger = Ledger::default();
        let (rich, poor) = (ledger.open(100), ledger.open(0));
        assert_eq!(ledger.move_between(rich, poor, 30), Ok(()));
        assert!(ledger.move_between(rich, poor, 71).is_err());
        assert!(ledger.move_between(rich, rich, 1).is_err());
        assert_eq!((ledger.balance(rich), ledger.balance(poor)), (70, 30));
    }
}
