//! Blocks, headers and commits.

use serde_json::{Map, Value, json};
use swing_core::block::Time;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::types::{Block, BlockId, Commit, CommitSig, Header},
};

use super::{base64, base64_or_null, hex_upper, int, put_unless_empty};

/// Go's zero time.
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

/// A time as Go's `time.RFC3339Nano` writes it.
fn time(timestamp: Option<Timestamp>) -> Value {
    let Some(Timestamp { seconds, nanos }) = timestamp else { return json!(ZERO_TIME) };
    let mut text = Time { seconds, nanos: 0 }.to_rfc3339();
    if nanos > 0 {
        let fraction = format!("{nanos:09}");
        text.truncate(text.len().saturating_sub(1));
        text = format!("{text}.{}Z", fraction.trim_end_matches('0'));
    }
    Value::String(text)
}

/// A block's ID.
pub fn block_id(id: Option<&BlockId>) -> Value {
    let id = id.cloned().unwrap_or_default();
    let parts = id.part_set_header.unwrap_or_default();
    json!({"hash": hex_upper(&id.hash), "parts": {"total": parts.total, "hash": hex_upper(&parts.hash)}})
}

/// A header.
pub fn header(header: &Header) -> Value {
    let version = header.version.unwrap_or_default();
    let mut protocol = Map::new();
    put_unless_empty(&mut protocol, "block", int(version.block));
    put_unless_empty(&mut protocol, "app", int(version.app));
    json!({
        "version": protocol,
        "chain_id": header.chain_id,
        "height": int(header.height),
        "time": time(header.time),
        "last_block_id": block_id(header.last_block_id.as_ref()),
        "last_commit_hash": hex_upper(&header.last_commit_hash),
        "data_hash": hex_upper(&header.data_hash),
        "validators_hash": hex_upper(&header.validators_hash),
        "next_validators_hash": hex_upper(&header.next_validators_hash),
        "consensus_hash": hex_upper(&header.consensus_hash),
        "app_hash": hex_upper(&header.app_hash),
        "last_results_hash": hex_upper(&header.last_results_hash),
        "evidence_hash": hex_upper(&header.evidence_hash),
        "proposer_address": hex_upper(&header.proposer_address),
    })
}

/// A commit.
pub fn commit(commit: &Commit) -> Value {
    let signature = |signature: &CommitSig| {
        json!({
            "block_id_flag": signature.block_id_flag,
            "validator_address": hex_upper(&signature.validator_address),
            "timestamp": time(signature.timestamp),
            "signature": base64_or_null(&signature.signature),
        })
    };
    json!({
        "height": int(commit.height),
        "round": commit.round,
        "block_id": block_id(commit.block_id.as_ref()),
        "signatures": commit.signatures.iter().map(signature).collect::<Vec<_>>(),
    })
}

/// A block.
pub fn block(block: &Block) -> Value {
    let txs = block.data.as_ref().map(|data| data.txs.as_slice()).unwrap_or_default();
    json!({
        "header": header(&block.header.clone().unwrap_or_default()),
        "data": {"txs": txs.iter().map(base64).collect::<Vec<_>>()},
        "evidence": {"evidence": []},
        "last_commit": commit(&block.last_commit.clone().unwrap_or_default()),
    })
}
