//! Restoring: chunk after chunk into an empty database, and shown to nobody before all of it is known to be right.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use rocksdb::WriteBatch;
use swing_core::state::UNHASHED;

use super::{
    CHUNK_BYTES, Metadata, RestoreError,
    stream::{Malformed, Parser},
};
use crate::{
    Store, StoreError, View,
    db::{Column, Database, record_into},
    head::{HEAD_KEY, Head},
    proof::committed_value,
    store::Shared,
    tree::{Builder, Built, Child, Hash, Leaf, encode_root, root_hash, sha256},
};

/// In `Meta` while the database is half restored.
const RESTORING_KEY: &[u8] = b"restoring";

/// The columns that state is in.
const STATE_COLUMNS: [Column; 6] =
    [Column::Latest, Column::History, Column::Nodes, Column::Roots, Column::Stale, Column::Keys];

/// A database that is being restored. While it lives the store takes no stage.
#[derive(Debug)]
pub struct Restore {
    shared: Arc<Shared>,
    metadata: Metadata,
    next: u32,
    parser: Parser,
    builder: Builder,
    built: Vec<Built>,
    /// The last key, and its hash where it is in the tree.
    last: Option<(Vec<u8>, Option<Hash>)>,
}

impl Store {
    /// Begins to restore a snapshot into this store, which must be empty.
    ///
    /// # Errors
    /// [`RestoreError::NotEmpty`], or the database's.
    pub fn restore(&self, metadata: Metadata) -> Result<Restore, RestoreError> {
        let shared = Arc::clone(&self.shared);
        let version = shared.head().version;
        if version != 0 {
            return Err(RestoreError::NotEmpty { version });
        }
        // Readers of the empty version must not take a row that is restored for one of theirs.
        shared.restoring.store(true, Ordering::SeqCst);
        shared.values.reset(metadata.height);
        mark(&shared.db, metadata.height)?;
        empty(&shared.db)?;
        let builder = Builder::new(metadata.height);
        Ok(Restore { shared, metadata, next: 0, parser: Parser::default(), builder, built: Vec::new(), last: None })
    }
}

impl Restore {
    /// The snapshot.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The chunk that is next; the number of chunks when all have come.
    pub fn next_chunk(&self) -> u32 {
        self.next
    }

