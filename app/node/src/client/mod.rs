//! A client of a running node: CometBFT's JSON-RPC, typed queries, and building, signing, sending and waiting for transactions.
//! The commands, the local network and the tests use it.
//!
//! # Invariants
//! - Every call ends: RPC by a timeout, waiting by the caller's deadline.
//! - A failed query is an error, never an empty answer.
//! - What is signed is what is sent: sign bytes and transaction are made from the same encoded body and auth info.

pub mod query;
pub mod response;
pub mod rpc;
pub mod sign;
pub mod tx;
pub mod wait;

pub use rpc::{RpcClient, Transport};
pub use tx::{Fee, TxPlan};

use crate::keyring::KeyringError;

/// Why a client call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The caller's input.
    #[error("{0}")]
    Input(String),
    /// No answer came.
    #[error("cannot reach the node at {url}: {reason}: is it running, and is this its RPC address (--node)?")]
    Unreachable {
        /// The node's URL.
        url: String,
        /// What the connection said.
        reason: String,
    },
    /// CometBFT answered with an error.
    #[error("RPC method {method} failed: {message} (code {code})")]
    Rpc {
        /// The method.
        method: String,
        /// JSON-RPC's error code.
        code: i64,
        /// Message and data.
        message: String,
    },
    /// An answer of another shape than CometBFT 0.38's.
    #[error("unexpected answer to {method}: {reason}")]
    Answer {
        /// The method.
        method: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The application refused a query.
    #[error("query {path} failed: {log} (codespace {codespace}, code {code})")]
    Query {
        /// The gRPC path.
        path: String,
        /// The codespace.
        codespace: String,
        /// The code.
        code: u32,
        /// Why.
        log: String,
    },
    /// The application refused a transaction before or in its block.
    #[error("transaction {hash} failed: {log} (codespace {codespace}, code {code})")]
    TxFailed {
        /// Its hash.
        hash: String,
        /// The codespace.
        codespace: String,
        /// The code.
        code: u32,
        /// Why.
        log: String,
    },
    /// The deadline passed.
    #[error("{what} did not happen within {seconds} s")]
    Timeout {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
    },
    /// Keys.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
}

impl ClientError {
    /// An answer of another shape.
    pub(crate) fn answer(method: &str, reason: impl std::fmt::Display) -> Self {
        ClientError::Answer { method: method.to_owned(), reason: reason.to_string() }
    }
}
