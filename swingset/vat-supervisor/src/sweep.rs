//! A delivery's end: counts are written, and what nobody holds is deleted, as far as the budget goes. The rest waits for later
//! deliveries; bringOutYourDead has the larger budget.

use alloc::{string::String, vec::Vec};

use swingset_abi::{supervisor::StoredId, vat::CapData, wire::Wire};

use crate::{
    collections,
    machine::{Requested, Supervisor, Then},
    records::{self, Counted, PART_BYTES, entries_prefix, meta_key, state_key},
    vref,
};

/// How many objects and entries any delivery may delete.
pub const SWEEP_BUDGET: u64 = 200;
/// How many bringOutYourDead may delete. It is a crank as any other, and a vat that passes a crank's limits is ended. The tightest lockdown
/// policy leaves 5,000 syscalls and 500,000 computrons: this much takes half of them at most.
pub const SWEEP_BUDGET_DEAD: u64 = 500;
/// How many imports and promises any delivery may give back: each takes a syscall, and the kernel translates its name twice.
pub const GIVE_BACK_BUDGET: u64 = 1_000;

impl Supervisor {
    /// What is to be done before the delivery ends; `None` when nothing is left to do.
    pub(crate) fn finish(&mut self) -> Result<Option<Then>, &'static str> {
        if core::mem::take(&mut self.stored.starting) && self.stored.lacks_a_kind() {
            return Err("a durable kind of an earlier incarnation was not defined again");
        }
        if let Some(next) = self.settle_counts() {
            return next.map(Some);
        }
        if self.stored.sweep_budget > 0
            && let Some(next) = self.sweep()
        {
            self.stored.sweep_budget -= 1;
            return next.map(Some);
        }
        if !self.stored.open.is_empty() {
            self.save_sizes();
            return Ok(Some(Then::NextEvent));
        }
        if self.save_records() {
            return Ok(Some(Then::NextEvent));
        }
        Ok(None)
    }

    /// Deletes one thing that is gone.
    fn sweep(&mut self) -> Option<Requested> {
        let meta = &self.stored.meta;
        if let Some(handle) = meta.gone_imports.0.first() {
            return Some(self.forget_key(Counted::Import(*handle)));
        }
        if let Some(id) = meta.gone_stored.0.first() {
            return Some(self.forget_key(Counted::Stored(*id)));
        }
        if let Some(id) = meta.dying.0.first() {
            return Some(self.delete_part(*id));
        }
        if meta.stale {
            return Some(self.find_stale());
        }
        None
    }

    /// One weak collection forgets an object that is gone.
    fn forget_key(&mut self, gone: Counted) -> Requested {
        self.next_key(gone.recognizers_prefix(), "", move |supervisor, found| {
            let Some(collection) = found else {
                return supervisor.forgotten(gone);
            };
            let id = vref::parse_stored(&collection).ok_or("a record in the vatstore is malformed")?;
            let text = ["o", &gone.vref()].concat();
            supervisor.delete([&gone.recognizers_prefix(), collection.as_str()].concat());
            let full = [&entries_prefix(id), text.as_str()].concat();
            supervisor.read(full.clone(), move |supervisor, found| {
                // The collection may have been deleted meanwhile, down to here.
                if let Some(bytes) = found {
                    supervisor.forget_value(&bytes)?;
                    supervisor.delete(full);
                }
                Ok(Then::NextEvent)
            })
        })
    }

    /// No weak collection knows it any more.
    fn forgotten(&mut self, gone: Counted) -> Requested {
        match gone {
            Counted::Stored(id) => _ = self.stored.meta.gone_stored.0.remove(&id),
            Counted::Import(handle) => {
                self.stored.meta.gone_imports.0.remove(&handle);
                return self.read(gone.holders_key(), move |supervisor, found| {
                    supervisor.forget_holders(handle, found.as_ref())?;
                    Ok(Then::NextEvent)
                });
            }
        }
        Ok(Then::NextEvent)
    }

    /// An object's state, or one of a collection's entries.
    fn delete_part(&mut self, id: StoredId) -> Requested {
        if id.kind >= StoredId::KINDS_FROM {
            return self.read(state_key(id), move |supervisor, found| {
                if let Some(bytes) = found {
                    supervisor.forget_value(&bytes)?;
                }
                supervisor.deleted(id);
                Ok(Then::NextEvent)
            });
        }
        self.next_key(entries_prefix(id), "", move |supervisor, found| {
            let Some(text) = found else {
                supervisor.deleted(id);
                return Ok(Then::NextEvent);
            };
            let full = [&entries_prefix(id), text.as_str()].concat();
            supervisor.read(full, move |supervisor, found| {
                let bytes = found.ok_or("an entry in the vatstore is missing")?;
                let gone = collections::object_of(&text).and_then(collections::counted);
                // One that is gone already has no holders to be counted down.
                if collections::is_weak(id) && gone.is_some_and(|gone| supervisor.is_gone(gone)) {
                    supervisor.forget_value(&bytes)?;
                    supervisor.delete([&entries_prefix(id), text.as_str()].concat());
                    return Ok(Then::NextEvent);
                }
                supervisor.spend(&bytes);
                supervisor.drop_entry(id, &text, &bytes)?;
                Ok(Then::NextEvent)
            })
        })
    }

    /// A state or value goes.
    fn forget_value(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        self.spend(bytes);
        let value: CapData = records::read(bytes)?;
        self.count_slots(&value.slots, -1);
        Ok(())
    }

    /// Large values, and those that name many, count more: one unit for every 20 bytes, of which a
    /// reference takes some.
    fn spend(&mut self, bytes: &[u8]) {
        let more = bytes.len() as u64 / 20;
        self.stored.sweep_budget = self.stored.sweep_budget.saturating_sub(more);
    }

    fn is_gone(&self, counted: Counted) -> bool {
        match counted {
            Counted::Import(handle) => self.stored.meta.gone_imports.0.contains(&handle),
            Counted::Stored(id) => self.stored.meta.gone_stored.0.contains(&id),
        }
    }

    fn deleted(&mut self, id: StoredId) {
        self.delete(state_key(id));
        self.stored.open.remove(&id);
        self.stored.meta.dying.0.remove(&id);
    }

    /// A virtual object of an earlier incarnation.
    fn find_stale(&mut self) -> Requested {
        let after = core::mem::take(&mut self.stored.stale_after);
        self.next_key(String::from("o.v"), &after, |supervisor, found| {
            let Some(text) = found else {
                supervisor.stored.meta.stale = false;
                return Ok(Then::NextEvent);
            };
            let id = vref::parse_stored(&["v", &text].concat()).ok_or("a record in the vatstore is malformed")?;
            supervisor.stored.stale_after = text;
            if supervisor.stored.is_stale(id) && !supervisor.stored.meta.dying.0.contains(&id) {
                let holders = Counted::Stored(id).holders_key();
                supervisor.delete(holders);
                supervisor.stored.meta.dying.0.insert(id);
            }
            Ok(Then::NextEvent)
        })
    }

    /// Writes what the next incarnation is to know, where it has changed; true when something was written.
    fn save_records(&mut self) -> bool {
        let mut written = false;
        if core::mem::take(&mut self.stored.save_heap) {
            let heap = records::Heap {
                imports: first(self.imports.held(), HEAP_IMPORTS_BYTES_MAX),
                promises: first(self.promises.unsubscribed(), HEAP_PROMISES_BYTES_MAX),
            };
            let bytes = heap.to_bytes();
            if bytes != self.stored.heap_written {
                self.write(String::from(records::HEAP), bytes.clone());
                self.stored.heap_written = bytes;
                written = true;
            }
        }
        if core::mem::take(&mut self.stored.save_meta) {
            self.stored.meta.next_export = self.exports.next_number();
            self.stored.meta.last_promise = self.promises.last_number();
            let bytes = self.stored.meta.to_bytes();
            if bytes != self.stored.meta_written {
                self.write_meta(&bytes);
                self.stored.meta_written = bytes;
                written = true;
            }
        }
        written
    }

    fn write_meta(&mut self, bytes: &[u8]) {
        // The last part is short, and may be empty, so that whoever reads it knows that it is the last.
        let last = bytes.len() / PART_BYTES;
        for part in 0..=last {
            let rest = &bytes[part * PART_BYTES..];
            self.write(meta_key(part), Vec::from(&rest[..rest.len().min(PART_BYTES)]));
        }
        for part in last + 1..=self.stored.meta_written.len() / PART_BYTES {
            self.delete(meta_key(part));
        }
    }
}

/// Most bytes of imports and promises that are remembered for the next incarnation, so that the record is no larger than a value may
/// be; the kernel keeps the entries of the others.
const HEAP_IMPORTS_BYTES_MAX: usize = 160_000;
const HEAP_PROMISES_BYTES_MAX: usize = 100_000;

/// As many as fit into so many bytes.
fn first<T: Wire>(mut items: Vec<T>, bytes_max: usize) -> Vec<T> {
    let mut encoded = Vec::new();
    let fits = |item: &&T| {
        item.encode(&mut encoded);
        encoded.len() <= bytes_max
    };
    let fitting = items.iter().take_while(fits).count();
    items.truncate(fitting);
    items
}
