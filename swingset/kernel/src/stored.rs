//! What a vat takes of the store, in bytes, and the most that it may take (`docs/adr/0036-stored-bytes.md`).
//!
//! `v$N.stored` is `bytes,max`. Charged are keys and values as the kvStore has them: the vatstore, the c-list, the data of promises that
//! the vat settled (`kp$N.decider` names it until the promise is gone), and messages that it has waiting ([`crate::backlog`]).
//!
//! # Invariants
//! - A living vat's figure is what a count over the kvStore would give, after every crank and command.
//! - A figure is read at most once in a crank, when something of that vat changes its size, and written at most once, at the end.
//! - A vat that ended has no figure: what is left of it is nobody's, and what is refunded to it is forgotten.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    kernel::{CrankKind, VatOptions, VatSource},
    vat::CapData,
    wire::Wire,
};

use crate::{
    backlog,
    body,
    crank::{Crank, Kernel},
    event,
    host::Host,
    illegal::{Allowed, Illegal},
    keys::{self, Path, path},
    queue::Queue,
    refcount::Change,
    store::{Fault, Kept, Numbers, parse_numbers},
};

/// A vat's figures in this crank.
struct Tally {
    before: u64,
    now: u64,
    max: u64,
}

/// The figures that this crank looked at, by vat ID in order; none for a vat that ended. They are few: a map's nodes cost more.
#[derive(Default)]
pub struct Tallies(Vec<(String, Option<Tally>)>);

impl Tallies {
    /// The crank is undone.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Where a vat's figure is, or belongs.
    fn place(&self, vat_id: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(vat_id))
    }

    fn insert(&mut self, vat_id: &str, tally: Option<Tally>) {
        match self.place(vat_id) {
            Ok(at) => self.0[at].1 = tally,
            Err(at) => self.0.insert(at, (String::from(vat_id), tally)),
        }
    }

    fn of(&self, vat_id: &str) -> Option<&Tally> {
        self.0[self.place(vat_id).ok()?].1.as_ref()
    }

    /// A vat's bytes, when this crank changed them.
    pub fn now(&self, vat_id: &str) -> Option<u64> {
        Some(self.of(vat_id)?.now)
    }

    /// Whether a vat has more than it may have, and more than it had: at the crank's beginning, or at the figure given.
    fn has_grown_over(&self, vat_id: &str, since: Option<u64>) -> bool {
        let grown = |tally: &Tally| tally.now > tally.max && tally.now > since.unwrap_or(tally.before);
        self.of(vat_id).is_some_and(grown)
    }
}

/// Bytes of a c-list entry's two keys and values.
fn entry_bytes(vat_id: &str, kref: &str, vref: &str) -> usize {
    2 * (vat_id.len() + ".c.".len() + kref.len() + vref.len()) + "R ".len()
}

/// Bytes of the two keys and values of a settled promise's data.
fn data_bytes(kpid: &str, body: usize, slots: usize) -> usize {
    2 * kpid.len() + ".data.body".len() + ".data.slots".len() + body + slots
}

fn slots_bytes(slots: &[String]) -> usize {
    slots.iter().map(String::len).sum::<usize>() + slots.len().saturating_sub(1)
}

