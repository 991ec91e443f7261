//! What a signature covers. Source: SDK `SIGN_MODE_DIRECT` and `SIGN_MODE_LEGACY_AMINO_JSON` handlers.

use prost::{Message, encoding};
use swing_proto::{
    amino::{self, SignerData},
    cosmos::{
        crypto::secp256k1::PubKey,
        tx::{
            signing::v1beta1::SignMode,
            v1beta1::{Fee, SignerInfo, mode_info::Sum},
        },
    },
};

use super::Tx;
use crate::{
    error::Rejected,
    modules::auth::{keeper as auth, state::SECP256K1_KEY_LEN},
    ports::signatures::SignatureVerifier,
    sdk_error::SdkError,
    state::{StateError, StateRead},
};

/// Bytes of a signature: r ‖ s.
pub const SIGNATURE_LEN: usize = 64;

/// How one signer signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureForm {
    /// Over the transaction's own bytes.
    Direct,
    /// Over canonical JSON.
    AminoJson,
}

impl SignatureForm {
    /// The form that a signer names.
    ///
    /// # Errors
    /// SDK 4 for a multisignature or a mode that this chain does not take.
    pub fn of(signer: &SignerInfo) -> Result<Self, Rejected> {
        let sum = signer.mode_info.as_ref().and_then(|info| info.sum.as_ref());
        let refuse = |reason: String| SdkError::Unauthorized.wrap(reason);
        match sum {
            Some(Sum::Single(single)) => match SignMode::try_from(single.mode) {
                Ok(SignMode::Direct) => Ok(SignatureForm::Direct),
                Ok(SignMode::LegacyAminoJson) => Ok(SignatureForm::AminoJson),
                Ok(other) => Err(refuse(format!("unsupported sign mode {}", other.as_str_name()))),
                Err(_) => Err(refuse(format!("unknown sign mode {}", single.mode))),
            },
            Some(Sum::Multi(_)) => Err(refuse("multisignature accounts are not supported".into())),
            None => Err(refuse("signer without mode_info: expected a single signature's mode".into())),
        }
    }
}

/// One signature to check: pure data, so that it can be checked anywhere and remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureCheck {
    /// The compressed key.
    pub public_key: [u8; SECP256K1_KEY_LEN],
    /// The message, not yet hashed.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

impl SignatureCheck {
    /// Whether the signature is the key's over the message.
    pub fn verify(&self, verifier: &dyn SignatureVerifier) -> bool {
        self.signature.len() == SIGNATURE_LEN
            && verifier.verify_secp256k1(&self.public_key, &self.message, &self.signature)
    }
}

/// The key that a signer brings along, if it brings one.
///
/// # Errors
/// SDK 8 for a key that is not secp256k1 or has another length.
pub fn public_key(signer: &SignerInfo) -> Result<Option<[u8; SECP256K1_KEY_LEN]>, Rejected> {
    let Some(any) = &signer.public_key else { return Ok(None) };
    if any.type_url != "/cosmos.crypto.secp256k1.PubKey" {
        return Err(SdkError::InvalidPubKey.wrap(format!("{} public keys are unsupported", any.type_url)));
    }
    let key = PubKey::decode(any.value.as_slice()).map_err(|error| SdkError::InvalidPubKey.wrap(error))?.key;
    let length = key.len();
    key.try_into()
        .map(Some)
        .map_err(|_| SdkError::InvalidPubKey.wrap(format!("a key of {length} bytes, expected {SECP256K1_KEY_LEN}")))
}

/// The bytes that a signer with this account number and sequence signs.
///
/// # Errors
/// SDK 4 for a form that cannot cover this transaction.
pub fn sign_bytes(
    tx: &Tx,
    form: SignatureForm,
    chain_id: &str,
    account_number: u64,
    sequence: u64,
) -> Result<Vec<u8>, Rejected> {
    match form {
        SignatureForm::Direct => Ok(direct(&tx.body_bytes, &tx.auth_info_bytes, chain_id, account_number)),
        SignatureForm::AminoJson if tx.has_unknown_non_critical => {
            Err(SdkError::Unauthorized.wrap("SIGN_MODE_LEGACY_AMINO_JSON does not cover unknown fields"))
        }
        SignatureForm::AminoJson => {
            let none = Fee::default();
            let signer = SignerData { chain_id, account_number, sequence };
            amino::sign_bytes(&signer, &tx.body, tx.fee().unwrap_or(&none))
                .map_err(|error| SdkError::Unauthorized.wrap(error))
        }
    }
}

/// `cosmos.tx.v1beta1.SignDoc`, encoded without copying body and signers into a message first.
fn direct(body: &[u8], auth_info: &[u8], chain_id: &str, account_number: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + auth_info.len() + chain_id.len() + 32);
    for (tag, field) in [(1, body), (2, auth_info), (3, chain_id.as_bytes())] {
        if !field.is_empty() {
            encoding::encode_key(tag, encoding::WireType::LengthDelimited, &mut bytes);
            encoding::encode_varint(field.len() as u64, &mut bytes);
            bytes.extend_from_slice(field);
        }
    }
    if account_number != 0 {
        encoding::encode_key(4, encoding::WireType::Varint, &mut bytes);
        encoding::encode_varint(account_number, &mut bytes);
    }
    bytes
}

/// The signature checks that a transaction will ask for, as far as committed state can tell: for a node that checks a block's
/// signatures on several cores before it executes the block, and remembers the answers. What it leaves out, execution checks
/// itself; what it gives too much is never asked for.
///
/// # Errors
/// Storage.
pub fn signature_checks(state: &dyn StateRead, chain_id: &str, tx: &Tx) -> Result<Vec<SignatureCheck>, StateError> {
    let Ok(signers) = tx.signers() else { return Ok(Vec::new()) };
    let mut checks = Vec::with_capacity(signers.len());
    for (place, ((signer, info), signature)) in
        signers.iter().zip(&tx.auth_info.signer_infos).zip(&tx.signatures).enumerate()
    {
        let Some(account) = auth::account(state, &signer.address)? else { continue };
        let brought = || tx.signer_key(place).ok().flatten().map(|key| key.bytes);
        let Some(public_key) = account.public_key.or_else(brought) else { continue };
        let Ok(form) = SignatureForm::of(info) else { continue };
        let Ok(message) = sign_bytes(tx, form, chain_id, account.number, info.sequence) else { continue };
        checks.push(SignatureCheck { public_key, message, signature: signature.clone() });
    }
    Ok(checks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use swing_proto::cosmos::tx::v1beta1::SignDoc;

    #[test]
    fn direct_sign_bytes_are_the_encoded_sign_doc() {
        let (mut body_bytes, auth_info_bytes) = (vec![1; 300], vec![2; 5]);
        for (chain_id, account_number) in [("chain-1", 7), ("", 0), ("c", u64::MAX)] {
            let signed = direct(&body_bytes, &auth_info_bytes, chain_id, account_number);
            let document = SignDoc {
                body_bytes: body_bytes.clone(),
                auth_info_bytes: auth_info_bytes.clone(),
                chain_id: chain_id.into(),
                account_number,
            };
            assert_eq!(signed, document.encode_to_vec());
            body_bytes.clear();
        }
    }
}
