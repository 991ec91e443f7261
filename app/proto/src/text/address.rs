//! Account addresses in bech32.

use bech32::{Bech32, Hrp};

use super::TextError;

/// The human-readable part of account addresses.
pub const ACCOUNT_PREFIX: &str = "swing";

const EXPECTED: TextError = TextError("a bech32 address with the prefix \"swing\"");
/// The SDK's bound on the bytes of any address.
const ADDRESS_BYTES_MAX: usize = 255;

/// The bech32 text of account bytes; empty bytes have an empty text, as in the SDK.
pub(crate) fn account_to_text(address: &[u8]) -> Result<String, TextError> {
    if address.is_empty() {
        return Ok(String::new());
    }
    if address.len() > ADDRESS_BYTES_MAX {
        return Err(TextError("an address of at most 255 bytes"));
    }
    let prefix = Hrp::parse(ACCOUNT_PREFIX).map_err(|_| EXPECTED)?;
    bech32::encode::<Bech32>(prefix, address).map_err(|_| EXPECTED)
}

/// The account bytes of a bech32 text.
pub(crate) fn account_from_text(text: &str) -> Result<Vec<u8>, TextError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let checked = bech32::primitives::decode::CheckedHrpstring::new::<Bech32>(text).map_err(|_| EXPECTED)?;
    if checked.hrp().to_lowercase() != ACCOUNT_PREFIX {
        return Err(EXPECTED);
    }
    Ok(checked.byte_iter().collect())
}
