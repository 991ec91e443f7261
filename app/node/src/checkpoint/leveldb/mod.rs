//! Reads one key of a LevelDB database as CometBFT writes it (goleveldb), and changes nothing in its folder.
//!
//! A library would take the lock, replay the journal into new tables and write a new manifest. Whoever asks here how far CometBFT
//! is must not do that: its data are left as they are. So this is the format's reading half: the manifest says which tables live,
//! these and the journals are searched for the key, and the newest entry counts.
//! Source: LevelDB's `doc/log_format.md`, `doc/table_format.md` and `doc/impl.md`.
//!
//! # Invariants
//! - Blocks and records are checked against their checksums; a torn end of a journal is its end, as it is for LevelDB.
//! - Nothing is allocated for a length that the file does not have.

mod bytes;
mod journal;
mod manifest;
mod snappy;
mod table;

use std::{
    fs::File,
    path::{Path, PathBuf},
};

pub use self::bytes::crc32c;
use self::manifest::Version;

/// Journals and manifests longer than this are not read. CometBFT's journals are turned over at 4 MiB.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Why a database could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LevelDbError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file is not what LevelDB writes.
    #[error("{path}: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
}

impl LevelDbError {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| LevelDbError::Io { path: path.to_path_buf(), source }
    }

    fn damaged(path: &Path, what: &'static str) -> Self {
        LevelDbError::Damaged { path: path.to_path_buf(), what }
    }
}

/// The newest entry found for a key: its sequence number, and the value; none where it is a deletion.
type Newest = Option<(u64, Option<Vec<u8>>)>;

/// Keeps the newer of two entries.
fn keep_newest(newest: &mut Newest, sequence: u64, value: Option<&[u8]>) {
    if newest.as_ref().is_none_or(|(newest, _)| *newest <= sequence) {
        *newest = Some((sequence, value.map(<[u8]>::to_vec)));
    }
}

/// The value at `key` in the database in `folder`. The database must not be open elsewhere.
///
/// # Errors
/// [`LevelDbError`].
pub fn get(folder: &Path, key: &[u8]) -> Result<Option<Vec<u8>>, LevelDbError> {
    let version = Version::load(folder)?;
    let mut newest = None;
    for table in version.tables_with(key) {
        table::search(&table_path(folder, table)?, key, &mut newest)?;
    }
    for journal in journals(folder, version.first_journal, version.previous_journal)? {
        let records = journal::records(&read_file(&journal)?);
        for record in records.ok_or_else(|| LevelDbError::damaged(&journal, "damaged before its end"))? {
            journal::search_batch(&record, key, &mut newest)
                .ok_or_else(|| LevelDbError::damaged(&journal, "a batch ends before its last record"))?;
        }
    }
    Ok(newest.and_then(|(_, value)| value))
}

/// A table's file, under either of the names that LevelDB has given it.
fn table_path(folder: &Path, number: u64) -> Result<PathBuf, LevelDbError> {
    let [new, old] = ["ldb", "sst"].map(|extension| folder.join(format!("{number:06}.{extension}")));
    if new.exists() {
        Ok(new)
    } else if old.exists() {
        Ok(old)
    } else {
        Err(LevelDbError::damaged(&new, "the manifest names this table, and it is not there"))
    }
}

/// The journals that are not in tables yet, the oldest first.
fn journals(folder: &Path, first: u64, previous: u64) -> Result<Vec<PathBuf>, LevelDbError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(LevelDbError::io(folder))? {
        let path = entry.map_err(LevelDbError::io(folder))?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".log")?.parse::<u64>().ok());
        if let Some(number) = number.filter(|number| *number >= first || *number == previous) {
            found.push((number, path));
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

fn read_file(path: &Path) -> Result<Vec<u8>, LevelDbError> {
    use std::io::Read as _;
    let file = File::open(path).map_err(LevelDbError::io(path))?;
    let mut content = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content).map_err(LevelDbError::io(path))?;
    if content.len() as u64 > FILE_BYTES_MAX {
        return Err(LevelDbError::damaged(path, "longer than any journal or manifest of CometBFT's"));
    }
    Ok(content)
}
