//! References in values: from the kernel's vrefs to handles and back, and who holds what.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};

use swingset_abi::{
    supervisor::{Handle, Passable, SlotHandle, StoredId},
    vat::{CapData, Resolution, VatSyscall},
};

use crate::{
    machine::Supervisor,
    promises::Standing,
    records::REACHABLE,
    vref::{self, Vref},
};

/// One holder less; true when it was the last.
pub fn let_go<K: Ord>(holders: &mut BTreeMap<K, u64>, handle: K) -> bool {
    match holders.get_mut(&handle) {
        Some(count) if *count > 1 => {
            *count -= 1;
            false
        }
        Some(_) => holders.remove(&handle).is_some(),
        None => false,
    }
}

/// Objects and devices elsewhere: handle N is `o-N`, `d-N`.
#[derive(Debug, Default)]
pub struct Imports {
    /// Presences that vat code holds.
    held_by_vat: BTreeSet<u64>,
    /// How many settled promises' values name a presence.
    held_by_values: BTreeMap<u64, u64>,
    /// How many settled promises' values and virtual states name a local object.
    locals_held_by_values: BTreeMap<u64, u64>,
    devices: BTreeSet<u64>,
    /// Presences that lost a holder, in this delivery or in one that had no room to give them back.
    maybe_dead: BTreeSet<u64>,
}

impl Imports {
    /// Whether vat code holds this presence.
    pub fn has(&self, handle: u64) -> bool {
        self.held_by_vat.contains(&handle)
    }

    /// Whether a settled promise's value names this local object.
    pub fn local_is_held(&self, handle: u64) -> bool {
        self.locals_held_by_values.contains_key(&handle)
    }

    /// Vat code lets go of a presence.
    pub fn release(&mut self, handle: u64) {
        if self.held_by_vat.remove(&handle) {
            self.maybe_dead.insert(handle);
        }
    }

    /// The kernel says that these are gone.
    pub fn retired(&mut self, handle: u64) {
        self.held_by_vat.remove(&handle);
        self.maybe_dead.remove(&handle);
    }

    /// A count of this import fell, or it was a weak collection's key.
    pub fn may_be_unheld(&mut self, handle: u64) {
        self.maybe_dead.insert(handle);
    }

    /// A virtual state that names this local object was written, or deleted.
    pub fn count_local(&mut self, handle: u64, held: bool) {
        if held {
            *self.locals_held_by_values.entry(handle).or_insert(0) += 1;
        } else {
            let_go(&mut self.locals_held_by_values, handle);
        }
    }

    /// An import that nothing in memory holds any more.
    pub fn next_unheld(&mut self) -> Option<u64> {
        while let Some(id) = self.maybe_dead.pop_first() {
            if !self.held_by_vat.contains(&id) && !self.held_by_values.contains_key(&id) {
                return Some(id);
            }
        }
        None
    }

    /// All that memory holds, or has not given back yet.
    pub fn held(&self) -> Vec<u64> {
        let held: BTreeSet<u64> = self
            .held_by_vat
            .iter()
            .chain(self.held_by_values.keys())
            .chain(&self.maybe_dead)
            .copied()
            .collect();
        held.into_iter().collect()
    }
}

/// What is told of a value that cannot be passed on.
fn too_large() -> Passable {
    Passable {
        body: ["#{\"#error\":\"", Passable::TOO_LARGE, "\",\"name\":\"Error\"}"].concat(),
        slots: Vec::new(),
    }
}

/// What naming settled promises to the kernel brings with it: they get new names and are settled again right after.
#[derive(Debug, Default)]
pub struct Announced {
    names: BTreeMap<Handle, String>,
    order: Vec<Handle>,
}

