//! Deletion of what a terminated vat left behind, a bounded number of entries a crank.
//!
//! `vats.terminated` is `[head,settled,tail]`, the vats at `vats.terminated.$N`. First its promises: those that it decided are
//! rejected, soon and under any policy, since others wait for them (`settled` counts the vats that are through). The rest waits until
//! the policy allows it: the c-list in key order, then everything else under `v$N.`.

use alloc::string::String;

use crate::{
    body,
    crank::{Crank, Kernel},
    host::Host,
    keys::{self, item, join},
    limits,
    promise::Standing,
    refs::{Kind, kref_kind},
    store::{Fault, Kept, Numbers, parse_numbers},
};
use swingset_abi::kernel::CrankKind;

/// Bounds of the terminated vats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminated {
    pub head: u64,
    pub settled: u64,
    pub tail: u64,
}

impl<H: Host> Kernel<'_, H> {
    /// The vats whose state waits for deletion.
    pub fn terminated(&mut self) -> Kept<Terminated> {
        if let Some(known) = self.store.buffers.known.terminated {
            return Ok(known);
        }
        let text = self
            .store
            .get(keys::VATS_TERMINATED)
            .ok_or(Fault("the terminated vats are missing"))?;
        let inner = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]"));
        match inner.and_then(parse_numbers) {
            Some([head, settled, tail]) if head <= settled && settled <= tail => {
                let bounds = Terminated { head, settled, tail };
                self.store.buffers.known.terminated = Some(bounds);
                Ok(bounds)
            }
            _ => Err(Fault("the bounds of terminated vats are malformed")),
        }
    }

    /// Writes the bounds.
    pub fn set_terminated(&mut self, bounds: Terminated) {
        let text = Numbers::in_brackets([bounds.head, bounds.settled, bounds.tail]);
        self.store.set(keys::VATS_TERMINATED, text);
        self.store.buffers.known.terminated = Some(bounds);
    }

    /// A vat's state waits for deletion now.
    pub fn add_terminated(&mut self, vat_id: &str) -> Kept<()> {
        let mut bounds = self.terminated()?;
        self.store.set_text(item(keys::VATS_TERMINATED, bounds.tail), vat_id);
        bounds.tail += 1;
        self.set_terminated(bounds);
        Ok(())
    }

    /// One slice of the deletion, if there is something to do that is allowed.
    pub fn clean_up(&mut self, entries_max: u64) -> Kept<Option<Crank>> {
        let bounds = self.terminated()?;
        let number = if bounds.settled < bounds.tail {
            bounds.settled
        } else if bounds.head < bounds.tail && entries_max > 0 {
            bounds.head
        } else {
            return Ok(None);
        };
        let vat_id = self
            .store
            .get_text(item(keys::VATS_TERMINATED, number))?
            .map(String::from);
        let vat_id = vat_id.ok_or(Fault("a terminated vat is not listed"))?;
        let left = if bounds.settled < bounds.tail {
            self.settle_promises(&vat_id)?
        } else {
            self.delete_rest(&vat_id, entries_max)?
        };
        let mut crank = Crank::of(CrankKind::Cleanup {}, Some(vat_id));
        crank.cleaned = left;
        Ok(Some(crank))
    }

    fn settle_promises(&mut self, vat_id: &str) -> Kept<u64> {
        let mut done = 0;
        let promises = join([vat_id, ".c.kp"]);
        let mut prior = promises.clone();
        while done < limits::CLEANUP_PROMISES {
            let Some(key) = self.store.next_key(&prior, &promises)? else {
                let mut bounds = self.terminated()?;
                bounds.settled += 1;
                self.set_terminated(bounds);
                break;
            };
            let kpid = String::from(key.get(vat_id.len() + 3..).ok_or(Fault("a c-list key is malformed"))?);
            if let Standing::Unresolved { decider: Some(decider) } = self.standing(&kpid)?
                && decider == vat_id
            {
                self.settle(&kpid, true, &body::error(body::VAT_TERMINATED), Some(vat_id))?;
            }
            self.delete_entry(vat_id, &kpid)?;
            prior = key;
            done += 1;
        }
        Ok(done)
    }

    fn delete_rest(&mut self, vat_id: &str, entries_max: u64) -> Kept<u64> {
        let mut done = 0;
        let by_kref = join([vat_id, ".c.k"]);
        let mut prior = by_kref.clone();
        while done < entries_max {
            let Some(key) = self.store.next_key(&prior, &by_kref)? else {
                break;
            };
            let kref = String::from(key.get(vat_id.len() + 3..).ok_or(Fault("a c-list key is malformed"))?);
            self.give_up(vat_id, &kref)?;
            prior = key;
            done += 1;
        }
        let everything = join([vat_id, "."]);
        let mut prior = everything.clone();
        while done < entries_max {
            let Some(key) = self.store.next_key(&prior, &everything)? else {
                let mut bounds = self.terminated()?;
                self.store.delete(item(keys::VATS_TERMINATED, bounds.head));
                bounds.head += 1;
                self.set_terminated(bounds);
                break;
            };
            self.store.delete(&key);
            prior = key;
            done += 1;
        }
        Ok(done)
    }

    fn give_up(&mut self, vat_id: &str, kref: &str) -> Kept<()> {
        let entry = self
            .entry(vat_id, kref)?
            .ok_or(Fault("a c-list entry to delete is missing"))?;
        let exported = !entry.is_import();
        if entry.vref == "o+0" {
            self.unpin(kref)?;
        }
        self.delete_entry(vat_id, kref)?;
        if exported && kref_kind(kref)? == Kind::Object {
            self.orphan(kref)?;
        }
        Ok(())
    }
}
