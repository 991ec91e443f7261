//! RocksDB: the only code that names it is in this folder and in the batches that the store builds.

mod columns;
mod generations;
mod keys;
mod nodes;
mod open;
mod values;

use std::path::Path;

use rocksdb::{
    ColumnFamily, DB, DBPinnableSlice, DBRawIterator, FlushOptions, ReadOptions, WriteBatch, WriteOptions,
    checkpoint::Checkpoint,
};

pub use columns::Column;
pub use keys::{
    after_history_key, history_key, history_key_into, history_prefix, record_into, split_history_key, split_record,
};
pub use nodes::{NodeCache, Nodes, Stored};
pub use open::{FolderLock, lock, open, open_read_only};
pub use values::{Record, Values};

use crate::StoreError;

/// The open database. The lock is released after RocksDB has closed.
pub struct Database {
    db: DB,
    /// None when it was opened to read beside its owner.
    _lock: Option<FolderLock>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Database").field(&self.db.path()).finish()
    }
}

impl Database {
    /// A column family's handle.
    pub fn column(&self, column: Column) -> Result<&ColumnFamily, StoreError> {
        let missing = || StoreError::corrupt(format!("column family {} is missing", column.name()));
        self.db.cf_handle(column.name()).ok_or_else(missing)
    }

    /// Whether it has a column family.
    pub fn has(&self, column: Column) -> bool {
        self.db.cf_handle(column.name()).is_some()
    }

    /// One value.
    pub fn get(&self, column: Column, key: &[u8]) -> Result<Option<DBPinnableSlice<'_>>, StoreError> {
        self.db.get_pinned_cf(self.column(column)?, key).map_err(StoreError::database("read"))
    }

    /// Values of many keys in ascending order.
    pub fn get_sorted<'a>(
        &self,
        column: Column,
        keys: impl Iterator<Item = &'a Vec<u8>>,
    ) -> Result<Vec<Option<DBPinnableSlice<'_>>>, StoreError> {
        let found = self.db.batched_multi_get_cf(self.column(column)?, keys, true);
        found.into_iter().map(|value| value.map_err(StoreError::database("read"))).collect()
    }

    /// An iterator that ends before `end`, not yet placed. It sees the database as it is now.
    pub fn iterator(&self, column: Column, end: Option<&[u8]>) -> Result<DBRawIterator<'_>, StoreError> {
        let mut options = ReadOptions::default();
        if let Some(end) = end {
            options.set_iterate_upper_bound(end);
        }
        Ok(self.db.raw_iterator_cf_opt(self.column(column)?, options))
    }

    /// An iterator over all of a column, not yet placed, that leaves the block cache to others.
    pub fn scan(&self, column: Column) -> Result<DBRawIterator<'_>, StoreError> {
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        Ok(self.db.raw_iterator_cf_opt(self.column(column)?, options))
    }

    /// The database's folder.
    pub fn path(&self) -> &Path {
        self.db.path()
    }

    /// Makes a database in the new folder `to` that is this one as it is now: tables are linked, the log is copied. Nothing is
    /// flushed first: that would write all of the memory, and a log of the same length is copied faster.
    pub fn checkpoint(&self, to: &Path) -> Result<(), StoreError> {
        let failed = StoreError::database("checkpoint");
        match Checkpoint::new(&self.db).and_then(|checkpoint| checkpoint.create_checkpoint_with_log_size(to, u64::MAX))
        {
            Ok(()) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Has the memory written to tables, and does not wait for it.
    pub fn flush_ahead(&self) -> Result<(), StoreError> {
        let mut options = FlushOptions::default();
        options.set_wait(false);
        for column in Column::ALL {
            self.db.flush_cf_opt(self.column(column)?, &options).map_err(StoreError::database("flush"))?;
        }
        Ok(())
    }

    /// Writes a batch, all or nothing, on disk once a later write is.
    pub fn write_ahead(&self, batch: WriteBatch) -> Result<(), StoreError> {
        self.db.write(batch).map_err(StoreError::database("write"))
    }

    /// Removes all rows of a column, for good once a later write is on disk.
    pub fn clear(&self, column: Column) -> Result<(), StoreError> {
        let family = self.column(column)?;
        let mut rows = self.scan(column)?;
        rows.seek_to_last();
        let Some(last) = current(&rows)?.map(|(key, _)| key.to_vec()) else { return Ok(()) };
        drop(rows);
        let mut batch = WriteBatch::default();
        batch.delete_range_cf(family, [].as_slice(), last.as_slice());
        batch.delete_cf(family, &last);
        self.write_ahead(batch)?;
        // Rows that are deleted singly later must have no older ones under them, deleted or not.
        self.db.compact_range_cf(family, None::<&[u8]>, None::<&[u8]>);
        Ok(())
    }

    /// Writes a batch, all or nothing, on disk when this returns.
    pub fn write(&self, batch: WriteBatch) -> Result<(), StoreError> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.db.write_opt(batch, &options).map_err(StoreError::database("commit"))
    }
}

/// A row: key and value.
type Row<'i> = (&'i [u8], &'i [u8]);

/// The row that an iterator is on; none at its end.
pub fn current<'i>(iterator: &'i DBRawIterator<'_>) -> Result<Option<Row<'i>>, StoreError> {
    match iterator.item() {
        Some(item) => Ok(Some(item)),
        None => iterator.status().map(|()| None).map_err(StoreError::database("read a range")),
    }
}
