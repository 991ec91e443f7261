//! Committed values in memory: a block reads keys that it, or the block before, has written.
//!
//! # Invariants
//! - Between commits an entry is what the `Latest` row of its key says. A reader's entry comes in only while no commit has begun
//!   since the reader's version was committed; a commit puts its own in after its write and before its version is readable.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use swing_core::state::Changes;

use super::generations::Generations;

/// A key's committed record: the version that wrote the value, and the value; none when the key is absent.
pub type Record = Option<(u64, Bytes)>;

const SHARDS: usize = 16;
/// What an entry costs beside its bytes.
const ENTRY_BYTES: usize = 128;
/// Longer values are left to RocksDB's cache.
const VALUE_BYTES_MAX: usize = 64 << 10;

/// The cache, and the version that says what may come in.
#[derive(Debug)]
pub struct Values {
    shards: Vec<Mutex<Generations<Vec<u8>, Record>>>,
    /// The version being written, or else the committed one.
    writing: AtomicU64,
}

impl Values {
    /// An empty cache of at most `budget` bytes, on a committed version.
    pub fn new(budget: usize, version: u64) -> Self {
        let shard = || Mutex::new(Generations::new(budget / SHARDS));
        Values { shards: (0..SHARDS).map(|_| shard()).collect(), writing: AtomicU64::new(version) }
    }

    /// Whether no write later than `version` had begun when this is called. A reader of that version who asks after a read knows
    /// that the read saw nothing later.
    pub fn is_newest(&self, version: u64) -> bool {
        self.writing.load(Ordering::SeqCst) == version
    }

    /// The record of a key, if it is here.
    pub fn get(&self, key: &[u8]) -> Option<Record> {
        self.shard(key)?.get(key)
    }

    /// Adds what a reader of `version` found, unless it may be out of date.
    pub fn fill(&self, version: u64, key: &[u8], record: &Record) {
        let Some(mut shard) = self.shard(key) else { return };
        if self.is_newest(version) && fits(record) {
            shard.insert(key.to_vec(), record.clone(), cost(key, record));
        }
    }

    /// A commit's write begins: readers' findings are not taken any more.
    pub fn begin(&self, version: u64) {
        self.writing.store(version, Ordering::SeqCst);
    }

    /// The commit's write is done.
    pub fn finish(&self, version: u64, changes: Changes) {
        for (key, value) in changes {
            let Some(mut shard) = self.shard(&key) else { return };
            let record = value.map(|value| (version, value));
            if fits(&record) {
                let bytes = cost(&key, &record);
                shard.insert(key, record, bytes);
            } else {
                shard.remove(&key);
            }
        }
    }

    /// Forgets everything: what was written was taken back. `version` is the committed one.
    pub fn reset(&self, version: u64) {
        // First, so that what a reader of before brings in is among what is forgotten.
        self.writing.store(version, Ordering::SeqCst);
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn shard(&self, key: &[u8]) -> Option<MutexGuard<'_, Generations<Vec<u8>, Record>>> {
        let sum =
            key.iter().rev().take(8).fold(0usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
        // Nothing between lock and unlock can panic half-way through a change.
        Some(self.shards.get((sum ^ (sum >> 7)) % SHARDS)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn fits(record: &Record) -> bool {
    record.as_ref().is_none_or(|(_, value)| value.len() <= VALUE_BYTES_MAX)
}

fn cost(key: &[u8], record: &Record) -> usize {
    ENTRY_BYTES + key.len() + record.as_ref().map_or(0, |(_, value)| value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_was_overtaken_by_a_commit_brings_nothing_in() {
        let values = Values::new(1 << 20, 4);
        values.fill(4, b"a", &Some((3, "old".into())));
        assert_eq!(values.get(b"a"), Some(Some((3, "old".into()))));
        values.begin(5);
        values.fill(4, b"b", &Some((2, "read before the write".into())));
        values.finish(5, Changes::from([(b"a".to_vec(), None), (b"c".to_vec(), Some("new".into()))]));
        values.fill(4, b"c", &None);
        assert_eq!(values.get(b"a"), Some(None));
        assert_eq!(values.get(b"b"), None);
        assert_eq!(values.get(b"c"), Some(Some((5, "new".into()))));
    }

    #[test]
    fn a_long_value_is_not_kept_and_takes_the_place_of_a_short_one() {
        let values = Values::new(1 << 30, 0);
        values.fill(0, b"a", &Some((0, "short".into())));
        values.finish(1, Changes::from([(b"a".to_vec(), Some(vec![0; VALUE_BYTES_MAX + 1].into()))]));
        assert_eq!(values.get(b"a"), None);
    }
}
