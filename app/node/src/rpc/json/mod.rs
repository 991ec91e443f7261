//! CometBFT's JSON: 64-bit integers as text, hashes in upper case hex, bytes in base64.

mod abci;
mod block;
mod params;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};

pub use abci::{check_result, events, exec_result, info_response, query_response, validator_updates};
pub use block::{block, block_id, commit, header};
pub use params::{consensus_params, param_updates};

/// Bytes as upper case hex.
pub fn hex_upper(bytes: impl AsRef<[u8]>) -> Value {
    Value::String(hex::encode_upper(bytes))
}

/// Bytes as base64.
pub fn base64(bytes: impl AsRef<[u8]>) -> Value {
    Value::String(BASE64.encode(bytes))
}

/// Bytes as base64; null where there are none. Source: Go's nil slices.
pub fn base64_or_null(bytes: &[u8]) -> Value {
    if bytes.is_empty() { Value::Null } else { base64(bytes) }
}

/// A 64-bit integer.
pub fn int(number: impl std::fmt::Display) -> Value {
    Value::String(number.to_string())
}

/// An ed25519 key.
pub fn public_key(key: &[u8; 32]) -> Value {
    json!({"type": "tendermint/PubKeyEd25519", "value": base64(key)})
}

/// The address of an ed25519 key.
pub fn address(key: &[u8; 32]) -> Value {
    Value::String(hex::encode_upper(swing_core::address::Address::of_ed25519(key).as_bytes()))
}

/// Puts a field in unless it has its type's zero value, as Go's `omitempty`.
fn put_unless_empty(fields: &mut Map<String, Value>, name: &str, value: Value) {
    let empty = match &value {
        Value::Null => true,
        Value::String(text) => text.is_empty() || text == "0",
        Value::Number(number) => number.as_i64() == Some(0),
        Value::Array(items) => items.is_empty(),
        Value::Bool(flag) => !flag,
        Value::Object(_) => false,
    };
    if !empty {
        fields.insert(name.to_owned(), value);
    }
}
