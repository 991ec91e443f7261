//! Integration tests of the node.

mod abci_server;
mod app;
mod checkpoint;
mod cli;
mod independent_peer;
mod process;
mod rpc;
mod solo;
mod support;
