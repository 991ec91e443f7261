//! Test accounts that sign.

use k256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use prost::Message;
use swing_core::{
    address::Address,
    tx::{SignatureForm, Tx, sign_bytes},
};
use swing_proto::{
    cosmos::{
        bank::v1beta1::MsgSend,
        base::v1beta1::Coin,
        crypto::secp256k1::PubKey,
        tx::{
            signing::v1beta1::SignMode,
            v1beta1::{
                AuthInfo, Fee, ModeInfo, SignerInfo, TxBody, TxRaw,
                mode_info::{Single, Sum},
            },
        },
    },
    google::protobuf::Any,
};

/// A key and the address that follows from it.
pub struct Account {
    key: SigningKey,
    pub address: Address,
}

impl Account {
    pub fn new(seed: u16) -> Self {
        let mut secret = [7; 32];
        secret[..2].copy_from_slice(&seed.to_be_bytes());
        let key = SigningKey::from_slice(&secret).expect("any 32 bytes below the order are a key");
        let address = Address::of_secp256k1(key.verifying_key().to_encoded_point(true).as_bytes());
        Account { key, address }
    }

    pub fn text(&self) -> String {
        self.address.to_string()
    }

    pub fn public_key(&self) -> Vec<u8> {
        self.key.verifying_key().to_encoded_point(true).as_bytes().to_vec()
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.key.sign(message);
        signature.normalize_s().unwrap_or(signature).to_vec()
    }
}

/// Who signs a transaction, with what account number and sequence.
pub struct Signer<'a> {
    pub account: &'a Account,
    pub number: u64,
    pub sequence: u64,
}

/// A transaction in the making.
pub struct Draft {
    pub body: TxBody,
    pub fee: Fee,
    pub chain_id: String,
    pub form: SignatureForm,
}

impl Draft {
    pub fn new(messages: Vec<Any>) -> Self {
        Draft {
            body: TxBody { messages, ..TxBody::default() },
            fee: Fee { amount: vec![coin("uswing", 3000)], gas_limit: 300_000, ..Fee::default() },
            chain_id: "test-1".to_owned(),
            form: SignatureForm::Direct,
        }
    }

    pub fn sign(&self, signers: &[Signer<'_>]) -> Vec<u8> {
        let mode = match self.form {
            SignatureForm::Direct => SignMode::Direct,
            SignatureForm::AminoJson => SignMode::LegacyAminoJson,
        };
        let infos = signers.iter().map(|signer| SignerInfo {
            public_key: Some(swing_proto::pack(&PubKey { key: signer.account.public_key() })),
            mode_info: Some(ModeInfo { sum: Some(Sum::Single(Single { mode: mode.into() })) }),
            sequence: signer.sequence,
        });
        #[allow(deprecated)]
        let auth_info = AuthInfo { signer_infos: infos.collect(), fee: Some(self.fee.clone()), tip: None };
        let mut raw = TxRaw {
            body_bytes: self.body.encode_to_vec(),
            auth_info_bytes: auth_info.encode_to_vec(),
            signatures: vec![vec![0; 64]; signers.len()],
        };
        let tx = Tx::decode(&raw.encode_to_vec()).expect("a draft decodes");
        let sign = |signer: &Signer<'_>| {
            let bytes = sign_bytes(&tx, self.form, &self.chain_id, signer.number, signer.sequence);
            signer.account.sign(&bytes.expect("a draft has sign bytes"))
        };
        raw.signatures = signers.iter().map(sign).collect();
        raw.encode_to_vec()
    }
}

pub fn coin(denom: &str, amount: u64) -> Coin {
    Coin { denom: denom.to_owned(), amount: amount.to_string() }
}

pub fn send(from: &Account, to: &Address, amount: u64) -> Any {
    swing_proto::pack(&MsgSend {
        from_address: from.text(),
        to_address: to.to_string(),
        amount: vec![coin("uswing", amount)],
    })
}
