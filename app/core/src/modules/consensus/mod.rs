//! CometBFT's consensus parameters, kept by the application. Source: x/consensus.
//!
//! # Invariants
//! - `version.app` is written by genesis and by an applied upgrade only; a parameter change keeps it.

pub mod events;
pub mod genesis;
pub mod handler;
pub mod keys;
pub mod msg;
pub mod query;
pub mod state;
