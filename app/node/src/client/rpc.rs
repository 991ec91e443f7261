//! CometBFT 0.38's JSON-RPC over HTTP.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::ClientError;

/// How long one call may take. CometBFT itself gives up writing an answer after 11 s.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// The largest answer that is read.
const ANSWER_SIZE_MAX: u64 = 256 << 20;

/// What carries calls to a node.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Calls a method; gives its `result`.
    ///
    /// # Errors
    /// No answer, or the method's error.
    fn call(&self, method: &str, params: Value) -> Result<Value, ClientError>;

    /// Where the node is, for people.
    fn url(&self) -> &str;
}

/// A client of one node.
#[derive(Clone, Debug)]
pub struct RpcClient {
    transport: Arc<dyn Transport>,
}

/// What `broadcast_tx_*` answers: the result of CheckTx.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broadcast {
    /// The transaction's hash, upper case hex.
    pub hash: String,
    /// 0, or why it was refused.
    pub code: u32,
    /// The code's codespace.
    pub codespace: String,
    /// For people.
    pub log: String,
    /// CheckTx's data, base64.
    pub data: String,
}

/// What `abci_query` answers for code 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryAnswer {
    /// The value: an encoded protobuf message for gRPC paths.
    pub value: Vec<u8>,
    /// The height of the state that it is from.
    pub height: u64,
}

impl RpcClient {
    /// A client of the node at `tcp://host:port` or `http://host:port`. Connects at the first call.
    ///
    /// # Errors
    /// Another scheme.
    pub fn new(node: &str) -> Result<Self, ClientError> {
        Ok(RpcClient::over(Arc::new(Http::new(node)?)))
    }

    /// A client of the node at the other end of a transport.
    #[must_use]
    pub fn over(transport: Arc<dyn Transport>) -> Self {
        RpcClient { transport }
    }

    /// The node's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        self.transport.url()
    }

    /// Calls a method; gives its `result`.
    ///
    /// # Errors
    /// No connection, a timeout, a JSON-RPC error or an answer that is not JSON-RPC.
    pub fn call(&self, method: &str, params: Value) -> Result<Value, ClientError> {
        self.transport.call(method, params)
    }

    /// `status`.
    ///
    /// # Errors
    /// As [`RpcClient::call`].
    pub fn status(&self) -> Result<Value, ClientError> {
        self.call("status", json!({}))
    }

    /// The last committed height that CometBFT knows.
    ///
    /// # Errors
    /// As [`RpcClient::call`].
    pub fn latest_height(&self) -> Result<u64, ClientError> {
        let status = self.status()?;
        number(&status["sync_info"]["latest_block_height"])
            .ok_or_else(|| ClientError::answer("status", "sync_info.latest_block_height is missing"))
    }

    /// `abci_query`; height 0 is the latest.
    ///
    /// # Errors
    /// As [`RpcClient::call`], or the application refuses the query.
    pub fn abci_query(&self, path: &str, data: &[u8], height: u64) -> Result<QueryAnswer, ClientError> {
        let params = json!({"path": path, "data": hex::encode(data), "height": height.to_string(), "prove": false});
        let result = self.call("abci_query", params)?;
        let response = &result["response"];
        let code = code_of(response);
        if code != 0 {
            return Err(ClientError::Query {
                path: path.to_owned(),
                codespace: text_of(response, "codespace"),
                code,
                log: text_of(response, "log"),
            });
        }
        let value = BASE64
            .decode(text_of(response, "value"))
            .map_err(|_| ClientError::answer("abci_query", "value is not base64"))?;
        Ok(QueryAnswer { value, height: number(&response["height"]).unwrap_or_default() })
    }

    /// `broadcast_tx_sync`: returns once CheckTx has answered.
    ///
    /// # Errors
    /// As [`RpcClient::call`]; a refusal by CheckTx is in the answer.
    pub fn broadcast_sync(&self, tx: &[u8]) -> Result<Broadcast, ClientError> {
        self.broadcast("broadcast_tx_sync", tx)
    }

    /// `broadcast_tx_async`: returns at once.
    ///
    /// # Errors
    /// As [`RpcClient::call`].
    pub fn broadcast_async(&self, tx: &[u8]) -> Result<Broadcast, ClientError> {
        self.broadcast("broadcast_tx_async", tx)
    }

    fn broadcast(&self, method: &str, tx: &[u8]) -> Result<Broadcast, ClientError> {
        let result = self.call(method, json!({"tx": BASE64.encode(tx)}))?;
        Ok(Broadcast {
            hash: text_of(&result, "hash"),
            code: code_of(&result),
            codespace: text_of(&result, "codespace"),
            log: text_of(&result, "log"),
            data: text_of(&result, "data"),
        })
    }

    /// `tx`: the transaction of this hash (hex) with its result, once it is in a block; none before.
    ///
    /// # Errors
    /// As [`RpcClient::call`], or the hash is not hex.
    pub fn tx(&self, hash: &str) -> Result<Option<Value>, ClientError> {
        let bytes =
            hex::decode(hash).map_err(|_| ClientError::Input(format!("transaction hash {hash:?} is not hex")))?;
        match self.call("tx", json!({"hash": BASE64.encode(bytes), "prove": false})) {
            Ok(result) => Ok(Some(result)),
            Err(ClientError::Rpc { message, .. }) if message.contains("not found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `block` at a height, or the latest.
    ///
    /// # Errors
    /// As [`RpcClient::call`].
    pub fn block(&self, height: Option<u64>) -> Result<Value, ClientError> {
        self.call("block", at(height))
    }

    /// `block_results` at a height, or the latest.
    ///
    /// # Errors
    /// As [`RpcClient::call`].
    pub fn block_results(&self, height: Option<u64>) -> Result<Value, ClientError> {
        self.call("block_results", at(height))
    }
}

/// Calls over HTTP.
#[derive(Debug)]
struct Http {
    agent: ureq::Agent,
    url: String,
}

impl Http {
    fn new(node: &str) -> Result<Self, ClientError> {
        let rest = match node.split_once("://") {
            Some(("tcp" | "http", rest)) => rest,
            None => node,
            Some((scheme, _)) => {
                return Err(ClientError::Input(format!(
                    "node {node:?}: scheme {scheme} is not supported: use tcp://host:port or http://host:port, and a proxy or tunnel for TLS"
                )));
            }
        };
        let rest = rest.trim_end_matches('/');
        if rest.is_empty() || rest.contains(char::is_whitespace) {
            return Err(ClientError::Input(format!("node {node:?}: expected tcp://host:port")));
        }
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(CALL_TIMEOUT))
            // CometBFT sends JSON-RPC errors with status 500.
            .http_status_as_error(false)
            .build()
            .new_agent();
        Ok(Http { agent, url: format!("http://{rest}") })
    }
}

impl Transport for Http {
    fn call(&self, method: &str, params: Value) -> Result<Value, ClientError> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let unreachable =
            |error: ureq::Error| ClientError::Unreachable { url: self.url.clone(), reason: error.to_string() };
        let mut response = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .send(request.as_bytes())
            .map_err(unreachable)?;
        let bytes = response.body_mut().with_config().limit(ANSWER_SIZE_MAX).read_to_vec().map_err(unreachable)?;
        let mut answer: Value = serde_json::from_slice(&bytes).map_err(|_| {
            ClientError::answer(method, format!("HTTP status {}, and not JSON", response.status().as_u16()))
        })?;
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            return Err(rpc_error(method, error));
        }
        answer.get_mut("result").map(Value::take).ok_or_else(|| ClientError::answer(method, "neither result nor error"))
    }

    fn url(&self) -> &str {
        &self.url
    }
}

