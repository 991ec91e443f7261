//! SwingSet's chain side: bundles by transaction, the queue of inbound actions, its price, and the block's cranks. The engine itself
//! is a port ([`crate::ports::engine`]).
//!
//! # Invariants
//! - A transaction queues or installs; cranks run after the last transaction, under the block's computron budget. What is left over
//!   stays queued.
//! - The queue has a longest length; an action that finds it full is refused, never dropped.
//! - A stopped engine stops no chain: actions stay queued, and the block goes on.
//! - What governance decided goes before the timer, the timer before what transactions left, and the deletion of terminated vats comes
//!   last, all under the one budget.
//! - The module writes `swingset/m/…` only; what it reads of the kernel and the host are keys that their documents name.

mod actions;
mod block;
pub mod bridge;
pub mod chunks;
pub mod events;
pub mod fees;
pub mod genesis;
pub mod governed;
pub mod handler;
pub mod install;
pub mod keys;
pub mod mailbox;
pub mod migrations;
pub mod msg;
pub mod query;
pub mod queue;
mod refusal;
mod release;
mod simulated;
pub mod state;
pub mod swap;
pub mod view;
pub mod wallet;

pub use block::{begin_block, end_block};
pub use refusal::Refusal;
pub use simulated::SimulatedEngine;