impl<H: Host> Kernel<'_, H> {
    /// Begins a vat's figure, or keeps it and takes over a new policy's cap: what its options say, and no more than its policy.
    pub fn set_stored_max(&mut self, vat_id: &str, source: &VatSource, options: &VatOptions) -> Kept<()> {
        let policy = self.store.get_number(keys::stored_max(&source.lockdown_bundle_id))?;
        let policy = policy.unwrap_or(crate::limits::STORED_BYTES_MAX);
        let max = match options.stored_bytes_max {
            0 => policy,
            own => own.min(policy),
        };
        let bytes = match self.tally(vat_id)? {
            Some(tally) => {
                tally.max = max;
                tally.before
            }
            None => {
                // It begins now.
                let tally = Tally { before: 0, now: 0, max };
                self.tallies.insert(vat_id, Some(tally));
                0
            }
        };
        self.store.set(path([vat_id, ".stored"]), Numbers::of([bytes, max]));
        Ok(())
    }

    /// A living vat has another cap of its own.
    pub fn change_stored_max(&mut self, vat_id: &str, options: &VatOptions) -> Kept<()> {
        let source = self.store.get(path([vat_id, ".source"]));
        let source = source.ok_or(Fault("a living vat has no source"))?;
        let source = VatSource::from_bytes(source).map_err(|_| Fault("a vat's source is malformed"))?;
        self.set_stored_max(vat_id, &source, options)
    }

    fn tally(&mut self, vat_id: &str) -> Kept<Option<&mut Tally>> {
        let at = match self.tallies.place(vat_id) {
            Ok(at) => at,
            Err(at) => {
                let tally = match self.store.get(path([vat_id, ".stored"])) {
                    None => None,
                    Some(text) => {
                        let [now, max] = parse_numbers(text).ok_or(Fault("a vat's stored bytes are malformed"))?;
                        let before = now;
                        Some(Tally { before, now, max })
                    }
                };
                self.tallies.0.insert(at, (String::from(vat_id), tally));
                at
            }
        };
        Ok(self.tallies.0[at].1.as_mut())
    }

    /// Adds to a vat's bytes; false when nobody is left to be charged.
    pub fn charge_stored(&mut self, vat_id: &str, bytes: usize) -> Kept<bool> {
        let Some(tally) = self.tally(vat_id)? else {
            return Ok(false);
        };
        tally.now = tally
            .now
            .checked_add(bytes as u64)
            .ok_or(Fault("a vat's stored bytes are beyond 64 bits"))?;
        Ok(true)
    }

    /// Takes bytes off again.
    pub fn refund_stored(&mut self, vat_id: &str, bytes: usize) -> Kept<()> {
        if let Some(tally) = self.tally(vat_id)? {
            tally.now = tally
                .now
                .checked_sub(bytes as u64)
                .ok_or(Fault("a vat's stored bytes are fewer than what was charged"))?;
        }
        Ok(())
    }

    /// Refuses a syscall after which the vat has more than it may have, and more than before it.
    pub fn require_stored(&self, vat_id: &str, before: Option<u64>) -> Allowed<()> {
        if self.tallies.has_grown_over(vat_id, before) {
            return Err(Illegal::StoredTooMuch.into());
        }
        Ok(())
    }

    /// Writes the figures that have changed.
    pub fn save_stored(&mut self) {
        for (vat_id, tally) in core::mem::take(&mut self.tallies.0) {
            if let Some(Tally { before, now, max }) = tally
                && now != before
            {
                self.store.set(path([&vat_id, ".stored"]), Numbers::of([now, max]));
            }
        }
    }

    /// A vat ended: nobody is charged for what it leaves.
    pub fn forget_stored(&mut self, vat_id: &str) {
        self.store.delete_if_there(path([vat_id, ".stored"]));
        self.tallies.insert(vat_id, None);
    }

    /// Charges a new c-list entry.
    pub fn charge_entry(&mut self, vat_id: &str, kref: &str, vref: &str) -> Kept<()> {
        self.count_reference(vat_id, vref, Change::Add)?;
        self.charge_stored(vat_id, entry_bytes(vat_id, kref, vref)).map(|_| ())
    }

    /// Refunds a deleted one.
    pub fn refund_entry(&mut self, vat_id: &str, kref: &str, vref: &str) -> Kept<()> {
        self.count_reference(vat_id, vref, Change::Remove)?;
        self.refund_stored(vat_id, entry_bytes(vat_id, kref, vref))
    }

    /// Writes an entry of the vat's own, or deletes it.
    pub fn write_own(&mut self, vat_id: &str, key: &Path, value: Option<&[u8]>) -> Kept<()> {
        let old = self.store.get(key).map(<[u8]>::len);
        let name = key.as_ref().len();
        let (added, freed) = match (old, value.map(<[u8]>::len)) {
            (None, None) => return Ok(()),
            (None, Some(new)) => (name + new, 0),
            (Some(old), None) => (0, name + old),
            (Some(old), Some(new)) => (new.saturating_sub(old), old.saturating_sub(new)),
        };
        if added > 0 {
            self.charge_stored(vat_id, added)?;
        } else if freed > 0 {
            self.refund_stored(vat_id, freed)?;
        }
        match value {
            Some(value) => self.store.set(key, value),
            None => self.store.delete(key),
        }
        Ok(())
    }

    /// Charges a promise's data to the vat that settles it. False when nobody is charged; else `kp$N.decider` must stay.
    pub fn charge_data(&mut self, kpid: &str, data: &CapData, by: Option<&str>) -> Kept<bool> {
        match by {
            None => Ok(false),
            Some(vat_id) => self.charge_stored(vat_id, data_bytes(kpid, data.body.len(), slots_bytes(&data.slots))),
        }
    }

    /// Ends the charge for the data of a settled promise that is about to be deleted: refunds its decider, and forgets who that was.
    pub fn end_charge_of_data(&mut self, kpid: &str, body: usize, slots: &[String]) -> Kept<()> {
        let Some(vat_id) = self.store.take(path([kpid, ".decider"])) else {
            return Ok(());
        };
        let vat_id = String::from_utf8(vat_id).map_err(|_| Fault("a promise's decider is malformed"))?;
        self.refund_stored(&vat_id, data_bytes(kpid, body, slots_bytes(slots)))
    }

    /// Whether what a delivery names is more than its vat may have.
    pub fn is_overfull(&self, vat_id: &str) -> bool {
        self.tallies.has_grown_over(vat_id, None)
    }

    /// Gives up a message to a vat that has no room for the references in it; the vat itself lives on, for others chose them.
    pub fn turn_away(&mut self, item: &[u8], vat_id: &str) -> Kept<Crank> {
        self.abort();
        self.queue_pop(Queue::Run)?;
        let message = event::expect_message(item)?;
        self.refund_message(item)?;
        self.splat(message.target, message.result, &message.slots, &body::error(body::STATE_FULL))?;
        Ok(Crank::of(CrankKind::Empty {}, Some(String::from(vat_id))))
    }

    /// Gives back what a message that waits no longer was charged.
    pub fn refund_message(&mut self, item: &[u8]) -> Kept<()> {
        match backlog::split(item)?.0 {
            Some((vat_id, bytes)) => self.refund_stored(vat_id, bytes as usize),
            None => Ok(()),
        }
    }
}
