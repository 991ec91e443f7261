//! What the engine knows between two blocks, and the next block that follows from it.
//!
//! # Invariants
//! - It is a function of the block store alone: of genesis, the last block with its commit, and the results up to it.
//! - Header `H` names the app hash and the results of `H − 1`; a validator update of block `H` holds from `H + 2` on, a parameter
//!   update from `H + 1`. Source: CometBFT's `state/execution.go`.

use prost::Message;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::{
        abci::{
            CommitInfo, ExtendedCommitInfo, ExtendedVoteInfo, RequestFinalizeBlock, RequestPrepareProposal,
            RequestProcessProposal, VoteInfo,
        },
        types::{Block, BlockId, BlockIdFlag, Commit, ConsensusParams, Data, EvidenceList, Header},
        version::Consensus,
    },
};

use super::{clock, hashes, hashes::Hash, params, validator::Validator};

/// Source: CometBFT 0.38's `BlockProtocol`.
pub const BLOCK_PROTOCOL: u64 = 11;

/// What the engine knows after a block, or before the first.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainState {
    /// The chain.
    pub chain_id: String,
    /// The height of its first block.
    pub initial_height: i64,
    /// The last block's height; one below the first's before it.
    pub height: i64,
    /// The last block's ID.
    pub block_id: BlockId,
    /// The last block's commit.
    pub commit: Commit,
    /// The time of the next block: the last commit's, or genesis's.
    pub next_time: Timestamp,
    /// The validator's power in the last block.
    pub last_power: i64,
    /// The validator's power in the next block.
    pub power: i64,
    /// The validator's power in the block after that.
    pub next_power: i64,
    /// The parameters of the next block.
    pub params: ConsensusParams,
    /// The application's hash after the last block.
    pub app_hash: Vec<u8>,
    /// The hash of the last block's results.
    pub results_hash: Hash,
}

/// A block with its ID and the precommit that decides it.
#[derive(Clone, Debug, PartialEq)]
pub struct DecidedBlock {
    /// The block.
    pub block: Block,
    /// The commit, which holds the block's ID.
    pub commit: Commit,
}

impl DecidedBlock {
    /// The block's ID.
    pub fn id(&self) -> BlockId {
        self.commit.block_id.clone().unwrap_or_else(hashes::no_block_id)
    }

    /// The header.
    pub fn header(&self) -> Header {
        self.block.header.clone().unwrap_or_default()
    }

    /// The transactions.
    pub fn txs(&self) -> &[Vec<u8>] {
        self.block.data.as_ref().map(|data| data.txs.as_slice()).unwrap_or_default()
    }
}

impl ChainState {
    /// The next block's height.
    pub fn next_height(&self) -> i64 {
        self.height.saturating_add(1)
    }

    /// Whether there is no block yet.
    pub fn is_empty(&self) -> bool {
        self.height < self.initial_height
    }

    /// ABCI: PrepareProposal for the next block.
    pub fn prepare_request(&self, validator: &Validator, txs: Vec<bytes::Bytes>) -> RequestPrepareProposal {
        let vote = |validator| ExtendedVoteInfo {
            validator: Some(validator),
            block_id_flag: BlockIdFlag::Commit.into(),
            ..ExtendedVoteInfo::default()
        };
        RequestPrepareProposal {
            max_tx_bytes: params::data_bytes_max(&self.params),
            txs,
            local_last_commit: Some(ExtendedCommitInfo {
                round: 0,
                votes: self.last_voters(validator).map(vote).collect(),
            }),
            misbehavior: Vec::new(),
            height: self.next_height(),
            time: Some(self.next_time),
            next_validators_hash: self.next_validators_hash(validator).to_vec().into(),
            proposer_address: validator.address().to_vec().into(),
        }
    }

    /// The next block with these transactions, and its ID. Source: CometBFT's `MakeBlock`.
    pub fn next_block(&self, validator: &Validator, txs: Vec<Vec<u8>>) -> (Block, BlockId) {
        let header = Header {
            version: Some(Consensus { block: BLOCK_PROTOCOL, app: params::app_version(&self.params) }),
            chain_id: self.chain_id.clone(),
            height: self.next_height(),
            time: Some(self.next_time),
            last_block_id: Some(self.block_id.clone()),
            last_commit_hash: hashes::commit_hash(&self.commit).to_vec(),
            data_hash: hashes::data_hash(&txs).to_vec(),
            validators_hash: hashes::validators_hash(&validator.public_key(), self.power).to_vec(),
            next_validators_hash: self.next_validators_hash(validator).to_vec(),
            consensus_hash: hashes::consensus_hash(&self.params).to_vec(),
            app_hash: self.app_hash.clone(),
            last_results_hash: self.results_hash.to_vec(),
            evidence_hash: hashes::no_evidence_hash().to_vec(),
            proposer_address: validator.address().to_vec(),
        };
        let hash = hashes::header_hash(&header).to_vec();
        let block = Block {
            header: Some(header),
            data: Some(Data { txs }),
            evidence: Some(EvidenceList::default()),
            last_commit: Some(self.commit.clone()),
        };
        let part_set_header = Some(hashes::part_set_header(&block.encode_to_vec()));
        (block, BlockId { hash, part_set_header })
    }

    /// ABCI: ProcessProposal for a block that follows this state.
    pub fn process_request(&self, validator: &Validator, block: &Block, id: &BlockId) -> RequestProcessProposal {
        let finalize = self.finalize_request(validator, block, id);
        RequestProcessProposal {
            txs: finalize.txs,
            proposed_last_commit: finalize.decided_last_commit,
            misbehavior: Vec::new(),
            hash: finalize.hash,
            height: finalize.height,
            time: finalize.time,
            next_validators_hash: finalize.next_validators_hash,
            proposer_address: finalize.proposer_address,
        }
    }

    /// ABCI: FinalizeBlock for a block that follows this state.
    pub fn finalize_request(&self, validator: &Validator, block: &Block, id: &BlockId) -> RequestFinalizeBlock {
        let header = block.header.clone().unwrap_or_default();
        let txs = block.data.as_ref().map(|data| data.txs.as_slice()).unwrap_or_default();
        let vote = |validator| VoteInfo { validator: Some(validator), block_id_flag: BlockIdFlag::Commit.into() };
        RequestFinalizeBlock {
            txs: txs.iter().map(|tx| tx.clone().into()).collect(),
            decided_last_commit: Some(CommitInfo { round: 0, votes: self.last_voters(validator).map(vote).collect() }),
            misbehavior: Vec::new(),
            hash: id.hash.clone().into(),
            height: header.height,
            time: header.time,
            next_validators_hash: header.next_validators_hash.into(),
            proposer_address: header.proposer_address.into(),
        }
    }

    /// The commit of a block that follows this state, with the clock's time.
    pub fn commit_of(&self, validator: &Validator, height: i64, id: &BlockId) -> Commit {
        validator.commit(&self.chain_id, height, id, clock::vote_time(self.next_time, clock::now()))
    }

    fn next_validators_hash(&self, validator: &Validator) -> Hash {
        hashes::validators_hash(&validator.public_key(), self.next_power)
    }

    /// Who signed the last block: nobody before the first.
    fn last_voters(&self, validator: &Validator) -> impl Iterator<Item = tendermint_proto::v0_38::abci::Validator> {
        (!self.is_empty()).then(|| validator.abci(self.last_power)).into_iter()
    }
}

/// The time of a commit with one signature.
pub fn commit_time(commit: &Commit) -> Timestamp {
    commit.signatures.first().and_then(|signature| signature.timestamp).unwrap_or_default()
}
