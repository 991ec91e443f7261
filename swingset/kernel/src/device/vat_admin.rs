//! The vat administration's device: gives out bundlecaps, device nodes each of which stands for an installed bundle. There is one for
//! each bundle that was ever asked for.

use alloc::string::String;

use super::{Answered, Device, no, state};
use crate::{
    crank::Kernel,
    host::Host,
    json::Json,
    keys::{self, join, path},
    objects::{Call, bundle_id_form, quoted, reference},
    store::Kept,
};

/// Answers a call of a bundlecap.
pub(super) fn answer_bundlecap(bundle_id: &str, call: &Call<'_>) -> Answered {
    match call.method {
        "getBundleID" => Ok(Ok(quoted(bundle_id))),
        _ => no("a bundlecap has no such method"),
    }
}

impl<H: Host> Kernel<'_, H> {
    /// Whether a bundle is installed.
    pub fn is_installed(&mut self, bundle_id: &str) -> bool {
        bundle_id_form(bundle_id) && self.store.has(keys::bundle(bundle_id))
    }

    /// The bundle that a name stands for.
    pub fn named_bundle(&mut self, name: &str) -> Kept<Option<String>> {
        Ok(self.store.get_text(keys::named_bundle(name))?.map(String::from))
    }

    /// The node that stands for an installed bundle.
    pub fn bundlecap(&mut self, bundle_id: &str) -> Kept<String> {
        let device = self.device_id(Device::VatAdmin)?;
        let known = state(&device, &join([".", bundle_id]));
        if let Some(node) = self.store.get_text(&known)? {
            return Ok(String::from(node));
        }
        let node = self.new_device_node(&device)?;
        self.store.set_text(path([&node, ".bundleID"]), bundle_id);
        self.store.set_text(&known, &node);
        Ok(node)
    }

    /// The bundle that a bundlecap stands for; `None` when it is none.
    pub fn bundle_of(&mut self, node: &str) -> Kept<Option<String>> {
        Ok(self.store.get_text(path([node, ".bundleID"]))?.map(String::from))
    }

    pub(super) fn answer_vat_admin(&mut self, call: &Call<'_>) -> Answered {
        let text = call.arg(0).and_then(Json::text);
        match (call.method, text) {
            ("getBundleCap", Some(id)) => self.installed_cap(id),
            ("getNamedBundleCap", Some(name)) => match self.named_bundle(name)? {
                Some(id) => self.installed_cap(&id),
                None => no("no bundle has this name"),
            },
            ("getBundleIDByName", Some(name)) => match self.named_bundle(name)? {
                Some(id) => Ok(Ok(quoted(&id))),
                None => no("no bundle has this name"),
            },
            ("getBundleCap" | "getNamedBundleCap" | "getBundleIDByName", None) => {
                no("the argument is not a string")
            }
            _ => no("vatAdmin has no such method"),
        }
    }

    fn installed_cap(&mut self, bundle_id: &str) -> Answered {
        if !self.is_installed(bundle_id) {
            return no("no bundle with this ID is installed");
        }
        let node = self.bundlecap(bundle_id)?;
        Ok(Ok(reference(node, "bundlecap")))
    }

    /// These bundles were installed.
    pub fn bundles_installed(&mut self, ids: &[String]) -> Kept<()> {
        for id in ids {
            let key = keys::bundle_wait(id);
            let waiting = self.list(&key)?;
            if waiting.is_empty() || !self.is_installed(id) {
                continue;
            }
            let cap = reference(self.bundlecap(id)?, "bundlecap");
            for kpid in waiting {
                self.settle(&kpid, false, &cap, None)?;
                self.let_go(&kpid)?;
            }
            self.store.delete(&key);
        }
        Ok(())
    }
}
