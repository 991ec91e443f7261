//! Reference counts, and what happens at a crank's end to what has none left.
//!
//! A promise has one count: c-list entries, queue items, data of settled promises, host interest. An object has two, "reachable"
//! and "recognizable": importers' c-list entries (both while flagged `R`, the second only while `_`) and the kernel's own
//! references (both). An exporter's entry counts in neither.
//!
//! # Invariants
//! - A count falls below zero only in a broken state: that is a fault.
//! - After [`Kernel::free_unreferenced`] no promise without references is left that no GC action of the kernel's names.

use alloc::string::String;

use crate::{
    crank::Kernel,
    gc::Action,
    host::Host,
    keys::{self, path},
    limits,
    objects::OWNER,
    refs::{Kind, kref_kind},
    store::{Fault, Kept, Numbers, parse_numbers},
};

/// Which count changes, by how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Add,
    Remove,
}

impl Change {
    /// One more or one less.
    pub fn apply(self, count: u64) -> Kept<u64> {
        match self {
            Change::Add => Ok(count + 1),
            Change::Remove => count.checked_sub(1).ok_or(Fault("a reference count fell below zero")),
        }
    }
}

fn parse_counts(text: &[u8]) -> Kept<(u64, u64)> {
    match parse_numbers(text) {
        Some([reachable, recognizable]) if reachable <= recognizable => Ok((reachable, recognizable)),
        _ => Err(Fault("an object's reference counts are malformed")),
    }
}

impl<H: Host> Kernel<'_, H> {
    /// The kernel takes a reference (a queue item, data, a pin, interest).
    pub fn hold(&mut self, kref: &str) -> Kept<()> {
        self.count(kref, Change::Add)
    }

    /// The kernel gives a reference back.
    pub fn let_go(&mut self, kref: &str) -> Kept<()> {
        self.count(kref, Change::Remove)
    }

    fn count(&mut self, kref: &str, change: Change) -> Kept<()> {
        match kref_kind(kref)? {
            Kind::Promise => self.count_promise(kref, change),
            Kind::Object => self.count_object(kref, Some(change), Some(change)),
            Kind::Device => Ok(()),
        }
    }

    /// Changes a promise's count.
    pub fn count_promise(&mut self, kpid: &str, change: Change) -> Kept<()> {
        let missing = Fault("a promise has no reference count");
        let key = path([kpid, ".refCount"]);
        let count = self.store.update_number(key, missing, |count| change.apply(count))?;
        if count == 0 {
            self.maybe_free.insert(String::from(kpid));
        }
        Ok(())
    }

    /// An object's "reachable" and "recognizable" counts; `None` when the object is gone.
    pub fn object_counts(&mut self, kref: &str) -> Kept<Option<(u64, u64)>> {
        self.store.get(path([kref, ".refCount"])).map(parse_counts).transpose()
    }

    /// Changes an object's counts.
    pub fn count_object(&mut self, kref: &str, reachable: Option<Change>, recognizable: Option<Change>) -> Kept<()> {
        let reach = self.store.update(path([kref, ".refCount"]), |old| {
            let old = old.ok_or(Fault("an object has no reference counts"))?;
            let (mut reach, mut recognize) = parse_counts(old)?;
            if let Some(change) = reachable {
                reach = change.apply(reach)?;
            }
            if let Some(change) = recognizable {
                recognize = change.apply(recognize)?;
            }
            Ok((reach, Numbers::of([reach, recognize])))
        })?;
        if reach == 0 {
            self.maybe_free.insert(String::from(kref));
        }
        Ok(())
    }

    /// Writes an object's counts.
    pub fn set_object_counts(&mut self, kref: &str, reachable: u64, recognizable: u64) {
        let text = Numbers::of([reachable, recognizable]);
        self.store.set(path([kref, ".refCount"]), text);
    }

    /// SwingSet: processRefcounts. Repeats until nothing new falls to zero, or much was deleted: what is left then is noted as a GC
    /// action of the kernel's own.
    pub fn free_unreferenced(&mut self) -> Kept<()> {
        let mut left = limits::FREED_PER_CRANK;
        while let Some(kref) = self.maybe_free.pop_first() {
            if left == 0 {
                self.add_gc_action(OWNER, Action::Free, &kref);
                continue;
            }
            let freed = match kref_kind(&kref)? {
                Kind::Promise => self.free_promise(&kref)?,
                Kind::Object => self.free_object(&kref).map(|()| 1)?,
                Kind::Device => 0,
            };
            left = left.saturating_sub(freed);
        }
        self.freed = limits::FREED_PER_CRANK - left;
        Ok(())
    }

    /// Gives how many references went with it.
    fn free_promise(&mut self, kpid: &str) -> Kept<u64> {
        if self.store.get_number(path([kpid, ".refCount"]))? != Some(0) {
            return Ok(0);
        }
        Ok(1 + self.delete_promise(kpid)?)
    }

    fn free_object(&mut self, kref: &str) -> Kept<()> {
        let Some((0, recognizable)) = self.object_counts(kref)? else {
            return Ok(());
        };
        let owner = self.store.get_text(path([kref, ".owner"]))?.map(String::from);
        match owner {
            Some(owner) if owner == OWNER => self.free_kernel_object(kref),
            Some(vat_id) => {
                if self.is_reachable(&vat_id, kref)? {
                    self.add_gc_action(&vat_id, Action::DropExport, kref);
                }
                if recognizable == 0 {
                    self.add_gc_action(&vat_id, Action::RetireExport, kref);
                }
                Ok(())
            }
            None => self.retire_object(kref),
        }
    }

    /// Deletes an object that has no owner any more; importers that could still recognize it are told.
    pub fn retire_object(&mut self, kref: &str) -> Kept<()> {
        let prefix = keys::importer(kref, "");
        let mut prior = prefix.clone();
        while let Some(key) = self.store.next_key(&prior, &prefix)? {
            let vat_id = String::from(&key[prefix.len()..]);
            self.add_gc_action(&vat_id, Action::RetireImport, kref);
            self.store.delete(&key);
            prior = key;
        }
        self.store.delete(path([kref, ".owner"]));
        self.store.delete(path([kref, ".refCount"]));
        Ok(())
    }
}
