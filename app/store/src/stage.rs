//! Staging: a block's changes turned into one batch and a new root, with no write.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use rocksdb::WriteBatch;
use swing_core::state::{Changes, UNHASHED};

use crate::{
    StoreError,
    db::{Column, Database, Nodes, history_key, record, split_record},
    head::Head,
    proof::committed_value,
    stale::{StaleEntry, StaleWriter},
    tree::{Child, Hash, InternalNode, NodeKey, Update, encode_root, sha256, update},
};

/// A version that is ready to be committed. Dropping it undoes it.
pub struct Staged {
    pub(crate) base: Head,
    pub(crate) version: u64,
    pub(crate) root: Option<Child>,
    pub(crate) root_hash: Hash,
    pub(crate) batch: WriteBatch,
    pub(crate) fresh: Vec<(NodeKey, Arc<InternalNode>)>,
    pub(crate) stale: Vec<NodeKey>,
    /// Hashed keys that this version makes: pruning in the same batch must not take their preimages away.
    pub(crate) created: BTreeSet<Vec<u8>>,
    pub(crate) meta: Vec<(Vec<u8>, Vec<u8>)>,
}

impl std::fmt::Debug for Staged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Staged")
            .field("version", &self.version)
            .field("rows", &self.batch.len())
            .finish()
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

    /// Stages `changes` as `version` on `base`.
    pub(crate) fn build(nodes: Nodes<'_>, base: Head, version: u64, changes: &Changes) -> Result<Staged, StoreError> {
        if changes.keys().next().is_some_and(Vec::is_empty) {
            return Err(StoreError::EmptyKey);
        }
        let mut rows = Rows {
            db: nodes.db,
            version,
            batch: WriteBatch::default(),
            stale: StaleWriter::new(nodes.db, version),
            updates: Vec::with_capacity(changes.len()),
            created: BTreeSet::new(),
        };
        let old = nodes.db.get_sorted(Column::Latest, changes.keys())?;
        for ((key, new), old) in changes.iter().zip(old) {
            rows.value(key, old.as_deref(), new.as_ref())?;
        }
        rows.updates.sort_unstable_by_key(|update| update.key_hash);
        let tree = update(&nodes, base.root.as_ref(), version, &rows.updates)?;
        for (key, node) in &tree.fresh {
            rows.batch
                .put_cf(rows.db.column(Column::Nodes)?, key.encode(), node.encode());
        }
        for key in &tree.stale {
            rows.stale.push(&mut rows.batch, &StaleEntry::Node(key.encode()))?;
        }
        rows.stale.flush(&mut rows.batch)?;
        let roots = rows.db.column(Column::Roots)?;
        rows.batch
            .put_cf(roots, version.to_be_bytes(), encode_root(tree.root.as_ref()));
        Ok(Staged {
            base,
            version,
            root: tree.root,
            root_hash: tree.root_hash,
            batch: rows.batch,
            fresh: tree.fresh,
            stale: tree.stale,
            created: rows.created,
            meta: Vec::new(),
        })
    }
}

struct Rows<'a> {
    db: &'a Database,
    version: u64,
    batch: WriteBatch,
    stale: StaleWriter<'a>,
    updates: Vec<Update>,
    created: BTreeSet<Vec<u8>>,
}

impl Rows<'_> {
    /// Rows for one key's change; none when it changes nothing.
    fn value(&mut self, key: &[u8], old: Option<&[u8]>, new: Option<&Bytes>) -> Result<(), StoreError> {
        let split = |bytes| split_record(bytes).ok_or_else(|| StoreError::corrupt("a state record is too short"));
        let old_value = old.map(split).transpose()?.map(|(_, value)| value);
        if old_value == new.map(AsRef::as_ref) {
            return Ok(());
        }
        let latest = self.db.column(Column::Latest)?;
        match new {
            Some(value) => self.batch.put_cf(latest, key, record(self.version, value)),
            None => self.batch.delete_cf(latest, key),
        }
        if let Some(old) = old {
            self.batch
                .put_cf(self.db.column(Column::History)?, history_key(key, self.version), old);
            let entry = match new {
                Some(_) => StaleEntry::Overwritten(key.to_vec()),
                None => StaleEntry::Deleted(key.to_vec()),
            };
            self.stale.push(&mut self.batch, &entry)?;
        }
        if key.first() == Some(&UNHASHED) {
            return Ok(());
        }
        let key_hash = sha256(key);
        if old.is_none() {
            self.batch.put_cf(self.db.column(Column::Keys)?, key_hash, key);
            self.created.insert(key.to_vec());
        }
        let value_hash = new.map(|value| sha256(&committed_value(value)));
        self.updates.push(Update { key_hash, value_hash });
        Ok(())
    }
}
