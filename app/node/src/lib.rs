//! The `swingd` process: everything that touches sockets, files, signals and threads.

pub mod cli;
pub mod client;
pub mod comet;
pub mod config;
pub mod keyring;
