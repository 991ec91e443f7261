//! Garbage collection between vats: pending actions, and the cranks that tell vats.
//!
//! Only reference counts decide what is pending, never a collector of the host or of a vat.

use alloc::{string::String, vec::Vec};

use swingset_abi::vat::VatDelivery;

use crate::{
    crank::{Crank, Kernel},
    host::Host,
    keys::{self, join},
    limits,
    objects::OWNER,
    store::{Fault, Kept},
};

/// What a vat is to be told, or the kernel to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// No importer can reach its export any more.
    DropExport,
    /// Nobody recognizes its export any more.
    RetireExport,
    /// Its import is gone for ever.
    RetireImport,
    /// The kernel's own: nothing referred to it, and there was too much to delete in one crank.
    Free,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Action::DropExport => "dropExport",
            Action::RetireExport => "retireExport",
            Action::RetireImport => "retireImport",
            Action::Free => "free",
        }
    }

    fn from_word(word: &str) -> Option<Action> {
        [Action::DropExport, Action::RetireExport, Action::RetireImport, Action::Free]
            .into_iter()
            .find(|action| action.word() == word)
    }
}

impl<H: Host> Kernel<'_, H> {
    /// Adds an action, once.
    pub fn add_gc_action(&mut self, vat_id: &str, action: Action, kref: &str) {
        let key = keys::gc_action(vat_id, action.word(), kref);
        if !self.store.has(&key) {
            self.store.set_text(&key, "1");
            self.gc_actions_added += 1;
        }
    }

    /// Makes an object permanent.
    pub fn pin(&mut self, kref: String) -> Kept<()> {
        let mut pinned = self.list(keys::PINNED_OBJECTS)?;
        if !pinned.contains(&kref) {
            self.hold(&kref)?;
            pinned.push(kref);
            self.set_list(keys::PINNED_OBJECTS, &pinned);
        }
        Ok(())
    }

    /// Gives a pin back, if there is one.
    pub fn unpin(&mut self, kref: &str) -> Kept<()> {
        let mut pinned = self.list(keys::PINNED_OBJECTS)?;
        if let Some(at) = pinned.iter().position(|other| other == kref) {
            pinned.remove(at);
            self.set_list(keys::PINNED_OBJECTS, &pinned);
            self.let_go(kref)?;
        }
        Ok(())
    }

    /// Writes the count of pending actions, when it has changed.
    pub fn save_gc_count(&mut self, taken: u64) -> Kept<()> {
        let added = core::mem::take(&mut self.gc_actions_added);
        if added == 0 && taken == 0 {
            return Ok(());
        }
        let count = (self.gc_pending()? + added)
            .checked_sub(taken)
            .ok_or(Fault("the count of GC actions is too low"))?;
        self.store.set_number(keys::GC_ACTIONS, count);
        self.store.buffers.known.gc_actions = Some(count);
        Ok(())
    }

    /// How many actions are pending.
    pub fn gc_pending(&mut self) -> Kept<u64> {
        if let Some(known) = self.store.buffers.known.gc_actions {
            return Ok(known);
        }
        let count = self.store.get_number(keys::GC_ACTIONS)?;
        let count = count.ok_or(Fault("the count of GC actions is missing"))?;
        self.store.buffers.known.gc_actions = Some(count);
        Ok(count)
    }

    /// One crank with the first group of actions: those of the same vat and kind, up to a limit.
    ///
    /// SwingSet: processGCActionSet. An action that no longer holds (the object was sent again) is dropped.
    pub fn gc_crank(&mut self, limit_default: u64) -> Kept<Crank> {
        let all = join([keys::GC_ACTIONS, "."]);
        let first = self
            .store
            .next_key(&all, &all)?
            .ok_or(Fault("GC actions are counted but missing"))?;
        let mut parts = first[all.len()..].split('.');
        let (Some(vat_id), Some(word)) = (parts.next(), parts.next()) else {
            return Err(Fault("a GC action is malformed"));
        };
        let vat_id = String::from(vat_id);
        let action = Action::from_word(word).ok_or(Fault("a GC action is malformed"))?;
        let prefix = keys::gc_action(&vat_id, word, "");
        let mut krefs = Vec::new();
        let mut taken = 0;
        let mut key = Some(first);
        while let Some(current) = key {
            let kref = String::from(&current[prefix.len()..]);
            self.store.delete(&current);
            taken += 1;
            if action == Action::Free {
                // Deleted at this crank's end, unless something refers to it again.
                self.maybe_free.insert(kref);
            } else if self.still_holds(&vat_id, action, &kref)? {
                krefs.push(kref);
            }
            if taken as usize >= limits::GC_REFERENCES {
                break;
            }
            key = self.store.next_key(&current, &prefix)?;
        }
        self.save_gc_count(taken)?;
        if krefs.is_empty() {
            return Ok(Crank::empty(Some(vat_id).filter(|vat_id| vat_id != OWNER)));
        }
        let mut vrefs = Vec::with_capacity(krefs.len());
        for kref in &krefs {
            vrefs.push(
                self.entry(&vat_id, kref)?
                    .ok_or(Fault("a GC action names no c-list entry"))?
                    .vref,
            );
        }
        let delivery = match action {
            Action::DropExport => VatDelivery::DropExports { vrefs },
            Action::RetireExport => VatDelivery::RetireExports { vrefs },
            Action::RetireImport => VatDelivery::RetireImports { vrefs },
            Action::Free => return Err(Fault("a GC action is malformed")),
        };
        for kref in &krefs {
            self.carry_out(&vat_id, action, kref)?;
        }
        self.deliver(&vat_id, &delivery, limit_default)
    }

    fn still_holds(&mut self, vat_id: &str, action: Action, kref: &str) -> Kept<bool> {
        let Some(entry) = self.entry(vat_id, kref)? else {
            return Ok(false);
        };
        if !self.lives(vat_id) {
            return Ok(false);
        }
        let counts = self.object_counts(kref)?;
        Ok(match action {
            Action::DropExport => entry.reachable && counts.is_some_and(|(reachable, _)| reachable == 0),
            Action::RetireExport => !entry.reachable && counts == Some((0, 0)),
            Action::RetireImport => true,
            Action::Free => false,
        })
    }

    fn carry_out(&mut self, vat_id: &str, action: Action, kref: &str) -> Kept<()> {
        match action {
            Action::DropExport => self.clear_reachable(vat_id, kref),
            Action::RetireExport => {
                self.delete_entry(vat_id, kref)?;
                self.retire_object(kref)
            }
            Action::RetireImport => self.delete_entry(vat_id, kref),
            Action::Free => Ok(()),
        }
    }
}
