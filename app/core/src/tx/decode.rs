//! From bytes to a transaction in which everything is known. Source: SDK tx decoder, ADR 027.

use swing_proto::{
    cosmos::tx::v1beta1::{AuthInfo, Fee, TxBody},
    google::protobuf::Any,
    strict::{self, StrictError},
};

use super::reading::{OfferedFee, ReadMessage, Reading, Senders, SignerKey, named_payer};
use crate::{
    address::{Address, Party},
    error::Rejected,
    sdk_error::SdkError,
};

/// The largest transaction that is looked at; the block's own limit may be lower.
pub const TX_BYTES_MAX: usize = 4 << 20;

/// A decoded transaction.
#[derive(Clone, Debug)]
pub struct Tx {
    /// Messages, memo, timeouts. What was read of them is kept beside: nothing of a decoded transaction is changed.
    pub body: TxBody,
    /// Who signs how, and the fee.
    pub auth_info: AuthInfo,
    /// The signatures, one a signer.
    pub signatures: Vec<Vec<u8>>,
    /// The body as it was signed.
    pub body_bytes: Vec<u8>,
    /// The signers and fee as they were signed.
    pub auth_info_bytes: Vec<u8>,
    /// The body has unknown fields that are not critical: only `SIGN_MODE_DIRECT` covers these.
    pub has_unknown_non_critical: bool,
    /// Bytes of the whole.
    pub size: usize,
    /// What follows from the parts above.
    reading: Reading,
}

impl Tx {
    /// Decodes a transaction.
    ///
    /// # Errors
    /// SDK 2 (tx parse error) for what does not decode or is not known, SDK 21 for one that is too large.
    pub fn decode(bytes: &[u8]) -> Result<Self, Rejected> {
        if bytes.len() > TX_BYTES_MAX {
            let reason = format!("{} bytes are more than the {TX_BYTES_MAX} that a transaction may have", bytes.len());
            return Err(SdkError::TxTooLarge.wrap(reason));
        }
        let tx = strict::decode_tx(bytes).map_err(|error| SdkError::TxDecode.wrap(sdk_words(&error)))?;
        Ok(Tx {
            reading: Reading::of(&tx.body, &tx.auth_info),
            body: tx.body,
            auth_info: tx.auth_info,
            signatures: tx.raw.signatures,
            body_bytes: tx.raw.body_bytes,
            auth_info_bytes: tx.raw.auth_info_bytes,
            has_unknown_non_critical: tx.has_unknown_non_critical,
            size: bytes.len(),
        })
    }

    /// The messages.
    pub fn messages(&self) -> &[Any] {
        &self.body.messages
    }

    /// The fee; absent on the wire counts as none.
    pub fn fee(&self) -> Option<&Fee> {
        self.auth_info.fee.as_ref()
    }

    /// The gas that the transaction may use.
    pub fn gas_limit(&self) -> u64 {
        self.fee().map_or(0, |fee| fee.gas_limit)
    }

    /// Who must sign: the signers of all messages in order, each once, then a fee payer who is not among them.
    ///
    /// # Errors
    /// A message that names no valid signer, a payer that is no address.
    pub fn signers(&self) -> Result<&[Party], Rejected> {
        Ok(&self.senders()?.signers)
    }

    /// What each message says.
    ///
    /// # Errors
    /// As [`Tx::signers`].
    pub fn read_messages(&self) -> Result<&[ReadMessage], Rejected> {
        Ok(&self.senders()?.messages)
    }

    /// The first signer of a message; none when nobody signs it.
    pub fn sender(&self, message: &ReadMessage) -> Option<&Party> {
        message.sender.and_then(|place| self.signers().ok()?.get(place))
    }

    fn senders(&self) -> Result<&Senders, Rejected> {
        self.reading.senders.as_ref().map_err(Clone::clone)
    }

    /// The key that the signer at this place brings along, if it brings one.
    ///
    /// # Errors
    /// SDK 8 for a key that is not secp256k1 or has another length.
    pub fn signer_key(&self, place: usize) -> Result<Option<SignerKey>, Rejected> {
        self.reading.keys.get(place).cloned().unwrap_or(Ok(None))
    }

    /// The fee that is offered, checked.
    ///
    /// # Errors
    /// SDK 13 for what is no amount.
    pub fn offered_fee(&self) -> Result<&OfferedFee, Rejected> {
        self.reading.fee.as_ref().map_err(Clone::clone)
    }

    /// The payer that the fee names, if it names one.
    ///
    /// # Errors
    /// SDK 7 for what is no address.
    pub fn named_payer(&self) -> Result<Option<Address>, Rejected> {
        named_payer(&self.auth_info)
    }
}

/// The decoder's reason, in the SDK's words where a client may know them. The registered words stand twice, since the SDK wraps
/// twice.
fn sdk_words(error: &StrictError) -> String {
    let words = match error {
        // The Go runtime puts a no-break space after its name.
        StrictError::Malformed { path, reason } if path == "$" => match *reason {
            "a tag has no valid field number" => "invalid length; proto:\u{a0}invalid field number".to_owned(),
            "a value ends before its length" => "invalid length; unexpected EOF".to_owned(),
            reason => format!("invalid length; {reason}"),
        },
        StrictError::UnknownTypeUrl { type_url, .. } => format!("unable to resolve type URL {type_url}"),
        other => other.to_string(),
    };
    format!("{words}: {}", SdkError::TxDecode.words())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(bytes: &[u8], code: u32, log: &str) {
        let refused = Tx::decode(bytes).unwrap_err();
        assert_eq!((refused.codespace, refused.code, refused.log.as_str()), ("sdk", code, log));
    }

    #[test]
    fn bytes_that_are_no_transaction_are_refused_in_the_sdks_words() {
        check_refused(&[0], 2, "invalid length; proto:\u{a0}invalid field number: tx parse error: tx parse error");
        check_refused(&[0x0a, 0x05, 1], 2, "invalid length; unexpected EOF: tx parse error: tx parse error");
    }

    #[test]
    fn a_transaction_beyond_the_cap_is_refused_unread() {
        let refused = Tx::decode(&vec![0; TX_BYTES_MAX + 1]).unwrap_err();
        assert_eq!(refused.code, 21);
    }
}
