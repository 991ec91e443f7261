//! Validators, delegations and the validator set. Source: x/staking, without slashing, historical headers and hooks.
//!
//! # Invariants
//! - The bonded pool's balance is the sum of the bonded validators' tokens; the other pool's is the sum of all others' tokens
//!   and of all balances that are unbonding (checked after every step of a seeded run in the tests).
//! - A validator's shares are the sum of its delegations' shares.
//! - The power index has every validator that is not jailed, once, under its present power.

pub mod delegation;
pub mod error;
pub mod events;
pub mod genesis;
pub mod handler;
pub mod keys;
pub mod msg;
pub mod query;
pub mod redelegation;
pub mod state;
pub mod unbonding;
pub mod validator;
pub mod validator_set;
