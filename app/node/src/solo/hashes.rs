//! The hashes of CometBFT 0.38's block data. Source: `types/block.go`, `types/params.go`, `types/results.go`,
//! `types/part_set.go`, `crypto/merkle`.
//!
//! # Invariants
//! - Every hash is that of recorded CometBFT data (a test holds each against a recorded block).

use prost::Message;
use sha2::{Digest, Sha256};
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::{
        abci::ExecTxResult,
        types::{BlockId, Commit, ConsensusParams, HashedParams, Header, PartSetHeader, SimpleValidator},
        version::Consensus,
    },
};

use super::validator;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// Bytes of one part of a block.
pub const PART_SIZE_BYTES: usize = 65_536;

/// Source: RFC 6962, as `crypto/merkle` has it.
const LEAF_PREFIX: &[u8] = &[0];
const INNER_PREFIX: &[u8] = &[1];

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// The Merkle root of a list; of an empty one, the hash of nothing.
pub fn merkle_root(leaves: &[impl AsRef<[u8]>]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [leaf] => leaf_hash(leaf.as_ref()),
        _ => {
            let (left, right) = leaves.split_at(left_len(leaves.len()));
            let hasher = Sha256::new().chain_update(INNER_PREFIX);
            hasher.chain_update(merkle_root(left)).chain_update(merkle_root(right)).finalize().into()
        }
    }
}

fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update(LEAF_PREFIX).chain_update(leaf).finalize().into()
}

/// How many of two or more leaves are on the left: the largest power of two below their number.
fn left_len(len: usize) -> usize {
    len.next_power_of_two() / 2
}

/// A proof that a leaf is in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerkleProof {
    /// The leaf's hash.
    pub leaf_hash: Hash,
    /// The siblings' hashes, from the leaf to the root.
    pub aunts: Vec<Hash>,
}

/// The proof of the leaf at `index`; none where there is no such leaf.
pub fn merkle_proof(leaves: &[impl AsRef<[u8]>], index: usize) -> Option<MerkleProof> {
    let leaf = leaves.get(index)?;
    let leaf_hash = leaf_hash(leaf.as_ref());
    let (mut low, mut high) = (0, leaves.len());
    let mut aunts = Vec::new();
    while high.saturating_sub(low) > 1 {
        let split = low + left_len(high - low);
        if index < split {
            aunts.push(merkle_root(leaves.get(split..high)?));
            high = split;
        } else {
            aunts.push(merkle_root(leaves.get(low..split)?));
            low = split;
        }
    }
    aunts.reverse();
    Some(MerkleProof { leaf_hash, aunts })
}

/// The leaves of a block's data: the transactions' hashes.
pub fn data_leaves(txs: &[Vec<u8>]) -> Vec<Hash> {
    txs.iter().map(|tx| sha256(tx)).collect()
}

/// `Header.data_hash`.
pub fn data_hash(txs: &[Vec<u8>]) -> Hash {
    merkle_root(&data_leaves(txs))
}

/// `Header.last_commit_hash`.
pub fn commit_hash(commit: &Commit) -> Hash {
    let leaves: Vec<_> = commit.signatures.iter().map(Message::encode_to_vec).collect();
    merkle_root(&leaves)
}

/// `Header.evidence_hash` of a block without evidence.
pub fn no_evidence_hash() -> Hash {
    sha256(&[])
}

/// `Header.last_results_hash`: of each result only what is deterministic.
pub fn results_hash(results: &[ExecTxResult]) -> Hash {
    let leaves: Vec<_> = results
        .iter()
        .map(|result| {
            let deterministic = ExecTxResult {
                code: result.code,
                data: result.data.clone(),
                gas_wanted: result.gas_wanted,
                gas_used: result.gas_used,
                ..ExecTxResult::default()
            };
            deterministic.encode_to_vec()
        })
        .collect();
    merkle_root(&leaves)
}

/// `Header.validators_hash` of a set with one ed25519 validator.
pub fn validators_hash(public_key: &[u8; 32], power: i64) -> Hash {
    let validator = SimpleValidator { pub_key: Some(validator::proto_key(public_key)), voting_power: power };
    merkle_root(&[validator.encode_to_vec()])
}

/// `Header.consensus_hash`.
pub fn consensus_hash(params: &ConsensusParams) -> Hash {
    let block = params.block.unwrap_or_default();
    let hashed = HashedParams { block_max_bytes: block.max_bytes, block_max_gas: block.max_gas };
    sha256(&hashed.encode_to_vec())
}

/// The block's hash.
pub fn header_hash(header: &Header) -> Hash {
    let Header { version, chain_id, height, time, last_block_id, .. } = header;
    let bytes = |value: &Vec<u8>| value.encode_to_vec();
    merkle_root(&[
        version.unwrap_or(Consensus::default()).encode_to_vec(),
        chain_id.encode_to_vec(),
        height.encode_to_vec(),
        time.unwrap_or(Timestamp::default()).encode_to_vec(),
        last_block_id.clone().unwrap_or_else(no_block_id).encode_to_vec(),
        bytes(&header.last_commit_hash),
        bytes(&header.data_hash),
        bytes(&header.validators_hash),
        bytes(&header.next_validators_hash),
        bytes(&header.consensus_hash),
        bytes(&header.app_hash),
        bytes(&header.last_results_hash),
        bytes(&header.evidence_hash),
        bytes(&header.proposer_address),
    ])
}

/// The part set of an encoded block.
pub fn part_set_header(block: &[u8]) -> PartSetHeader {
    let parts: Vec<_> = block.chunks(PART_SIZE_BYTES).collect();
    PartSetHeader { total: u32::try_from(parts.len()).unwrap_or(u32::MAX), hash: merkle_root(&parts).to_vec() }
}

/// The ID of no block, as the first header names its predecessor.
pub fn no_block_id() -> BlockId {
    BlockId { hash: Vec::new(), part_set_header: Some(PartSetHeader::default()) }
}
