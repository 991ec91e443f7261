//! Methods about the node and the chain's rules.

use serde_json::{Value, json};

use super::{Context, Reply, RpcError, now};
use crate::rpc::{
    COMETBFT_VERSION,
    args::Args,
    backend::{Backend, Fault},
    json::{self, address, base64, hex_upper, int, public_key},
    page,
};

/// Source: CometBFT's `P2PProtocol`.
const P2P_PROTOCOL: &str = "8";
/// Source: CometBFT's `BlockProtocol`.
const BLOCK_PROTOCOL: &str = "11";
/// The channels that a CometBFT node names; nothing listens on them here.
const CHANNELS: &str = "40202122233038606100";
/// Source: CometBFT's `genesisChunkSize`.
const GENESIS_CHUNK_BYTES: usize = 16 << 20;
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

pub fn health(_: Context<'_>, _: &Args) -> Result<Reply, RpcError> {
    now(json!({}))
}

pub fn status(context: Context<'_>, _: &Args) -> Result<Reply, RpcError> {
    let Context { backend, rpc_address } = context;
    let node = backend.node();
    let (first, last) = (backend.first_height(), backend.last_height());
    let latest = block_summary(backend, last)?;
    let earliest = block_summary(backend, if last < first { last } else { first })?;
    let app_version = backend.consensus_params(last.saturating_add(1)).version.unwrap_or_default().app;
    let power = backend.validators(last.saturating_add(1)).first().map_or(0, |validator| validator.power);
    now(json!({
        "node_info": {
            "protocol_version": {"p2p": P2P_PROTOCOL, "block": BLOCK_PROTOCOL, "app": int(app_version)},
            "id": node.id,
            "listen_addr": node.p2p_laddr,
            "network": node.network,
            "version": COMETBFT_VERSION,
            "channels": CHANNELS,
            "moniker": node.moniker,
            "other": {"tx_index": "on", "rpc_address": rpc_address},
        },
        "sync_info": {
            "latest_block_hash": latest.hash,
            "latest_app_hash": latest.app_hash,
            "latest_block_height": latest.height,
            "latest_block_time": latest.time,
            "earliest_block_hash": earliest.hash,
            "earliest_app_hash": earliest.app_hash,
            "earliest_block_height": earliest.height,
            "earliest_block_time": earliest.time,
            "catching_up": false,
        },
        "validator_info": {
            "address": address(&node.validator_key),
            "pub_key": public_key(&node.validator_key),
            "voting_power": int(power),
        },
    }))
}

struct Summary {
    hash: Value,
    app_hash: Value,
    height: Value,
    time: Value,
}

/// What `status` tells of a block; of none, what CometBFT tells before the first.
fn block_summary(backend: &dyn Backend, height: i64) -> Result<Summary, Fault> {
    if height < backend.first_height() {
        return Ok(Summary { hash: json!(""), app_hash: json!(""), height: json!("0"), time: json!(ZERO_TIME) });
    }
    let stored = backend.block(height)?;
    let header = stored.block.header.unwrap_or_default();
    Ok(Summary {
        hash: hex_upper(stored.commit.block_id.unwrap_or_default().hash),
        app_hash: hex_upper(&header.app_hash),
        height: int(height),
        time: json::header(&header)["time"].take(),
    })
}

pub fn net_info(_: Context<'_>, _: &Args) -> Result<Reply, RpcError> {
    now(json!({"listening": true, "listeners": ["Listener(@)"], "n_peers": "0", "peers": []}))
}

pub fn genesis(context: Context<'_>, _: &Args) -> Result<Reply, RpcError> {
    let genesis = context.backend.genesis();
    if genesis.to_string().len() > GENESIS_CHUNK_BYTES {
        let reason = "genesis response is large, please use the genesis_chunked API instead";
        return Err(RpcError::Internal(reason.to_owned()));
    }
    now(json!({"genesis": genesis}))
}

pub fn genesis_chunked(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    let document = context.backend.genesis().to_string();
    let chunks: Vec<_> = document.as_bytes().chunks(GENESIS_CHUNK_BYTES).collect();
    let index = args.int("chunk")?.unwrap_or_default();
    let chunk = usize::try_from(index).ok().and_then(|index| chunks.get(index)).ok_or_else(|| {
        let last = chunks.len().saturating_sub(1);
        RpcError::Internal(format!("there are {last} chunks, {index} is invalid"))
    })?;
    now(json!({"chunk": int(index), "total": int(chunks.len()), "data": base64(chunk)}))
}

/// The height whose rules are asked for: by default the next block's, which the chain has decided already.
fn rules_height(context: Context<'_>, args: &Args) -> Result<i64, RpcError> {
    page::height(args, context.backend, context.backend.last_height().saturating_add(1))
}

pub fn consensus_params(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    let height = rules_height(context, args)?;
    let params = context.backend.consensus_params(height);
    now(json!({"block_height": int(height), "consensus_params": json::consensus_params(&params)}))
}

pub fn validators(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    let height = rules_height(context, args)?;
    let validators = context.backend.validators(height);
    let range = page::range(args, validators.len())?;
    let shown: Vec<_> = validators
        .get(range)
        .unwrap_or_default()
        .iter()
        .map(|validator| {
            json!({
                "address": address(&validator.public_key),
                "pub_key": public_key(&validator.public_key),
                "voting_power": int(validator.power),
                // Of one validator the priority is always 0.
                "proposer_priority": "0",
            })
        })
        .collect();
    now(json!({
        "block_height": int(height),
        "count": int(shown.len()),
        "validators": shown,
        "total": int(validators.len()),
    }))
}
