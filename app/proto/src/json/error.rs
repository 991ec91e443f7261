//! What can be wrong with a document, or with a message that should become one.

use serde_json::Value;

use crate::path::Path;

/// Why a message has no JSON, or JSON no message. Paths look like `$.body.messages[0]`.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// No message type has this name.
    #[error("unknown message type {type_name:?}")]
    UnknownMessage {
        /// The name that was asked for.
        type_name: String,
    },
    /// An `Any` names a type that is not known.
    #[error("{path}: unknown type URL {type_url:?}")]
    UnknownTypeUrl {
        /// Where the `Any` is.
        path: String,
        /// The type URL that it has.
        type_url: String,
    },
    /// An object has a key that is no field of its message.
    #[error("{path}: unknown field of {type_name}")]
    UnknownField {
        /// Where the key is.
        path: String,
        /// The message that has no such field.
        type_name: String,
    },
    /// A field is there twice, under both of its names, or two fields of one oneof are.
    #[error("{path}: the field, or another one of its oneof, is already set")]
    Duplicate {
        /// Where the second one is.
        path: String,
    },
    /// A value is not what its field takes.
    #[error("{path}: expected {expected}, found {found}")]
    Mismatch {
        /// Where the value is.
        path: String,
        /// What the field takes.
        expected: &'static str,
        /// The value, shortened.
        found: String,
    },
    /// Bytes do not decode as their message type.
    #[error("{path}: not the wire form of {type_name}: {source}")]
    Wire {
        /// Where the message is.
        path: String,
        /// The message type.
        type_name: String,
        /// What the decoder says.
        source: prost::DecodeError,
    },
    /// The wire has a value that has no text.
    #[error("{path}: the wire has a value without a text: expected {expected}")]
    NoText {
        /// Where the value is.
        path: String,
        /// What the field should hold.
        expected: &'static str,
    },
    /// Messages are nested too deeply.
    #[error("{path}: nested deeper than {depth_max} levels")]
    TooDeep {
        /// Where the bound is crossed.
        path: String,
        /// The bound.
        depth_max: usize,
    },
    /// A document is too long.
    #[error("a document of {bytes} bytes where {bytes_max} are allowed")]
    TooLarge {
        /// The length.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// A text is no JSON.
    #[error("not JSON: {0}")]
    Syntax(#[from] serde_json::Error),
}

impl JsonError {
    pub(crate) fn mismatch(path: &Path<'_>, expected: &'static str, found: &Value) -> Self {
        Self::Mismatch { path: path.to_string(), expected, found: shorten(found) }
    }

    pub(crate) fn wire(path: &Path<'_>, type_name: &str, source: prost::DecodeError) -> Self {
        Self::Wire { path: path.to_string(), type_name: type_name.to_string(), source }
    }
}

/// Enough of a value to recognize it in an error.
fn shorten(value: &Value) -> String {
    const CHARS_MAX: usize = 60;
    match value {
        Value::Array(elements) => format!("a list of {}", elements.len()),
        Value::Object(members) => format!("an object of {}", members.len()),
        scalar => {
            let text = scalar.to_string();
            match text.char_indices().nth(CHARS_MAX) {
                Some((cut, _)) => format!("{}…", &text[..cut]),
                None => text,
            }
        }
    }
}
