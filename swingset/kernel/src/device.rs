//! Devices: called at once (`callNow`), answered in the same crank. Their code is the kernel's, so that they are replaced with it.
//!
//! There is one, `vatAdmin`: its root gives out bundlecaps, which are device nodes too, one for each bundle that was ever asked for.
//! Device nodes are permanent and not counted.

use alloc::string::String;

use swingset_abi::vat::{CapData, SyscallReply};

use crate::{
    crank::Kernel,
    host::Host,
    illegal::{Allowed, Illegal},
    json::Json,
    keys::{self, numbered, path},
    objects::{bundle_id_form, quoted, reference},
    refs::Kind,
    store::{Fault, Kept},
};

/// Name of the vat administration's device.
pub const VAT_ADMIN: &str = "vatAdmin";

impl<H: Host> Kernel<'_, H> {
    /// Registers the vat administration's device; gives its root node.
    pub fn make_vat_admin_device(&mut self) -> Kept<String> {
        let device = numbered("d", self.next_id(keys::DEVICE_NEXT_ID)?);
        self.set_list(keys::DEVICE_NAMES, &[String::from(VAT_ADMIN)]);
        self.store.set_text(keys::device_name(VAT_ADMIN), &device);
        self.new_device_node(&device)
    }

    fn new_device_node(&mut self, device: &str) -> Kept<String> {
        let node = numbered("kd", self.next_id(keys::KD_NEXT_ID)?);
        self.store.set_text(path([&node, ".owner"]), device);
        Ok(node)
    }

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
        let device = self.store.get_text(keys::device_name(VAT_ADMIN))?.map(String::from);
        let device = device.ok_or(Fault("there is no device of vat administration"))?;
        let known = path([&device, ".deviceState.", bundle_id]);
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

    /// SwingSet: callNow. A refusal is told to the caller, who goes on.
    pub fn call_device(&mut self, vat_id: &str, target: &str, method: &str, args: CapData) -> Allowed<SyscallReply> {
        let (parsed, node) = self.known_kref(vat_id, target)?;
        if parsed.kind != Kind::Device {
            return Err(Illegal::WrongKind.into());
        }
        let args = self.data_from_vat(vat_id, args)?;
        Ok(match self.answer_call(&node, method, &args)? {
            Ok(data) => SyscallReply::Data {
                data: self.data_to_vat(vat_id, data)?,
            },
            Err(problem) => SyscallReply::Failed {
                problem: String::from(problem),
            },
        })
    }

    fn answer_call(&mut self, node: &str, method: &str, args: &CapData) -> Kept<Result<CapData, &'static str>> {
        let Some(Json::List(args)) = args.body.strip_prefix('#').and_then(Json::parse) else {
            return Ok(Err("the arguments are not a list"));
        };
        let text = args.first().and_then(Json::text);
        if let Some(bundle_id) = self.bundle_of(node)? {
            return Ok(match method {
                "getBundleID" => Ok(quoted(&bundle_id)),
                _ => Err("a bundlecap has no such method"),
            });
        }
        match (method, text) {
            ("getBundleCap", Some(id)) => self.installed_cap(id),
            ("getNamedBundleCap", Some(name)) => match self.named_bundle(name)? {
                Some(id) => self.installed_cap(&id),
                None => Ok(Err("no bundle has this name")),
            },
            ("getBundleIDByName", Some(name)) => Ok(match self.named_bundle(name)? {
                Some(id) => Ok(quoted(&id)),
                None => Err("no bundle has this name"),
            }),
            ("getBundleCap" | "getNamedBundleCap" | "getBundleIDByName", None) => {
                Ok(Err("the argument is not a string"))
            }
            _ => Ok(Err("vatAdmin has no such method")),
        }
    }

    fn installed_cap(&mut self, bundle_id: &str) -> Kept<Result<CapData, &'static str>> {
        if !self.is_installed(bundle_id) {
            return Ok(Err("no bundle with this ID is installed"));
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
