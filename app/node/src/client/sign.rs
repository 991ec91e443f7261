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
    pack, unpack,
};

use super::ClientError;
use crate::keyring::{
    SecretKey,
    secret::{check_public_key, verify as verify_signature},
};

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
    let sign_bytes = sign_bytes(&body_bytes, &auth_info_bytes, body, fee, signer, mode)?;
    Ok(TxRaw { body_bytes, auth_info_bytes, signatures: vec![key.sign(&sign_bytes).to_vec()] })
}

/// Checks the signature of a transaction with one signer; gives the signer's public key.
///
/// # Errors
/// Another number of signers, another key or mode, or a signature that is not over this transaction and this signer data.
pub fn verify(tx: &TxRaw, signer: &SignerData) -> Result<[u8; 33], ClientError> {
    let wrong = |reason: &str| ClientError::Input(format!("signature verification failed: {reason}"));
    let auth_info = AuthInfo::decode(tx.auth_info_bytes.as_slice()).map_err(|_| wrong("auth_info does not decode"))?;
    let body = TxBody::decode(tx.body_bytes.as_slice()).map_err(|_| wrong("body does not decode"))?;
    let ([info], [signature]) = (auth_info.signer_infos.as_slice(), tx.signatures.as_slice()) else {
        return Err(wrong("expected one signer with one signature"));
    };
    let key: PubKey = unpack(info.public_key.as_ref().ok_or_else(|| wrong("the public key is missing"))?)
        .map_err(|error| wrong(&error.to_string()))?;
    let key = check_public_key(&key.key)?;
    let mode = match info.mode_info.as_ref().and_then(|mode| mode.sum.as_ref()) {
        Some(mode_info::Sum::Single(single)) if single.mode() == ProtoSignMode::Direct => SignMode::Direct,
        Some(mode_info::Sum::Single(single)) if single.mode() == ProtoSignMode::LegacyAminoJson => SignMode::AminoJson,
        _ => return Err(wrong("expected SIGN_MODE_DIRECT or SIGN_MODE_LEGACY_AMINO_JSON")),
    };
    if info.sequence != signer.sequence {
        return Err(wrong(&format!("it is for sequence {}", info.sequence)));
    }
    let fee = auth_info.fee.clone().unwrap_or_default();
    let bytes = sign_bytes(&tx.body_bytes, &tx.auth_info_bytes, &body, &fee, signer, mode)?;
    if verify_signature(&key, &bytes, signature) {
        Ok(key)
    } else {
        Err(wrong(
            "the signature is not over this transaction: another chain ID, account number or sequence, or it was changed",
        ))
    }
}

/// What is signed, for each mode.
///
/// # Errors
/// A message that has no amino form, for [`SignMode::AminoJson`].
fn sign_bytes(
    body_bytes: &[u8],
    auth_info_bytes: &[u8],
    body: &TxBody,
    fee: &Fee,
    signer: &SignerData,
    mode: SignMode,
) -> Result<Vec<u8>, ClientError> {
    match mode {
        SignMode::Direct => Ok(SignDoc {
            body_bytes: body_bytes.to_vec(),
            auth_info_bytes: auth_info_bytes.to_vec(),
            chain_id: signer.chain_id.clone(),
            account_number: signer.account_number,
        }
        .encode_to_vec()),
        SignMode::AminoJson => {
            let signer = amino::SignerData {
                chain_id: &signer.chain_id,
                account_number: signer.account_number,
                sequence: signer.sequence,
            };
            amino::sign_bytes(&signer, body, fee).map_err(|error| ClientError::Input(format!("amino JSON: {error}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
    use serde_json::Value;

    use super::*;
    use crate::keyring::{HdPath, Mnemonic, hd};

    const RECORDED: &str = include_str!("../../../../tests/vectors/txs.json");
    const ALICE: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
    const BOB: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";

    fn key(signer: &str) -> SecretKey {
        let words = if signer == "alice" { ALICE } else { BOB };
        let path = HdPath::bip44(hd::COIN_TYPE, 0, 0).expect("a path");
        Mnemonic::parse(words).expect("a mnemonic").derive(&path).expect("a key")
    }

    fn recorded() -> Vec<(String, TxRaw, SignerData)> {
        let vectors: Vec<Value> = serde_json::from_str(RECORDED).expect("JSON");
        let one = |vector: &Value| {
            let text = |field: &str| vector[field].as_str().expect("a text").to_owned();
            let raw =
                TxRaw::decode(BASE64.decode(text("tx_base64")).expect("base64").as_slice()).expect("a transaction");
            let sequence =
                AuthInfo::decode(raw.auth_info_bytes.as_slice()).expect("auth info").signer_infos[0].sequence;
            let account_number = u64::from(text("signer") != "alice");
            (text("signer"), raw, SignerData { chain_id: "vectors-1".to_owned(), account_number, sequence })
        };
        vectors.iter().map(one).collect()
    }

    #[test]
    fn recorded_transactions_are_signed_again_byte_for_byte() {
        for (signer, raw, data) in recorded() {
            let auth_info = AuthInfo::decode(raw.auth_info_bytes.as_slice()).expect("auth info");
            let body = TxBody::decode(raw.body_bytes.as_slice()).expect("a body");
            let mode = match auth_info.signer_infos[0].mode_info.as_ref().and_then(|mode| mode.sum.as_ref()) {
                Some(mode_info::Sum::Single(single)) if single.mode() == ProtoSignMode::Direct => SignMode::Direct,
                _ => SignMode::AminoJson,
            };
            let fee = auth_info.fee.expect("a fee");
            assert_eq!(sign(&body, &fee, &data, mode, &key(&signer)).expect("a signature"), raw);
        }
    }

    #[test]
    fn signatures_hold_for_their_chain_account_and_sequence_only() {
        for (signer, raw, data) in recorded() {
            assert_eq!(verify(&raw, &data).expect("the recorded signature"), key(&signer).public_key());
            let others = [
                SignerData { chain_id: "vectors-2".to_owned(), ..data.clone() },
                SignerData { account_number: data.account_number + 1, ..data.clone() },
                SignerData { sequence: data.sequence + 1, ..data.clone() },
            ];
            for other in others {
                assert!(verify(&raw, &other).is_err(), "{other:?}");
            }
            let mut changed = raw.clone();
            changed.signatures[0][5] ^= 1;
            assert!(verify(&changed, &data).is_err());
        }
    }
}
