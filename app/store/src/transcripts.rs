//! Transcripts of the contract engine: one row a block, written with the block's batch and outside the tree and the versions. They are
//! this node's own, for its tools; nothing in consensus reads them.
//!
//! # Invariants
//! - All rows together have at most [`crate::StoreOptions::transcript_bytes_max`] bytes after each commit: the oldest go first.

use rocksdb::WriteBatch;

use crate::{
    StoreError,
    db::{Column, Database, current},
};

/// Bytes of all rows, in `Meta`.
const TOTAL_KEY: &[u8] = b"transcripts";

/// Rows that one commit removes at most: after a cap was lowered, removing does not hold a block up.
const REMOVED_MAX: usize = 1_000;

/// A block's transcript: its version and its bytes.
pub type Transcript = (u64, Vec<u8>);

/// Puts a block's transcript into its batch, and takes the oldest out that are above the cap.
pub fn put(
    db: &Database,
    batch: &mut WriteBatch,
    version: u64,
    transcript: Option<&[u8]>,
    bytes_max: u64,
) -> Result<(), StoreError> {
    let before = total(db)?;
    let new = transcript.filter(|bytes| length(bytes) <= bytes_max);
    if new.is_none() && before <= bytes_max {
        return Ok(());
    }
    let column = db.column(Column::Transcripts)?;
    let mut now = before;
    if let Some(bytes) = new {
        batch.put_cf(column, version.to_be_bytes(), bytes);
        now = now.saturating_add(length(bytes));
    }
    let mut rows = db.iterator(Column::Transcripts, None)?;
    rows.seek_to_first();
    for _ in 0..REMOVED_MAX {
        if now <= bytes_max {
            break;
        }
        let Some((key, value)) = current(&rows)? else { break };
        batch.delete_cf(column, key);
        now = now.saturating_sub(length(value));
        rows.next();
    }
    batch.put_cf(db.column(Column::Meta)?, TOTAL_KEY, now.to_be_bytes());
    Ok(())
}

/// The rows of the versions from `from` to `to`, in their order; none from a database that never had any.
pub fn read(db: &Database, from: u64, to: u64) -> Result<Vec<Transcript>, StoreError> {
    if !db.has(Column::Transcripts) {
        return Ok(Vec::new());
    }
    let mut rows = db.iterator(Column::Transcripts, None)?;
    rows.seek(from.to_be_bytes());
    let mut found = Vec::new();
    while let Some((key, value)) = current(&rows)? {
        let version = key.try_into().map(u64::from_be_bytes);
        let version = version.map_err(|_| StoreError::corrupt("a transcript's key is no version"))?;
        if version > to {
            break;
        }
        found.push((version, value.to_vec()));
        rows.next();
    }
    Ok(found)
}

fn total(db: &Database) -> Result<u64, StoreError> {
    let Some(row) = db.get(Column::Meta, TOTAL_KEY)? else { return Ok(0) };
    let bytes: &[u8] = &row;
    bytes
        .try_into()
        .map(u64::from_be_bytes)
        .map_err(|_| StoreError::corrupt("the size of all transcripts is no number"))
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
