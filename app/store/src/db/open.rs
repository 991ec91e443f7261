//! Opening: the lock, the format, the column families.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use rocksdb::{Cache, ColumnFamilyDescriptor, DB, DBRecoveryMode, LogLevel, Options, WriteBatch};

use swing_files::Files;

use super::{Column, Database};
use crate::{StoreError, StoreOptions};

/// The format that this build writes and reads.
const FORMAT: u32 = 1;

const FORMAT_KEY: &[u8] = b"format";
const LOCK_FILE: &str = "store.lock";

/// Opens the database in the folder `path`, or makes one there.
pub fn open(path: &Path, options: &StoreOptions, files: &dyn Files) -> Result<Database, StoreError> {
    let io = |source| StoreError::Io { path: path.to_path_buf(), source };
    files.make_folder(path).map_err(io)?;
    let lock = lock(files, path)?;
    let present = present_families(path, files)?;
    if present.iter().any(|name| name == Column::Meta.name()) {
        for column in Column::ALL.into_iter().filter(|column| *column != Column::Transcripts) {
            if !present.iter().any(|name| name == column.name()) {
                return Err(StoreError::corrupt(format!("column family {} is missing", column.name())));
            }
        }
    }
    let cache = Cache::new_lru_cache(options.block_cache_bytes);
    let ours = Column::ALL.map(|column| column.descriptor(options, &cache));
    // Families of a format that this build does not know have to be opened too, to get as far as reading its number.
    let is_foreign = |name: &String| Column::ALL.iter().all(|column| column.name() != name);
    let foreign =
        present.into_iter().filter(is_foreign).map(|name| ColumnFamilyDescriptor::new(name, Options::default()));
    let db = DB::open_cf_descriptors(&database_options(options), path, ours.into_iter().chain(foreign))
        .map_err(StoreError::database("open"))?;
    let database = Database { db, _lock: Some(lock) };
    check_format(&database, path)?;
    Ok(database)
}

/// Opens the database as it is now, to read: another process may have it open and go on writing. None when there is none.
pub fn open_read_only(path: &Path, options: &StoreOptions) -> Result<Option<Database>, StoreError> {
    if !path.join("CURRENT").exists() {
        return Ok(None);
    }
    let cache = Cache::new_lru_cache(options.block_cache_bytes);
    let present = DB::list_cf(&Options::default(), path).map_err(StoreError::database("list the column families"))?;
    // A database of before the column of transcripts is read without it.
    let there = |column: &Column| *column != Column::Transcripts || present.iter().any(|name| name == column.name());
    let ours = Column::ALL.into_iter().filter(there).map(|column| column.descriptor(options, &cache));
    let mut database_options = Options::default();
    database_options.set_paranoid_checks(true);
    // Tables are opened when they are read, so that opening costs the same with many.
    database_options.set_max_open_files(i32::try_from(options.open_files_max).unwrap_or(i32::MAX));
    database_options.set_skip_stats_update_on_db_open(true);
    let db = DB::open_cf_descriptors_read_only(&database_options, path, ours, false)
        .map_err(StoreError::database("open to read"))?;
    Ok(Some(Database { db, _lock: None }))
}

/// The lock on a database's folder, held until it is dropped.
#[derive(Debug)]
pub struct FolderLock(File);

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Not by closing alone: a process that is just being started has a copy of the open file until it runs its own program.
        let _ = self.0.unlock();
    }
}

/// Takes the lock on a database's folder, without waiting.
pub fn lock(files: &dyn Files, path: &Path) -> Result<FolderLock, StoreError> {
    let file_path = path.join(LOCK_FILE);
    let io = |source| StoreError::Io { path: file_path.clone(), source };
    let file = files.open_lock(&file_path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(StoreError::Io { path: file_path, source }),
    }
}

/// Names of the families in the folder; none when there is no database.
fn present_families(path: &Path, files: &dyn Files) -> Result<Vec<String>, StoreError> {
    if path.join("CURRENT").exists() {
        return DB::list_cf(&Options::default(), path).map_err(|source| {
            // The lock is ours, so what keeps the list from being read is in the files.
            StoreError::corrupt(format!("the list of column families in {}: {source}", path.display()))
        });
    }
    for name in files.list(path).map_err(|source| StoreError::Io { path: path.to_path_buf(), source })? {
        if name.ends_with(".sst") || name.ends_with(".log") {
            // Without CURRENT, RocksDB would begin a new database beside the old one's files.
            return Err(StoreError::corrupt(format!("{} has table files, but no file CURRENT", path.display())));
        }
    }
    Ok(Vec::new())
}

fn database_options(options: &StoreOptions) -> Options {
    let mut database = Options::default();
    database.create_if_missing(true);
    database.create_missing_column_families(true);
    database.set_paranoid_checks(true);
    // Every commit is synced, so only the tail of the log can be torn, and only by a commit that nobody was told of. Damage
    // anywhere else must not silently bring back an older version.
    database.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    database.set_max_open_files(i32::try_from(options.open_files_max).unwrap_or(i32::MAX));
    database.set_db_write_buffer_size(options.write_buffer_bytes);
    database.set_max_total_wal_size((options.write_buffer_bytes as u64).saturating_mul(2));
    database.set_max_background_jobs(2);
    database.set_bytes_per_sync(1 << 20);
    database.set_keep_log_file_num(4);
    database.set_log_level(LogLevel::Warn);
    database.set_stats_dump_period_sec(0);
    database
}

fn check_format(database: &Database, path: &Path) -> Result<(), StoreError> {
    let stored = database.get(Column::Meta, FORMAT_KEY)?.map(|bytes| bytes.to_vec());
    let Some(bytes) = stored else {
        let mut latest = database.iterator(Column::Latest, None)?;
        latest.seek_to_first();
        if super::current(&latest)?.is_some() {
            return Err(StoreError::corrupt("there is state, but no format number"));
        }
        let mut batch = WriteBatch::default();
        batch.put_cf(database.column(Column::Meta)?, FORMAT_KEY, FORMAT.to_be_bytes());
        return database.write(batch);
    };
    let found = bytes.as_slice().try_into().map(u32::from_be_bytes);
    match found {
        Ok(FORMAT) => Ok(()),
        Ok(found) => Err(StoreError::UnknownFormat { path: path.to_path_buf(), found, supported: FORMAT }),
        Err(_) => Err(StoreError::corrupt("the format number is not one")),
    }
}

#[cfg(test)]
mod tests {
    use swing_files::Disk;

    use super::lock;
    use crate::StoreError;

    #[test]
    fn a_lock_that_was_let_go_is_free_though_a_process_being_started_has_a_copy_of_its_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let held = lock(&Disk, folder.path()).expect("nobody holds it");
        let copy = held.0.try_clone().expect("as a fork has one");
        assert!(matches!(lock(&Disk, folder.path()), Err(StoreError::Locked { .. })));
        drop(held);
        lock(&Disk, folder.path()).expect("it is free");
        drop(copy);
    }
}
