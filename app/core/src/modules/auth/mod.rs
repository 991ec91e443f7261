//! Accounts: numbers, sequences, keys, module accounts. Source: x/auth.

pub mod convert;
pub mod genesis;
pub mod handler;
pub mod keeper;
pub mod keys;
pub mod msg;
pub mod query;
pub mod state;
