//! The deterministic state machine: what a block does to state, and nothing else.
//!
//! # Invariants
//! - Execution is a synchronous function of (state, block); wishes of the world are returned as data ([`block::BlockOutput`]).
//! - No clock, randomness, float, environment, thread, file or socket. The crate builds for wasm32 (held by the repository-rules
//!   test).
//! - Four outcomes never mix: [`error::Rejected`] (a transaction's code), `EngineStopped` (in state, see [`ports::engine`]),
//!   [`error::Halt`] (this node's fault), `StopForUpgrade` ([`block::Next`]).
//! - Everything that a transaction, message, crank or upgrade does is in an overlay ([`state::State`]) and is kept whole or not
//!   at all: state, unhashed data and events alike.

pub mod address;
pub mod ante;
pub mod bech32;
pub mod block;
pub mod chain;
pub mod error;
pub mod event;
pub mod execute;
pub mod genesis;
pub mod math;
pub mod modules;
pub mod ports;
pub mod proposals;
pub mod query;
pub mod router;
pub mod sdk_error;
pub mod state;
pub mod time;
pub mod tx;
