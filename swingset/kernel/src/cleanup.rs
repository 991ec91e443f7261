//! Deletion of what a terminated vat left behind, a bounded number of entries a crank.
//!
//! In key order of `v$N.c.`: first its exports and imports (`v$N.c.k…` entries hold both views), promises that it decided are
//! rejected, then everything else under `v$N.`.

use alloc::string::String;

use crate::{
    body,
    crank::Kernel,
    host::Host,
    keys::{self, join},
    limits,
    promise::Standing,
    refs::{Kind, kref_kind},
    store::{Fault, Kept},
};

impl<H: Host> Kernel<'_, H> {
    /// The vat that was terminated first and still has entries.
    pub fn first_terminated(&mut self) -> Kept<Option<String>> {
        let text = self.store.get_text(keys::VATS_TERMINATED)?.unwrap_or_default();
        Ok(text
            .split(',')
            .next()
            .filter(|vat_id| !vat_id.is_empty())
            .map(String::from))
    }

    /// One slice of a terminated vat's deletion.
    pub fn clean_up(&mut self, vat_id: &str) -> Kept<()> {
        let mut left = limits::CLEANUP_ENTRIES;
        let by_kref = join([vat_id, ".c.k"]);
        let mut prior = by_kref.clone();
        while left > 0 {
            let Some(key) = self.store.next_key(&prior, &by_kref)? else {
                break;
            };
            let kref = String::from(key.get(vat_id.len() + 3..).ok_or(Fault("a c-list key is malformed"))?);
            self.give_up(vat_id, &kref)?;
            prior = key;
            left -= 1;
        }
        let everything = join([vat_id, "."]);
        let mut prior = everything.clone();
        while left > 0 {
            let Some(key) = self.store.next_key(&prior, &everything)? else {
                let waiting = self.list(keys::VATS_TERMINATED)?;
                self.set_list(keys::VATS_TERMINATED, waiting.get(1..).unwrap_or_default());
                return Ok(());
            };
            self.store.delete(&key);
            prior = key;
            left -= 1;
        }
        Ok(())
    }

    fn give_up(&mut self, vat_id: &str, kref: &str) -> Kept<()> {
        let entry = self
            .entry(vat_id, kref)?
            .ok_or(Fault("a c-list entry to delete is missing"))?;
        let exported = !entry.is_import();
        if entry.vref == "o+0" {
            self.unpin(kref)?;
        }
        match kref_kind(kref)? {
            Kind::Promise => {
                if let Standing::Unresolved { decider: Some(decider) } = self.standing(kref)?
                    && decider == vat_id
                {
                    self.settle(kref, true, &body::error(body::VAT_TERMINATED), Some(vat_id))?;
                }
                self.delete_entry(vat_id, kref)
            }
            Kind::Object if exported => {
                self.delete_entry(vat_id, kref)?;
                self.orphan(kref)
            }
            Kind::Object | Kind::Device => self.delete_entry(vat_id, kref),
        }
    }
}
