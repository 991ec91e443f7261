//! The `swingd` process: everything that touches sockets, files, signals and threads.

// The wire format's macro names it.
extern crate alloc;

pub mod abci;
pub mod api;
pub mod app;
mod binary;
pub mod checkpoint;
pub mod cli;
pub mod client;
pub mod comet;
pub mod config;
pub mod control;
pub mod divergence;
pub mod engine_adapter;
pub mod keyring;
pub mod killpoints;
pub mod lifecycle;
pub mod listening;
mod percent;
pub mod rehearsal;
pub mod releases;
pub mod rpc;
mod serving;
pub mod signatures;
pub mod signing;
pub mod solo;
pub mod start;
pub mod status;

pub use binary::{Binary, run};
