//! Methods about blocks.

use prost::Message;
use serde_json::{Value, json};
use tendermint_proto::v0_38::types::BlockId;

use super::{Context, Reply, RpcError, now};
use crate::rpc::{
    args::Args,
    backend::{Backend, StoredBlock},
    json::{self, base64, int},
    page,
};

/// The most headers in one answer. Source: CometBFT's `BlockchainInfo`.
const HEADERS_MAX: i64 = 20;

fn stored(context: Context<'_>, args: &Args) -> Result<StoredBlock, RpcError> {
    let height = page::height(args, context.backend, context.backend.last_height())?;
    Ok(context.backend.block(height)?)
}

/// The block of this hash, if there is one.
fn stored_by_hash(context: Context<'_>, hash: &[u8]) -> Result<Option<StoredBlock>, RpcError> {
    let height = context.backend.height_of(hash);
    Ok(height.map(|height| context.backend.block(height)).transpose()?)
}

fn shown(stored: &StoredBlock) -> Value {
    json!({"block_id": json::block_id(stored.commit.block_id.as_ref()), "block": json::block(&stored.block)})
}

pub fn block(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    now(shown(&stored(context, args)?))
}

pub fn block_by_hash(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    now(match stored_by_hash(context, &args.bytes("hash")?)? {
        Some(stored) => shown(&stored),
        None => json!({"block_id": json::block_id(Some(&BlockId::default())), "block": null}),
    })
}

pub fn header(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    let header = stored(context, args)?.block.header.unwrap_or_default();
    now(json!({"header": json::header(&header)}))
}

pub fn header_by_hash(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    // CometBFT: this hash is hex in JSON, that of `block_by_hash` base64.
    let header = stored_by_hash(context, &args.hex_bytes("hash")?)?.and_then(|stored| stored.block.header);
    now(json!({"header": header.map_or(Value::Null, |header| json::header(&header))}))
}

pub fn commit(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    let StoredBlock { block, commit } = stored(context, args)?;
    let header = block.header.unwrap_or_default();
    now(json!({
        "signed_header": {"header": json::header(&header), "commit": json::commit(&commit)},
        // CometBFT: the last block's commit is not in a block yet.
        "canonical": header.height < context.backend.last_height(),
    }))
}

pub fn block_results(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    let height = page::height(args, context.backend, context.backend.last_height())?;
    let results = context.backend.results(height)?;
    let list = |items: Vec<Value>| if items.is_empty() { Value::Null } else { Value::Array(items) };
    let events = match json::events(&results.events) {
        Value::Array(events) => list(events),
        other => other,
    };
    now(json!({
        "height": int(height),
        "txs_results": list(results.tx_results.iter().map(json::exec_result).collect()),
        "finalize_block_events": events,
        "validator_updates": json::validator_updates(&results.validator_updates),
        "consensus_param_updates": json::param_updates(results.consensus_param_updates.as_ref()),
        "app_hash": base64(&results.app_hash),
    }))
}

pub fn blockchain(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    let backend = context.backend;
    let (min, max) = header_range(
        args.int("minHeight")?.unwrap_or_default(),
        args.int("maxHeight")?.unwrap_or_default(),
        backend.first_height(),
        backend.last_height(),
    )?;
    let metas = (min..=max).rev().map(|height| meta(backend, height)).collect::<Result<Vec<_>, _>>()?;
    now(json!({"last_height": int(backend.last_height()), "block_metas": metas}))
}

fn meta(backend: &dyn Backend, height: i64) -> Result<Value, RpcError> {
    let StoredBlock { block, commit } = backend.block(height)?;
    let txs = block.data.as_ref().map_or(0, |data| data.txs.len());
    Ok(json!({
        "block_id": json::block_id(commit.block_id.as_ref()),
        "block_size": int(block.encoded_len()),
        "header": json::header(&block.header.clone().unwrap_or_default()),
        "num_txs": int(txs),
    }))
}

/// The heights of which headers are given: the last ones of those asked for. Source: CometBFT's `filterMinMax`.
fn header_range(min: i64, max: i64, first: i64, last: i64) -> Result<(i64, i64), RpcError> {
    if min < 0 || max < 0 {
        return Err(RpcError::Internal("heights must be non-negative".to_owned()));
    }
    let max = if max == 0 { last } else { max.min(last) };
    let min = min.max(first).max(max.saturating_sub(HEADERS_MAX - 1));
    if min > max {
        return Err(RpcError::Internal(format!("min height {min} can't be greater than max height {max}")));
    }
    Ok((min, max))
}
