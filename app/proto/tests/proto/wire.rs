//! Bytes.

use prost::Message;
use sha2::{Digest, Sha256};
use swing_proto::cosmos::base::abci::v1beta1::TxMsgData;
use swing_proto::cosmos::tx::v1beta1::{AuthInfo, Tx, TxBody, TxRaw};

use crate::vectors;

#[test]
fn every_recorded_transaction_decodes_and_encodes_to_the_same_bytes() {
    for tx in vectors::txs() {
        let raw = TxRaw::decode(tx.bytes.as_slice()).expect(&tx.name);
        assert_eq!(raw.encode_to_vec(), tx.bytes, "{} as TxRaw", tx.name);
        let whole = Tx::decode(tx.bytes.as_slice()).expect(&tx.name);
        assert_eq!(whole.encode_to_vec(), tx.bytes, "{} as Tx", tx.name);
        let body = TxBody::decode(raw.body_bytes.as_slice()).expect(&tx.name);
        assert_eq!(body.encode_to_vec(), raw.body_bytes, "{} body", tx.name);
        let auth_info = AuthInfo::decode(raw.auth_info_bytes.as_slice()).expect(&tx.name);
        assert_eq!(auth_info.encode_to_vec(), raw.auth_info_bytes, "{} auth info", tx.name);
    }
}

#[test]
fn the_hash_of_a_transaction_is_the_sha256_of_its_bytes() {
    for tx in vectors::txs() {
        let hash: String = Sha256::digest(&tx.bytes).iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(hash, tx.hash, "{}", tx.name);
    }
}

#[test]
fn the_recorded_result_data_names_the_responses_of_the_messages() {
    for tx in vectors::txs().into_iter().filter(|tx| !tx.result_data.is_empty()) {
        let body = Tx::decode(tx.bytes.as_slice()).expect(&tx.name).body.expect("a body");
        let data = TxMsgData::decode(tx.result_data.as_slice()).expect(&tx.name);
        assert_eq!(data.encode_to_vec(), tx.result_data, "{}", tx.name);
        let expected: Vec<_> =
            body.messages.iter().map(|message| swing_proto::response_type_url(&message.type_url)).collect();
        let found: Vec<_> = data.msg_responses.iter().map(|response| Some(response.type_url.clone())).collect();
        assert_eq!(found, expected, "{}", tx.name);
    }
}
