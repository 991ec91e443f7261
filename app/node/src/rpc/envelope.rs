//! JSON-RPC 2.0: requests, answers and their errors. Source: CometBFT's `rpc/jsonrpc/types`.

use serde_json::{Map, Value, json};

/// The ID of answers to calls by GET.
pub const URI_ID: i64 = -1;

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RpcError {
    /// -32700.
    Parse(String),
    /// -32600.
    InvalidRequest(String),
    /// -32601.
    MethodNotFound,
    /// -32602.
    InvalidParams(String),
    /// -32603: also what a method refuses.
    Internal(String),
}

impl RpcError {
    /// As JSON.
    pub fn to_value(&self) -> Value {
        let (code, message, data) = match self {
            RpcError::Parse(data) => (-32700, "Parse error. Invalid JSON", data.as_str()),
            RpcError::InvalidRequest(data) => (-32600, "Invalid Request", data.as_str()),
            RpcError::MethodNotFound => (-32601, "Method not found", ""),
            RpcError::InvalidParams(data) => (-32602, "Invalid params", data.as_str()),
            RpcError::Internal(data) => (-32603, "Internal error", data.as_str()),
        };
        let mut error = json!({"code": code, "message": message});
        if !data.is_empty() {
            error["data"] = json!(data);
        }
        error
    }
}

/// One call of a POST body.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Text or number; none for a notification, which is not answered.
    pub id: Option<Value>,
    /// The method's name.
    pub method: String,
    /// By name, by position, or null.
    pub params: Value,
}

/// The calls of a POST body, and whether they came as a list.
///
/// # Errors
/// The body is not JSON-RPC.
pub fn parse(body: &[u8]) -> Result<Vec<Call>, RpcError> {
    let wrong = |error: &dyn std::fmt::Display| RpcError::Parse(format!("error unmarshaling request: {error}"));
    let value: Value = serde_json::from_slice(body).map_err(|error| wrong(&error))?;
    let calls = match value {
        Value::Array(calls) => calls,
        call => vec![call],
    };
    calls.into_iter().map(|call| parse_call(call).map_err(|reason| wrong(&reason))).collect()
}

fn parse_call(value: Value) -> Result<Call, String> {
    let Value::Object(mut fields) = value else { return Err("a request is an object".to_owned()) };
    let id = match fields.remove("id") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(Value::String(id)),
        // CometBFT: numbers lose their fraction.
        Some(Value::Number(id)) => {
            Some(id.as_i64().map(Value::from).ok_or("json-rpc ID is not an integer of 64 bits")?)
        }
        Some(_) => return Err("json-rpc ID is of unknown type".to_owned()),
    };
    let method = match fields.remove("method") {
        Some(Value::String(method)) => method,
        None | Some(Value::Null) => String::new(),
        Some(_) => return Err("method is not a text".to_owned()),
    };
    Ok(Call { id, method, params: fields.remove("params").unwrap_or(Value::Null) })
}

/// The answer to a call.
pub fn answer(id: Option<Value>, outcome: Result<Value, RpcError>) -> Value {
    let mut fields = Map::new();
    fields.insert("jsonrpc".to_owned(), json!("2.0"));
    if let Some(id) = id {
        fields.insert("id".to_owned(), id);
    }
    match outcome {
        Ok(result) => fields.insert("result".to_owned(), result),
        Err(error) => fields.insert("error".to_owned(), error.to_value()),
    };
    Value::Object(fields)
}
