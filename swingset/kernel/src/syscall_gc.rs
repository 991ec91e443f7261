//! The syscalls by which a vat says what it no longer needs.

use alloc::string::String;

use crate::{
    crank::Kernel,
    host::Host,
    illegal::{Allowed, Illegal},
    keys::path,
    refs::Kind,
};

impl<H: Host> Kernel<'_, H> {
    fn own_object(&mut self, vat_id: &str, vref: &str, exported: bool) -> Allowed<(String, bool)> {
        let (parsed, kref) = self.known_kref(vat_id, vref)?;
        if parsed.kind != Kind::Object {
            return Err(Illegal::WrongKind.into());
        }
        if parsed.by_vat != exported {
            return Err(if exported {
                Illegal::NotExport
            } else {
                Illegal::NotImport
            }
            .into());
        }
        let reachable = self.is_reachable(vat_id, &kref)?;
        Ok((kref, reachable))
    }

    /// These imports are no longer reachable.
    pub fn drop_imports(&mut self, vat_id: &str, vrefs: &[String]) -> Allowed<()> {
        for vref in vrefs {
            let (kref, reachable) = self.own_object(vat_id, vref, false)?;
            if !reachable {
                return Err(Illegal::Unreachable.into());
            }
            self.clear_reachable(vat_id, &kref)?;
        }
        Ok(())
    }

    /// These imports, dropped before, are no longer recognizable.
    pub fn retire_imports(&mut self, vat_id: &str, vrefs: &[String]) -> Allowed<()> {
        for vref in vrefs {
            let (kref, reachable) = self.own_object(vat_id, vref, false)?;
            if reachable {
                return Err(Illegal::StillReachable.into());
            }
            self.delete_entry(vat_id, &kref)?;
        }
        Ok(())
    }

    /// These exports are gone; the kernel has said that nobody reaches them. One that the host has named since stays, without an owner.
    pub fn retire_exports(&mut self, vat_id: &str, vrefs: &[String]) -> Allowed<()> {
        for vref in vrefs {
            let (kref, reachable) = self.own_object(vat_id, vref, true)?;
            if reachable {
                return Err(Illegal::StillReachable.into());
            }
            self.delete_entry(vat_id, &kref)?;
            match self.object_counts(&kref)? {
                Some((reachable, _)) if reachable > 0 => self.orphan(&kref)?,
                _ => self.retire_object(&kref)?,
            }
        }
        Ok(())
    }

    /// These exports are given up, imported or not. The object stays, without an owner, while somebody holds it.
    pub fn abandon_exports(&mut self, vat_id: &str, vrefs: &[String]) -> Allowed<()> {
        for vref in vrefs {
            let (kref, _) = self.own_object(vat_id, vref, true)?;
            self.delete_entry(vat_id, &kref)?;
            self.orphan(&kref)?;
        }
        Ok(())
    }

    /// Takes an object's owner away; nobody may be left to hold it.
    pub fn orphan(&mut self, kref: &str) -> crate::store::Kept<()> {
        self.store.delete(path([kref, ".owner"]));
        if self.object_counts(kref)?.is_some_and(|(reachable, _)| reachable == 0) {
            self.maybe_free.insert(String::from(kref));
        }
        Ok(())
    }
}
