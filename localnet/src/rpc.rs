//! The few of CometBFT's RPC methods that scenarios look at.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

/// A node's RPC.
#[derive(Clone, Debug)]
pub struct Rpc {
    /// `http://127.0.0.1:26657`.
    pub url: String,
    agent: ureq::Agent,
}

impl Rpc {
    /// The RPC at this URL.
    pub fn new(url: impl Into<String>) -> Self {
        let config =
            ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).http_status_as_error(false);
        Rpc { url: url.into(), agent: config.build().into() }
    }

    /// Calls a method.
    ///
    /// # Errors
    /// When the node does not answer, or answers with an error.
    pub fn call(&self, method: &str, params: Value) -> Result<Value> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut response = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .send(request.to_string())
            .with_context(|| format!("{method} at {}", self.url))?;
        let text = response.body_mut().read_to_string()?;
        let mut answer: Value = serde_json::from_str(&text).with_context(|| format!("{method}: not JSON: {text}"))?;
        if let Some(error) = answer.get("error") {
            bail!("{method}: {error}");
        }
        Ok(answer["result"].take())
    }

    /// The latest height.
    ///
    /// # Errors
    /// As [`Rpc::call`].
    pub fn height(&self) -> Result<u64> {
        let status = self.call("status", json!({}))?;
        number(&status["sync_info"]["latest_block_height"])
    }

    /// The app hash after block `height`, as the header of the next one has it.
    ///
    /// # Errors
    /// When block `height + 1` is not there.
    pub fn app_hash_after(&self, height: u64) -> Result<String> {
        let next = height.saturating_add(1).to_string();
        let block = self.call("block", json!({ "height": next }))?;
        Ok(block["block"]["header"]["app_hash"].as_str().context("no app_hash")?.to_owned())
    }

    /// The time in the header of block `height`, RFC 3339.
    ///
    /// # Errors
    /// When the block is not there.
    pub fn block_time(&self, height: u64) -> Result<String> {
        let block = self.call("block", json!({ "height": height.to_string() }))?;
        Ok(block["block"]["header"]["time"].as_str().context("no time")?.to_owned())
    }

    /// The transactions in the mempool, at most a hundred.
    ///
    /// # Errors
    /// As [`Rpc::call`].
    pub fn unconfirmed(&self) -> Result<Vec<Vec<u8>>> {
        let answer = self.call("unconfirmed_txs", json!({ "limit": "100" }))?;
        let txs = answer["txs"].as_array().context("no txs")?;
        txs.iter().map(|tx| Ok(BASE64.decode(tx.as_str().context("not text")?)?)).collect()
    }

    /// The code of the transaction with this hash.
    ///
    /// # Errors
    /// When it is in no block, as far as the node's indexer knows.
    pub fn tx_code(&self, hash: &[u8]) -> Result<u64> {
        let found = self.call("tx", json!({ "hash": BASE64.encode(hash) }))?;
        found["tx_result"]["code"].as_u64().context("no code")
    }

    /// Number of connected peers.
    ///
    /// # Errors
    /// As [`Rpc::call`].
    pub fn peers(&self) -> Result<u64> {
        number(&self.call("net_info", json!({}))?["n_peers"])
    }
}

/// An integer that JSON carries as text, or smallcaps as `+N`.
///
/// # Errors
/// When it is not one.
pub fn number(value: &Value) -> Result<u64> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.trim_start_matches('+').parse().with_context(|| format!("not a number: {value}"))
}
