//! C-lists: a vat's table between its vrefs and the kernel's krefs.
//!
//! # Invariants
//! - Entries come in pairs, `v$N.c.$kref` and `v$N.c.$vref`, and are made and deleted together.
//! - An import counts as recognizable while the entry exists and as reachable while it is flagged `R`.

use alloc::string::String;

use crate::{
    crank::Kernel,
    host::Host,
    illegal::{Allowed, Illegal},
    keys::{self, clist, join, numbered, path},
    refcount::Change,
    refs::{Kind, Vref, kref_kind, parse_vref},
    store::{Fault, Kept},
};

/// A c-list entry as read by kref.
pub struct Entry {
    /// The vref.
    pub vref: String,
    /// The flag: `R` or `_`.
    pub reachable: bool,
}

impl Entry {
    /// Whether the vat imports it.
    pub fn is_import(&self) -> bool {
        is_import(&self.vref)
    }
}

/// Whether a vref that the kernel stored is an import: the kernel allocated it.
pub fn is_import(vref: &str) -> bool {
    vref.as_bytes().get(1) == Some(&b'-')
}

impl<H: Host> Kernel<'_, H> {
    /// The vat's entry for a kref.
    pub fn entry(&mut self, vat_id: &str, kref: &str) -> Kept<Option<Entry>> {
        let Some(text) = self.store.get_text(clist(vat_id, kref))? else {
            return Ok(None);
        };
        match (text.as_bytes(), text.get(2..)) {
            ([flag @ (b'R' | b'_'), b' ', ..], Some(vref)) if vref.len() > 2 => Ok(Some(Entry {
                vref: String::from(vref),
                reachable: *flag == b'R',
            })),
            _ => Err(Fault("a c-list entry is malformed")),
        }
    }

    /// Whether the vat has an entry for the kref and it is flagged `R`.
    pub fn is_reachable(&mut self, vat_id: &str, kref: &str) -> Kept<bool> {
        Ok(self
            .store
            .get(clist(vat_id, kref))
            .is_some_and(|entry| entry.first() == Some(&b'R')))
    }

    /// Writes the flag.
    pub fn set_flag(&mut self, vat_id: &str, kref: &str, vref: &str, reachable: bool) {
        let value = join([if reachable { "R " } else { "_ " }, vref]);
        self.store.set(clist(vat_id, kref), value.into_bytes());
    }

    fn add_entry(&mut self, vat_id: &str, kref: &str, vref: &str) -> Kept<()> {
        self.set_flag(vat_id, kref, vref, true);
        self.store.set_text(clist(vat_id, vref), kref);
        self.charge_entry(vat_id, kref, vref)
    }

    /// The kref that a vat's vref stands for. A new `+` vref becomes a new object or promise of this vat.
    ///
    /// SwingSet: mapVatSlotToKernelSlot, with setReachable.
    pub fn kref_of(&mut self, vat_id: &str, vref: &str) -> Allowed<String> {
        let parsed = parse_vref(vref).ok_or(Illegal::MalformedVref)?;
        if let Some(kref) = self.find_kref(vat_id, vref, parsed)? {
            if parsed.kind == Kind::Object && !self.is_reachable(vat_id, &kref)? {
                if !parsed.by_vat {
                    return Err(Illegal::Unreachable.into());
                }
                self.set_flag(vat_id, &kref, vref, true);
            }
            return Ok(kref);
        }
        let kref = match parsed.kind {
            Kind::Object => self.new_object(vat_id)?,
            Kind::Promise => return Ok(self.export_promise(vat_id, vref, Some(vat_id))?),
            Kind::Device => return Err(Illegal::DeviceExported.into()),
        };
        self.add_entry(vat_id, &kref, vref)?;
        Ok(kref)
    }

    /// The kref that a vat's vref stands for; none for a new one of the vat's own.
    pub fn find_kref(&mut self, vat_id: &str, vref: &str, parsed: Vref) -> Allowed<Option<String>> {
        match self.store.get_text(clist(vat_id, vref))? {
            Some(kref) => Ok(Some(String::from(kref))),
            None if parsed.by_vat => Ok(None),
            None => Err(Illegal::ForgedVref.into()),
        }
    }

    /// A new promise of this vat.
    pub fn export_promise(&mut self, vat_id: &str, vref: &str, decider: Option<&str>) -> Kept<String> {
        let kpid = self.new_promise(decider, None, 1)?;
        self.add_entry(vat_id, &kpid, vref)?;
        Ok(kpid)
    }

    /// The kref of a vref that the vat must have already.
    pub fn known_kref(&mut self, vat_id: &str, vref: &str) -> Allowed<(Vref, String)> {
        let parsed = parse_vref(vref).ok_or(Illegal::MalformedVref)?;
        let kref = self.find_kref(vat_id, vref, parsed)?;
        Ok((parsed, kref.ok_or(Illegal::UnknownVref)?))
    }

    /// The vref under which a vat knows a kref; a new import when it does not know it yet.
    ///
    /// SwingSet: mapKernelSlotToVatSlot, with setReachable.
    pub fn vref_of(&mut self, vat_id: &str, kref: &str) -> Kept<String> {
        if let Some(entry) = self.entry(vat_id, kref)? {
            if !entry.reachable {
                self.set_flag(vat_id, kref, &entry.vref, true);
                if entry.is_import() {
                    self.count_object(kref, Some(Change::Add), None)?;
                }
            }
            return Ok(entry.vref);
        }
        let (counter, prefix) = match kref_kind(kref)? {
            Kind::Object => (".o.nextID", "o-"),
            Kind::Promise => (".p.nextID", "p-"),
            Kind::Device => (".d.nextID", "d-"),
        };
        let id = self.next_id(path([vat_id, counter]))?;
        let vref = numbered(prefix, id);
        match kref_kind(kref)? {
            Kind::Object => {
                self.count_object(kref, Some(Change::Add), Some(Change::Add))?;
                self.store.set_text(keys::importer(kref, vat_id), "1");
            }
            Kind::Promise => self.count_promise(kref, Change::Add)?,
            Kind::Device => {}
        }
        self.add_entry(vat_id, kref, &vref)?;
        Ok(vref)
    }

    /// Flags an entry `_`: the vat cannot reach it any more.
    pub fn clear_reachable(&mut self, vat_id: &str, kref: &str) -> Kept<()> {
        let Some(entry) = self.entry(vat_id, kref)? else {
            return Ok(());
        };
        if entry.reachable {
            self.set_flag(vat_id, kref, &entry.vref, false);
            if entry.is_import() {
                self.count_object(kref, Some(Change::Remove), None)?;
            }
        }
        Ok(())
    }

    /// Deletes an entry with its references.
    pub fn delete_entry(&mut self, vat_id: &str, kref: &str) -> Kept<()> {
        let entry = self
            .entry(vat_id, kref)?
            .ok_or(Fault("a c-list entry to delete is missing"))?;
        match kref_kind(kref)? {
            Kind::Promise => return self.delete_promise_entry(vat_id, kref, &entry.vref),
            Kind::Object if entry.is_import() => {
                self.clear_reachable(vat_id, kref)?;
                // Retired by its exporter: the object is gone before its last recognizers are told.
                if self.object_counts(kref)?.is_some() {
                    self.count_object(kref, None, Some(Change::Remove))?;
                    self.store.delete(keys::importer(kref, vat_id));
                }
            }
            Kind::Object | Kind::Device => {}
        }
        self.delete_pair(vat_id, kref, &entry.vref)
    }

    /// Deletes a promise's entry, which is there, with its reference.
    pub fn delete_promise_entry(&mut self, vat_id: &str, kpid: &str, vref: &str) -> Kept<()> {
        self.count_promise(kpid, Change::Remove)?;
        self.delete_pair(vat_id, kpid, vref)
    }

    fn delete_pair(&mut self, vat_id: &str, kref: &str, vref: &str) -> Kept<()> {
        self.store.delete(clist(vat_id, kref));
        self.store.delete(clist(vat_id, vref));
        self.refund_entry(vat_id, kref, vref)
    }

    /// A new object of this vat, without references.
    pub fn new_object(&mut self, owner: &str) -> Kept<String> {
        let number = self.next_id(keys::KO_NEXT_ID)?;
        self.store.buffers.known.fresh.made_object(number);
        let kref = numbered("ko", number);
        self.store.set_text(path([&kref, ".owner"]), owner);
        self.set_object_counts(&kref, 0, 0);
        Ok(kref)
    }
}
