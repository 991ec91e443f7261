//! The `swingd` process: everything that touches sockets, files, signals and threads.

pub mod abci;
pub mod comet;
pub mod killpoints;
pub mod lifecycle;
