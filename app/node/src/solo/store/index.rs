//! What is where in the block store, kept in memory and rebuilt when it is opened.
//!
//! # Invariants
//! - `published` never runs ahead of what the application has committed; readers see nothing above it.

use std::collections::BTreeMap;

use tendermint_proto::v0_38::types::ConsensusParams;

use super::{
    log::Place,
    records::{GenesisRecord, Record, ResultsRecord},
};
use crate::solo::{
    hashes::{Hash, data_leaves},
    state::DecidedBlock,
};

/// Where a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxPlace {
    /// The block.
    pub height: i64,
    /// Its position in the block.
    pub index: u32,
}

#[derive(Debug, Default)]
pub(super) struct Index {
    pub genesis: Option<GenesisRecord>,
    /// By height, from the initial height on.
    blocks: Vec<Place>,
    results: BTreeMap<i64, Place>,
    by_hash: BTreeMap<Hash, i64>,
    txs: BTreeMap<Hash, TxPlace>,
    heights_with_txs: Vec<i64>,
    /// The hashes of the last block's transactions, indexed once it has results.
    pending: Vec<Hash>,
    /// The validator's power from a height on.
    powers: BTreeMap<i64, i64>,
    /// The parameters from a height on.
    params: BTreeMap<i64, ConsensusParams>,
    pub published: i64,
}

impl Index {
    pub(super) fn initial_height(&self) -> i64 {
        self.genesis.as_ref().map_or(1, |genesis| genesis.initial_height)
    }

    /// The last stored block; one below the first's height before it.
    pub(super) fn last_height(&self) -> i64 {
        let count = i64::try_from(self.blocks.len()).unwrap_or(i64::MAX);
        self.initial_height().saturating_sub(1).saturating_add(count)
    }

    pub(super) fn block(&self, height: i64) -> Option<Place> {
        let index = height.checked_sub(self.initial_height())?;
        self.blocks.get(usize::try_from(index).ok()?).copied()
    }

    pub(super) fn results(&self, height: i64) -> Option<Place> {
        self.results.get(&height).copied()
    }

    pub(super) fn height_of(&self, hash: &Hash) -> Option<i64> {
        self.by_hash.get(hash).copied().filter(|height| *height <= self.published)
    }

    pub(super) fn tx(&self, hash: &Hash) -> Option<TxPlace> {
        self.txs.get(hash).copied().filter(|place| place.height <= self.published)
    }

    /// The published heights that have transactions, from the last one down.
    pub(super) fn heights_with_txs(&self) -> Vec<i64> {
        self.heights_with_txs.iter().rev().copied().filter(|height| *height <= self.published).collect()
    }

    pub(super) fn power(&self, height: i64) -> i64 {
        self.powers.range(..=height).next_back().map_or(0, |(_, power)| *power)
    }

    pub(super) fn params(&self, height: i64) -> ConsensusParams {
        self.params.range(..=height).next_back().map(|(_, params)| params.clone()).unwrap_or_default()
    }

    /// Takes up a record that was written at a place.
    ///
    /// # Errors
    /// The record does not follow from those before it.
    pub(super) fn take_up(&mut self, place: Place, record: Record) -> Result<(), String> {
        match record {
            Record::Genesis(genesis) => self.take_up_genesis(genesis),
            Record::Block(block) => self.take_up_block(place, &block),
            Record::Results(results) => self.take_up_results(place, results),
        }
    }

    fn take_up_genesis(&mut self, genesis: GenesisRecord) -> Result<(), String> {
        if !self.blocks.is_empty() {
            return Err("a genesis after the first block".to_owned());
        }
        self.published = genesis.initial_height.saturating_sub(1);
        self.powers = BTreeMap::from([(genesis.initial_height, genesis.power)]);
        self.params = BTreeMap::from([(genesis.initial_height, genesis.params.clone().unwrap_or_default())]);
        self.genesis = Some(genesis);
        Ok(())
    }

    fn take_up_block(&mut self, place: Place, block: &DecidedBlock) -> Result<(), String> {
        let height = block.header().height;
        let expected = self.last_height().saturating_add(1);
        if self.genesis.is_none() || height != expected {
            return Err(format!("block {height} where {expected} was expected"));
        }
        if !self.blocks.is_empty() && self.results(self.last_height()).is_none() {
            return Err(format!("block {height} before the results of the one before it"));
        }
        let hash: Hash =
            block.id().hash.try_into().map_err(|_| format!("the hash of block {height} has another length"))?;
        self.blocks.push(place);
        self.by_hash.insert(hash, height);
        self.pending = data_leaves(block.txs());
        if !self.pending.is_empty() {
            self.heights_with_txs.push(height);
        }
        Ok(())
    }

    fn take_up_results(&mut self, place: Place, record: ResultsRecord) -> Result<(), String> {
        let height = record.height;
        if height != self.last_height() || self.blocks.is_empty() {
            return Err(format!("results of block {height} where those of {} were expected", self.last_height()));
        }
        // A record of the same height may have come before: what it said is forgotten.
        self.powers.insert(height.saturating_add(2), record.power_after);
        match record.params_after {
            Some(params) => self.params.insert(height.saturating_add(1), params),
            None => self.params.remove(&height.saturating_add(1)),
        };
        self.forget_repeated_power(height.saturating_add(2));
        let results = record.response.unwrap_or_default().tx_results;
        for (index, hash) in (0u32..).zip(&self.pending) {
            let failed =
                usize::try_from(index).ok().and_then(|index| results.get(index)).is_some_and(|result| result.code != 0);
            // CometBFT: a later failure of the same bytes does not hide that they succeeded.
            if !failed || !self.txs.contains_key(hash) {
                self.txs.insert(*hash, TxPlace { height, index });
            }
        }
        self.results.insert(height, place);
        Ok(())
    }

    /// Keeps the history to heights at which the power changed.
    fn forget_repeated_power(&mut self, height: i64) {
        if self.powers.get(&height) == Some(&self.power(height.saturating_sub(1))) {
            self.powers.remove(&height);
        }
    }
}
