//! Balances, supply and transfers. Source: x/bank.

pub mod events;
pub mod keeper;
pub mod keys;
