//! What a light client would verify.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use serde_json::Value;
use swing_node::solo::precommit_sign_bytes;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::types::{BlockId, PartSetHeader},
};

use crate::support::solo::{SoloHome, key};

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("a text")).expect("hex")
}

fn verify(commit: &Value, key: &VerifyingKey) {
    let id = &commit["block_id"];
    let total = u32::try_from(id["parts"]["total"].as_u64().expect("a number")).expect("small");
    let part_set_header = Some(PartSetHeader { total, hash: bytes(&id["parts"]["hash"]) });
    let id = BlockId { hash: bytes(&id["hash"]), part_set_header };
    let height = commit["height"].as_str().and_then(|text| text.parse().ok()).expect("a height");
    let signed = &commit["signatures"][0];
    let time: prost_types::Timestamp = signed["timestamp"].as_str().and_then(|text| text.parse().ok()).expect("a time");
    let time = Timestamp { seconds: time.seconds, nanos: time.nanos };
    let signature = BASE64.decode(signed["signature"].as_str().expect("a text")).expect("base64");
    let signature = Signature::from_slice(&signature).expect("64 bytes");
    key.verify(&precommit_sign_bytes("solo-1", height, &id, time), &signature).expect("signed by the validator");
}

#[test]
fn every_block_names_its_predecessor_and_is_signed_by_the_homes_key() {
    let home = SoloHome::new();
    let node = home.start(None).expect("it starts");
    node.wait_for(4);
    let key = VerifyingKey::from_bytes(&key().public_key()).expect("a key");
    let block = |height: i64| node.result(&format!("block?height={height}"));
    assert_eq!(block(1)["block"]["header"]["time"], "2026-01-01T00:00:00.5Z", "the first block's time is genesis's");
    for height in 2..=4 {
        let (before, this) = (block(height - 1), block(height));
        let (header, last_commit) = (&this["block"]["header"], &this["block"]["last_commit"]);
        assert_eq!(header["last_block_id"], before["block_id"]);
        assert_eq!(last_commit["block_id"], before["block_id"]);
        assert_eq!(header["time"], last_commit["signatures"][0]["timestamp"]);
        let earlier = before["block"]["header"]["time"].as_str().expect("a time").to_owned();
        assert!(earlier.as_str() < header["time"].as_str().expect("a time"), "time moves forward");
        verify(last_commit, &key);
        let results = node.result(&format!("block_results?height={}", height - 1));
        let app_hash = BASE64.decode(results["app_hash"].as_str().expect("a text")).expect("base64");
        assert_eq!(bytes(&header["app_hash"]), app_hash, "a header has the app hash of the block before");
        let commit = node.result(&format!("commit?height={height}"));
        assert_eq!(commit["signed_header"]["commit"]["block_id"], this["block_id"]);
        verify(&commit["signed_header"]["commit"], &key);
    }
}

#[test]
fn headers_follow_the_app_version_from_the_block_after_the_one_that_changed_it() {
    let home = SoloHome::new();
    let node = home.start(None).expect("it starts");
    node.wait_for(3);
    let version = |height: i64| node.result(&format!("header?height={height}"))["header"]["version"].clone();
    assert_eq!(version(2), serde_json::json!({"block": "11"}));
    assert_eq!(version(3), serde_json::json!({"block": "11", "app": "9"}));
    assert_eq!(node.result("consensus_params?height=2")["consensus_params"]["version"]["app"], "0");
    assert_eq!(node.result("consensus_params?height=3")["consensus_params"]["version"]["app"], "9");
}

#[test]
fn without_empty_blocks_a_block_comes_for_a_transaction_and_one_for_its_app_hash() {
    let home = SoloHome::new();
    home.set("consensus.create_empty_blocks", "false");
    let node = home.start(None).expect("it starts");
    node.wait_for(1);
    let sent = node.result("broadcast_tx_commit?tx=\"one\"");
    assert_eq!(sent["height"], "2");
    node.wait_for(3);
    let sent = node.result("broadcast_tx_commit?tx=\"two\"");
    assert_eq!(sent["height"], "4", "no block was made in between");
}
