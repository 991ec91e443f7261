//! Staging: a block's changes turned into one batch and a new root, with no write.

use std::collections::BTreeSet;

use bytes::Bytes;
use rocksdb::WriteBatch;
use swing_core::state::{Changes, UNHASHED};

use crate::{
    StoreError,
    db::{Column, Database, Record, history_key_into, record_into},
    head::Head,
    proof::committed_value,
    stale::{StaleEntry, StaleWriter},
    store::Shared,
    tree::{Child, Hash, InternalNode, NodeKey, TreeBatch, Update, encode_root, sha256, update},
};

/// Bytes of a batch for one changed key in a tree of some 100,000, its nodes among them: an estimate, so that the batch is not moved
/// as it grows.
const BYTES_A_CHANGE: usize = 1 << 10;

/// From this many changes on, their hashes are worked out on another thread.
const HASH_BESIDE_MIN: usize = 512;

/// A version that is ready to be committed. Dropping it undoes it.
pub struct Staged {
    pub(crate) base: Head,
    pub(crate) version: u64,
    pub(crate) changes: Changes,
    pub(crate) root: Option<Child>,
    pub(crate) root_hash: Hash,
    pub(crate) batch: WriteBatch,
    pub(crate) fresh: Vec<(NodeKey, InternalNode)>,
    pub(crate) stale: Vec<NodeKey>,
    /// Hashes of keys that this version makes: pruning in the same batch must not take their preimages away.
    pub(crate) created: BTreeSet<Hash>,
    pub(crate) meta: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) transcript: Option<Vec<u8>>,
}

impl std::fmt::Debug for Staged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Staged").field("version", &self.version).field("rows", &self.batch.len()).finish()
    }
}

impl Staged {
    /// The version that a commit makes.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The app hash of that version.
    pub fn root_hash(&self) -> Hash {
        self.root_hash
    }

    /// Adds a row of the node's own to the same commit. It is neither versioned nor in the tree; the last write of a key counts.
    pub fn put_meta(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.meta.push((key.into(), value.into()));
    }

    /// Adds the transcript of the block's deliveries to the same commit, as far as the store keeps any.
    pub fn put_transcript(&mut self, bytes: Vec<u8>) {
        self.transcript = Some(bytes);
    }

    /// Stages `changes` as `version` on `base`.
    pub(crate) fn build(shared: &Shared, base: Head, version: u64, mut changes: Changes) -> Result<Staged, StoreError> {
        if changes.keys().next().is_some_and(Vec::is_empty) {
            return Err(StoreError::EmptyKey);
        }
        let old = drop_unchanged(shared, &mut changes)?;
        let mut rows = Rows {
            db: &shared.db,
            version,
            batch: WriteBatch::with_capacity_bytes(changes.len().saturating_mul(BYTES_A_CHANGE)),
            stale: StaleWriter::new(&shared.db, version),
            created: BTreeSet::new(),
            key: Vec::new(),
            value: Vec::new(),
        };
        let updates = std::thread::scope(|scope| {
            // Where there is much to hash, beside the rows.
            let beside = (changes.len() >= HASH_BESIDE_MIN).then(|| scope.spawn(|| updates_of(&changes)));
            for ((key, new), old) in changes.iter().zip(&old) {
                rows.value(key, old, new.as_ref())?;
            }
            Ok::<_, StoreError>(match beside {
                // A panic of the other thread is one of this.
                Some(updates) => updates.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                None => updates_of(&changes),
            })
        })?;
        let tree = update(&shared.nodes(), base.root.as_ref(), version, &updates)?;
        rows.tree(&tree)?;
        Ok(Staged {
            base,
            version,
            changes,
            root: tree.root,
            root_hash: tree.root_hash,
            batch: rows.batch,
            fresh: tree.fresh,
            stale: tree.stale,
            created: rows.created,
            meta: Vec::new(),
            transcript: None,
        })
    }
}

