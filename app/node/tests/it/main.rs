//! Integration tests of the node.

mod abci_server;
mod cli;
mod support;