    /// Whether all chunks have come.
    pub fn is_whole(&self) -> bool {
        self.next >= self.metadata.chunks()
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// [`RestoreError::DamagedChunk`] and [`RestoreError::OutOfTurn`] change nothing; after any other error all is to be abandoned.
    pub fn apply(&mut self, index: u32, chunk: &[u8]) -> Result<(), RestoreError> {
        if index != self.next {
            return Err(RestoreError::OutOfTurn { index, expected: self.next });
        }
        let hash = self.metadata.chunk_hashes.get(usize::try_from(index).unwrap_or(usize::MAX));
        if hash != Some(&sha256(chunk)) {
            return Err(RestoreError::DamagedChunk { index });
        }
        let malformed = |why| RestoreError::Malformed { index, why };
        let is_last = index.saturating_add(1) == self.metadata.chunks();
        if chunk.len() > CHUNK_BYTES || (!is_last && chunk.len() < CHUNK_BYTES) {
            return Err(malformed(Malformed::ChunkSize));
        }
        let entries = self.parser.take(chunk).map_err(malformed)?;
        let mut batch = WriteBatch::default();
        for (key, value) in entries {
            self.entry(&mut batch, key, &value)?.map_err(malformed)?;
        }
        self.write_nodes(&mut batch)?;
        self.shared.db.write_ahead(batch)?;
        self.next = index.saturating_add(1);
        if is_last && !self.parser.is_between_entries() {
            return Err(malformed(Malformed::CutOff));
        }
        Ok(())
    }

    /// The rows of one entry. The inner error is the stream's.
    fn entry(
        &mut self,
        batch: &mut WriteBatch,
        key: Vec<u8>,
        value: &Bytes,
    ) -> Result<Result<(), Malformed>, StoreError> {
        let db = &self.shared.db;
        let key_hash = (key.first() != Some(&UNHASHED)).then(|| sha256(&key));
        let in_order = match (&self.last, &key_hash) {
            (None, _) => true,
            (Some((_, Some(last))), Some(hash)) => last < hash,
            (Some((_, Some(_))), None) => true,
            (Some((last, None)), None) => *last < key,
            (Some((_, None)), Some(_)) => false,
        };
        if !in_order {
            return Ok(Err(Malformed::Order));
        }
        let mut record = Vec::with_capacity(value.len().saturating_add(8));
        record_into(&mut record, self.metadata.height, value);
        batch.put_cf(db.column(Column::Latest)?, &key, record);
        if let Some(key_hash) = key_hash {
            batch.put_cf(db.column(Column::Keys)?, key_hash, &key);
            let value_hash = sha256(&committed_value(value));
            self.builder.push(Leaf { key_hash, value_hash }, &mut self.built)?;
        }
        self.last = Some((key, key_hash));
        Ok(Ok(()))
    }

    fn write_nodes(&mut self, batch: &mut WriteBatch) -> Result<(), StoreError> {
        let nodes = self.shared.db.column(Column::Nodes)?;
        for (key, node) in self.built.drain(..) {
            batch.put_cf(nodes, key.encode(), node.encode());
        }
        Ok(())
    }

    /// Ends the restoring: the root must be `trusted`, and `verify` must find what is outside the tree to be what the tree binds.
    /// Then, in one synced write, the version becomes the committed one.
    ///
    /// # Errors
    /// [`RestoreError::WrongAppHash`], [`RestoreError::Unbound`] with what `verify` said, [`RestoreError::OutOfTurn`] when chunks are
    /// missing: nothing is left of it then. Or the database's.
    pub fn finish(
        mut self,
        trusted: &[u8],
        verify: impl FnOnce(&View) -> Result<(), String>,
    ) -> Result<(), RestoreError> {
        let root = match self.check(trusted, verify) {
            Ok(root) => root,
            Err(error @ RestoreError::Store(_)) => return Err(error),
            Err(error) => {
                self.abandon()?;
                return Err(error);
            }
        };
        let (shared, version) = (&*self.shared, self.metadata.height);
        let head = Head {
            version,
            root,
            root_hash: root_hash(root.as_ref()),
            oldest: version,
            prune_next: version.saturating_add(1),
        };
        let meta = shared.db.column(Column::Meta)?;
        let mut batch = WriteBatch::default();
        batch.put_cf(shared.db.column(Column::Roots)?, version.to_be_bytes(), encode_root(root.as_ref()));
        batch.put_cf(meta, HEAD_KEY, head.encode());
        batch.delete_cf(meta, RESTORING_KEY);
        shared.db.write(batch)?;
        // The other half of the assertion pair: what was written is what was verified.
        if Head::load(&shared.db)? != head {
            return Err(StoreError::corrupt(format!("version {version} was not stored as restored")).into());
        }
        shared.show(head);
        Ok(())
    }

    fn check(
        &mut self,
        trusted: &[u8],
        verify: impl FnOnce(&View) -> Result<(), String>,
    ) -> Result<Option<Child>, RestoreError> {
        if !self.is_whole() {
            return Err(RestoreError::OutOfTurn { index: self.metadata.chunks(), expected: self.next });
        }
        let version = self.metadata.height;
        let builder = std::mem::replace(&mut self.builder, Builder::new(version));
        let root = builder.finish(&mut self.built).map_err(StoreError::from)?;
        let mut batch = WriteBatch::default();
        self.write_nodes(&mut batch)?;
        self.shared.db.write_ahead(batch)?;
        let found = root_hash(root.as_ref());
        if found != trusted {
            return Err(RestoreError::WrongAppHash { expected: hex(trusted), found: hex(&found) });
        }
        let view = self.shared.view_unseen(version, root)?;
        verify(&view).map_err(|why| RestoreError::Unbound { why })?;
        Ok(root)
    }

    /// Takes everything back: the store is empty again.
    ///
    /// # Errors
    /// The database's.
    pub fn abandon(self) -> Result<(), StoreError> {
        empty(&self.shared.db)?;
        unmark(&self.shared.db)?;
        self.shared.values.reset(0);
        self.shared.restoring.store(false, Ordering::SeqCst);
        Ok(())
    }
}

/// Empties a database in which a restoring was cut off. Says whether it was one.
pub fn recover(db: &Database) -> Result<bool, StoreError> {
    if !is_half_restored(db)? {
        return Ok(false);
    }
    empty(db)?;
    unmark(db)?;
    Ok(true)
}

/// Whether a restoring was begun and not ended.
pub fn is_half_restored(db: &Database) -> Result<bool, StoreError> {
    Ok(db.get(Column::Meta, RESTORING_KEY)?.is_some())
}

fn empty(db: &Database) -> Result<(), StoreError> {
    STATE_COLUMNS.into_iter().try_for_each(|column| db.clear(column))
}

fn mark(db: &Database, height: u64) -> Result<(), StoreError> {
    let mut batch = WriteBatch::default();
    batch.put_cf(db.column(Column::Meta)?, RESTORING_KEY, height.to_be_bytes());
    db.write(batch)
}

fn unmark(db: &Database) -> Result<(), StoreError> {
    let mut batch = WriteBatch::default();
    batch.delete_cf(db.column(Column::Meta)?, RESTORING_KEY);
    db.write(batch)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}
