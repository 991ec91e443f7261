//! Signing transactions. Source: the SDK's SIGN_MODE_DIRECT and SIGN_MODE_LEGACY_AMINO_JSON.

use swing_proto::{
    Message, amino,
    cosmos::{
        crypto::secp256k1::PubKey,
        tx::{
            signing::v1beta1::SignMode as ProtoSignMode,
            v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw, mode_info},
        },
    },
    google::protobuf::Any,
    pack,
};

use super::ClientError;
use crate::keyring::SecretKey;

/// What is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignMode {
    /// The encoded body and auth info.
    #[default]
    Direct,
    /// Amino JSON, as hardware wallets show it.
    AminoJson,
}

impl SignMode {
    fn proto(self) -> ProtoSignMode {
        match self {
            SignMode::Direct => ProtoSignMode::Direct,
            SignMode::AminoJson => ProtoSignMode::LegacyAminoJson,
        }
    }
}

/// What binds a signature to one place on one chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignerData {
    /// The chain's ID.
    pub chain_id: String,
    /// The signer's account number.
    pub account_number: u64,
    /// The signer's next sequence.
    pub sequence: u64,
}

/// The auth info of a transaction with one signer.
#[must_use]
pub fn auth_info(public_key: &[u8; 33], sequence: u64, mode: SignMode, fee: &Fee) -> AuthInfo {
    let single = mode_info::Single { mode: mode.proto().into() };
    AuthInfo {
        signer_infos: vec![SignerInfo {
            public_key: Some(public_key_any(public_key)),
            mode_info: Some(ModeInfo { sum: Some(mode_info::Sum::Single(single)) }),
            sequence,
        }],
        fee: Some(fee.clone()),
        ..AuthInfo::default()
    }
}

/// The public key as an account holds it.
#[must_use]
pub fn public_key_any(public_key: &[u8; 33]) -> Any {
    pack(&PubKey { key: public_key.to_vec() })
}

/// Signs a body with one key.
///
/// # Errors
/// A message that has no amino form, for [`SignMode::AminoJson`].
pub fn sign(
    body: &TxBody,
    fee: &Fee,
    signer: &SignerData,
    mode: SignMode,
    key: &SecretKey,
) -> Result<TxRaw, ClientError> {
    let auth_info = auth_info(&key.public_key(), signer.sequence, mode, fee);
    let body_bytes = body.encode_to_vec();
    let auth_info_bytes = auth_info.encode_to_vec();
    let sign_bytes = match mode {
        SignMode::Direct => SignDoc {
            body_bytes: body_bytes.clone(),
            auth_info_bytes: auth_info_bytes.clone(),
            chain_id: signer.chain_id.clone(),
            account_number: signer.account_number,
        }
        .encode_to_vec(),
        SignMode::AminoJson => {
            let signer = amino::SignerData {
                chain_id: &signer.chain_id,
                account_number: signer.account_number,
                sequence: signer.sequence,
            };
            amino::sign_bytes(&signer, body, fee).map_err(|error| ClientError::Input(format!("amino JSON: {error}")))?
        }
    };
    Ok(TxRaw { body_bytes, auth_info_bytes, signatures: vec![key.sign(&sign_bytes).to_vec()] })
}
