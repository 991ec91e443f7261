//! The engine's environment over one file: state in memory, commits in an append-only log.
//!
//! # Invariants
//! - Between two commits nothing reaches the file. A commit writes the net difference to the one before.
//! - The file never grows beyond a few times the state: it is written anew then, and the new one takes its place whole.

use std::path::Path;

use bytes::Bytes;
use swingset_host::env::{Entry, EnvError, EnvMark, Environment, MemoryEnvironment, NetWrites};

use crate::{StoreError, batch, log::Log};

/// Bytes of one record of a file that is written anew; an entry larger than this is a record of its own.
const CHUNK_BYTES: u64 = 8 << 20;

/// When the file is written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compaction {
    /// Never below this many bytes.
    pub bytes_min: u64,
    /// Only when the file is more than so many times as large as the state.
    pub times: u64,
}

impl Default for Compaction {
    fn default() -> Self {
        Compaction { bytes_min: 16 << 20, times: 4 }
    }
}

/// State in one file.
#[derive(Debug)]
pub struct FileEnvironment {
    state: MemoryEnvironment,
    /// What the last commit left, as a mark below all that callers take.
    committed: EnvMark,
    log: Log,
    compaction: Compaction,
    /// Size of the file at which the state is measured again.
    measure_at: u64,
}

impl FileEnvironment {
    /// Makes the file, with an empty state.
    ///
    /// # Errors
    /// When it is there already, or cannot be made.
    pub fn create(path: &Path, compaction: Compaction) -> Result<Self, StoreError> {
        Ok(FileEnvironment::on(MemoryEnvironment::new(), Log::create(path)?, compaction))
    }

    /// Opens the file and reads the state of the last whole batch. What a crash left of a later one is cut off.
    ///
    /// # Errors
    /// When it is not there, in use or damaged.
    pub fn open(path: &Path, compaction: Compaction) -> Result<Self, StoreError> {
        let mut state = MemoryEnvironment::new();
        let log = Log::open(path, |body| {
            batch::decode(body, |key, value| {
                match value {
                    Some(value) => state.set(key, value)?,
                    None => state.delete(key)?,
                }
                Ok(())
            })
        })?;
        Ok(FileEnvironment::on(state, log, compaction))
    }

    fn on(mut state: MemoryEnvironment, log: Log, compaction: Compaction) -> Self {
        let committed = state.mark();
        FileEnvironment { state, committed, log, compaction, measure_at: compaction.bytes_min }
    }

    /// Keeps everything written since the last commit, durably, as one batch; nothing written, nothing done. Marks that are out are
    /// forgotten, so this is not for the middle of an engine's call.
    ///
    /// # Errors
    /// A batch that is too large: nothing is kept. The file: whether the batch was kept is then only known by opening it anew,
    /// and after a failed write this environment commits no more.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        let net = self.state.net_writes(self.committed)?;
        if !net.is_empty() {
            let body = batch::encode(net.iter().map(|(key, value)| (key.as_slice(), value.as_ref())))?;
            self.log.append(&body)?;
        }
        self.state.release(self.committed)?;
        self.committed = self.state.mark();
        self.compact_when_large()
    }

    /// Forgets everything written since the last commit.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn discard(&mut self) -> Result<(), StoreError> {
        self.state.rollback(self.committed)?;
        self.committed = self.state.mark();
        Ok(())
    }

    /// All entries, in byte order of the keys.
    pub fn entries(&self) -> impl Iterator<Item = (&[u8], &Bytes)> {
        self.state.entries()
    }

    /// Bytes of the file.
    pub fn file_bytes(&self) -> u64 {
        self.log.len()
    }

    fn compact_when_large(&mut self) -> Result<(), StoreError> {
        if self.log.len() <= self.measure_at {
            return Ok(());
        }
        // Measuring reads all entries; it comes again only when the file has grown in proportion.
        let state = self.entries().fold(0u64, |sum, (key, value)| sum.saturating_add(batch::size(key, Some(value))));
        self.measure_at = state.saturating_mul(self.compaction.times).max(self.compaction.bytes_min);
        if self.log.len() <= self.measure_at { Ok(()) } else { self.compact() }
    }

    fn compact(&mut self) -> Result<(), StoreError> {
        let mut draft = Log::draft(self.log.path())?;
        let (mut chunk, mut bytes) = (Vec::new(), 0u64);
        for (key, value) in self.state.entries() {
            chunk.push((key, Some(value)));
            bytes = bytes.saturating_add(batch::size(key, Some(value)));
            if bytes >= CHUNK_BYTES {
                draft.write(&batch::encode(chunk.iter().copied())?)?;
                chunk.clear();
                bytes = 0;
            }
        }
        draft.write(&batch::encode(chunk.iter().copied())?)?;
        // From here on the file's place may be the draft's, whatever comes of it.
        self.log.give_up();
        self.log = draft.install(self.log.path())?;
        Ok(())
    }

    /// The last commit's mark is not the callers'.
    fn own(&self, mark: EnvMark) -> Result<EnvMark, EnvError> {
        if mark == self.committed {
            return Err(EnvError("a mark that was never given".to_owned()));
        }
        Ok(mark)
    }
}

impl Environment for FileEnvironment {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EnvError> {
        self.state.get(key)
    }

    fn next_entry(&self, start: &[u8], end: Option<&[u8]>) -> Result<Option<Entry>, EnvError> {
        self.state.next_entry(start, end)
    }

    fn set(&mut self, key: &[u8], value: Bytes) -> Result<(), EnvError> {
        self.state.set(key, value)
    }

    fn delete(&mut self, key: &[u8]) -> Result<(), EnvError> {
        self.state.delete(key)
    }

    fn mark(&mut self) -> EnvMark {
        self.state.mark()
    }

    fn rollback(&mut self, mark: EnvMark) -> Result<(), EnvError> {
        self.state.rollback(self.own(mark)?)
    }

    fn release(&mut self, mark: EnvMark) -> Result<(), EnvError> {
        self.state.release(self.own(mark)?)
    }

    fn net_writes(&self, mark: EnvMark) -> Result<NetWrites, EnvError> {
        self.state.net_writes(self.own(mark)?)
    }
}
