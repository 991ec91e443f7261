//! Transactions before their turn: decoded and their signatures checked on other cores while earlier ones are executed. A decoded
//! one is handed over once: keeping it longer costs more than decoding it again, since it is out of the caches by then.
//!
//! # Invariants
//! - The answers are those of the plain decoder and the plain check, whatever was foreseen or forgotten: what was worked out
//!   lies under a hash of all the bytes that it follows from.
//! - No work is done twice at a time: who needs a transaction that another thread is at takes the next one that waits meanwhile.
//! - When this is dropped, no thread of it holds anything of what was foreseen.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use swing_core::{error::Rejected, ports::signatures::SignatureVerifier, tx::Tx};

use super::RememberingVerifier;

/// Transactions that wait for a helper, and that are ready and were not asked for; more are left to who executes them.
const FORESEEN_MAX: usize = 16_384;

/// What ready transactions may take in memory, about.
const READY_BYTES_MAX: usize = 64 << 20;

/// About what a decoded transaction takes, for each byte on the wire.
const DECODED_BYTES_PER_BYTE: usize = 8;

/// Threads that help at most.
const HELPERS_MAX: usize = 7;

type TxId = [u8; 32];

/// Asks for the signature checks of a decoded transaction, on the state of when it was foreseen.
pub type Checks = Arc<dyn Fn(&Tx, &dyn SignatureVerifier) + Send + Sync>;

/// Decodes and checks ahead. It is the [`SignatureVerifier`] of CheckTx and of blocks.
#[derive(Debug)]
pub struct AheadVerifier {
    inner: Arc<Inner>,
    helpers: Vec<JoinHandle<()>>,
}

struct Inner {
    checks: RememberingVerifier,
    board: Mutex<Board>,
    /// Something waits, or the end has come.
    work: Condvar,
    /// Something is ready.
    done: Condvar,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("checks", &self.checks).finish_non_exhaustive()
    }
}

/// All that was foreseen.
#[derive(Default)]
struct Board {
    entries: BTreeMap<TxId, Entry>,
    waiting: VecDeque<TxId>,
    /// Those that became ready, oldest first; some may have been handed over.
    ready: VecDeque<TxId>,
    ready_bytes: usize,
    ended: bool,
}

enum Entry {
    Waiting(Job),
    Taken,
    Ready(Arc<Tx>),
}

struct Job {
    raw: Bytes,
    checks: Option<Checks>,
}

/// What the board says of a transaction that is needed.
enum Found {
    Ready(Arc<Tx>),
    /// It, or another that is to be done while it is in other hands.
    Do(TxId, Job),
    Absent,
}

impl AheadVerifier {
    /// Remembers about `checks_max` signature checks; with 0, none, and nothing is done ahead.
    pub fn new(checks_max: usize) -> Self {
        let inner = Arc::new(Inner {
            checks: RememberingVerifier::new(checks_max),
            board: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
        });
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let count = if checks_max == 0 { 0 } else { cores.saturating_sub(1).clamp(1, HELPERS_MAX) };
        let spawn = |_| {
            let inner = Arc::clone(&inner);
            // Without a helper all is done in its turn.
            std::thread::Builder::new().name("ahead".to_owned()).spawn(move || inner.help()).ok()
        };
        let helpers = (0..count).filter_map(spawn).collect();
        AheadVerifier { inner, helpers }
    }

    /// Tells of a transaction that will be needed soon. `checks` asks for its signature checks.
    pub fn foresee(&self, raw: &Bytes, checks: Option<&Checks>) {
        if self.helpers.is_empty() {
            return;
        }
        let id = id(raw);
        let mut board = self.inner.board();
        if board.waiting.len() < FORESEEN_MAX && !board.entries.contains_key(&id) {
            board.entries.insert(id, Entry::Waiting(Job { raw: raw.clone(), checks: checks.cloned() }));
            board.waiting.push_back(id);
            self.inner.work.notify_one();
        }
    }
}

impl Drop for AheadVerifier {
    fn drop(&mut self) {
        {
            let mut board = self.inner.board();
            *board = Board { ended: true, ..Board::default() };
            self.inner.work.notify_all();
        }
        for helper in self.helpers.drain(..) {
            // A helper that panicked has nothing left to hold.
            let _ = helper.join();
        }
    }
}

impl SignatureVerifier for AheadVerifier {
    fn verify_secp256k1(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        self.inner.checks.verify_secp256k1(public_key, message, signature)
    }

