//! Who holds imports and stored objects, and what becomes of those that nobody holds.
//!
//! Memory's holders are kept in memory; states, entries and others' imports are counted in the vatstore ([`Holders`]). What a
//! delivery changes is added up and written at its end, one read and one write each at most.
//!
//! # Invariants
//! - A count in the vatstore is right at each delivery's end. One that would fall below zero is a broken vatstore: the delivery fails.
//! - An import is dropped when neither memory nor a count holds it, and retired when no weak collection knows it either.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};

use swingset_abi::{supervisor::StoredId, vat::VatSyscall, wire::Wire};

use crate::{
    machine::{Requested, Supervisor, Then},
    records::{self, Counted, Holders, REACHABLE, RECOGNIZABLE},
    vref,
};

/// What one delivery changes of one object's holders.
#[derive(Clone, Copy, Debug, Default)]
struct Change {
    strong: i64,
    weak: i64,
    export: Option<u64>,
}

/// Changes to be written, and who holds stored objects in memory.
#[derive(Debug, Default)]
pub struct Counts {
    changes: BTreeMap<Counted, Change>,
    /// Stored objects that vat code holds.
    held_by_vat: BTreeSet<StoredId>,
    /// How many settled promises' values name a stored object.
    held_by_values: BTreeMap<StoredId, u64>,
    /// Stored objects that may have lost their last holder in this delivery.
    unheld: BTreeSet<StoredId>,
    /// Imports to be dropped and retired at the delivery's end.
    dropped: Vec<String>,
    retired: Vec<String>,
}

fn apply(count: u64, change: i64) -> Result<u64, &'static str> {
    count
        .checked_add_signed(change)
        .ok_or("a reference count in the vatstore is too low")
}

impl Counts {
    /// Whether vat code holds it.
    pub fn has(&self, id: StoredId) -> bool {
        self.held_by_vat.contains(&id)
    }

    /// Vat code holds it from now on.
    pub fn hold(&mut self, id: StoredId) {
        self.held_by_vat.insert(id);
    }

    /// Vat code holds it no more.
    pub fn release(&mut self, id: StoredId) {
        if self.held_by_vat.remove(&id) {
            self.unheld.insert(id);
        }
    }

    /// It came from the kernel; held by nobody until it is given to the vat or kept in a promise's value.
    pub fn arrived(&mut self, id: StoredId) {
        self.unheld.insert(id);
    }

    /// A settled promise's value names it.
    pub fn hold_by_value(&mut self, id: StoredId) {
        *self.held_by_values.entry(id).or_insert(0) += 1;
    }

    /// A settled promise's value that named it is forgotten.
    pub fn let_go_by_value(&mut self, id: StoredId) {
        if crate::slots::let_go(&mut self.held_by_values, id) {
            self.unheld.insert(id);
        }
    }

    /// It was named to the kernel, or the kernel says how others know it now.
    pub fn mark(&mut self, id: StoredId, export: u64) {
        self.changes.entry(Counted::Stored(id)).or_default().export = Some(export);
    }

    /// A weak collection has it as a key, or has it no more.
    pub fn count_weak(&mut self, counted: Counted, change: i64) {
        self.changes.entry(counted).or_default().weak += change;
    }

    fn in_memory(&self, id: StoredId) -> bool {
        id == StoredId::BAGGAGE || self.held_by_vat.contains(&id) || self.held_by_values.contains_key(&id)
    }

    /// Imports given up at this delivery's end.
    fn take_given_up(&mut self) -> (Vec<String>, Vec<String>) {
        (core::mem::take(&mut self.dropped), core::mem::take(&mut self.retired))
    }
}

impl Supervisor {
    /// A state or entry with these slots is written (1) or deleted (-1).
    pub(crate) fn count_slots(&mut self, slots: &[String], change: i64) {
        for slot in slots {
            let counted = match vref::parse(slot) {
                Some(vref::Vref::Import(handle)) => Counted::Import(handle),
                Some(vref::Vref::Stored(id)) => Counted::Stored(id),
                Some(vref::Vref::Export(handle)) => {
                    self.imports.count_local(handle, change > 0);
                    continue;
                }
                _ => continue,
            };
            self.counts.changes.entry(counted).or_default().strong += change;
        }
    }

