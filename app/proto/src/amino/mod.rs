//! `SIGN_MODE_LEGACY_AMINO_JSON`: the JSON that hardware wallets sign, byte for byte as the SDK writes it.
//!
//! # Invariants
//!
//! - Keys are sorted, there is no white space, and `<`, `>`, `&` are escaped: what Go's encoder does.
//!   (`amino::strings_are_escaped_as_go_escapes_them`)
//! - Empty fields are left out unless their .proto says `amino_keep_empty`.
//! - A message without an amino name cannot be signed in this mode; it is an error, not an object without a name.

mod encode;
mod error;
mod escape;

use prost_types::Any;

pub use error::AminoError;

use crate::cosmos::tx::v1beta1::{Fee, TxBody};
use crate::path::Path;
use crate::text::time;

/// What the signature covers beside the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignerData<'a> {
    /// The chain that the signature is for.
    pub chain_id: &'a str,
    /// The signer's account number.
    pub account_number: u64,
    /// The sequence that the signer signs with.
    pub sequence: u64,
}

/// The amino name of a message type, such as `cosmos-sdk/MsgSend`.
pub fn amino_name(type_url: &str) -> Option<&'static str> {
    crate::schema::schema_of_url(type_url)?.amino_name.as_deref()
}

/// The amino JSON of a message: its name as `type`, its fields as `value`.
///
/// # Errors
/// A type that is unknown or has no amino name, or a value that amino JSON cannot write.
pub fn message_json(message: &Any) -> Result<String, AminoError> {
    encode::any(&message.type_url, &message.value, &Path::ROOT)
}

/// The bytes that a signer signs.
///
/// # Errors
/// Extension options, which this mode does not cover, and whatever [`message_json`] refuses.
pub fn sign_bytes(signer: &SignerData<'_>, body: &TxBody, fee: &Fee) -> Result<Vec<u8>, AminoError> {
    if !body.extension_options.is_empty() || !body.non_critical_extension_options.is_empty() {
        return Err(AminoError::ExtensionOptions);
    }
    let messages = body.messages.iter().enumerate().map(|(index, message)| {
        let path = Path::ROOT.field("messages");
        encode::any(&message.type_url, &message.value, &path.index(index))
    });
    let messages: Vec<String> = messages.collect::<Result<_, _>>()?;
    let mut document = encode::Object::default();
    document.insert("account_number", quoted_number(signer.account_number));
    document.insert("chain_id", escape::quote(signer.chain_id));
    document.insert("fee", fee_json(fee));
    document.insert("memo", escape::quote(&body.memo));
    document.insert("msgs", format!("[{}]", messages.join(",")));
    document.insert("sequence", quoted_number(signer.sequence));
    if body.timeout_height != 0 {
        document.insert("timeout_height", quoted_number(body.timeout_height));
    }
    if let Some(timeout) = &body.timeout_timestamp {
        let path = Path::ROOT.field("timeout_timestamp");
        let text = time::format(timeout.seconds, timeout.nanos, time::Fraction::Shortest);
        document.insert("timeout_timestamp", escape::quote(&text.map_err(|error| AminoError::no_text(&path, error))?));
    }
    if body.unordered {
        document.insert("unordered", "true".to_string());
    }
    Ok(document.into_json().into_bytes())
}

fn fee_json(fee: &Fee) -> String {
    let coins: Vec<String> = fee.amount.iter().map(coin_json).collect();
    let mut object = encode::Object::default();
    object.insert("amount", format!("[{}]", coins.join(",")));
    object.insert("gas", quoted_number(fee.gas_limit));
    for (name, address) in [("granter", &fee.granter), ("payer", &fee.payer)] {
        if !address.is_empty() {
            object.insert(name, escape::quote(address));
        }
    }
    object.into_json()
}

fn coin_json(coin: &crate::cosmos::base::v1beta1::Coin) -> String {
    let mut object = encode::Object::default();
    for (name, text) in [("amount", &coin.amount), ("denom", &coin.denom)] {
        if !text.is_empty() {
            object.insert(name, escape::quote(text));
        }
    }
    object.into_json()
}

fn quoted_number(number: u64) -> String {
    format!("\"{number}\"")
}
