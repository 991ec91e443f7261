//! Pruning: rows that only versions below the window used, removed in the commit's own batch, a bounded number at a time.

use std::collections::BTreeSet;

use rocksdb::WriteBatch;
use swing_core::state::UNHASHED;

use crate::{
    StoreError,
    db::{Column, Database, after_history_key, current, history_key},
    stale::{StaleEntry, chunk_key, chunk_version, decode_chunk},
    tree::{Hash, sha256},
};

/// Rows that a commit may remove whatever it wrote itself.
const BUDGET_MIN: usize = 4096;
/// Cost of a deleted key: its preimage goes only after two look-ups.
const DELETED_COST: usize = 4;

/// The budget of a commit that writes `rows`: more than a version of this size makes stale, so a backlog shrinks.
pub fn budget(rows: usize) -> usize {
    rows.saturating_mul(2).saturating_add(BUDGET_MIN)
}

/// One commit's share of the pruning.
pub struct Pruner<'a> {
    /// The database as it was before the commit.
    pub db: &'a Database,
    /// The commit's batch.
    pub batch: &'a mut WriteBatch,
    /// Hashes of keys that the commit makes.
    pub created: &'a BTreeSet<Hash>,
    /// Rows that may still be removed.
    pub budget: usize,
}

impl Pruner<'_> {
    /// Works off the stale lists of versions `next..=oldest` as far as the budget goes. Says which is next now.
    pub fn run(&mut self, mut next: u64, oldest: u64) -> Result<u64, StoreError> {
        if next > oldest {
            return Ok(next);
        }
        let end = oldest.checked_add(1).map(|end| chunk_key(end, 0));
        let mut chunks = self.db.iterator(Column::Stale, end.as_ref().map(|end| end.as_slice()))?;
        chunks.seek(chunk_key(next, 0));
        while self.budget > 0 {
            let Some((row, chunk)) = current(&chunks)? else {
                return self.pass_roots(next, oldest.saturating_add(1));
            };
            let damaged = || StoreError::corrupt("a list of stale rows");
            let version = chunk_version(row).ok_or_else(damaged)?;
            next = self.pass_roots(next, version)?;
            if next < version {
                return Ok(next);
            }
            for entry in decode_chunk(chunk).ok_or_else(damaged)? {
                self.remove(version, entry)?;
            }
            self.batch.single_delete_cf(self.db.column(Column::Stale)?, row);
            chunks.next();
        }
        Ok(next)
    }

    /// Goes from one version's list to another's, removing the roots of versions that are left behind.
    fn pass_roots(&mut self, mut next: u64, to: u64) -> Result<u64, StoreError> {
        while next < to && self.budget > 0 {
            self.batch.delete_cf(self.db.column(Column::Roots)?, next.saturating_sub(1).to_be_bytes());
            self.budget = self.budget.saturating_sub(1);
            next = next.saturating_add(1);
        }
        Ok(next)
    }

    fn remove(&mut self, version: u64, entry: StaleEntry<'_>) -> Result<(), StoreError> {
        match entry {
            // Each such row is written once and deleted once, which is what single deletion asks for, and it leaves less behind.
            StaleEntry::Node(key) => self.batch.single_delete_cf(self.db.column(Column::Nodes)?, key),
            StaleEntry::Overwritten(key) => self.remove_history(key, version)?,
            StaleEntry::Deleted(key) => {
                self.remove_history(key, version)?;
                self.remove_preimage(key, version)?;
                self.budget = self.budget.saturating_sub(DELETED_COST);
            }
        }
        self.budget = self.budget.saturating_sub(1);
        Ok(())
    }

    fn remove_history(&mut self, key: &[u8], version: u64) -> Result<(), StoreError> {
        self.batch.single_delete_cf(self.db.column(Column::History)?, history_key(key, version));
        Ok(())
    }

    /// Removes the preimage of a key deleted at `version`, unless a kept version has the key.
    fn remove_preimage(&mut self, key: &[u8], version: u64) -> Result<(), StoreError> {
        let key_hash = sha256(key);
        if key.first() == Some(&UNHASHED)
            || self.created.contains(&key_hash)
            || self.db.get(Column::Latest, key)?.is_some()
        {
            return Ok(());
        }
        let mut later = self.db.iterator(Column::History, Some(&after_history_key(key)))?;
        later.seek(history_key(key, version.saturating_add(1)));
        if current(&later)?.is_none() {
            self.batch.delete_cf(self.db.column(Column::Keys)?, key_hash);
        }
        Ok(())
    }
}
