//! Integration tests of the node.

#![allow(clippy::panic, reason = "a test's helpers fail the test, and say with what")]

mod abci_server;
mod api;
mod app;
mod checkpoint;
mod cli;
mod independent_peer;
mod keeping;
mod process;
mod rehearsal;
mod rpc;
mod signing;
mod solo;
mod support;
