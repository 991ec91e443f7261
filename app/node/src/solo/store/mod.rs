//! The solo engine's own block store, `data/solo/blocks.log`: genesis, blocks with their commits, and results.
//!
//! # Invariants
//! - A block is on disk before it is executed, its results before they are committed.
//! - Readers see a block once the application has committed it.
//! - Everything is kept: there is no pruning.

mod index;
mod log;
mod records;

use std::{
    path::Path,
    sync::{Mutex, PoisonError, RwLock},
};

use tendermint_proto::v0_38::{abci::ResponseFinalizeBlock, types::ConsensusParams};

pub use index::TxPlace;
pub use records::GenesisRecord;

use self::{
    index::Index,
    log::{Log, Place, Reader},
    records::{Record, ResultsRecord},
};
use super::{
    StoreError, hashes,
    hashes::Hash,
    state::{ChainState, DecidedBlock, commit_time},
};

/// The folder below `data/`.
pub const FOLDER: &str = "solo";
/// The file in it.
pub const LOG_FILE: &str = "blocks.log";

/// The block store.
#[derive(Debug)]
pub struct BlockStore {
    log: Mutex<Log>,
    reader: Reader,
    index: RwLock<Index>,
}

/// What a block's results change.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// FinalizeBlock's answer.
    pub response: ResponseFinalizeBlock,
    /// The validator's power two blocks later.
    pub power_after: i64,
    /// The parameters of the next block, where they changed.
    pub params_after: Option<ConsensusParams>,
}

impl BlockStore {
    /// Opens or makes the store in a folder that exists.
    ///
    /// # Errors
    /// The file system refuses, another process has it open, or it is damaged.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let mut index = Index::default();
        let log = Log::open(&folder.join(LOG_FILE), |place, content| {
            index.take_up(place, Record::decode(place.kind(), content)?)
        })?;
        Ok(BlockStore { reader: log.reader()?, log: Mutex::new(log), index: RwLock::new(index) })
    }

    fn append(&self, record: Record) -> Result<(), StoreError> {
        let (kind, content) = record.encode();
        let place = self.log.lock().unwrap_or_else(PoisonError::into_inner).append(kind, &content)?;
        let taken = self.index.write().unwrap_or_else(PoisonError::into_inner).take_up(place, record);
        taken.map_err(|reason| self.reader.damaged(place, &reason))
    }

    fn read(&self, place: Place) -> Result<Record, StoreError> {
        let (kind, content) = self.reader.read(place)?;
        Record::decode(kind, &content).map_err(|reason| self.reader.damaged(place, &reason))
    }

    fn with_index<T>(&self, look: impl FnOnce(&Index) -> T) -> T {
        look(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the chain began with.
    pub fn genesis(&self) -> Option<GenesisRecord> {
        self.with_index(|index| index.genesis.clone())
    }

    /// Writes what the chain begins with, again as long as there is no block.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn save_genesis(&self, genesis: GenesisRecord) -> Result<(), StoreError> {
        self.append(Record::Genesis(genesis))
    }

    /// Writes a decided block.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn save_block(&self, block: DecidedBlock) -> Result<(), StoreError> {
        self.append(Record::Block(Box::new(block)))
    }

    /// Writes the last block's results, in the place of those that were written before.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn save_results(&self, height: i64, outcome: Outcome) -> Result<(), StoreError> {
        let Outcome { response, power_after, params_after } = outcome;
        self.append(Record::Results(ResultsRecord { height, response: Some(response), power_after, params_after }))
    }

    /// Shows readers the blocks up to this height.
    pub fn publish(&self, height: i64) {
        self.index.write().unwrap_or_else(PoisonError::into_inner).published = height;
    }

    /// The first block's height.
    pub fn initial_height(&self) -> i64 {
        self.with_index(Index::initial_height)
    }

    /// The last block that was written.
    pub fn last_height(&self) -> i64 {
        self.with_index(Index::last_height)
    }

    /// The last block that readers see.
    pub fn published_height(&self) -> i64 {
        self.with_index(|index| index.published)
    }

    /// Whether the block's results were written.
    pub fn has_results(&self, height: i64) -> bool {
        self.with_index(|index| index.results(height).is_some())
    }

    /// A block that was written.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn block(&self, height: i64) -> Result<DecidedBlock, StoreError> {
        match self.with_index(|index| index.block(height)).map(|place| self.read(place)).transpose()? {
            Some(Record::Block(block)) => Ok(*block),
            _ => Err(StoreError::Missing { what: "content", height }),
        }
    }

    /// A block's results.
    ///
    /// # Errors
    /// There are none, or they cannot be read.
    pub fn results(&self, height: i64) -> Result<ResponseFinalizeBlock, StoreError> {
        match self.with_index(|index| index.results(height)).map(|place| self.read(place)).transpose()? {
            Some(Record::Results(results)) => Ok(results.response.unwrap_or_default()),
            _ => Err(StoreError::Missing { what: "results", height }),
        }
    }

    /// The published block of this hash.
    pub fn height_of(&self, hash: &Hash) -> Option<i64> {
        self.with_index(|index| index.height_of(hash))
    }

    /// Where the published transaction of this hash is.
    pub fn tx(&self, hash: &Hash) -> Option<TxPlace> {
        self.with_index(|index| index.tx(hash))
    }

    /// The published heights that have transactions, the last first.
    pub fn heights_with_txs(&self) -> Vec<i64> {
        self.with_index(Index::heights_with_txs)
    }

    /// The validator's power in a block.
    pub fn power(&self, height: i64) -> i64 {
        self.with_index(|index| index.power(height))
    }

    /// The parameters in a block.
    pub fn params(&self, height: i64) -> ConsensusParams {
        self.with_index(|index| index.params(height))
    }

    /// The engine's state after a block, from the store alone. `genesis_time` is that of the first block.
    ///
    /// # Errors
    /// The chain has not begun, or the block is not in the store with its results.
    pub fn state_at(
        &self,
        height: i64,
        genesis_time: tendermint_proto::google::protobuf::Timestamp,
    ) -> Result<ChainState, StoreError> {
        let genesis = self.genesis().ok_or(StoreError::Missing { what: "genesis", height })?;
        let next = height.saturating_add(1);
        let mut state = ChainState {
            chain_id: genesis.chain_id,
            initial_height: genesis.initial_height,
            height,
            block_id: hashes::no_block_id(),
            commit: no_commit(),
            next_time: genesis_time,
            last_power: self.power(height),
            power: self.power(next),
            next_power: self.power(next.saturating_add(1)),
            params: self.params(next),
            app_hash: genesis.app_hash,
            results_hash: hashes::results_hash(&[]),
        };
        if !state.is_empty() {
            let block = self.block(height)?;
            let results = self.results(height)?;
            state.block_id = block.id();
            state.next_time = commit_time(&block.commit);
            state.commit = block.commit;
            state.app_hash = results.app_hash.to_vec();
            state.results_hash = hashes::results_hash(&results.tx_results);
        }
        Ok(state)
    }
}

/// The commit that the first block carries.
fn no_commit() -> tendermint_proto::v0_38::types::Commit {
    tendermint_proto::v0_38::types::Commit { block_id: Some(hashes::no_block_id()), ..Default::default() }
}
