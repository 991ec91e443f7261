//! A call's arguments: JSON by name or position, or query parameters, both as CometBFT reads them. Source: CometBFT's
//! `rpc/jsonrpc/server/http_uri_handler.go` and `http_json_handler.go`.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;

use super::envelope::RpcError;
use crate::percent;

/// One argument.
#[derive(Clone, Debug, PartialEq)]
enum Arg {
    Json(Value),
    Uri(String),
}

/// A call's arguments by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    values: BTreeMap<String, Arg>,
}

impl Args {
    /// From a POST body's `params`; `names` are the method's parameters in order.
    ///
    /// # Errors
    /// Neither an object nor a list of the right length.
    pub fn from_json(params: Value, names: &[&str]) -> Result<Self, RpcError> {
        let wrong =
            |reason: String| RpcError::InvalidParams(format!("error converting json params to arguments: {reason}"));
        let values = match params {
            Value::Null => BTreeMap::new(),
            Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, Arg::Json(value))).collect(),
            Value::Array(values) if values.len() == names.len() => {
                names.iter().map(|name| (*name).to_owned()).zip(values.into_iter().map(Arg::Json)).collect()
            }
            Value::Array(values) => {
                return Err(wrong(format!("expected {} parameters ({names:?}), got {}", names.len(), values.len())));
            }
            _ => return Err(wrong("unknown type for JSON params: expected map or array".to_owned())),
        };
        Ok(Args { values })
    }

    /// From a URI's query, without its `?`. Of a parameter that comes twice the first counts.
    ///
    /// # Errors
    /// An escape that is none, or text that is not UTF-8.
    pub fn from_query(query: &str) -> Result<Self, RpcError> {
        let mut values = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (unescape(name)?, unescape(value)?);
            // CometBFT: an empty parameter is one that is not there.
            if !value.is_empty() {
                values.entry(name).or_insert(Arg::Uri(value));
            }
        }
        Ok(Args { values })
    }

    /// A 64-bit number, written as one or as text.
    pub fn int(&self, name: &str) -> Result<Option<i64>, RpcError> {
        let parsed = match self.values.get(name) {
            None | Some(Arg::Json(Value::Null)) => return Ok(None),
            Some(Arg::Json(value)) => json_int(value),
            Some(Arg::Uri(text)) => text.parse().ok().or_else(|| json_int(&serde_json::from_str(text).ok()?)),
        };
        parsed.map(Some).ok_or_else(|| self.wrong(name, "an integer"))
    }

    /// A text; empty where there is none. By GET in quotes, or as hex with `0x`.
    pub fn text(&self, name: &str) -> Result<String, RpcError> {
        match self.values.get(name) {
            None | Some(Arg::Json(Value::Null)) => Ok(String::new()),
            Some(Arg::Json(Value::String(text))) => Ok(text.clone()),
            Some(Arg::Uri(text)) => match hex_prefixed(text) {
                Some(bytes) => bytes.and_then(|bytes| String::from_utf8(bytes).ok()),
                None => serde_json::from_str(text).ok(),
            }
            .ok_or_else(|| self.wrong(name, "a text in quotes")),
            Some(Arg::Json(_)) => Err(self.wrong(name, "a text")),
        }
    }

    /// Bytes: base64 in JSON; by GET hex with `0x`, or text in quotes for its own bytes.
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>, RpcError> {
        self.bytes_from(name, |text| BASE64.decode(text).ok(), "base64")
    }

    /// Bytes that are hex in JSON.
    pub fn hex_bytes(&self, name: &str) -> Result<Vec<u8>, RpcError> {
        self.bytes_from(name, |text| hex::decode(text).ok(), "hex")
    }

    fn bytes_from(
        &self,
        name: &str,
        decode: impl FnOnce(&str) -> Option<Vec<u8>>,
        encoding: &str,
    ) -> Result<Vec<u8>, RpcError> {
        match self.values.get(name) {
            None | Some(Arg::Json(Value::Null)) => Ok(Vec::new()),
            Some(Arg::Json(Value::String(text))) => decode(text).ok_or_else(|| self.wrong(name, encoding)),
            Some(Arg::Uri(text)) => match hex_prefixed(text) {
                Some(bytes) => bytes,
                None => serde_json::from_str::<String>(text).ok().map(String::into_bytes),
            }
            .ok_or_else(|| self.wrong(name, "hex with 0x, or a text in quotes")),
            Some(Arg::Json(_)) => Err(self.wrong(name, encoding)),
        }
    }

    /// A truth value; false where there is none.
    pub fn flag(&self, name: &str) -> Result<bool, RpcError> {
        match self.values.get(name) {
            None | Some(Arg::Json(Value::Null)) => Ok(false),
            Some(Arg::Json(Value::Bool(flag))) => Ok(*flag),
            Some(Arg::Uri(text)) => text.parse().map_err(|_| self.wrong(name, "true or false")),
            Some(Arg::Json(_)) => Err(self.wrong(name, "true or false")),
        }
    }

    fn wrong(&self, name: &str, expected: &str) -> RpcError {
        let source = match self.values.get(name) {
            Some(Arg::Uri(_)) => "http",
            _ => "json",
        };
        RpcError::InvalidParams(format!("error converting {source} params to arguments: {name}: expected {expected}"))
    }
}

fn json_int(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// The bytes of `0x…`: none where the text does not begin so, none inside where it is not hex.
#[allow(clippy::option_option, reason = "not hex, and wrong hex, are two things")]
fn hex_prefixed(text: &str) -> Option<Option<Vec<u8>>> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    Some(hex::decode(digits).ok())
}

fn unescape(text: &str) -> Result<String, RpcError> {
    percent::decode(text, true).ok_or_else(|| {
        RpcError::InvalidParams("error converting http params to arguments: invalid URL escape".to_owned())
    })
}