fn at(height: Option<u64>) -> Value {
    height.map_or_else(|| json!({}), |height| json!({"height": height.to_string()}))
}

/// A JSON-RPC error as a method's failure.
pub(crate) fn rpc_error(method: &str, error: &Value) -> ClientError {
    let message = text_of(error, "message");
    let data = text_of(error, "data");
    let message = if data.is_empty() { message } else { format!("{message}: {data}") };
    ClientError::Rpc { method: method.to_owned(), code: error["code"].as_i64().unwrap_or_default(), message }
}

/// A text field; empty where it is missing or null.
pub(crate) fn text_of(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The field `code`; 0 where it is missing.
pub(crate) fn code_of(value: &Value) -> u32 {
    value.get("code").and_then(Value::as_u64).and_then(|code| u32::try_from(code).ok()).unwrap_or_default()
}

/// A number, written as a number or as a text of digits.
pub(crate) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_addresses_are_checked() {
        for (node, expected) in [
            ("tcp://localhost:26657", "http://localhost:26657"),
            ("http://10.0.0.1:26657/", "http://10.0.0.1:26657"),
            ("127.0.0.1:1", "http://127.0.0.1:1"),
        ] {
            assert_eq!(RpcClient::new(node).expect("a valid address").url(), expected);
        }
        let tls = RpcClient::new("https://rpc.example:443").expect_err("no TLS here").to_string();
        assert!(tls.contains("scheme https is not supported"), "{tls}");
        assert!(RpcClient::new("tcp://").is_err());
    }

    #[test]
    fn a_node_that_is_not_there_is_named() {
        // Port 1 on loopback: reserved, nothing listens.
        let error =
            RpcClient::new("tcp://127.0.0.1:1").expect("a valid address").status().expect_err("no node").to_string();
        assert!(error.starts_with("cannot reach the node at http://127.0.0.1:1: "), "{error}");
    }

    #[test]
    fn recorded_errors_are_read() {
        let error = json!({"code": -32603, "message": "Internal error", "data": "tx (00) not found"});
        let text = rpc_error("tx", &error).to_string();
        assert_eq!(text, "RPC method tx failed: Internal error: tx (00) not found (code -32603)");
    }
}
