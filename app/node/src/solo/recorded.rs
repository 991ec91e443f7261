//! The hashes and signatures against a block that CometBFT made.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use prost::Message;
use serde_json::Value;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::{
        types::{
            Block, BlockId, BlockParams, Commit, CommitSig, ConsensusParams, Data, EvidenceList, Header, PartSetHeader,
        },
        version::Consensus,
    },
};

use super::{clock, hashes, validator};

const RECORDED: &str = include_str!("../../../../tests/vectors/rpc.json");

fn body(request: &str) -> Value {
    let bodies: Vec<Value> = serde_json::from_str(RECORDED).expect("JSON");
    let recorded = bodies.into_iter().find(|recorded| recorded["request"] == request).expect("it is recorded");
    recorded["body"]["result"].clone()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn number(value: &Value) -> i64 {
    text(value).parse().expect("a number")
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).expect("hex")
}

fn time(value: &Value) -> Timestamp {
    let time: prost_types::Timestamp = text(value).parse().expect("a time");
    Timestamp { seconds: time.seconds, nanos: time.nanos }
}

fn block_id(value: &Value) -> BlockId {
    let total = u32::try_from(value["parts"]["total"].as_u64().expect("a number")).expect("small");
    BlockId {
        hash: bytes(&value["hash"]),
        part_set_header: Some(PartSetHeader { total, hash: bytes(&value["parts"]["hash"]) }),
    }
}

fn header(value: &Value) -> Header {
    Header {
        version: Some(Consensus { block: 11, app: 0 }),
        chain_id: text(&value["chain_id"]).to_owned(),
        height: number(&value["height"]),
        time: Some(time(&value["time"])),
        last_block_id: Some(block_id(&value["last_block_id"])),
        last_commit_hash: bytes(&value["last_commit_hash"]),
        data_hash: bytes(&value["data_hash"]),
        validators_hash: bytes(&value["validators_hash"]),
        next_validators_hash: bytes(&value["next_validators_hash"]),
        consensus_hash: bytes(&value["consensus_hash"]),
        app_hash: bytes(&value["app_hash"]),
        last_results_hash: bytes(&value["last_results_hash"]),
        evidence_hash: bytes(&value["evidence_hash"]),
        proposer_address: bytes(&value["proposer_address"]),
    }
}

fn commit(value: &Value) -> Commit {
    let signature = |value: &Value| CommitSig {
        block_id_flag: 2,
        validator_address: bytes(&value["validator_address"]),
        timestamp: Some(time(&value["timestamp"])),
        signature: BASE64.decode(text(&value["signature"])).expect("base64"),
    };
    let signatures = value["signatures"].as_array().expect("a list").iter().map(signature).collect();
    Commit { height: number(&value["height"]), round: 0, block_id: Some(block_id(&value["block_id"])), signatures }
}

/// The recorded validator's key and power.
fn recorded_validator() -> ([u8; 32], i64) {
    let status = body("status");
    let info = &status["validator_info"];
    let key = BASE64.decode(text(&info["pub_key"]["value"])).expect("base64");
    (key.try_into().expect("32 bytes"), number(&info["voting_power"]))
}

#[test]
fn a_recorded_block_has_the_hashes_that_we_compute() {
    let recorded = body("block?height=5");
    let block = Block {
        header: Some(header(&recorded["block"]["header"])),
        data: Some(Data::default()),
        evidence: Some(EvidenceList::default()),
        last_commit: Some(commit(&recorded["block"]["last_commit"])),
    };
    let header = block.header.clone().expect("a header");
    let id = block_id(&recorded["block_id"]);
    assert_eq!(hashes::header_hash(&header).to_vec(), id.hash);
    assert_eq!(Some(hashes::part_set_header(&block.encode_to_vec())), id.part_set_header);
    assert_eq!(hashes::commit_hash(&block.last_commit.clone().expect("a commit")).to_vec(), header.last_commit_hash);
    assert_eq!(hashes::data_hash(&[]).to_vec(), header.data_hash);
    assert_eq!(hashes::no_evidence_hash().to_vec(), header.evidence_hash);
    assert_eq!(hashes::results_hash(&[]).to_vec(), header.last_results_hash);
    let (key, power) = recorded_validator();
    assert_eq!(hashes::validators_hash(&key, power).to_vec(), header.validators_hash);
    let params = ConsensusParams {
        block: Some(BlockParams { max_bytes: 22_020_096, max_gas: -1 }),
        ..ConsensusParams::default()
    };
    assert_eq!(hashes::consensus_hash(&params).to_vec(), header.consensus_hash);
    let last = block.last_commit.expect("a commit");
    assert_eq!(header.time, last.signatures[0].timestamp, "a block's time is its last commit's");
}

#[test]
fn recorded_precommits_sign_the_bytes_that_we_sign() {
    let (key, _) = recorded_validator();
    let key = VerifyingKey::from_bytes(&key).expect("a key");
    for commit in [
        commit(&body("commit?height=5")["signed_header"]["commit"]),
        commit(&body("block?height=5")["block"]["last_commit"]),
    ] {
        let signed = &commit.signatures[0];
        let id = commit.block_id.clone().expect("a block ID");
        let stamp = signed.timestamp.expect("a time");
        let sign_bytes = validator::precommit_sign_bytes("vectors-1", commit.height, &id, stamp);
        let signature = Signature::from_slice(&signed.signature).expect("64 bytes");
        key.verify(&sign_bytes, &signature).expect("it is the validator's");
        let other = validator::precommit_sign_bytes("vectors-2", commit.height, &id, stamp);
        key.verify(&other, &signature).expect_err("another chain's vote");
        assert_ne!(clock::vote_time(stamp, stamp), stamp);
    }
}

#[test]
fn a_merkle_proof_leads_to_the_root_from_every_leaf_of_every_small_list() {
    use sha2::{Digest, Sha256};
    let inner = |left: hashes::Hash, right: hashes::Hash| -> hashes::Hash {
        Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
    };
    // RFC 6962: the path from the leaf's position and the number of leaves.
    fn climb(
        index: usize,
        total: usize,
        leaf: hashes::Hash,
        aunts: &[hashes::Hash],
        inner: &dyn Fn(hashes::Hash, hashes::Hash) -> hashes::Hash,
    ) -> hashes::Hash {
        let Some((last, rest)) = aunts.split_last() else { return leaf };
        let split = (1..).map(|power| 1usize << power).find(|size| *size >= total).expect("small") / 2;
        if index < split {
            inner(climb(index, split, leaf, rest, inner), *last)
        } else {
            inner(*last, climb(index - split, total - split, leaf, rest, inner))
        }
    }
    for total in 1..20usize {
        let leaves: Vec<_> = (0..total).map(|leaf| leaf.to_be_bytes()).collect();
        let root = hashes::merkle_root(&leaves);
        for index in 0..total {
            let proof = hashes::merkle_proof(&leaves, index).expect("there is such a leaf");
            assert_eq!(climb(index, total, proof.leaf_hash, &proof.aunts, &inner), root, "{index} of {total}");
        }
        assert_eq!(hashes::merkle_proof(&leaves, total), None);
    }
}