impl Supervisor {
    /// A value from the kernel, in handles.
    pub(crate) fn value_in(&mut self, data: CapData) -> Result<Passable, &'static str> {
        let mut slots = Vec::with_capacity(data.slots.len());
        for slot in &data.slots {
            slots.push(self.slot_in(slot)?);
        }
        Ok(Passable { body: data.body, slots })
    }

    fn slot_in(&mut self, slot: &str) -> Result<SlotHandle, &'static str> {
        match vref::parse(slot) {
            Some(Vref::Export(handle)) if self.exports.has(handle) => Ok(SlotHandle::Local { handle }),
            Some(Vref::Import(handle)) => {
                // Held by nobody until it is given to the vat or kept in a promise's value.
                self.imports.maybe_dead.insert(handle);
                self.stored.forget_weak_import(handle);
                Ok(SlotHandle::Presence { handle })
            }
            Some(Vref::Stored(object)) if self.stored.knows(object) => {
                self.counts.arrived(object);
                Ok(SlotHandle::Stored { object })
            }
            Some(Vref::Device(handle)) => Ok(SlotHandle::Device { handle }),
            Some(Vref::Promise | Vref::OwnPromise(_)) => Ok(SlotHandle::Promise {
                handle: self.promise_in(slot)?,
            }),
            _ => Err("the kernel named a reference that this vat never exported"),
        }
    }

    /// The handle of a promise that the kernel names.
    pub(crate) fn promise_in(&mut self, slot: &str) -> Result<Handle, &'static str> {
        match self.promises.by_vref(slot) {
            Some(handle) => Ok(handle),
            None if slot.starts_with("p-") || self.promises.is_earlier(slot) => Ok(self
                .promises
                .add(Some(String::from(slot)), Standing::Theirs { subscribed: false })),
            None => Err("the kernel named a promise that this vat never exported"),
        }
    }

    /// Vat code is about to learn these handles.
    pub(crate) fn note_given(&mut self, value: &Passable) {
        for slot in &value.slots {
            match *slot {
                SlotHandle::Presence { handle } => {
                    self.imports.held_by_vat.insert(handle);
                }
                SlotHandle::Device { handle } => {
                    self.imports.devices.insert(handle);
                }
                SlotHandle::Promise { handle } => {
                    if let Some(promise) = self.promises.get_mut(handle) {
                        promise.held_by_vat = true;
                    }
                }
                SlotHandle::Stored { object } => self.counts.hold(object),
                SlotHandle::Local { .. } => {}
            }
        }
    }

    /// A settled promise's value holds what it names.
    pub(crate) fn hold_value(&mut self, value: &Passable) {
        for slot in &value.slots {
            match *slot {
                SlotHandle::Presence { handle } => *self.imports.held_by_values.entry(handle).or_insert(0) += 1,
                SlotHandle::Promise { handle } => {
                    if let Some(promise) = self.promises.get_mut(handle) {
                        promise.held_by_values += 1;
                    }
                }
                SlotHandle::Local { handle } => self.imports.count_local(handle, true),
                SlotHandle::Stored { object } => self.counts.hold_by_value(object),
                SlotHandle::Device { .. } => {}
            }
        }
    }

    /// Forgets a promise that nothing holds, and what only its value held.
    pub(crate) fn forget(&mut self, handle: Handle) {
        let mut candidates = Vec::from([handle]);
        while let Some(candidate) = candidates.pop() {
            self.subscribe_if_unheld(candidate);
            let Some(value) = self.promises.forget_if_unheld(candidate) else {
                continue;
            };
            for slot in value.slots {
                match slot {
                    SlotHandle::Presence { handle } => {
                        if let_go(&mut self.imports.held_by_values, handle) {
                            self.imports.maybe_dead.insert(handle);
                        }
                    }
                    SlotHandle::Promise { handle } => {
                        if let Some(promise) = self.promises.get_mut(handle) {
                            promise.held_by_values = promise.held_by_values.saturating_sub(1);
                            candidates.push(handle);
                        }
                    }
                    SlotHandle::Local { handle } => self.imports.count_local(handle, false),
                    SlotHandle::Stored { object } => self.counts.let_go_by_value(object),
                    SlotHandle::Device { .. } => {}
                }
            }
        }
    }

    /// The kernel's c-list keeps an unsettled import until it settles, so the vat is subscribed to what nothing holds.
    pub(crate) fn subscribe_if_unheld(&mut self, handle: Handle) {
        let Some(promise) = self.promises.get_mut(handle) else {
            return;
        };
        if !promise.held_by_vat
            && promise.held_by_values == 0
            && let Standing::Theirs { subscribed } = &mut promise.standing
            && !core::mem::replace(subscribed, true)
            && let Some(promise) = promise.vref.clone()
        {
            self.syscalls.push_back(VatSyscall::Subscribe { promise });
        }
    }

    /// Whether vat code may pass this value on.
    pub(crate) fn check_value(&self, value: &Passable) -> Result<(), &'static str> {
        if !value.fits() {
            return Err(Passable::TOO_LARGE);
        }
        self.check_slots(&value.slots)
    }

    /// Whether vat code may name all these.
    pub(crate) fn check_slots(&self, slots: &[SlotHandle]) -> Result<(), &'static str> {
        for slot in slots {
            let known = match *slot {
                SlotHandle::Local { handle } => self.exports.has(handle),
                SlotHandle::Presence { handle } => self.imports.has(handle),
                SlotHandle::Device { handle } => self.imports.devices.contains(&handle),
                SlotHandle::Promise { handle } => self.promises.get(handle).is_some_and(|promise| promise.held_by_vat),
                SlotHandle::Stored { object } => object == StoredId::BAGGAGE || self.counts.has(object),
            };
            if !known {
                return Err("a handle that this vat does not hold");
            }
        }
        Ok(())
    }

    /// The vref of a handle that was checked, for the kernel.
    pub(crate) fn slot_out(&mut self, slot: SlotHandle, announced: &mut Announced) -> String {
        match slot {
            SlotHandle::Local { handle } => self.exports.export(handle),
            SlotHandle::Presence { handle } => vref::text("o-", handle),
            SlotHandle::Device { handle } => vref::text("d-", handle),
            SlotHandle::Stored { object } => {
                self.counts.mark(object, REACHABLE);
                vref::stored_text("o+", object)
            }
            SlotHandle::Promise { handle } => {
                if let Some(name) = announced.names.get(&handle) {
                    return name.clone();
                }
                let promise = self.promises.get(handle);
                if let Some(vref) = promise.and_then(|promise| promise.vref.clone()) {
                    return vref;
                }
                let settled = promise.is_some_and(|promise| matches!(promise.standing, Standing::Settled { .. }));
                let name = self.promises.new_vref();
                if settled {
                    announced.names.insert(handle, name.clone());
                    announced.order.push(handle);
                } else {
                    self.promises.name(handle, &name);
                }
                name
            }
        }
    }

    /// A value for the kernel. Its handles were checked.
    pub(crate) fn value_out(&mut self, value: Passable, announced: &mut Announced) -> CapData {
        let slots = value
            .slots
            .into_iter()
            .map(|slot| self.slot_out(slot, announced))
            .collect();
        CapData {
            body: value.body,
            slots,
        }
    }

    /// The settlements that go with what was announced; their values may announce more.
    pub(crate) fn announcements(&mut self, announced: &mut Announced) -> Vec<Resolution> {
        let mut resolutions = Vec::new();
        let mut at = 0;
        while let Some(handle) = announced.order.get(at).copied() {
            let (rejected, value) = self.promises.settled_value(handle).unwrap_or_default();
            // One that came from elsewhere may be larger than what this vat may say.
            let (rejected, value) = if value.fits() { (rejected, value) } else { (true, too_large()) };
            let data = self.value_out(value, announced);
            let promise = announced.names.get(&handle).cloned().unwrap_or_default();
            resolutions.push(Resolution {
                promise,
                rejected,
                data,
            });
            at += 1;
        }
        resolutions
    }
}
