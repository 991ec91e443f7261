//! The append-only file of committed batches.
//!
//! After eight bytes that name the format, a record is `length u32 | CRC-32 of the head u32 | CRC-32 of the body u32 | body`, integers
//! little-endian. Both sums also cover the record's offset: a record is good only where it was written.
//!
//! # Invariants
//! - An appended record is on disk when `append` returns, by one sync.
//! - Only the last record can be torn by a crash: a bad one that ends the file is cut off, a bad one that others follow is an error.
//! - One process has the file open. A file comes into being whole, under another name, and is renamed.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};

use crate::{StoreError, batch::BATCH_BYTES_MAX};

const FORMAT: &[u8; 8] = b"SWEMBED1";
const FORMAT_LEN: u64 = FORMAT.len() as u64;
const HEAD_LEN: u64 = 12;

/// The open file.
#[derive(Debug)]
pub struct Log {
    file: File,
    path: PathBuf,
    end: u64,
    broken: bool,
}

/// What lies at an offset.
enum Found {
    Good(Vec<u8>),
    /// It may be what a crash left of the last record.
    Torn,
    /// Others follow, so a crash cannot have left it.
    Bad(&'static str),
}

pub fn failed<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> StoreError + 'a {
    move |error| StoreError::Io { action, path: path.to_owned(), error }
}

fn draft_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".new");
    path.with_file_name(name)
}

fn lock(file: &File, path: &Path) -> Result<(), StoreError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(failed("lock", path)(error)),
    }
}

