//! `google.protobuf.Any` with typed errors.

use prost::{Message, Name};
use prost_types::Any;

/// Why an `Any` is not the message that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnyError {
    /// The `Any` holds another type.
    #[error("expected {expected}, found {found:?}")]
    WrongType {
        /// The type URL that was asked for.
        expected: String,
        /// The type URL that the `Any` has.
        found: String,
    },
    /// The value does not decode as the type that the URL names.
    #[error("{type_url}: {source}")]
    Decode {
        /// The type URL of the `Any`.
        type_url: String,
        /// What the decoder says.
        source: prost::DecodeError,
    },
}

/// The type URL of a message type: a slash and its full name.
pub fn type_url<M: Name>() -> String {
    format!("/{}", M::full_name())
}

/// The full name in a type URL; none unless it is a slash and one name, the only form that the SDK takes.
pub fn type_name_of_url(type_url: &str) -> Option<&str> {
    type_url.strip_prefix('/').filter(|name| !name.is_empty() && !name.contains('/'))
}

/// Packs a message with its type URL.
pub fn pack<M: Message + Name>(message: &M) -> Any {
    Any { type_url: type_url::<M>(), value: message.encode_to_vec() }
}

/// Unpacks a message when the type URL is exactly its own.
///
/// # Errors
/// Another type URL, or a value that does not decode.
pub fn unpack<M: Message + Name + Default>(any: &Any) -> Result<M, AnyError> {
    let expected = type_url::<M>();
    if any.type_url != expected {
        return Err(AnyError::WrongType { expected, found: any.type_url.clone() });
    }
    M::decode(any.value.as_slice()).map_err(|source| AnyError::Decode { type_url: expected, source })
}
