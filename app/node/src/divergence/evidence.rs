//! Whether more than two thirds of the power have signed a block that was built on another state than this node's.

use std::{collections::BTreeMap, io, path::Path};

use ed25519_dalek::{Signature, VerifyingKey};
use swing_core::{
    address::Address,
    chain,
    math::MathError,
    modules::staking::state as staking,
    state::{StateError, StateRead},
};
use tendermint_proto::v0_38::types::{Header, SignedMsgType, Vote};

use super::wal;
use crate::solo::{header_hash, vote_sign_bytes};

/// Why it could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum DivergenceError {
    /// CometBFT's log.
    #[error("CometBFT's consensus log: {0}")]
    Log(#[from] io::Error),
    /// Committed state.
    #[error(transparent)]
    State(#[from] StateError),
    /// A validator's power.
    #[error(transparent)]
    Power(#[from] MathError),
}

/// The proof that a node's state is not the chain's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "DIVERGED: this node's state after block {height} is not the chain's. Validators with {power} of {power_in_all} power have voted for \
     block {}, which has app hash {} for it; here it is {}. Another binary, or another answer about a skipped plan, made block {height} \
     of it. See docs/runbook.md, `A node that diverged`",
    height.saturating_add(1), hex::encode_upper(theirs), hex::encode_upper(ours)
)]
pub struct Divergence {
    /// The block that came out otherwise here.
    pub height: u64,
    /// The app hash after it, here.
    pub ours: Vec<u8>,
    /// The app hash after it, as the next block's header has it.
    pub theirs: Vec<u8>,
    /// The power that signed that block.
    pub power: u64,
    /// All power.
    pub power_in_all: u64,
}

/// A validator of committed state.
struct Signer {
    key: VerifyingKey,
    power: u64,
}

/// Looks in CometBFT's log in `data_folder` for the block after the committed `height`, whose app hash is `ours`.
///
/// # Errors
/// [`DivergenceError`].
pub fn find(
    data_folder: &Path,
    state: &dyn StateRead,
    height: u64,
    ours: &[u8],
) -> Result<Option<Divergence>, DivergenceError> {
    let Ok(next) = i64::try_from(height.saturating_add(1)) else { return Ok(None) };
    let log = wal::of_height(data_folder, next)?;
    let headers: BTreeMap<Vec<u8>, &Header> = log
        .headers
        .iter()
        .filter(|header| header.app_hash != ours)
        .map(|header| (header_hash(header).to_vec(), header))
        .collect();
    if headers.is_empty() {
        return Ok(None);
    }
    let chain_id = chain::id(state)?;
    let signers = signers(state)?;
    let power_in_all = signers.values().fold(0_u64, |sum, signer| sum.saturating_add(signer.power));
    for (hash, header) in headers.iter().filter(|(_, header)| header.chain_id == chain_id) {
        let power = signed_power(&log.votes, hash, &chain_id, &signers);
        if u128::from(power).saturating_mul(3) > u128::from(power_in_all).saturating_mul(2) {
            let theirs = header.app_hash.clone();
            return Ok(Some(Divergence { height, ours: ours.to_vec(), theirs, power, power_in_all }));
        }
    }
    Ok(None)
}

fn signers(state: &dyn StateRead) -> Result<BTreeMap<Vec<u8>, Signer>, DivergenceError> {
    let mut signers = BTreeMap::new();
    for validator in staking::bonded_validators(state)? {
        let Ok(key) = VerifyingKey::from_bytes(&validator.consensus_key) else { continue };
        let address: Address = validator.consensus_address();
        signers.insert(address.as_bytes().to_vec(), Signer { key, power: validator.power()? });
    }
    Ok(signers)
}

