//! Governance: proposals that carry messages, deposits, votes, and what a vote decides. Source: x/gov v1, without hooks.
//!
//! # Invariants
//! - The gov account holds at least the sum of all deposits.
//! - A proposal in its deposit period is in the inactive queue, one in its voting period in the active queue, any other in none.
//! - The messages of a passed proposal take effect all together or not at all.

pub mod deposit;
pub mod error;
pub mod events;
pub mod genesis;
pub mod handler;
pub mod handler_legacy;
pub mod keys;
pub mod lifecycle;
pub mod msg;
pub mod query;
pub mod query_legacy;
pub mod state;
pub mod tally;

pub use lifecycle::end_block;
