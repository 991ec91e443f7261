//! CometBFT 0.38's RPC over HTTP: JSON-RPC 2.0 by POST, single and batched, and the same methods by GET with query parameters.
//! Source: CometBFT's `rpc/core` and `rpc/jsonrpc`; shapes and words are those of the recorded bodies in `tests/vectors/rpc.json`.
//!
//! Websocket subscriptions are not served. `/metrics`, `/dial_peers` and the methods of evidence and of consensus internals are not
//! either: a node of one validator has nothing to tell there.
//!
//! # Invariants
//! - It knows a [`Backend`], not an engine.
//! - Every request is bounded: its body, its batch, its time, and how many there are at once.
//! - A caller's mistake is an answer; a local fault ends the process through the backend.

mod args;
mod backend;
mod envelope;
mod http;
mod json;
pub(crate) mod listener;
mod local;
mod methods;
mod page;
mod query;
mod request_line;
mod server;

pub use backend::{Backend, Fault, NodeDescription, StoredBlock, TxPlace, TxProof, Unconfirmed, ValidatorPower};
pub use local::LocalRpc;
pub use server::{RpcConfig, RpcServer, ServerError};

/// The CometBFT release whose RPC this is.
pub const COMETBFT_VERSION: &str = "0.38.26";