    fn transaction(&self, raw: &[u8]) -> Result<Arc<Tx>, Rejected> {
        if self.helpers.is_empty() {
            return Tx::decode(raw).map(Arc::new);
        }
        let id = id(raw);
        loop {
            match self.inner.find(&id) {
                Found::Ready(tx) => return Ok(tx),
                Found::Do(id, job) => self.inner.perform(id, &job),
                Found::Absent => return Tx::decode(raw).map(Arc::new),
            }
        }
    }
}

fn id(raw: &[u8]) -> TxId {
    Sha256::digest(raw).into()
}

impl Inner {
    fn board(&self) -> MutexGuard<'_, Board> {
        // Nothing between lock and unlock can panic half-way through a change.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn help(&self) {
        let mut board = self.board();
        while !board.ended {
            match board.next() {
                Some((id, job)) => {
                    drop(board);
                    self.perform(id, &job);
                    // Before the lock: the job may hold the last view of a version.
                    drop(job);
                    board = self.board();
                }
                None => board = self.work.wait(board).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn find(&self, id: &TxId) -> Found {
        let mut board = self.board();
        loop {
            match board.entries.get(id) {
                None => return Found::Absent,
                Some(Entry::Ready(_)) => {
                    if let Some(tx) = board.hand_over(id) {
                        return Found::Ready(tx);
                    }
                }
                Some(Entry::Waiting(_)) => {
                    if let Some(job) = board.take(id) {
                        return Found::Do(*id, job);
                    }
                }
                Some(Entry::Taken) => match board.next() {
                    Some((other, job)) => return Found::Do(other, job),
                    None => board = self.done.wait(board).unwrap_or_else(PoisonError::into_inner),
                },
            }
        }
    }

    /// Decodes a transaction that was taken and asks for its checks. What does not decode is left to who needs it.
    fn perform(&self, id: TxId, job: &Job) {
        // Should a check panic, nobody waits for it in vain.
        let mut put_back = PutBack { inner: self, id, tx: None };
        if let Ok(tx) = Tx::decode(&job.raw) {
            if let Some(checks) = &job.checks {
                checks(&tx, &self.checks);
            }
            put_back.tx = Some(Arc::new(tx));
        }
    }
}

struct PutBack<'a> {
    inner: &'a Inner,
    id: TxId,
    tx: Option<Arc<Tx>>,
}

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        let mut board = self.inner.board();
        let forgotten = match self.tx.take() {
            Some(tx) => board.keep(self.id, tx),
            None => {
                board.entries.remove(&self.id);
                Vec::new()
            }
        };
        drop(board);
        self.inner.done.notify_all();
        drop(forgotten);
    }
}

impl Board {
    /// The next one that still waits, taken.
    fn next(&mut self) -> Option<(TxId, Job)> {
        while let Some(id) = self.waiting.pop_front() {
            if let Some(job) = self.take(&id) {
                return Some((id, job));
            }
        }
        None
    }

    fn take(&mut self, id: &TxId) -> Option<Job> {
        let entry = self.entries.get_mut(id).filter(|entry| matches!(entry, Entry::Waiting(_)))?;
        match std::mem::replace(entry, Entry::Taken) {
            Entry::Waiting(job) => Some(job),
            _ => None,
        }
    }

    /// Gives what is forgotten for it, to be dropped after the lock.
    #[must_use]
    fn keep(&mut self, id: TxId, tx: Arc<Tx>) -> Vec<Arc<Tx>> {
        let mut forgotten = Vec::new();
        if self.ended {
            return forgotten;
        }
        self.ready_bytes = self.ready_bytes.saturating_add(cost(&tx));
        self.entries.insert(id, Entry::Ready(tx));
        self.ready.push_back(id);
        while self.ready.len() > FORESEEN_MAX || self.ready_bytes > READY_BYTES_MAX {
            let Some(oldest) = self.ready.pop_front() else { break };
            forgotten.extend(self.hand_over(&oldest));
        }
        forgotten
    }

    fn hand_over(&mut self, id: &TxId) -> Option<Arc<Tx>> {
        match self.entries.remove(id)? {
            Entry::Ready(tx) => {
                self.ready_bytes = self.ready_bytes.saturating_sub(cost(&tx));
                Some(tx)
            }
            other => {
                self.entries.insert(*id, other);
                None
            }
        }
    }
}

fn cost(tx: &Tx) -> usize {
    tx.size.saturating_mul(DECODED_BYTES_PER_BYTE)
}

#[cfg(test)]
#[path = "ahead_tests.rs"]
mod tests;
