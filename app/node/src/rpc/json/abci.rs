//! The application's answers.

use serde_json::{Map, Value, json};
use tendermint_proto::v0_38::{
    abci::{Event, ExecTxResult, ResponseCheckTx, ResponseInfo, ResponseQuery, ValidatorUpdate},
    crypto::{ProofOps, public_key::Sum},
};

use super::{base64, base64_or_null, int, put_unless_empty};

/// Events.
pub fn events(events: &[Event]) -> Value {
    let event = |event: &Event| {
        let attributes: Vec<_> = event
            .attributes
            .iter()
            .map(|attribute| json!({"key": attribute.key, "value": attribute.value, "index": attribute.index}))
            .collect();
        json!({"type": event.r#type, "attributes": attributes})
    };
    Value::Array(events.iter().map(event).collect())
}

/// A transaction's result.
pub fn exec_result(result: &ExecTxResult) -> Value {
    json!({
        "code": result.code,
        "data": base64_or_null(&result.data),
        "log": result.log,
        "info": result.info,
        "gas_wanted": int(result.gas_wanted),
        "gas_used": int(result.gas_used),
        "events": events(&result.events),
        "codespace": result.codespace,
    })
}

/// CheckTx's answer.
pub fn check_result(result: &ResponseCheckTx) -> Value {
    json!({
        "code": result.code,
        "data": base64_or_null(&result.data),
        "log": result.log,
        "info": result.info,
        "gas_wanted": int(result.gas_wanted),
        "gas_used": int(result.gas_used),
        "events": events(&result.events),
        "codespace": result.codespace,
    })
}

/// Info's answer.
pub fn info_response(info: &ResponseInfo) -> Value {
    let mut fields = Map::new();
    put_unless_empty(&mut fields, "data", json!(info.data));
    put_unless_empty(&mut fields, "version", json!(info.version));
    put_unless_empty(&mut fields, "app_version", int(info.app_version));
    put_unless_empty(&mut fields, "last_block_height", int(info.last_block_height));
    put_unless_empty(&mut fields, "last_block_app_hash", base64(&info.last_block_app_hash));
    Value::Object(fields)
}

/// Query's answer.
pub fn query_response(response: &ResponseQuery) -> Value {
    json!({
        "code": response.code,
        "log": response.log,
        "info": response.info,
        "index": int(response.index),
        "key": base64_or_null(&response.key),
        "value": base64_or_null(&response.value),
        "proofOps": response.proof_ops.as_ref().map_or(Value::Null, proof_ops),
        "height": int(response.height),
        "codespace": response.codespace,
    })
}

fn proof_ops(proof: &ProofOps) -> Value {
    let ops: Vec<_> = proof
        .ops
        .iter()
        .map(|op| json!({"type": op.r#type, "key": base64_or_null(&op.key), "data": base64_or_null(&op.data)}))
        .collect();
    json!({"ops": ops})
}

/// Validator updates; null where there are none.
pub fn validator_updates(updates: &[ValidatorUpdate]) -> Value {
    if updates.is_empty() {
        return Value::Null;
    }
    let update = |update: &ValidatorUpdate| {
        let sum = match update.pub_key.as_ref().and_then(|key| key.sum.as_ref()) {
            Some(Sum::Ed25519(key)) => {
                json!({"type": "tendermint.crypto.PublicKey_Ed25519", "value": {"ed25519": base64(key)}})
            }
            Some(Sum::Secp256k1(key)) => {
                json!({"type": "tendermint.crypto.PublicKey_Secp256K1", "value": {"secp256k1": base64(key)}})
            }
            None => Value::Null,
        };
        let mut fields = Map::new();
        fields.insert("pub_key".to_owned(), json!({"Sum": sum}));
        put_unless_empty(&mut fields, "power", int(update.power));
        Value::Object(fields)
    };
    Value::Array(updates.iter().map(update).collect())
}
