//! Upgrade plans: scheduled by governance, applied before the first transaction of their block. Source: x/upgrade.
//!
//! # Invariants
//! - At most one plan is pending. A name that was applied is never scheduled again.
//! - Whether a block may be executed is decided on committed state by the running release; [`preblock`] does what it says, and
//!   either all of an upgrade is in the block's overlay or the block is dropped.

pub mod events;
pub mod genesis;
pub mod handler;
pub mod info;
pub mod keys;
pub mod msg;
pub mod preblock;
pub mod query;
pub mod state;
