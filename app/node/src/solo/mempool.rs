//! Transactions that wait for a block.
//!
//! # Invariants
//! - First in, first out; count and bytes are bounded; a transaction is in it once.
//! - What is in it was accepted by CheckTx on the state that the next block begins with.
//! - Whoever holds it keeps CheckTx and Commit apart: an accepted transaction is checked again after the next commit.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use tendermint_proto::v0_38::abci::{CheckTxType, ExecTxResult, RequestCheckTx, ResponseCheckTx};

use super::{
    config::MempoolLimits,
    hashes::{Hash, sha256},
};
use crate::{abci::ReadApplication, lifecycle::StopReason};

/// Bytes of a transaction's framing in a block. Source: protobuf: a tag, and a length of at most five bytes.
const FRAMING_BYTES_MAX: usize = 6;

/// Why a transaction was not taken to CheckTx. The words are CometBFT's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MempoolError {
    /// Seen before.
    #[error("tx already exists in cache")]
    InCache,
    /// Above the size of one transaction.
    #[error("Tx too large. Max size is {max}, but got {size}")]
    TooLarge {
        /// The largest.
        max: usize,
        /// Its size.
        size: usize,
    },
    /// No room.
    #[error("mempool is full: number of txs {count} (max: {count_max}), total txs bytes {bytes} (max: {bytes_max})")]
    Full {
        /// Transactions in it.
        count: usize,
        /// The most.
        count_max: usize,
        /// Bytes in it.
        bytes: usize,
        /// The most.
        bytes_max: usize,
    },
}

#[derive(Debug)]
struct Entry {
    tx: Bytes,
    hash: Hash,
    gas_wanted: i64,
}

/// The mempool.
#[derive(Debug)]
pub struct Mempool {
    limits: MempoolLimits,
    entries: VecDeque<Entry>,
    bytes: usize,
    present: BTreeSet<Hash>,
    cache: HashCache,
}

impl Mempool {
    /// An empty one.
    pub fn new(limits: MempoolLimits) -> Self {
        Mempool {
            limits,
            entries: VecDeque::new(),
            bytes: 0,
            present: BTreeSet::new(),
            cache: HashCache::new(limits.cache_max),
        }
    }

    /// Asks CheckTx and keeps the transaction if it is accepted.
    ///
    /// # Errors
    /// The inner error is for the sender; the outer one is a local fault.
    pub fn add(
        &mut self,
        tx: Bytes,
        app: &dyn ReadApplication,
    ) -> Result<Result<ResponseCheckTx, MempoolError>, StopReason> {
        let hash = sha256(&tx);
        if let Err(refusal) = self.admit(&tx, &hash) {
            return Ok(Err(refusal));
        }
        let response = app.check_tx(RequestCheckTx { tx: tx.clone(), r#type: CheckTxType::New.into() })?;
        if response.code == 0 {
            self.bytes = self.bytes.saturating_add(tx.len());
            self.present.insert(hash);
            self.entries.push_back(Entry { tx, hash, gas_wanted: response.gas_wanted });
        } else {
            // It may become valid, by a payment for instance.
            self.cache.remove(&hash);
        }
        Ok(Ok(response))
    }

    fn admit(&mut self, tx: &Bytes, hash: &Hash) -> Result<(), MempoolError> {
        let limits = self.limits;
        if tx.len() > limits.tx_bytes_max {
            return Err(MempoolError::TooLarge { max: limits.tx_bytes_max, size: tx.len() });
        }
        if self.entries.len() >= limits.count_max || self.bytes.saturating_add(tx.len()) > limits.bytes_max {
            return Err(MempoolError::Full {
                count: self.entries.len(),
                count_max: limits.count_max,
                bytes: self.bytes,
                bytes_max: limits.bytes_max,
            });
        }
        if self.present.contains(hash) || !self.cache.insert(*hash) {
            return Err(MempoolError::InCache);
        }
        Ok(())
    }

    /// The first transactions that fit in a block.
    pub fn reap(&self, bytes_max: i64, gas_max: Option<i64>) -> Vec<Bytes> {
        let mut room = usize::try_from(bytes_max).unwrap_or_default();
        let mut gas = gas_max.unwrap_or(i64::MAX);
        let fits = |entry: &&Entry| {
            let left = room.checked_sub(entry.tx.len().saturating_add(FRAMING_BYTES_MAX));
            let gas_left = gas.checked_sub(entry.gas_wanted.max(0)).filter(|left| *left >= 0);
            let (Some(left), Some(gas_left)) = (left, gas_left) else { return false };
            (room, gas) = (left, gas_left);
            true
        };
        self.entries.iter().take_while(fits).map(|entry| entry.tx.clone()).collect()
    }

    /// Takes out what a committed block holds, and, if the settings say so, checks the rest again.
    ///
    /// # Errors
    /// A local fault.
    pub fn update(
        &mut self,
        txs: &[Vec<u8>],
        results: &[ExecTxResult],
        app: &dyn ReadApplication,
    ) -> Result<(), StopReason> {
        let mut committed = BTreeSet::new();
        for (index, tx) in txs.iter().enumerate() {
            let hash = sha256(tx);
            committed.insert(hash);
            if results.get(index).is_some_and(|result| result.code == 0) {
                self.cache.insert(hash);
            } else {
                self.cache.remove(&hash);
            }
        }
        let mut kept = VecDeque::with_capacity(self.entries.len());
        for entry in std::mem::take(&mut self.entries) {
            if committed.contains(&entry.hash) {
                continue;
            }
            if self.limits.recheck {
                let request = RequestCheckTx { tx: entry.tx.clone(), r#type: CheckTxType::Recheck.into() };
                if app.check_tx(request)?.code != 0 {
                    self.cache.remove(&entry.hash);
                    continue;
                }
            }
            kept.push_back(entry);
        }
        self.bytes = kept.iter().map(|entry| entry.tx.len()).sum();
        self.present = kept.iter().map(|entry| entry.hash).collect();
        self.entries = kept;
        Ok(())
    }

    /// Transactions in it.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of all transactions.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The first `count` transactions.
    pub fn first(&self, count: usize) -> Vec<Bytes> {
        self.entries.iter().take(count).map(|entry| entry.tx.clone()).collect()
    }
}

/// The last hashes seen, the oldest forgotten first.
#[derive(Debug)]
struct HashCache {
    max: usize,
    order: VecDeque<Hash>,
    known: BTreeSet<Hash>,
}

impl HashCache {
    fn new(max: usize) -> Self {
        HashCache { max, order: VecDeque::new(), known: BTreeSet::new() }
    }

    /// Remembers a hash; false if it is known.
    fn insert(&mut self, hash: Hash) -> bool {
        if self.max == 0 {
            return true;
        }
        if !self.known.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        while self.order.len() > self.max {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
        true
    }

    fn remove(&mut self, hash: &Hash) {
        if self.known.remove(hash) {
            self.order.retain(|known| known != hash);
        }
    }
}
