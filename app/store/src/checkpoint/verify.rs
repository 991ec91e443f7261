//! Opening a checkpoint's database and comparing it with its manifest: quickly when it is made, wholly when it is asked for.

use std::path::Path;

use swing_core::state::UNHASHED;

use super::{CheckpointError, Checkpoints, Manifest};
use crate::{
    Reader, StoreError, StoreOptions, View,
    db::{Column, current, split_record},
    proof::committed_value,
    tree::{Leaf, count_leaves, descend, sha256},
};

/// What a full verification has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Rows of all kinds.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Keys of state, each found in the tree with the value that it has.
    pub keys: u64,
}

/// Little memory and few files, so that opening costs the same at any size.
fn options() -> StoreOptions {
    StoreOptions {
        block_cache_bytes: 16 << 20,
        node_cache_bytes: 64 << 20,
        value_cache_bytes: 1 << 20,
        open_files_max: 64,
        ..StoreOptions::default()
    }
}

/// Opens the database and compares version, root hash and root node.
pub(super) fn open(database: &Path, manifest: &Manifest) -> Result<View, CheckpointError> {
    Ok(reader(database, manifest)?.latest()?)
}

/// As [`open`], for whoever reads other versions too.
pub(super) fn reader(database: &Path, manifest: &Manifest) -> Result<Reader, CheckpointError> {
    let missing = || StoreError::corrupt(format!("there is no database in {}", database.display()));
    let reader = Reader::open(database, options())?.ok_or_else(missing)?;
    let view = reader.latest()?;
    manifest.check(view.version(), &view.root_hash())?;
    view.check_root_node()?;
    Ok(reader)
}

/// As [`open`], for the comparison alone.
pub(super) fn quick(database: &Path, manifest: &Manifest) -> Result<(), CheckpointError> {
    open(database, manifest).map(|_| ())
}

impl Checkpoints {
    /// Reads a checkpoint wholly: each block of each table with its checksum, each key of state against the tree, and the tree
    /// against the app hash. Takes time in the data's size; the checkpoint can be used meanwhile.
    ///
    /// # Errors
    /// What is damaged.
    pub fn verify(&self, id: &str) -> Result<Verified, CheckpointError> {
        let view = self.view(id)?;
        let mut verified = Verified { rows: 0, bytes: 0, keys: 0 };
        for column in Column::ALL.into_iter().filter(|column| view.shared().db.has(*column)) {
            scan(&view, column, &mut verified)?;
        }
        let leaves = count_leaves(&view.shared().nodes(), view.root())?;
        if leaves != verified.keys {
            let what = format!("the tree has {leaves} keys, the state {}", verified.keys);
            return Err(StoreError::corrupt(what).into());
        }
        Ok(verified)
    }
}

fn scan(view: &View, column: Column, verified: &mut Verified) -> Result<(), StoreError> {
    let mut rows = view.shared().db.scan(column)?;
    rows.seek_to_first();
    while let Some((key, value)) = current(&rows)? {
        verified.rows = verified.rows.saturating_add(1);
        verified.bytes =
            verified.bytes.saturating_add(u64::try_from(key.len().saturating_add(value.len())).unwrap_or(0));
        if column == Column::Latest && key.first() != Some(&UNHASHED) {
            check_key(view, key, value)?;
            verified.keys = verified.keys.saturating_add(1);
        }
        rows.next();
    }
    Ok(())
}

/// The tree has this key with this value.
fn check_key(view: &View, key: &[u8], record: &[u8]) -> Result<(), StoreError> {
    let (_, value) = split_record(record).ok_or_else(|| StoreError::corrupt("a state record is too short"))?;
    let value_hash = sha256(&committed_value(&bytes::Bytes::copy_from_slice(value)));
    let leaf = Leaf { key_hash: sha256(key), value_hash };
    let found = descend(&view.shared().nodes(), view.root(), &leaf.key_hash)?.leaf;
    if found == Some(leaf) {
        return Ok(());
    }
    Err(StoreError::corrupt(format!("the value of key {} is not the one in the tree", key.escape_ascii())))
}