fn sum(offset: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&offset.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

impl Log {
    /// Makes a file that holds no batch.
    pub fn create(path: &Path) -> Result<Log, StoreError> {
        let exists = || StoreError::Exists { path: path.to_owned() };
        if path.exists() {
            return Err(exists());
        }
        let draft = Log::draft(path)?;
        if path.exists() {
            // Another process was faster between our look and our lock.
            fs::remove_file(draft.path()).map_err(failed("remove", draft.path()))?;
            return Err(exists());
        }
        draft.install(path)
    }

    /// Begins a file that is to take the place of `path`.
    pub fn draft(path: &Path) -> Result<Log, StoreError> {
        let path = draft_path(path);
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = options.map_err(failed("make", &path))?;
        lock(&file, &path)?;
        file.set_len(0).and_then(|()| file.write_all_at(FORMAT, 0)).map_err(failed("write", &path))?;
        Ok(Log { file, path, end: FORMAT_LEN, broken: false })
    }

    /// Puts a draft in its place.
    pub fn install(mut self, path: &Path) -> Result<Log, StoreError> {
        self.file.sync_all().map_err(failed("sync", &self.path))?;
        fs::rename(&self.path, path).map_err(failed("put in its place", &self.path))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))?;
        self.path = path.to_owned();
        Ok(self)
    }

    /// Opens a file, gives the body of every record to `see` in order, and cuts off a torn last one. `see` says whether it could
    /// read the body.
    pub fn open(path: &Path, mut see: impl FnMut(&[u8]) -> Result<bool, StoreError>) -> Result<Log, StoreError> {
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(failed("open", path))?;
        lock(&file, path)?;
        let opened = file.metadata().map_err(failed("read", path))?;
        let named = fs::metadata(path).map_err(failed("read", path))?;
        if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
            // Between our opening and our lock another process put a compacted file in its place.
            return Err(StoreError::InUse { path: path.to_owned() });
        }
        let size = opened.len();
        let mut log = Log { file, path: path.to_owned(), end: FORMAT_LEN, broken: false };
        let mut format = [0; FORMAT.len()];
        if size < FORMAT_LEN || log.file.read_exact_at(&mut format, 0).is_err() || &format != FORMAT {
            return Err(log.damaged(0, "it is no file of this program"));
        }
        while log.end < size {
            match log.find(log.end, size)? {
                Found::Good(body) if see(&body)? => log.end = after(log.end, body.len() as u64),
                Found::Good(_) => {
                    return Err(log.damaged(log.end, "the batch cannot be read, though its checksum is right"));
                }
                Found::Bad(reason) => return Err(log.damaged(log.end, reason)),
                Found::Torn => break,
            }
        }
        log.tidy(size)?;
        Ok(log)
    }

    /// Removes what a crash left: a torn record, and a draft that never came into its place.
    fn tidy(&self, size: u64) -> Result<(), StoreError> {
        if self.end < size {
            let cut = self.file.set_len(self.end).and_then(|()| self.file.sync_all());
            cut.map_err(failed("cut the torn end off", &self.path))?;
        }
        let draft = draft_path(&self.path);
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &draft)(error)),
            _ => Ok(()),
        }
    }

    fn find(&self, offset: u64, size: u64) -> Result<Found, StoreError> {
        let Some(length) = self.head(offset, size)? else {
            let follows = self.good_after(offset, size)?;
            return Ok(if follows {
                Found::Bad("the record's head is wrong, and good records follow")
            } else {
                Found::Torn
            });
        };
        let end = after(offset, length.0);
        if end > size {
            return Ok(Found::Torn);
        }
        match self.body(offset, length)? {
            Some(body) => Ok(Found::Good(body)),
            None if end == size => Ok(Found::Torn),
            None => Ok(Found::Bad("the record's checksum is wrong, and it is not the last one")),
        }
    }

    /// A record's length and its body's sum, when the head is good.
    fn head(&self, offset: u64, size: u64) -> Result<Option<(u64, u32)>, StoreError> {
        if size.saturating_sub(offset) < HEAD_LEN {
            return Ok(None);
        }
        let mut head = [0; HEAD_LEN as usize];
        self.file.read_exact_at(&mut head, offset).map_err(failed("read", &self.path))?;
        let [a, b, c, d, e, f, g, h, i, j, k, l] = head;
        let length = [a, b, c, d];
        let good = u32::from_le_bytes([e, f, g, h]) == sum(offset, &length);
        let length = u64::from(u32::from_le_bytes(length));
        Ok((good && length <= BATCH_BYTES_MAX).then_some((length, u32::from_le_bytes([i, j, k, l]))))
    }

    /// A record's body, when it is good. The caller knows that the file is long enough.
    fn body(&self, offset: u64, (length, expected): (u64, u32)) -> Result<Option<Vec<u8>>, StoreError> {
        let mut body = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        let start = offset.saturating_add(HEAD_LEN);
        self.file.read_exact_at(&mut body, start).map_err(failed("read", &self.path))?;
        Ok((sum(offset, &body) == expected).then_some(body))
    }

    /// Whether a good record begins somewhere after an offset.
    fn good_after(&self, offset: u64, size: u64) -> Result<bool, StoreError> {
        for offset in offset.saturating_add(1)..=size.saturating_sub(HEAD_LEN) {
            if let Some(head) = self.head(offset, size)?
                && after(offset, head.0) <= size
                && self.body(offset, head)?.is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Appends a record. After an error it is unknown whether it was kept, and nothing more is taken.
    pub fn append(&mut self, body: &[u8]) -> Result<(), StoreError> {
        self.write(body)?;
        self.broken = true;
        self.file.sync_data().map_err(failed("sync", &self.path))?;
        self.broken = false;
        Ok(())
    }

    /// Appends a record that need not be on disk yet.
    pub fn write(&mut self, body: &[u8]) -> Result<(), StoreError> {
        if self.broken {
            return Err(StoreError::Broken { path: self.path.clone() });
        }
        let bytes = body.len() as u64;
        let too_large = StoreError::TooLarge { bytes, max: BATCH_BYTES_MAX };
        let (Ok(length), true) = (u32::try_from(bytes).map(u32::to_le_bytes), bytes <= BATCH_BYTES_MAX) else {
            return Err(too_large);
        };
        let mut record = Vec::with_capacity(body.len().saturating_add(HEAD_LEN as usize));
        record.extend_from_slice(&length);
        record.extend_from_slice(&sum(self.end, &length).to_le_bytes());
        record.extend_from_slice(&sum(self.end, body).to_le_bytes());
        record.extend_from_slice(body);
        self.broken = true;
        self.file.write_all_at(&record, self.end).map_err(failed("write", &self.path))?;
        self.end = after(self.end, bytes);
        self.broken = false;
        Ok(())
    }

    /// Takes no more records: the file's place may be another's.
    pub fn give_up(&mut self) {
        self.broken = true;
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the file.
    pub fn len(&self) -> u64 {
        self.end
    }

    fn damaged(&self, offset: u64, reason: &str) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), offset, reason: reason.to_owned() }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Closing alone would leave the lock to a child process that is just being started and still has the file open. What cannot
        // be unlocked ends with the process.
        let _ = self.file.unlock();
    }
}

fn after(offset: u64, length: u64) -> u64 {
    offset.saturating_add(HEAD_LEN).saturating_add(length)
}
