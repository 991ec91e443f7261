//! Performing what [`crate::core`] decides.
//!
//! # Invariants
//! - The node's process is started and waited for by one thread, the one that lives longest: the system ends the node with it.
//! - The journal and the links are read from disk before every decision; nothing about an upgrade is kept in memory alone.
//! - Hooks and webhooks are told; they decide nothing and hold nothing up for longer than their time limit.

mod arguments;
mod check;
mod comet;
mod early;
mod events;
mod fronted;
mod hooks;
mod http;
mod local;
mod looker;
mod node;
mod pages;
mod standby;
mod stay;
mod steps;
mod supervisor;
mod troubles;
mod webhook;
mod words;

pub(crate) use arguments::value_of;
pub use arguments::{home_of, planned, prober, runs_a_node, transfer};
pub use events::{Event, Events};
pub use local::ask;
pub use looker::{Look, Looker, arm};
pub use pages::Board;
pub use supervisor::Supervisor;
pub use troubles::{Situation, troubles};
pub use words::in_words;
