//! Upgrade plans: scheduled by governance, applied before the first transaction of their block. Source: x/upgrade.
//!
//! # Invariants
//! - Under version-1's rules at most one plan is pending; from layout 3 of this module on several are ([`plans`]). A name that was
//!   applied is never scheduled again.
//! - Whether a block may be executed is decided on committed state by the running release; [`preblock`] does what it says, and
//!   either all of an upgrade is in the block's overlay or the block is dropped.

pub mod done;
pub mod events;
pub mod genesis;
pub mod handler;
pub mod info;
pub mod keys;
pub mod mark;
pub mod migration;
pub mod migrations;
pub mod msg;
pub mod params;
pub mod plans;
pub mod preblock;
pub mod query;
mod query_plans;
pub mod readiness;
mod scheduling;
pub mod state;
