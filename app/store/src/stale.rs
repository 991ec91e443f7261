//! Lists of what a version made stale, in chunks so that pruning can stop and go on anywhere.

use rocksdb::WriteBatch;

use crate::{
    StoreError,
    db::{Column, Database},
};

/// Bytes after which a chunk is closed.
const CHUNK_BYTES: usize = 16 << 10;

/// Something that versions from the list's own on do not use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleEntry<'a> {
    /// A tree node, by its storage key.
    Node(&'a [u8]),
    /// The history record of this state key: overwritten.
    Overwritten(&'a [u8]),
    /// The history record of this state key: deleted.
    Deleted(&'a [u8]),
}

impl StaleEntry<'_> {
    fn encode_into(&self, out: &mut Vec<u8>) -> Result<(), StoreError> {
        let (tag, bytes) = match self {
            StaleEntry::Node(key) => (0, key),
            StaleEntry::Overwritten(key) => (1, key),
            StaleEntry::Deleted(key) => (2, key),
        };
        let len = u32::try_from(bytes.len()).map_err(|_| StoreError::corrupt("a state key of 4 GiB or more"))?;
        out.push(tag);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(bytes);
        Ok(())
    }
}

/// Writes a version's list into a batch.
pub struct StaleWriter<'a> {
    db: &'a Database,
    version: u64,
    chunks: u32,
    open: Vec<u8>,
}

impl<'a> StaleWriter<'a> {
    /// An empty list of `version`.
    pub fn new(db: &'a Database, version: u64) -> Self {
        StaleWriter { db, version, chunks: 0, open: Vec::new() }
    }

    /// Adds an entry.
    pub fn push(&mut self, batch: &mut WriteBatch, entry: StaleEntry<'_>) -> Result<(), StoreError> {
        entry.encode_into(&mut self.open)?;
        if self.open.len() >= CHUNK_BYTES { self.flush(batch) } else { Ok(()) }
    }

    /// Closes the last chunk.
    pub fn flush(&mut self, batch: &mut WriteBatch) -> Result<(), StoreError> {
        if !self.open.is_empty() {
            batch.put_cf(self.db.column(Column::Stale)?, chunk_key(self.version, self.chunks), &self.open);
            self.chunks = self.chunks.saturating_add(1);
            self.open.clear();
        }
        Ok(())
    }
}

/// The row of a chunk.
pub fn chunk_key(version: u64, chunk: u32) -> [u8; 12] {
    let mut key = [0u8; 12];
    key[..8].copy_from_slice(&version.to_be_bytes());
    key[8..].copy_from_slice(&chunk.to_be_bytes());
    key
}

/// The version in a chunk's row; none when the bytes are no such row.
pub fn chunk_version(row: &[u8]) -> Option<u64> {
    let (version, chunk) = row.split_first_chunk::<8>()?;
    (chunk.len() == 4).then(|| u64::from_be_bytes(*version))
}

/// A chunk's entries; none when the bytes are no chunk.
pub fn decode_chunk(mut bytes: &[u8]) -> Option<Vec<StaleEntry<'_>>> {
    let mut entries = Vec::new();
    while let Some((tag, rest)) = bytes.split_first() {
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let (key, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
        bytes = rest;
        entries.push(match tag {
            0 => StaleEntry::Node(key),
            1 => StaleEntry::Overwritten(key),
            2 => StaleEntry::Deleted(key),
            _ => return None,
        });
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_survives_its_encoding_and_damage_to_it_is_seen() {
        let entries =
            vec![StaleEntry::Node(&[1, 2]), StaleEntry::Overwritten(b"bank/a"), StaleEntry::Deleted(&[0; 300])];
        let mut bytes = Vec::new();
        entries.iter().try_for_each(|entry| entry.encode_into(&mut bytes)).expect("short keys");
        assert_eq!(decode_chunk(&bytes), Some(entries));
        assert_eq!(decode_chunk(&bytes[..bytes.len() - 1]), None);
        bytes[0] = 9;
        assert_eq!(decode_chunk(&bytes), None);
        assert_eq!(chunk_version(&chunk_key(77, 3)), Some(77));
        assert_eq!(chunk_version(&[0; 11]), None);
    }
}
