//! What strict decoding refuses.

/// Why bytes were refused. Paths look like `$.body.messages[0].amount`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrictError {
    /// No message type has this name.
    #[error("unknown message type {type_name:?}")]
    UnknownMessage {
        /// The name that was asked for.
        type_name: String,
    },
    /// A field that the message does not have.
    #[error("{path}: {type_name} has no field {number} (wire type {wire_type})")]
    UnknownField {
        /// Where the message is.
        path: String,
        /// The message type.
        type_name: String,
        /// The number of the field.
        number: u32,
        /// Its wire type.
        wire_type: u8,
    },
    /// A field with the wire type of another kind.
    #[error("{path}: wire type {wire_type} does not fit the field")]
    WireType {
        /// Where the field is.
        path: String,
        /// The wire type that it has.
        wire_type: u8,
    },
    /// Bytes that are no protobuf: a truncated value, a bad tag, a varint that is too long.
    #[error("{path}: {reason}")]
    Malformed {
        /// Where they are.
        path: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// An `Any` of a type that is not known.
    #[error("{path}: unknown type URL {type_url:?}")]
    UnknownTypeUrl {
        /// Where the `Any` is.
        path: String,
        /// Its type URL.
        type_url: String,
    },
    /// A number kept as text that is no number.
    #[error("{path}: expected {expected}")]
    NoNumber {
        /// Where the text is.
        path: String,
        /// What the field takes.
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
    /// The outermost message is not in its one encoding.
    #[error("{path}: not the canonical encoding: {reason}")]
    NotCanonical {
        /// Where it departs.
        path: String,
        /// How.
        reason: &'static str,
    },
    /// A part of the transaction does not decode although its fields are known.
    #[error("{path}: {source}")]
    Decode {
        /// The part.
        path: String,
        /// What the decoder says.
        source: prost::DecodeError,
    },
}
