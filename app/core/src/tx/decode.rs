//! From bytes to a transaction in which everything is known. Source: SDK tx decoder, ADR 027.

use swing_proto::{
    cosmos::tx::v1beta1::{AuthInfo, Fee, TxBody},
    google::protobuf::Any,
    strict::{self, StrictError},
};

use crate::{address::Address, error::Rejected, router, sdk_error::SdkError};

/// The largest transaction that is looked at; the block's own limit may be lower.
pub const TX_BYTES_MAX: usize = 4 << 20;
/// Signers of one transaction that are looked at; the parameter `tx_sig_limit` is far lower.
const SIGNERS_MAX: usize = 64;

/// A decoded transaction.
#[derive(Clone, Debug)]
pub struct Tx {
    /// Messages, memo, timeouts.
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
    pub fn signers(&self) -> Result<Vec<Address>, Rejected> {
        let mut signers = Vec::with_capacity(1);
        for message in self.messages() {
            for signer in router::signers(message)? {
                push_new(&mut signers, signer)?;
            }
        }
        if let Some(payer) = self.named_payer()? {
            push_new(&mut signers, payer)?;
        }
        Ok(signers)
    }

    /// The payer that the fee names, if it names one.
    ///
    /// # Errors
    /// SDK 7 for what is no address.
    pub fn named_payer(&self) -> Result<Option<Address>, Rejected> {
        match self.fee() {
            Some(fee) if !fee.payer.is_empty() => Address::parse(&fee.payer)
                .map(Some)
                .map_err(|error| SdkError::InvalidAddress.wrap(format!("invalid fee payer address ({error})"))),
            _ => Ok(None),
        }
    }
}

fn push_new(signers: &mut Vec<Address>, signer: Address) -> Result<(), Rejected> {
    if !signers.contains(&signer) {
        if signers.len() == SIGNERS_MAX {
            return Err(SdkError::TooManySignatures.wrap(format!("more than {SIGNERS_MAX} signers")));
        }
        signers.push(signer);
    }
    Ok(())
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
