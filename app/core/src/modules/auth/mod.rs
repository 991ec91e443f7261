//! Accounts: numbers, sequences, keys, module accounts. Source: x/auth.

pub mod keeper;
pub mod keys;
pub mod state;
