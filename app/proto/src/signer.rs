//! Who has to sign a message: the field that the option `signer` of its .proto names.

use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use prost_types::Any;

use crate::schema::{MessageSchema, schema_of, schema_of_url};

/// A signer as a message names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signer {
    /// Bech32 text: an account or, in staking, a validator operator.
    Address(String),
    /// The bytes of an account.
    Account(Vec<u8>),
}

/// Why a message has no signers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// The type URL is not known.
    #[error("unknown type URL {type_url:?}")]
    UnknownTypeUrl {
        /// The type URL.
        type_url: String,
    },
    /// The type is known, but nobody signs it: it is no transaction message.
    #[error("{type_url} is not a transaction message")]
    NotSigned {
        /// The type URL.
        type_url: String,
    },
    /// The value does not decode.
    #[error("{type_url}: {source}")]
    Wire {
        /// The type URL.
        type_url: String,
        /// What the decoder says.
        source: prost::DecodeError,
    },
}

/// The field that names the signers of a message; none for what is no transaction message.
pub fn signer_field(type_url: &str) -> Option<&'static str> {
    schema_of_url(type_url)?.signer.as_deref()
}

/// The signers of a message, in its order, as often as they are named.
///
/// # Errors
/// A type that is unknown or that nobody signs, or a value that does not decode.
pub fn signers(message: &Any) -> Result<Vec<Signer>, SignerError> {
    let type_url = || message.type_url.clone();
    let schema =
        schema_of_url(&message.type_url).ok_or_else(|| SignerError::UnknownTypeUrl { type_url: type_url() })?;
    if schema.signer.is_none() {
        return Err(SignerError::NotSigned { type_url: type_url() });
    }
    let decoded = DynamicMessage::decode(schema.descriptor.clone(), message.value.as_slice());
    let decoded = decoded.map_err(|source| SignerError::Wire { type_url: type_url(), source })?;
    let mut signers = Vec::new();
    collect(schema, &decoded, &mut signers);
    Ok(signers)
}

fn collect(schema: &MessageSchema, message: &DynamicMessage, signers: &mut Vec<Signer>) {
    let Some(value) = schema.signer.as_deref().and_then(|name| message.get_field_by_name(name)) else {
        return;
    };
    match value.as_ref() {
        Value::List(elements) => elements.iter().for_each(|element| collect_value(element, signers)),
        single => collect_value(single, signers),
    }
}

fn collect_value(value: &Value, signers: &mut Vec<Signer>) {
    match value {
        Value::String(address) => signers.push(Signer::Address(address.clone())),
        Value::Bytes(account) => signers.push(Signer::Account(account.to_vec())),
        Value::Message(inner) => collect(schema_of(&inner.descriptor()), inner, signers),
        _ => {}
    }
}
