//! Proto3 JSON as the Cosmos SDK prints and reads it: field names of the .proto files in their order, empty fields
//! there too (`null`, `[]`, `"0"`), 64-bit integers as text, an `Any` as its message with `@type`.
//!
//! # Invariants
//!
//! - What is printed can be read, and prints the same again.
//!   (`every_message::every_filled_message_reads_back_from_what_it_prints`)
//! - A key that is no field is an error with its path, never skipped.
//! - Depth and length are bounded before anything is built.

mod decode;
mod encode;
mod error;
mod uri;

use prost::{Message, Name};
use prost_types::Any;
use serde_json::Value;

pub use error::JsonError;
pub use uri::uri_to_wire;

use crate::path::Path;
use crate::schema::{MessageSchema, message_schema};

/// How deep objects and lists may be nested, on the way in and out.
pub const DEPTH_MAX: usize = 120;
/// The longest document that [`parse`] takes for a request; a genesis is read with its own bound.
pub const REQUEST_BYTES_MAX: usize = 8 << 20;

/// The JSON of a message.
///
/// # Errors
/// An `Any` of an unknown type, a value that has no text, or nesting beyond [`DEPTH_MAX`].
pub fn to_json<M: Message + Name>(message: &M) -> Result<Value, JsonError> {
    wire_to_json(&M::full_name(), &message.encode_to_vec())
}

/// The JSON of an encoded message of the named type, such as `cosmos.bank.v1beta1.MsgSend`.
///
/// # Errors
/// As [`to_json`], and an unknown type name or bytes that are no such message.
pub fn wire_to_json(type_name: &str, wire: &[u8]) -> Result<Value, JsonError> {
    encode::wire(known(type_name)?, wire, &Path::ROOT)
}

/// The JSON of an `Any`: the fields of its message, with `@type` first.
///
/// # Errors
/// As [`wire_to_json`].
pub fn any_to_json(any: &Any) -> Result<Value, JsonError> {
    encode::any(&any.type_url, &any.value, &Path::ROOT)
}

/// The message in a JSON value.
///
/// # Errors
/// Whatever keeps the value from being such a message, with its path.
pub fn from_json<M: Message + Name + Default>(value: &Value) -> Result<M, JsonError> {
    let type_name = M::full_name();
    let wire = json_to_wire(&type_name, value)?;
    M::decode(wire.as_slice()).map_err(|source| JsonError::wire(&Path::ROOT, &type_name, source))
}

/// The encoded message of the named type in a JSON value.
///
/// # Errors
/// As [`from_json`], and an unknown type name.
pub fn json_to_wire(type_name: &str, value: &Value) -> Result<Vec<u8>, JsonError> {
    Ok(decode::message(known(type_name)?, value, &Path::ROOT)?.encode_to_vec())
}

/// The `Any` in a JSON object with `@type`.
///
/// # Errors
/// As [`from_json`], and an unknown or missing `@type`.
pub fn json_to_any(value: &Value) -> Result<Any, JsonError> {
    let (type_url, value) = decode::any(value, &Path::ROOT)?;
    Ok(Any { type_url, value })
}

/// Parses a document no longer than `bytes_max`.
///
/// # Errors
/// A longer text, or one that is no JSON or nested too deeply.
pub fn parse(text: &[u8], bytes_max: usize) -> Result<Value, JsonError> {
    if text.len() > bytes_max {
        return Err(JsonError::TooLarge { bytes: text.len(), bytes_max });
    }
    Ok(serde_json::from_slice(text)?)
}

fn known(type_name: &str) -> Result<&'static MessageSchema, JsonError> {
    message_schema(type_name).ok_or_else(|| JsonError::UnknownMessage { type_name: type_name.to_string() })
}

fn check_depth(path: &Path<'_>) -> Result<(), JsonError> {
    if path.depth() > DEPTH_MAX {
        return Err(JsonError::TooDeep { path: path.to_string(), depth_max: DEPTH_MAX });
    }
    Ok(())
}
