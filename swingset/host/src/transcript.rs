//! Transcripts: what vats were delivered, what they asked and what they were answered, block by block. For [`crate::replay`] alone: they
//! are outside the tree, differ from node to node, and nothing in consensus reads them.
//!
//! # Invariants
//! - A block's transcript is whole or not there: a block with more than the cap has none, which a replay sees as a gap.
//! - What is undone with a crank is in no transcript.

use std::{
    mem::take,
    sync::{Arc, Mutex},
};

use swingset_abi::{
    kernel::VatSource,
    vat::{DeliveryOutcome, DeliveryVerdict},
    wire::{Blob, Wire},
    wire_struct,
};

use crate::{
    sync::lock,
    watch::{CrankEnds, CrankWatcher, DeliveryBegins},
};

/// One delivery of a kept crank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranscriptEntry {
    /// The vat.
    pub vat: String,
    /// The kernel's count of cranks, this delivery's included.
    pub crank_number: u64,
    /// Height of the block of the vat's delivery before this one; none when this is the first of its incarnation.
    pub previous_height: Option<u64>,
    /// The bundles that the vat is made from.
    pub source: VatSource,
    /// The vat has no supervisor.
    pub raw: bool,
    /// The encoded [`swingset_abi::vat::VatDelivery`].
    pub delivery: Blob,
    /// Fuel that it might burn.
    pub fuel: u64,
    /// What of it was used before the vat ran.
    pub used: u64,
    /// The syscalls, in their order.
    pub syscalls: Vec<RecordedSyscall>,
    /// How it ended.
    pub outcome: DeliveryOutcome,
}
wire_struct!(TranscriptEntry {
    vat,
    crank_number,
    previous_height,
    source,
    raw,
    delivery,
    fuel,
    used,
    syscalls,
    outcome
});

/// A syscall of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedSyscall {
    /// The encoded [`swingset_abi::vat::VatSyscall`].
    pub syscall: Blob,
    /// The encoded [`swingset_abi::vat::SyscallReply`]; none when the vat was ended instead of answered.
    pub reply: Option<Blob>,
}
wire_struct!(RecordedSyscall { syscall, reply });

/// A block's transcript: what [`TranscriptRecorder::take`] gives, encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockTranscript {
    /// The deliveries, in their order.
    pub entries: Vec<TranscriptEntry>,
}
wire_struct!(BlockTranscript { entries });

#[derive(Debug, Default)]
struct Recorded {
    bytes_max: usize,
    bytes: usize,
    /// The cap was passed in this block: nothing of it is kept.
    too_much: bool,
    block: Vec<TranscriptEntry>,
    crank: Vec<TranscriptEntry>,
}

/// Collects a block's transcript. The clones of one are the same: one of them watches the controller, another is emptied by whoever
/// commits the block.
#[derive(Clone, Debug)]
pub struct TranscriptRecorder(Arc<Mutex<Recorded>>);

impl TranscriptRecorder {
    /// An empty one; a block with more than `bytes_max` bytes of deliveries, syscalls and answers is left out.
    pub fn new(bytes_max: usize) -> Self {
        TranscriptRecorder(Arc::new(Mutex::new(Recorded { bytes_max, ..Recorded::default() })))
    }

    /// Forgets what was collected: a block begins, or what was done of one is undone.
    pub fn clear(&self) {
        let mut recorded = lock(&self.0);
        *recorded = Recorded { bytes_max: recorded.bytes_max, ..Recorded::default() };
    }

    /// The block's transcript, encoded, and begins the next one. None when there is nothing to keep.
    pub fn take(&self) -> Option<Vec<u8>> {
        let mut recorded = lock(&self.0);
        let entries = take(&mut recorded.block);
        let whole = !take(&mut recorded.too_much);
        recorded.bytes = 0;
        (whole && !entries.is_empty()).then(|| BlockTranscript { entries }.to_bytes())
    }
}

impl Recorded {
    fn count(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.bytes_max && !self.too_much {
            self.too_much = true;
            self.block.clear();
            self.crank.clear();
        }
    }

    /// The delivery under way.
    fn current(&mut self, vat: &str) -> Option<&mut TranscriptEntry> {
        self.crank.last_mut().filter(|entry| entry.vat == vat)
    }
}

impl CrankWatcher for TranscriptRecorder {
    fn crank_begins(&mut self) {
        lock(&self.0).crank.clear();
    }

    fn delivery_begins(&mut self, begins: &DeliveryBegins<'_>) {
        let mut recorded = lock(&self.0);
        recorded.count(begins.delivery.len().saturating_add(512));
        if recorded.too_much {
            return;
        }
        recorded.crank.push(TranscriptEntry {
            vat: begins.vat.to_owned(),
            crank_number: 0,
            previous_height: begins.previous_height,
            source: begins.source.clone(),
            raw: begins.raw,
            delivery: Blob(begins.delivery.to_vec()),
            fuel: begins.fuel,
            used: begins.used,
            syscalls: Vec::new(),
            outcome: DeliveryOutcome { verdict: DeliveryVerdict::Ok {}, computrons: 0 },
        });
    }

    fn syscall(&mut self, vat: &str, syscall: &[u8]) {
        let mut recorded = lock(&self.0);
        recorded.count(syscall.len());
        if let Some(entry) = recorded.current(vat) {
            entry.syscalls.push(RecordedSyscall { syscall: Blob(syscall.to_vec()), reply: None });
        }
    }

    fn syscall_answered(&mut self, vat: &str, reply: &[u8]) {
        let mut recorded = lock(&self.0);
        recorded.count(reply.len());
        if let Some(syscall) = recorded.current(vat).and_then(|entry| entry.syscalls.last_mut()) {
            syscall.reply = Some(Blob(reply.to_vec()));
        }
    }

    fn delivery_ends(&mut self, vat: &str, outcome: &DeliveryOutcome) {
        if let Some(entry) = lock(&self.0).current(vat) {
            entry.outcome = outcome.clone();
        }
    }

    fn vat_restored(&mut self, vat: &str) {
        lock(&self.0).crank.retain(|entry| entry.vat != vat);
    }

    fn crank_ends(&mut self, crank: &CrankEnds<'_>) {
        let mut recorded = lock(&self.0);
        let entries = take(&mut recorded.crank);
        if crank.report.is_some() {
            let numbered =
                entries.into_iter().map(|entry| TranscriptEntry { crank_number: crank.crank_number, ..entry });
            recorded.block.extend(numbered);
        }
    }
}
