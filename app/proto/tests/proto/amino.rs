//! Sign bytes, held against recorded signatures and against what the SDK writes.

use prost::Message;
use secp256k1::{PublicKey, Secp256k1, ecdsa::Signature};
use sha2::{Digest, Sha256};
use swing_proto::amino::{self, AminoError, SignerData};
use swing_proto::cosmos::bank::v1beta1 as bank;
use swing_proto::cosmos::base::v1beta1::Coin;
use swing_proto::cosmos::crypto::secp256k1 as keys;
use swing_proto::cosmos::gov::{v1 as gov, v1beta1 as gov_v1beta1};
use swing_proto::cosmos::staking::v1beta1 as staking;
use swing_proto::cosmos::tx::signing::v1beta1::SignMode;
use swing_proto::cosmos::tx::v1beta1::{Fee, SignDoc, TxBody, mode_info::Sum};
use swing_proto::google::protobuf::{Any, Timestamp};
use swing_proto::strict::{StrictTx, decode_tx};
use swing_proto::{Name, pack};

use crate::vectors;

const CHAIN_ID: &str = "vectors-1";

fn coins(amount: &str) -> Vec<Coin> {
    vec![coin(amount)]
}

fn coin(amount: &str) -> Coin {
    Coin { denom: "uswing".to_string(), amount: amount.to_string() }
}

/// The bytes that the only signer of a recorded transaction signed, by the mode that it names.
fn recorded_sign_bytes(tx: &StrictTx, account_number: u64) -> Vec<u8> {
    let signer = tx.auth_info.signer_infos.first().expect("a signer");
    let Some(Sum::Single(single)) = signer.mode_info.as_ref().and_then(|mode| mode.sum.as_ref()) else {
        panic!("a single signer")
    };
    if single.mode() == SignMode::Direct {
        let doc = SignDoc {
            body_bytes: tx.raw.body_bytes.clone(),
            auth_info_bytes: tx.raw.auth_info_bytes.clone(),
            chain_id: CHAIN_ID.to_string(),
            account_number,
        };
        return doc.encode_to_vec();
    }
    assert_eq!(single.mode(), SignMode::LegacyAminoJson);
    let data = SignerData { chain_id: CHAIN_ID, account_number, sequence: signer.sequence };
    amino::sign_bytes(&data, &tx.body, tx.auth_info.fee.as_ref().expect("a fee")).expect("sign bytes")
}

#[test]
fn every_recorded_signature_verifies_over_our_sign_bytes() {
    let secp = Secp256k1::verification_only();
    let mut amino_count = 0;
    for recorded in vectors::txs() {
        let tx = decode_tx(&recorded.bytes).expect(&recorded.name);
        let account_number = u64::from(recorded.signer == "bob");
        let sign_bytes = recorded_sign_bytes(&tx, account_number);
        amino_count += usize::from(sign_bytes.starts_with(b"{"));
        let key = tx.auth_info.signer_infos[0].public_key.as_ref().expect("a key");
        let key = swing_proto::unpack::<keys::PubKey>(key).expect("a secp256k1 key");
        let key = PublicKey::from_slice(&key.key).expect("33 bytes");
        let signature = Signature::from_compact(&tx.raw.signatures[0]).expect("64 bytes");
        let verify = |bytes: &[u8]| {
            let digest: [u8; 32] = Sha256::digest(bytes).into();
            secp.verify_ecdsa(secp256k1::Message::from_digest(digest), &signature, &key)
        };
        assert_eq!(verify(&sign_bytes), Ok(()), "{}", recorded.name);
        let mut changed = sign_bytes.clone();
        changed.push(b' ');
        assert!(verify(&changed).is_err(), "{} with one byte more", recorded.name);
    }
    assert_eq!(amino_count, 1, "one recorded transaction is signed as amino JSON");
}

