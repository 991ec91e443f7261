//! The recorded vectors.

use base64::Engine;
use serde_json::Value;

/// A recorded file of `tests/vectors`.
pub fn load(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// One recorded transaction.
pub struct RecordedTx {
    pub name: String,
    pub signer: String,
    pub hash: String,
    pub bytes: Vec<u8>,
    pub rest: Value,
    pub result_data: Vec<u8>,
}

/// All recorded transactions.
pub fn txs() -> Vec<RecordedTx> {
    let Value::Array(entries) = load("txs.json") else { panic!("txs.json is a list") };
    assert!(entries.len() >= 7, "the recording has seven transactions");
    entries
        .into_iter()
        .map(|entry| RecordedTx {
            name: text(&entry, "name"),
            signer: text(&entry, "signer"),
            hash: text(&entry, "hash"),
            bytes: from_base64(&text(&entry, "tx_base64")),
            result_data: from_base64(entry["result"]["data"].as_str().unwrap_or_default()),
            rest: entry["rest_get_tx"].clone(),
        })
        .collect()
}

/// A recorded transaction by name.
pub fn tx(name: &str) -> RecordedTx {
    txs().into_iter().find(|tx| tx.name == name).unwrap_or_else(|| panic!("no transaction {name}"))
}

pub fn text(entry: &Value, key: &str) -> String {
    entry[key].as_str().unwrap_or_else(|| panic!("{key} is not text in {entry}")).to_string()
}

pub fn from_base64(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).expect("recorded base64")
}