    /// Writes one change, if there is one; looks at one object that may be gone otherwise.
    pub(crate) fn settle_counts(&mut self) -> Option<Requested> {
        while let Some((counted, change)) = self.counts.changes.pop_first() {
            let nothing = change.strong == 0 && change.weak == 0 && change.export.is_none();
            if nothing || matches!(counted, Counted::Stored(id) if self.stored.is_stale(id)) {
                continue;
            }
            return Some(self.read(counted.holders_key(), move |supervisor, found| {
                supervisor.change_holders(counted, change, found)
            }));
        }
        while let Some(id) = self.counts.unheld.pop_first() {
            if !self.counts.in_memory(id) && !self.stored.meta.dying.0.contains(&id) {
                let counted = Counted::Stored(id);
                return Some(self.read(counted.holders_key(), move |supervisor, found| {
                    supervisor.free_if_unheld(id, found)
                }));
            }
        }
        if let Some(next) = self.give_back_one() {
            return Some(next);
        }
        let (dropped, retired) = self.counts.take_given_up();
        if dropped.is_empty() && retired.is_empty() {
            return None;
        }
        if !dropped.is_empty() {
            self.syscalls.push_back(VatSyscall::DropImports { vrefs: dropped });
        }
        if !retired.is_empty() {
            self.syscalls.push_back(VatSyscall::RetireImports { vrefs: retired });
        }
        Some(Ok(Then::NextEvent))
    }

    /// Looks at one import that may be held by nobody, or subscribes to a promise that an earlier incarnation knew. What this delivery
    /// has no room for waits for later ones.
    fn give_back_one(&mut self) -> Option<Requested> {
        if self.stored.give_back_budget == 0 {
            return None;
        }
        if let Some(handle) = self.imports.next_unheld() {
            self.stored.give_back_budget -= 1;
            if self.stored.meta.imports_in_store == 0 {
                self.give_up(handle, true);
                return Some(Ok(Then::NextEvent));
            }
            let counted = Counted::Import(handle);
            return Some(self.read(counted.holders_key(), move |supervisor, found| {
                let holders = read_holders(found)?;
                if holders.strong == 0 {
                    supervisor.give_up(handle, holders.weak == 0);
                }
                Ok(Then::NextEvent)
            }));
        }
        let handle = self.promises.next_earlier()?;
        self.stored.give_back_budget -= 1;
        self.subscribe_if_unheld(handle);
        Some(Ok(Then::NextEvent))
    }

    fn may_be_gone(&mut self, counted: Counted) {
        match counted {
            Counted::Import(handle) => self.imports.may_be_unheld(handle),
            Counted::Stored(id) => {
                self.counts.unheld.insert(id);
            }
        }
    }

    fn change_holders(&mut self, counted: Counted, change: Change, found: Option<Vec<u8>>) -> Requested {
        let was_there = found.is_some();
        let before = read_holders(found)?;
        let after = Holders {
            strong: apply(before.strong, change.strong)?,
            weak: apply(before.weak, change.weak)?,
            export: change.export.unwrap_or(before.export),
        };
        if after.strong == 0 && after.export != REACHABLE {
            self.may_be_gone(counted);
        }
        if after != before || (was_there && after == Holders::default()) {
            self.write_holders(counted, was_there, after)?;
        }
        Ok(Then::NextEvent)
    }

    fn write_holders(&mut self, counted: Counted, was_there: bool, holders: Holders) -> Result<(), &'static str> {
        let is_there = holders != Holders::default();
        if matches!(counted, Counted::Import(_)) && was_there != is_there {
            let change = if is_there { 1 } else { -1 };
            self.stored.meta.imports_in_store = apply(self.stored.meta.imports_in_store, change)?;
        }
        match (is_there, was_there) {
            (true, _) => self.write(counted.holders_key(), holders.to_bytes()),
            (false, true) => self.delete(counted.holders_key()),
            (false, false) => {}
        }
        Ok(())
    }

    fn free_if_unheld(&mut self, id: StoredId, found: Option<Vec<u8>>) -> Requested {
        let was_there = found.is_some();
        let holders = read_holders(found)?;
        if holders.strong > 0 || holders.export == REACHABLE {
            return Ok(Then::NextEvent);
        }
        if holders.export == RECOGNIZABLE {
            self.syscalls.push_back(VatSyscall::RetireExports {
                vrefs: Vec::from([Counted::Stored(id).vref()]),
            });
        }
        if was_there {
            self.delete(Counted::Stored(id).holders_key());
        }
        if holders.weak > 0 {
            self.stored.meta.gone_stored.0.insert(id);
        }
        self.stored.meta.dying.0.insert(id);
        Ok(Then::NextEvent)
    }

    /// Nothing here reaches an import any more; with `retire`, nothing recognizes it either.
    fn give_up(&mut self, handle: u64, retire: bool) {
        let vref = vref::text("o-", handle);
        if !self.stored.forget_weak_import(handle) {
            self.counts.dropped.push(vref.clone());
        }
        if retire {
            self.counts.retired.push(vref);
        } else {
            self.stored.meta.weak_imports.0.insert(handle);
        }
    }

    /// The holders of an import that the kernel has retired are gone with it.
    pub(crate) fn forget_holders(&mut self, handle: u64, found: Option<&Vec<u8>>) -> Result<(), &'static str> {
        match found {
            Some(_) => self.write_holders(Counted::Import(handle), true, Holders::default()),
            None => Ok(()),
        }
    }
}

fn read_holders(found: Option<Vec<u8>>) -> Result<Holders, &'static str> {
    found.map_or(Ok(Holders::default()), |bytes| records::read(&bytes))
}