#[test]
fn the_sign_document_has_sorted_keys_and_leaves_out_what_is_empty() {
    let send = bank::MsgSend { from_address: "a".to_string(), to_address: "b".to_string(), amount: coins("7") };
    let mut body = TxBody { messages: vec![pack(&send)], memo: "a<b>&c".to_string(), ..Default::default() };
    let mut fee = Fee { gas_limit: 200_000, ..Default::default() };
    let data = SignerData { chain_id: "chain", account_number: 1, sequence: 0 };
    let sign = |body: &TxBody, fee: &Fee| {
        String::from_utf8(amino::sign_bytes(&data, body, fee).expect("sign bytes")).expect("text")
    };
    assert_eq!(
        sign(&body, &fee),
        concat!(
            r#"{"account_number":"1","chain_id":"chain","fee":{"amount":[],"gas":"200000"},"#,
            r#""memo":"a\u003cb\u003e\u0026c","msgs":[{"type":"cosmos-sdk/MsgSend","value":"#,
            r#"{"amount":[{"amount":"7","denom":"uswing"}],"from_address":"a","to_address":"b"}}],"sequence":"0"}"#,
        ),
    );
    body.memo = String::new();
    body.messages.clear();
    body.timeout_height = 9;
    body.unordered = true;
    body.timeout_timestamp = Some(Timestamp { seconds: 0, nanos: 500_000_000 });
    fee = Fee { amount: coins("3"), gas_limit: 0, payer: "p".to_string(), granter: "g".to_string() };
    assert_eq!(
        sign(&body, &fee),
        concat!(
            r#"{"account_number":"1","chain_id":"chain","#,
            r#""fee":{"amount":[{"amount":"3","denom":"uswing"}],"gas":"0","granter":"g","payer":"p"},"#,
            r#""memo":"","msgs":[],"sequence":"0","timeout_height":"9","#,
            r#""timeout_timestamp":"1970-01-01T00:00:00.5Z","unordered":true}"#,
        ),
    );
    body.extension_options.push(pack(&send));
    assert_eq!(amino::sign_bytes(&data, &body, &fee), Err(AminoError::ExtensionOptions));
}

#[track_caller]
fn check<M: Message + Name>(message: &M, expected: &str) {
    assert_eq!(amino::message_json(&pack(message)).as_deref(), Ok(expected));
}

#[test]
fn strings_are_escaped_as_go_escapes_them() {
    check(
        &gov_v1beta1::TextProposal {
            title: "\"\\/\n\r\t\u{8}\u{c}\u{1}\u{7f}<>&\u{2028}é😀".to_string(),
            ..Default::default()
        },
        concat!(
            r#"{"type":"cosmos-sdk/TextProposal","value":{"title":"#,
            r#""\"\\/\n\r\t\b\f\u0001"#,
            "\u{7f}",
            r#"\u003c\u003e\u0026\u2028é😀"}}"#,
        ),
    );
}

#[test]
fn what_cannot_be_signed_is_an_error_with_its_path() {
    let unnamed = pack(&bank::MsgSendResponse {});
    let no_name =
        |path: &str| Err(AminoError::NoAminoName { path: path.to_string(), type_url: unnamed.type_url.clone() });
    assert_eq!(amino::message_json(&unnamed), no_name("$"));
    let submit = gov::MsgSubmitProposal { messages: vec![unnamed.clone()], ..Default::default() };
    assert_eq!(amino::message_json(&pack(&submit)), no_name("$.messages[0]"));
    assert_eq!(
        amino::message_json(&pack(&staking::MsgDelegate::default())),
        Err(AminoError::Absent { path: "$.amount".to_string() }),
    );
    let unknown = Any { type_url: "/no.Such".to_string(), value: Vec::new() };
    assert!(matches!(amino::message_json(&unknown), Err(AminoError::UnknownTypeUrl { .. })));
    assert_eq!(amino::amino_name("/cosmos.bank.v1beta1.MsgSend"), Some("cosmos-sdk/MsgSend"));
    assert_eq!(amino::amino_name(&unnamed.type_url), None);
}

#[test]
fn every_transaction_message_has_an_amino_name_of_its_own() {
    let mut names = std::collections::BTreeSet::new();
    let methods = swing_proto::methods().into_iter().filter(|(_, method)| method.parent_service().name() == "Msg");
    for (path, method) in methods {
        let name = amino::amino_name(&format!("/{}", method.input().full_name()));
        assert!(names.insert(name.unwrap_or_else(|| panic!("{path} has no amino name"))), "{path}: {name:?} is taken");
    }
    assert_eq!(names.len(), 43);
}
