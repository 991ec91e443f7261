//! The one validator: its key, its power, and what it signs.

use ed25519_dalek::{Signer, SigningKey};
use prost::Message;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::{
        abci::{Validator as AbciValidator, ValidatorUpdate},
        crypto::{PublicKey, public_key::Sum},
        types::{
            BlockId, BlockIdFlag, CanonicalBlockId, CanonicalPartSetHeader, CanonicalVote, Commit, CommitSig,
            SignedMsgType,
        },
    },
};

use super::{SoloError, hashes::sha256};

/// Bytes of an address.
pub const ADDRESS_LEN: usize = 20;

/// The public key in protobuf's form.
pub fn proto_key(public_key: &[u8; 32]) -> PublicKey {
    PublicKey { sum: Some(Sum::Ed25519(public_key.to_vec())) }
}

/// The home's validator.
#[derive(Clone)]
pub struct Validator {
    key: SigningKey,
}

impl std::fmt::Debug for Validator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Validator").field("address", &hex::encode_upper(self.address())).finish_non_exhaustive()
    }
}

impl Validator {
    /// The validator of this key.
    pub fn new(key: SigningKey) -> Self {
        Validator { key }
    }

    /// The public key.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// The first 20 bytes of the public key's SHA-256.
    pub fn address(&self) -> [u8; ADDRESS_LEN] {
        let hash = sha256(&self.public_key());
        std::array::from_fn(|index| hash[index])
    }

    /// The validator as ABCI names it.
    pub fn abci(&self, power: i64) -> AbciValidator {
        AbciValidator { address: self.address().to_vec().into(), power }
    }

    /// The power after these updates.
    ///
    /// # Errors
    /// The set would hold another validator, or none.
    pub fn power_after(&self, power: i64, updates: &[ValidatorUpdate]) -> Result<i64, SoloError> {
        let own = Some(proto_key(&self.public_key()));
        let others: Vec<_> = updates.iter().filter(|update| update.power != 0 && update.pub_key != own).collect();
        if !others.is_empty() {
            let others = others.iter().map(|update| describe(update.pub_key.as_ref())).collect::<Vec<_>>().join(", ");
            return Err(SoloError::OtherValidators { others, own: hex::encode_upper(self.address()) });
        }
        // The application sends each key at most once a block; the last word counts.
        let power = updates.iter().rfind(|update| update.pub_key == own).map_or(power, |update| update.power);
        if power <= 0 {
            return Err(SoloError::NoValidator { own: hex::encode_upper(self.address()) });
        }
        Ok(power)
    }

    /// The commit of a block: the validator's precommit of round 0.
    pub fn commit(&self, chain_id: &str, height: i64, block_id: &BlockId, timestamp: Timestamp) -> Commit {
        let signature = self.key.sign(&precommit_sign_bytes(chain_id, height, block_id, timestamp));
        Commit {
            height,
            round: 0,
            block_id: Some(block_id.clone()),
            signatures: vec![CommitSig {
                block_id_flag: BlockIdFlag::Commit.into(),
                validator_address: self.address().to_vec(),
                timestamp: Some(timestamp),
                signature: signature.to_bytes().to_vec(),
            }],
        }
    }
}

/// What a validator signs for a precommit of round 0.
pub fn precommit_sign_bytes(chain_id: &str, height: i64, block_id: &BlockId, timestamp: Timestamp) -> Vec<u8> {
    vote_sign_bytes(SignedMsgType::Precommit, chain_id, height, 0, block_id, timestamp)
}

/// What a validator signs for a vote for a block. Source: CometBFT's `VoteSignBytes`.
pub fn vote_sign_bytes(
    kind: SignedMsgType,
    chain_id: &str,
    height: i64,
    round: i32,
    block_id: &BlockId,
    timestamp: Timestamp,
) -> Vec<u8> {
    let parts = block_id.part_set_header.clone().unwrap_or_default();
    let vote = CanonicalVote {
        r#type: kind.into(),
        height,
        round: round.into(),
        block_id: Some(CanonicalBlockId {
            hash: block_id.hash.clone(),
            part_set_header: Some(CanonicalPartSetHeader { total: parts.total, hash: parts.hash }),
        }),
        timestamp: Some(timestamp),
        chain_id: chain_id.to_owned(),
    };
    vote.encode_length_delimited_to_vec()
}

fn describe(key: Option<&PublicKey>) -> String {
    match key.and_then(|key| key.sum.as_ref()) {
        Some(Sum::Ed25519(key)) => {
            let mut address = hex::encode_upper(sha256(key));
            address.truncate(ADDRESS_LEN * 2);
            address
        }
        Some(Sum::Secp256k1(key)) => format!("secp256k1 key {}", hex::encode_upper(key)),
        None => "a validator without a key".to_owned(),
    }
}
