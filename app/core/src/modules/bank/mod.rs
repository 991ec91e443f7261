//! Balances, supply and transfers. Source: x/bank.

pub mod events;
pub mod genesis;
pub mod handler;
pub mod keeper;
pub mod keys;
pub mod msg;
pub mod query;
pub mod state;