/// The power of the validators whose vote for this block holds, each counted once for each step of a round. CometBFT stops at two
/// thirds of prevotes for a block that it holds invalid, before it sees a precommit.
fn signed_power(votes: &[Vote], hash: &[u8], chain_id: &str, signers: &BTreeMap<Vec<u8>, Signer>) -> u64 {
    let mut by_step: BTreeMap<(i32, i32), BTreeMap<&[u8], u64>> = BTreeMap::new();
    for vote in votes {
        let Some(signer) = signers.get(&vote.validator_address) else { continue };
        if holds(vote, hash, chain_id, signer).unwrap_or(false) {
            by_step.entry((vote.round, vote.r#type)).or_default().insert(&vote.validator_address, signer.power);
        }
    }
    let sums = by_step.values().map(|voters| voters.values().fold(0_u64, |sum, power| sum.saturating_add(*power)));
    sums.max().unwrap_or(0)
}

fn holds(vote: &Vote, hash: &[u8], chain_id: &str, signer: &Signer) -> Option<bool> {
    let block_id = vote.block_id.as_ref().filter(|id| id.hash == hash)?;
    let signature = Signature::from_slice(&vote.signature).ok()?;
    let kind = SignedMsgType::try_from(vote.r#type).ok()?;
    let bytes = vote_sign_bytes(kind, chain_id, vote.height, vote.round, block_id, vote.timestamp?);
    Some(signer.key.verify_strict(&bytes, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ed25519_dalek::{Signer as _, SigningKey};
    use prost::Message;
    use tendermint_proto::{
        google::protobuf::Timestamp,
        v0_38::{
            consensus::{self, MsgInfo, TimedWalMessage, WalMessage, message, wal_message},
            types::{BlockId, Part, PartSetHeader},
        },
    };

    use super::*;
    use crate::checkpoint::crc32c;

    const CHAIN: &str = "test-1";
    const HEIGHT: u64 = 9;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn address(seed: u8) -> Vec<u8> {
        Address::of_ed25519(&key(seed).verifying_key().to_bytes()).as_bytes().to_vec()
    }

    /// Four validators of the same power.
    fn signers() -> BTreeMap<Vec<u8>, Signer> {
        (1..=4).map(|seed| (address(seed), Signer { key: key(seed).verifying_key(), power: 10 })).collect()
    }

    fn header(app_hash: u8) -> Header {
        Header { chain_id: CHAIN.into(), height: 10, app_hash: vec![app_hash; 32], ..Header::default() }
    }

    fn vote(seed: u8, round: i32, header: &Header) -> Vote {
        let block_id = BlockId { hash: header_hash(header).to_vec(), part_set_header: Some(PartSetHeader::default()) };
        let timestamp = Timestamp { seconds: 7, nanos: 0 };
        let bytes = vote_sign_bytes(SignedMsgType::Prevote, CHAIN, 10, round, &block_id, timestamp);
        Vote {
            r#type: SignedMsgType::Prevote.into(),
            height: 10,
            round,
            block_id: Some(block_id),
            timestamp: Some(timestamp),
            validator_address: address(seed),
            validator_index: i32::from(seed),
            signature: key(seed).sign(&bytes).to_bytes().to_vec(),
            ..Vote::default()
        }
    }

    fn power(votes: &[Vote], header: &Header) -> u64 {
        signed_power(votes, &header_hash(header), CHAIN, &signers())
    }

    #[test]
    fn only_signatures_that_hold_count_each_validator_once_and_each_step_of_a_round_by_itself() {
        let block = header(2);
        let mut votes: Vec<Vote> = (1..=3).map(|seed| vote(seed, 0, &block)).collect();
        votes.push(vote(3, 0, &block));
        assert_eq!(power(&votes, &block), 30);
        assert_eq!(power(&votes, &header(3)), 0, "they are for another block");
        votes[0].signature[0] ^= 1;
        assert_eq!(power(&votes, &block), 20, "a forged one counts for nothing");
        votes[1].round = 1;
        assert_eq!(power(&votes, &block), 10, "nor does one that was moved to another round");
        assert_eq!(power(&[vote(9, 0, &block)], &block), 0, "nor a stranger's");
        let apart = [vote(1, 0, &block), vote(2, 1, &block)];
        assert_eq!(power(&apart, &block), 10);
        let other_step = Vote { r#type: SignedMsgType::Precommit.into(), ..vote(3, 0, &block) };
        assert_eq!(power(&[vote(1, 0, &block), other_step], &block), 10, "its signature is a prevote's");
    }

    fn record(message: message::Sum) -> Vec<u8> {
        let info = MsgInfo { msg: Some(consensus::Message { sum: Some(message) }), peer_id: "peer".into() };
        let sum = Some(wal_message::Sum::MsgInfo(info));
        let data = TimedWalMessage { time: None, msg: Some(WalMessage { sum }) }.encode_to_vec();
        let length = u32::try_from(data.len()).expect("short");
        [crc32c(&[&data]).to_be_bytes().as_slice(), &length.to_be_bytes(), &data].concat()
    }

    #[test]
    fn the_log_gives_headers_and_votes_of_the_height_and_ends_at_a_torn_record() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let read = || wal::of_height(folder.path(), 10).expect("readable");
        assert!(read().headers.is_empty(), "there is no log");
        let block = header(2);
        let mut bytes = vec![0x0a];
        prost::encoding::encode_varint(block.encoded_len() as u64, &mut bytes);
        bytes.extend(block.encode_to_vec());
        bytes.extend([0x12, 0]);
        let part = |height, index| consensus::BlockPart {
            height,
            round: 0,
            part: Some(Part { index, bytes: bytes.clone(), proof: None }),
        };
        let voted = |vote| message::Sum::Vote(consensus::Vote { vote: Some(vote) });
        let mut log = Vec::new();
        for message in [
            message::Sum::BlockPart(part(10, 0)),
            message::Sum::BlockPart(part(10, 1)),
            message::Sum::BlockPart(part(11, 0)),
            voted(vote(1, 0, &block)),
            voted(Vote { block_id: None, ..vote(2, 0, &block) }),
            voted(Vote { height: 9, ..vote(2, 0, &block) }),
        ] {
            log.extend(record(message));
        }
        let whole = log.len();
        log.extend(record(voted(vote(3, 0, &block))));
        fs::create_dir(folder.path().join("cs.wal")).expect("made");
        fs::write(folder.path().join("cs.wal/wal"), &log).expect("written");
        assert_eq!(read().votes.len(), 2);
        fs::write(folder.path().join("cs.wal/wal"), &log[..whole + 9]).expect("written");
        let found = read();
        assert_eq!((found.headers, found.votes.len()), (vec![block], 1));
    }

    #[test]
    fn what_is_said_names_the_block_the_hashes_and_the_way_out() {
        let divergence =
            Divergence { height: HEIGHT, ours: vec![1; 2], theirs: vec![2; 2], power: 30, power_in_all: 40 };
        let said = divergence.to_string();
        for part in ["after block 9", "30 of 40", "voted for", "0202", "0101", "runbook"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