/// Takes out the changes that change nothing. Gives the committed records of the others, in the order of their keys.
fn drop_unchanged(shared: &Shared, changes: &mut Changes) -> Result<Vec<Record>, StoreError> {
    let cached: Vec<Option<Record>> = changes.keys().map(|key| shared.values.get(key)).collect();
    let missing = changes.keys().zip(&cached).filter_map(|(key, cached)| cached.is_none().then_some(key));
    let mut read = shared.latest_sorted(missing)?.into_iter();
    let mut records = cached.into_iter().map(|cached| cached.unwrap_or_else(|| read.next().flatten()));
    let mut kept = Vec::with_capacity(changes.len());
    changes.retain(|_, new| {
        let old = records.next().flatten();
        let changed = old.as_ref().map(|(_, value)| value) != new.as_ref();
        if changed {
            kept.push(old);
        }
        changed
    });
    Ok(kept)
}

/// What the tree is told of changes, in the order of the keys' hashes.
fn updates_of(changes: &Changes) -> Vec<Update> {
    let hashed = changes.iter().filter(|(key, _)| key.first() != Some(&UNHASHED));
    let update = |(key, value): (&Vec<u8>, &Option<Bytes>)| Update {
        key_hash: sha256(key),
        value_hash: value.as_ref().map(|value| sha256(&committed_value(value))),
    };
    let mut updates: Vec<Update> = hashed.map(update).collect();
    updates.sort_unstable_by_key(|update| update.key_hash);
    updates
}

struct Rows<'a> {
    db: &'a Database,
    version: u64,
    batch: WriteBatch,
    stale: StaleWriter<'a>,
    created: BTreeSet<Hash>,
    /// A row's key, in the making.
    key: Vec<u8>,
    /// A row's value, in the making.
    value: Vec<u8>,
}

impl Rows<'_> {
    /// Rows for one key's change.
    fn value(&mut self, key: &[u8], old: &Record, new: Option<&Bytes>) -> Result<(), StoreError> {
        let latest = self.db.column(Column::Latest)?;
        match new {
            Some(value) => {
                self.value.clear();
                record_into(&mut self.value, self.version, value);
                self.batch.put_cf(latest, key, &self.value);
            }
            None => self.batch.delete_cf(latest, key),
        }
        if let Some((written, value)) = old {
            self.key.clear();
            history_key_into(&mut self.key, key, self.version);
            self.value.clear();
            record_into(&mut self.value, *written, value);
            self.batch.put_cf(self.db.column(Column::History)?, &self.key, &self.value);
            let entry = if new.is_some() { StaleEntry::Overwritten(key) } else { StaleEntry::Deleted(key) };
            self.stale.push(&mut self.batch, entry)?;
        }
        if key.first() == Some(&UNHASHED) {
            return Ok(());
        }
        if old.is_none() {
            let key_hash = sha256(key);
            self.batch.put_cf(self.db.column(Column::Keys)?, key_hash, key);
            self.created.insert(key_hash);
        }
        Ok(())
    }

    /// Rows for the tree's new and stale nodes and its root; the stale list ends here.
    fn tree(&mut self, tree: &TreeBatch) -> Result<(), StoreError> {
        let nodes = self.db.column(Column::Nodes)?;
        for (key, node) in &tree.fresh {
            self.key.clear();
            key.encode_into(&mut self.key);
            self.value.clear();
            node.encode_into(&mut self.value);
            self.batch.put_cf(nodes, &self.key, &self.value);
        }
        for key in &tree.stale {
            self.key.clear();
            key.encode_into(&mut self.key);
            self.stale.push(&mut self.batch, StaleEntry::Node(&self.key))?;
        }
        self.stale.flush(&mut self.batch)?;
        let roots = self.db.column(Column::Roots)?;
        self.batch.put_cf(roots, self.version.to_be_bytes(), encode_root(tree.root.as_ref()));
        Ok(())
    }
}
