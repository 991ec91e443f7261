//! An incarnation's begin, and bringOutYourDead.

use alloc::{boxed::Box, string::String, vec::Vec};

use swingset_abi::{supervisor::VatEvent, vat::CapData, wire::Wire};

use crate::{
    machine::{Coming, Requested, Supervisor, Then},
    records::{self, HEAP, Heap, Meta, PART_BYTES, meta_key},
    sweep::SWEEP_BUDGET_DEAD,
};

/// Goes on with the whole record.
type AfterMeta = Box<dyn FnOnce(&mut Supervisor, Vec<u8>) -> Requested>;

impl Supervisor {
    /// The vat starts: what an earlier incarnation left is taken over first.
    pub(crate) fn start_vat(&mut self, parameters: CapData) -> Requested {
        self.stored.starting = true;
        self.stored.save_meta = true;
        self.read_meta(Vec::new(), 0, move |supervisor, bytes| {
            if bytes.is_empty() {
                supervisor.stored.meta = Meta {
                    // The baggage is the first.
                    last_collection: 1,
                    ..Meta::default()
                };
                return supervisor.begin(parameters);
            }
            supervisor.take_over(records::read(&bytes)?);
            supervisor.read(String::from(HEAP), move |supervisor, found| {
                if let Some(bytes) = found {
                    supervisor.stored.heap_written = bytes.clone();
                    supervisor.give_back(records::read(&bytes)?);
                }
                supervisor.stored.save_heap = true;
                supervisor.begin(parameters)
            })
        })
    }

    /// Reads the parts of the record from this one on; there is none in a vat's first incarnation.
    fn read_meta(
        &mut self,
        mut before: Vec<u8>,
        part: usize,
        after: impl FnOnce(&mut Supervisor, Vec<u8>) -> Requested + 'static,
    ) -> Requested {
        let after: AfterMeta = Box::new(after);
        self.read(meta_key(part), move |supervisor, found| {
            let bytes = found.unwrap_or_default();
            let more = bytes.len() == PART_BYTES;
            before.extend(bytes);
            if more {
                supervisor.read_meta(before, part + 1, after)
            } else {
                after(supervisor, before)
            }
        })
    }

    fn begin(&mut self, parameters: CapData) -> Requested {
        let parameters = self.value_in(parameters)?;
        self.events.push_back(Coming::Event(VatEvent::Start {
            parameters,
            incarnation: self.stored.meta.incarnation,
        }));
        Ok(Then::NextEvent)
    }

    fn take_over(&mut self, mut meta: Meta) {
        meta.incarnation += 1;
        meta.stale_collections = meta.last_collection;
        meta.stale = true;
        meta.kinds.retain(|kind| kind.durable);
        self.exports.go_on_from(meta.next_export);
        self.promises.go_on_from(meta.last_promise);
        self.stored.meta_written = meta.to_bytes();
        self.stored.meta = meta;
    }

    /// What only the earlier incarnation's memory held is held by nobody now, and given back as far as each delivery has room for it.
    fn give_back(&mut self, heap: Heap) {
        for handle in heap.imports {
            self.imports.may_be_unheld(handle);
        }
        for promise in heap.promises {
            self.promises.known_earlier(promise);
        }
    }

    /// What nothing holds is given back at every delivery's end, so that what is left is the work put off, and the records that
    /// the next incarnation needs.
    pub(crate) fn bring_out_your_dead(&mut self) -> Requested {
        self.stored.sweep_budget = SWEEP_BUDGET_DEAD;
        self.stored.save_heap = true;
        self.stored.save_meta = true;
        Ok(Then::NextEvent)
    }

    /// These exports have become unreachable (or unrecognizable) for others.
    pub(crate) fn exports_changed(&mut self, vrefs: &[String], export: u64) -> Result<Vec<u64>, &'static str> {
        let mut handles = Vec::new();
        for vref in vrefs {
            match crate::vref::parse(vref) {
                Some(crate::vref::Vref::Export(handle)) if self.exports.was_made(handle) => handles.push(handle),
                Some(crate::vref::Vref::Stored(id)) => self.counts.mark(id, export),
                _ => return Err("the kernel dropped what was never exported"),
            }
        }
        Ok(handles)
    }
}
