//! Integration tests of the node.

mod abci_server;
mod app;
mod cli;
mod process;
mod rpc;
mod solo;
mod support;
