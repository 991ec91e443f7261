//! Methods that find transactions.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tendermint_proto::v0_38::types::Block;

use super::{Context, Reply, RpcError, now};
use crate::rpc::{
    args::Args,
    backend::{Backend, TxPlace},
    json::{self, base64, hex_upper, int},
    page,
    query::Query,
};

/// The most transactions that a search looks at. A search that names a height or a hash looks at few.
const SEARCHED_TXS_MAX: usize = 100_000;

pub fn tx(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    let hash = args.bytes("hash")?;
    let prove = args.flag("prove")?;
    let Some(place) = context.backend.tx_place(&hash) else {
        return Err(RpcError::Internal(format!("tx ({}) not found", hex::encode_upper(&hash))));
    };
    now(shown(context.backend, place, prove)?)
}

/// `broadcast_tx_commit`'s answer, once the transaction is in a block.
pub fn committed_tx(backend: &dyn Backend, hash: &[u8; 32], check: &Value) -> Result<Option<Value>, RpcError> {
    let Some(place) = backend.tx_place(hash) else { return Ok(None) };
    let results = backend.results(place.height)?;
    let result = results.tx_results.get(place.index as usize).cloned().unwrap_or_default();
    Ok(Some(json!({
        "check_tx": check,
        "tx_result": json::exec_result(&result),
        "hash": hex_upper(hash),
        "height": int(place.height),
    })))
}

fn shown(backend: &dyn Backend, place: TxPlace, prove: bool) -> Result<Value, RpcError> {
    let block = backend.block(place.height)?.block;
    let results = backend.results(place.height)?;
    let index = place.index as usize;
    let tx = block.data.as_ref().and_then(|data| data.txs.get(index)).cloned().unwrap_or_default();
    let result = results.tx_results.get(index).cloned().unwrap_or_default();
    let mut shown = json!({
        "hash": hex_upper(Sha256::digest(&tx)),
        "height": int(place.height),
        "index": place.index,
        "tx_result": json::exec_result(&result),
        "tx": base64(&tx),
    });
    if prove {
        shown["proof"] = proof(backend, &block, place.index, &tx);
    }
    Ok(shown)
}

fn proof(backend: &dyn Backend, block: &Block, index: u32, tx: &[u8]) -> Value {
    let Some(proof) = backend.tx_proof(block, index) else { return Value::Null };
    json!({
        "root_hash": hex_upper(&proof.root_hash),
        "data": base64(tx),
        "proof": {
            "total": int(proof.total),
            "index": int(index),
            "leaf_hash": base64(&proof.leaf_hash),
            "aunts": proof.aunts.iter().map(base64).collect::<Vec<_>>(),
        },
    })
}

pub fn tx_search(context: Context<'_>, args: &Args) -> Result<Reply, RpcError> {
    let query = Query::parse(&args.text("query")?).map_err(RpcError::Internal)?;
    let mut found = search(context.backend, &query)?;
    match args.text("order_by")?.as_str() {
        "" | "asc" => found.reverse(),
        "desc" => {}
        _ => return Err(RpcError::Internal("expected order_by to be either `asc` or `desc` or empty".to_owned())),
    }
    let prove = args.flag("prove")?;
    let range = page::range(args, found.len())?;
    let places = found.get(range).unwrap_or_default();
    let txs = places.iter().map(|place| shown(context.backend, *place, prove)).collect::<Result<Vec<_>, _>>()?;
    now(json!({"txs": txs, "total_count": int(found.len())}))
}

/// The transactions that a query asks for, the last first.
fn search(backend: &dyn Backend, query: &Query) -> Result<Vec<TxPlace>, RpcError> {
    let heights = match query.tx_hash() {
        Some(hash) => backend.tx_place(hash).map(|place| place.height).into_iter().collect(),
        None => backend.heights_with_txs(),
    };
    let mut found = Vec::new();
    let mut searched = 0usize;
    for height in heights.into_iter().filter(|height| query.allows_height(*height)) {
        let results = backend.results(height)?;
        searched = searched.saturating_add(results.tx_results.len());
        if searched > SEARCHED_TXS_MAX {
            let reason =
                format!("more than {SEARCHED_TXS_MAX} transactions to look at: narrow the search by tx.height");
            return Err(RpcError::Internal(reason));
        }
        let hashes = if query.tx_hash().is_some() { hashes_of(backend, height)? } else { Vec::new() };
        let in_block: Vec<_> = (0u32..).zip(&results.tx_results).collect();
        for (index, result) in in_block.into_iter().rev() {
            let hash = hashes.get(index as usize).map(<[u8; 32]>::as_slice);
            if query.allows_tx(result, hash) {
                found.push(TxPlace { height, index });
            }
        }
    }
    Ok(found)
}

fn hashes_of(backend: &dyn Backend, height: i64) -> Result<Vec<[u8; 32]>, RpcError> {
    let data = backend.block(height)?.block.data.unwrap_or_default();
    Ok(data.txs.iter().map(|tx| Sha256::digest(tx).into()).collect())
}
