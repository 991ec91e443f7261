//! Methods that ask the application or give it transactions.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tendermint_proto::v0_38::abci::{RequestQuery, ResponseCheckTx};

use super::{Context, Reply, RpcError, now};
use crate::rpc::{
    args::Args,
    json::{self, base64, hex_upper, int},
    page,
};

pub fn abci_info(context: Context<'_>, _: &Args) -> Result<Reply, RpcError> {
    now(json!({"response": json::info_response(&context.backend.info()?)}))
}

pub fn abci_query(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    let request = RequestQuery {
        path: args.text("path")?,
        data: args.hex_bytes("data")?.into(),
        height: args.int("height")?.unwrap_or_default(),
        prove: args.flag("prove")?,
    };
    now(json!({"response": json::query_response(&context.backend.query(request)?)}))
}

pub fn check_tx(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    now(json::check_result(&context.backend.check_tx(args.bytes("tx")?.into())?))
}

/// Gives the transaction to the mempool.
fn broadcast(context: Context<'_>, args: &Args) -> Result<([u8; 32], ResponseCheckTx), RpcError> {
    let tx = args.bytes("tx")?;
    let hash = Sha256::digest(&tx).into();
    match context.backend.broadcast(tx.into())? {
        Ok(response) => Ok((hash, response)),
        Err(refusal) => Err(RpcError::Internal(refusal)),
    }
}

pub fn broadcast_tx_sync(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    let (hash, check) = broadcast(context, args)?;
    now(json!({
        "code": check.code,
        "data": hex_upper(&check.data),
        "log": check.log,
        "codespace": check.codespace,
        "hash": hex_upper(hash),
    }))
}

/// The same as `sync`, for CheckTx is in this process; only its outcome is not told.
pub fn broadcast_tx_async(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    let (hash, _) = broadcast(context, args)?;
    now(json!({"code": 0, "data": "", "log": "", "codespace": "", "hash": hex_upper(hash)}))
}

pub fn broadcast_tx_commit(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    let (hash, check) = broadcast(context, args)?;
    if check.code == 0 {
        return Ok(Reply::WhenCommitted { hash, check: json::check_result(&check) });
    }
    now(json!({
        "check_tx": json::check_result(&check),
        "tx_result": json::exec_result(&Default::default()),
        "hash": hex_upper(hash),
        "height": "0",
    }))
}

pub fn unconfirmed_txs(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    let waiting = context.backend.unconfirmed(page::limit(args)?);
    let txs: Vec<_> = waiting.txs.iter().map(base64).collect();
    now(json!({
        "n_txs": int(txs.len()),
        "total": int(waiting.total),
        "total_bytes": int(waiting.total_bytes),
        "txs": txs,
    }))
}

pub fn num_unconfirmed_txs(context: Context<'_>, _: &Args) -> Result<Reply, RpcError> {
    let waiting = context.backend.unconfirmed(0);
    now(json!({
        "n_txs": int(waiting.total),
        "total": int(waiting.total),
        "total_bytes": int(waiting.total_bytes),
        "txs": Value::Null,
    }))
}
