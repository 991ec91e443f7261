//! The methods by name.

mod app;
mod blocks;
mod node;
mod txs;

use serde_json::Value;

use super::{
    args::Args,
    backend::{Backend, Fault},
    envelope::RpcError,
};

/// What a method gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The result.
    Now(Value),
    /// The result once the transaction of this hash is in a block; `check` is its CheckTx answer as JSON.
    WhenCommitted {
        /// The transaction's hash.
        hash: [u8; 32],
        /// CheckTx's answer.
        check: Value,
    },
}

/// What a method works with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The engine.
    pub backend: &'a dyn Backend,
    /// Where this server listens.
    pub rpc_address: &'a str,
}

type Run = fn(Context<'_>, &Args) -> Result<Reply, RpcError>;

/// A method.
#[derive(Clone, Copy)]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// Its parameters in order.
    pub params: &'static [&'static str],
    /// What it does.
    pub run: Run,
}

const fn method(name: &'static str, params: &'static [&'static str], run: Run) -> Method {
    Method { name, params, run }
}

/// All methods.
pub const METHODS: &[Method] = &[
    method("health", &[], node::health),
    method("status", &[], node::status),
    method("net_info", &[], node::net_info),
    method("genesis", &[], node::genesis),
    method("genesis_chunked", &["chunk"], node::genesis_chunked),
    method("consensus_params", &["height"], node::consensus_params),
    method("validators", &["height", "page", "per_page"], node::validators),
    method("blockchain", &["minHeight", "maxHeight"], blocks::blockchain),
    method("block", &["height"], blocks::block),
    method("block_by_hash", &["hash"], blocks::block_by_hash),
    method("block_results", &["height"], blocks::block_results),
    method("commit", &["height"], blocks::commit),
    method("header", &["height"], blocks::header),
    method("header_by_hash", &["hash"], blocks::header_by_hash),
    method("abci_info", &[], app::abci_info),
    method("abci_query", &["path", "data", "height", "prove"], app::abci_query),
    method("check_tx", &["tx"], app::check_tx),
    method("broadcast_tx_async", &["tx"], app::broadcast_tx_async),
    method("broadcast_tx_sync", &["tx"], app::broadcast_tx_sync),
    method("broadcast_tx_commit", &["tx"], app::broadcast_tx_commit),
    method("unconfirmed_txs", &["limit"], app::unconfirmed_txs),
    method("num_unconfirmed_txs", &[], app::num_unconfirmed_txs),
    method("tx", &["hash", "prove"], txs::tx),
    method("tx_search", &["query", "prove", "page", "per_page", "order_by"], txs::tx_search),
];

/// The method of this name.
pub fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

pub use txs::committed_tx;

fn now(result: Value) -> Result<Reply, RpcError> {
    Ok(Reply::Now(result))
}

impl From<Fault> for RpcError {
    fn from(fault: Fault) -> Self {
        RpcError::Internal(fault.0)
    }
}
