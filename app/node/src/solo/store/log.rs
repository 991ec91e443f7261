//! The append-only file below the block store.
//!
//! A record is `[length u32][kind u8][CRC-32 u32][content]`, integers little-endian; the CRC covers the record's offset, kind,
//! length and content, so that a record is good only where it was written.
//!
//! # Invariants
//! - An appended record is on disk when `append` returns.
//! - Only the last record can be torn by a crash: a bad record after which no good one follows is cut off, any other is an error.
//! - One process has the file open.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use crate::solo::StoreError;

const FILE_HEADER: &[u8; 8] = b"SWSOLO\x00\x01";
const RECORD_HEADER_LEN: usize = 9;
/// The largest record: a block of CometBFT's largest size, with room for its results' events.
pub(super) const RECORD_SIZE_MAX: usize = 256 << 20;

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    offset: u64,
    len: u32,
    kind: u8,
}

/// The open file.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    path: PathBuf,
    end: u64,
}

impl Log {
    /// Opens or makes the file, gives every good record to `see` in order, and cuts off a torn last one.
    pub(super) fn open(
        path: &Path,
        mut see: impl FnMut(Place, &[u8]) -> Result<(), String>,
    ) -> Result<Self, StoreError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed("open", path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(StoreError::InUse { path: path.to_owned() }),
            Err(error) => return Err(failed("lock", path)(error.into())),
        }
        let mut log = Log { file, path: path.to_owned(), end: 0 };
        let size = log.file.metadata().map_err(failed("read", path))?.len();
        log.begin(size)?;
        log.scan(size, &mut see)?;
        if log.end < size {
            tracing::warn!(file = %path.display(), offset = log.end, bytes = size - log.end, "a torn last record is cut off");
            log.file.set_len(log.end).map_err(failed("truncate", path))?;
            log.file.sync_all().map_err(failed("sync", path))?;
        }
        Ok(log)
    }

    /// Writes the file's header where the file is new, or was cut off while it was made.
    fn begin(&mut self, size: u64) -> Result<(), StoreError> {
        let header_len = FILE_HEADER.len() as u64;
        if size < header_len {
            self.file.write_all_at(FILE_HEADER, 0).map_err(failed("write", &self.path))?;
            self.file.sync_all().map_err(failed("sync", &self.path))?;
            if let Some(folder) = self.path.parent() {
                File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))?;
            }
        } else {
            let mut header = [0; FILE_HEADER.len()];
            self.file.read_exact_at(&mut header, 0).map_err(failed("read", &self.path))?;
            if &header != FILE_HEADER {
                return Err(self.damaged(0, "not a block store of this version"));
            }
        }
        self.end = header_len;
        Ok(())
    }

    fn scan(&mut self, size: u64, see: &mut impl FnMut(Place, &[u8]) -> Result<(), String>) -> Result<(), StoreError> {
        while self.end < size {
            let Some((place, content)) = self.record_at(self.end, size)? else {
                if let Some(offset) = self.good_record_after(self.end, size)? {
                    return Err(self
                        .damaged(self.end, &format!("its checksum is wrong, and a good record follows at {offset}")));
                }
                return Ok(());
            };
            see(place, &content).map_err(|reason| self.damaged(place.offset, &reason))?;
            self.end = place.next();
        }
        Ok(())
    }

    /// The record at an offset, if it is good.
    fn record_at(&self, offset: u64, size: u64) -> Result<Option<(Place, Vec<u8>)>, StoreError> {
        let room = size.saturating_sub(offset);
        if room < RECORD_HEADER_LEN as u64 {
            return Ok(None);
        }
        let mut header = [0; RECORD_HEADER_LEN];
        self.file.read_exact_at(&mut header, offset).map_err(failed("read", &self.path))?;
        let [a, b, c, d, kind, e, f, g, h] = header;
        let place = Place { offset, len: u32::from_le_bytes([a, b, c, d]), kind };
        if place.len as usize > RECORD_SIZE_MAX || place.next() > size {
            return Ok(None);
        }
        let mut content = vec![0; place.len as usize];
        self.file.read_exact_at(&mut content, place.content()).map_err(failed("read", &self.path))?;
        Ok((checksum(place, &content) == u32::from_le_bytes([e, f, g, h])).then_some((place, content)))
    }

    /// Where a good record begins after a bad one, at any byte.
    fn good_record_after(&self, offset: u64, size: u64) -> Result<Option<u64>, StoreError> {
        for offset in offset.saturating_add(1)..size {
            if self.record_at(offset, size)?.is_some_and(|(place, _)| place.len > 0) {
                return Ok(Some(offset));
            }
        }
        Ok(None)
    }

    /// Writes a record behind the last one; it is on disk then.
    pub(super) fn append(&mut self, kind: u8, content: &[u8]) -> Result<Place, StoreError> {
        let len = u32::try_from(content.len()).ok().filter(|len| *len as usize <= RECORD_SIZE_MAX);
        let len = len.ok_or(StoreError::TooLarge { size: content.len(), max: RECORD_SIZE_MAX })?;
        let place = Place { offset: self.end, len, kind };
        let mut bytes = Vec::with_capacity(RECORD_HEADER_LEN + content.len());
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.push(kind);
        bytes.extend_from_slice(&checksum(place, content).to_le_bytes());
        bytes.extend_from_slice(content);
        self.file.write_all_at(&bytes, self.end).map_err(failed("write", &self.path))?;
        self.file.sync_data().map_err(failed("sync", &self.path))?;
        self.end = place.next();
        Ok(place)
    }

    /// A handle for reading beside the writer.
    pub(super) fn reader(&self) -> Result<Reader, StoreError> {
        let file = self.file.try_clone().map_err(failed("open", &self.path))?;
        Ok(Reader { file, path: self.path.clone() })
    }

    fn damaged(&self, offset: u64, reason: &str) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), offset, reason: reason.to_owned() }
    }
}

/// Reads records that were written.
#[derive(Debug)]
pub(super) struct Reader {
    file: File,
    path: PathBuf,
}

impl Reader {
    /// Kind and content of the record at a place.
    pub(super) fn read(&self, place: Place) -> Result<(u8, Vec<u8>), StoreError> {
        let mut bytes = vec![0; RECORD_HEADER_LEN + place.len as usize];
        self.file.read_exact_at(&mut bytes, place.offset).map_err(failed("read", &self.path))?;
        let content = bytes.split_off(RECORD_HEADER_LEN);
        let stored = bytes.get(5..RECORD_HEADER_LEN);
        if stored != Some(checksum(place, &content).to_le_bytes().as_slice()) {
            return Err(self.damaged(place, "its checksum is wrong"));
        }
        Ok((place.kind, content))
    }

    pub(super) fn damaged(&self, place: Place, reason: &str) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), offset: place.offset, reason: reason.to_owned() }
    }
}

impl Place {
    fn content(self) -> u64 {
        self.offset.saturating_add(RECORD_HEADER_LEN as u64)
    }

    fn next(self) -> u64 {
        self.content().saturating_add(u64::from(self.len))
    }

    /// What kind of record is here.
    pub(super) fn kind(self) -> u8 {
        self.kind
    }
}

fn checksum(place: Place, content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&place.offset.to_le_bytes());
    hasher.update(&place.len.to_le_bytes());
    hasher.update(&[place.kind]);
    hasher.update(content);
    hasher.finalize()
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File { action, path, source }
}
