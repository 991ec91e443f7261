//! A transaction, strictly decoded.

use prost::Message;

use super::check::{NonCritical, check_at};
use super::error::StrictError;
use super::wire::{LENGTH_DELIMITED, Reader};
use crate::cosmos::tx::v1beta1::{AuthInfo, TxBody, TxRaw};
use crate::path::Path;
use crate::schema::message_schema;

/// A transaction in which everything is known.
#[derive(Debug, Clone, PartialEq)]
pub struct StrictTx {
    /// The bytes that signatures cover, and the signatures.
    pub raw: TxRaw,
    /// The decoded body.
    pub body: TxBody,
    /// The decoded signers and fee.
    pub auth_info: AuthInfo,
    /// The body has unknown fields that are non-critical. Only `SIGN_MODE_DIRECT` covers them, so a transaction that is
    /// signed in another mode must be refused.
    pub has_unknown_non_critical: bool,
}

/// Decodes a transaction and refuses whatever is unknown or not canonical in it.
///
/// # Errors
/// The first thing that is refused, with its path.
pub fn decode_tx(bytes: &[u8]) -> Result<StrictTx, StrictError> {
    check_canonical(bytes)?;
    check(bytes, "cosmos.tx.v1beta1.TxRaw", NonCritical::Reject, &Path::ROOT)?;
    let raw = decode::<TxRaw>(bytes, &Path::ROOT)?;
    if raw.encode_to_vec() != bytes {
        // Only an empty field that the wire has all the same is left here.
        return Err(StrictError::NotCanonical { path: Path::ROOT.to_string(), reason: "an empty field is written" });
    }
    let body_path = Path::ROOT.field("body");
    let has_unknown_non_critical = check(&raw.body_bytes, "cosmos.tx.v1beta1.TxBody", NonCritical::Allow, &body_path)?;
    let body = decode(&raw.body_bytes, &body_path)?;
    let auth_path = Path::ROOT.field("auth_info");
    check(&raw.auth_info_bytes, "cosmos.tx.v1beta1.AuthInfo", NonCritical::Reject, &auth_path)?;
    let auth_info = decode(&raw.auth_info_bytes, &auth_path)?;
    Ok(StrictTx { raw, body, auth_info, has_unknown_non_critical })
}

fn check(wire: &[u8], type_name: &str, non_critical: NonCritical, path: &Path<'_>) -> Result<bool, StrictError> {
    let schema = message_schema(type_name).expect("the transaction messages are part of this crate");
    check_at(schema, wire, non_critical, path)
}

fn decode<M: Message + Default>(wire: &[u8], path: &Path<'_>) -> Result<M, StrictError> {
    M::decode(wire).map_err(|source| StrictError::Decode { path: path.to_string(), source })
}

/// ADR 027 of the SDK: one transaction has one encoding, so that nobody can give it a second hash.
fn check_canonical(bytes: &[u8]) -> Result<(), StrictError> {
    const SIGNATURES: u32 = 3;
    let not_canonical = |reason| StrictError::NotCanonical { path: Path::ROOT.to_string(), reason };
    let malformed = |reason| StrictError::Malformed { path: Path::ROOT.to_string(), reason };
    let mut previous = 0;
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field().map_err(malformed)? {
        if !field.is_shortest {
            return Err(not_canonical("a varint is not in its shortest form"));
        }
        if field.wire_type != LENGTH_DELIMITED {
            return Err(not_canonical("a field is not length-delimited"));
        }
        if field.number < previous {
            return Err(not_canonical("fields are not in order"));
        }
        if field.number == previous && field.number != SIGNATURES {
            return Err(not_canonical("a field stands twice"));
        }
        previous = field.number;
    }
    Ok(())
}
