//! One version of state, to read.

use std::sync::Arc;

use bytes::Bytes;
use swing_core::state::{Entry, StateError, StateRead, UNHASHED};

use crate::{
    StoreError,
    db::{Column, Record, after_history_key, current, history_key, split_record},
    proof, range,
    store::Shared,
    tree::{Child, Hash, NibblePath, NodeKey, NodeReader, root_hash},
    window::Pin,
};

/// A version of state. Cheap to clone, it reads the same whatever is committed meanwhile, and waits for no block. While a view
/// lives its version is not pruned, so a view is for a request or a block, not for keeps.
#[derive(Clone, Debug)]
pub struct View {
    shared: Arc<Shared>,
    version: u64,
    root: Option<Child>,
    _pin: Arc<Pin>,
}

impl View {
    pub(crate) fn new(shared: Arc<Shared>, version: u64, root: Option<Child>, pin: Pin) -> Self {
        View { shared, version, root, _pin: Arc::new(pin) }
    }

    /// The version, 0 before the first commit.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Its app hash.
    pub fn root_hash(&self) -> Hash {
        root_hash(self.root.as_ref())
    }

    /// The value at a key, and the encoded ICS-23 `CommitmentProof` of its presence or absence ([`proof`] says how to verify it).
    ///
    /// # Errors
    /// [`StoreError::NotInTree`] for unhashed keys, [`StoreError::EmptyKey`], [`StoreError::EmptyTree`], or those of reading.
    pub fn prove(&self, key: &[u8]) -> Result<(Option<Bytes>, Vec<u8>), StoreError> {
        match key.first() {
            None => return Err(StoreError::EmptyKey),
            Some(&UNHASHED) => return Err(StoreError::NotInTree),
            Some(_) => {}
        }
        proof::prove(self, key)
    }

    /// Reads the root's node, whose hash must be the one that the root record has.
    pub(crate) fn check_root_node(&self) -> Result<(), StoreError> {
        if let Some(Child::Internal { hash, version }) = &self.root {
            self.shared.nodes().node(&NodeKey { version: *version, path: NibblePath::default() }, hash)?;
        }
        Ok(())
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn root(&self) -> Option<&Child> {
        self.root.as_ref()
    }

    pub(crate) fn read(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let record = match self.shared.values.get(key) {
            Some(record) => record,
            None => self.read_latest(key)?,
        };
        match record {
            Some((written, value)) if written <= self.version => Ok(Some(value)),
            // Absent now, and so in this version, unless a commit that may have deleted the key has begun since.
            None if self.shared.values.is_newest(self.version) => Ok(None),
            _ => self.read_history(key),
        }
    }

    /// As [`View::read`], past the cache of values, which a walk over all of them would empty of what blocks use.
    pub(crate) fn read_past_cache(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        match self.shared.latest(key)? {
            Some((written, value)) if written <= self.version => Ok(Some(value)),
            _ => self.read_history(key),
        }
    }

    fn read_latest(&self, key: &[u8]) -> Result<Record, StoreError> {
        let record = self.shared.latest(key)?;
        self.shared.values.fill(self.version, key, &record);
        Ok(record)
    }

    /// The record that was replaced first after this version, if it was there at this version.
    fn read_history(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let mut rows = self.shared.db.iterator(Column::History, Some(&after_history_key(key)))?;
        rows.seek(history_key(key, self.version.saturating_add(1)));
        let Some((_, bytes)) = current(&rows)? else {
            return Ok(None);
        };
        let (written, value) = split(bytes)?;
        Ok((written <= self.version).then(|| Bytes::copy_from_slice(value)))
    }
}

/// A record's version and value.
pub(crate) fn split(bytes: &[u8]) -> Result<(u64, &[u8]), StoreError> {
    split_record(bytes).ok_or_else(|| StoreError::corrupt("a state record is too short"))
}

impl StateRead for View {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        Ok(self.read(key)?)
    }

    fn range<'a>(&'a self, start: &[u8], end: Option<&[u8]>) -> Box<dyn Iterator<Item = Entry> + 'a> {
        match range::entries(&self.shared, self.version, start, end) {
            Ok(entries) => entries,
            Err(error) => Box::new(std::iter::once(Err(error.into()))),
        }
    }
}
