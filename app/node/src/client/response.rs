//! `TxResponse` in the SDK's JSON shape.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::{
    ClientError,
    rpc::{Broadcast, code_of, text_of},
};

/// For a transaction that was sent and is in no block yet.
#[must_use]
pub fn of_broadcast(broadcast: &Broadcast) -> Value {
    let data = BASE64.decode(&broadcast.data).unwrap_or_default();
    json!({
        "height": "0",
        "txhash": broadcast.hash,
        "codespace": broadcast.codespace,
        "code": broadcast.code,
        "data": hex::encode_upper(data),
        "raw_log": broadcast.log,
        "logs": [],
        "info": "",
        "gas_wanted": "0",
        "gas_used": "0",
        "tx": null,
        "timestamp": "",
        "events": [],
    })
}

/// For a transaction in a block: CometBFT's `tx` answer, the block's time and the transaction as JSON.
///
/// # Errors
/// The answer has another shape than CometBFT's.
pub fn of_included(included: &Value, timestamp: &str, tx: Value) -> Result<Value, ClientError> {
    let result = &included["tx_result"];
    let data = BASE64
        .decode(text_of(result, "data"))
        .map_err(|_| ClientError::answer("tx", "tx_result.data is not base64"))?;
    let count = |field: &str| result.get(field).and_then(Value::as_str).unwrap_or("0").to_owned();
    Ok(json!({
        "height": text_of(included, "height"),
        "txhash": text_of(included, "hash"),
        "codespace": text_of(result, "codespace"),
        "code": code_of(result),
        "data": hex::encode_upper(data),
        "raw_log": text_of(result, "log"),
        "logs": [],
        "info": text_of(result, "info"),
        "gas_wanted": count("gas_wanted"),
        "gas_used": count("gas_used"),
        "tx": tx,
        "timestamp": timestamp,
        "events": result.get("events").filter(|events| !events.is_null()).cloned().unwrap_or_else(|| json!([])),
    }))
}

/// The encoded transaction in CometBFT's `tx` answer.
///
/// # Errors
/// It is missing or not base64.
pub fn tx_bytes(included: &Value) -> Result<Vec<u8>, ClientError> {
    let text = text_of(included, "tx");
    BASE64.decode(text).map_err(|_| ClientError::answer("tx", "tx is not base64"))
}
