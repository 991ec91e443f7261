//! The `swingd` process: everything that touches sockets, files, signals and threads.

pub mod comet;
