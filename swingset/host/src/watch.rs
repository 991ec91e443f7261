//! Looking on at cranks: what traces and transcripts are made from.
//!
//! # Invariants
//! - A watcher is told and never asked: nothing that it does reaches a guest, a hash or a price.
//! - What a vat does again (made from its pages after a crank was undone) is not told a second time.

use swingset_abi::{
    kernel::{CrankReport, VatSource},
    vat::DeliveryOutcome,
};

/// A delivery that begins.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryBegins<'a> {
    /// The vat.
    pub vat: &'a str,
    /// The encoded [`swingset_abi::vat::VatDelivery`].
    pub delivery: &'a [u8],
    /// Fuel that it may burn.
    pub fuel: u64,
    /// What of it is used before the vat runs: the price of its memory, at its first delivery of the block.
    pub used: u64,
    /// Height of the block of the vat's delivery before this one; none when this is the first of its incarnation.
    pub previous_height: Option<u64>,
    /// The bundles that the vat is made from.
    pub source: &'a VatSource,
    /// The vat has no supervisor.
    pub raw: bool,
}

/// A crank that has ended.
#[derive(Clone, Copy, Debug)]
pub struct CrankEnds<'a> {
    /// The kernel's report; none when the crank was undone since the engine stopped.
    pub report: Option<&'a CrankReport>,
    /// The kernel's count of cranks, this one included when it was kept.
    pub crank_number: u64,
    /// Hash over everything that the kernel did up to here.
    pub activity_hash: &'a str,
}

/// Someone who looks on. Every method has a default that does nothing.
pub trait CrankWatcher: Send {
    /// A crank begins.
    fn crank_begins(&mut self) {}
    /// A delivery begins.
    fn delivery_begins(&mut self, _delivery: &DeliveryBegins<'_>) {}
    /// The vat makes a syscall, an encoded [`swingset_abi::vat::VatSyscall`].
    fn syscall(&mut self, _vat: &str, _syscall: &[u8]) {}
    /// The kernel answers it by an encoded [`swingset_abi::vat::SyscallReply`].
    fn syscall_answered(&mut self, _vat: &str, _reply: &[u8]) {}
    /// The delivery has ended.
    fn delivery_ends(&mut self, _vat: &str, _outcome: &DeliveryOutcome) {}
    /// What this crank delivered to a vat is undone, and the vat lives on: an upgrade that failed.
    fn vat_restored(&mut self, _vat: &str) {}
    /// The crank has ended: kept, or undone when there is no report.
    fn crank_ends(&mut self, _crank: &CrankEnds<'_>) {}
}

/// All who look on at one controller.
#[derive(Default)]
pub(crate) struct Watchers(Vec<Box<dyn CrankWatcher>>);

impl Watchers {
    pub(crate) fn add(&mut self, watcher: Box<dyn CrankWatcher>) {
        self.0.push(watcher);
    }

    /// Whether there are any: what is only for them need not be made otherwise.
    pub(crate) fn any(&self) -> bool {
        !self.0.is_empty()
    }

    fn each(&mut self, mut tell: impl FnMut(&mut dyn CrankWatcher)) {
        for watcher in &mut self.0 {
            tell(watcher.as_mut());
        }
    }

    pub(crate) fn crank_begins(&mut self) {
        self.each(|watcher| watcher.crank_begins());
    }

    pub(crate) fn delivery_begins(&mut self, delivery: &DeliveryBegins<'_>) {
        self.each(|watcher| watcher.delivery_begins(delivery));
    }

    /// `step` is an encoded `VatStep::Syscall`: a tag, and the syscall.
    pub(crate) fn syscall(&mut self, vat: &str, step: &[u8]) {
        let syscall = step.get(1..).unwrap_or_default();
        self.each(|watcher| watcher.syscall(vat, syscall));
    }

    pub(crate) fn syscall_answered(&mut self, vat: &str, reply: &[u8]) {
        self.each(|watcher| watcher.syscall_answered(vat, reply));
    }

    pub(crate) fn delivery_ends(&mut self, vat: &str, outcome: &DeliveryOutcome) {
        self.each(|watcher| watcher.delivery_ends(vat, outcome));
    }

    pub(crate) fn vat_restored(&mut self, vat: &str) {
        self.each(|watcher| watcher.vat_restored(vat));
    }

    pub(crate) fn crank_ends(&mut self, crank: &CrankEnds<'_>) {
        self.each(|watcher| watcher.crank_ends(crank));
    }
}
