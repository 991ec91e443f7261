//! Code that governance runs: a bundle as a new vat, with the powers that are named and no others. Source: SwingSet's core eval, with a
//! bundle in the place of code.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    kernel::{ResolutionPolicy, VatOptions, refusal},
    vat::CapData,
    wire::Wire,
};

use crate::{
    body,
    command::{Refused, Served},
    crank::Kernel,
    device::VAT_ADMIN,
    event::{Creation, Event},
    host::Host,
    keys::{self, numbered},
    limits,
    queue::Queue,
    store::{Fault, number_text},
};

/// Name of such a vat, for people.
const NAME: &str = "evaluated";

/// Appends `"name":"$N.Alleged: …"` with a new slot.
pub fn add_power(data: &mut CapData, name: &str, kref: String, alleged: &str) {
    if !data.body.ends_with('{') {
        data.body.push(',');
    }
    body::push_string(&mut data.body, name);
    data.body.push_str(":\"$");
    data.body.push_str(&number_text(data.slots.len() as u64));
    data.body.push_str(".Alleged: ");
    data.body.push_str(alleged);
    data.body.push('"');
    data.slots.push(kref);
}

impl<H: Host> Kernel<'_, H> {
    /// Queues the making of the vat; gives the promise of `{adminNode, root}`.
    pub fn evaluate(&mut self, bundle_id: &str, vats: &[String], devices: &[String]) -> Served<String> {
        if !self.is_installed(bundle_id) {
            return Err(Refused::new(refusal::UNKNOWN, "no bundle with this ID is installed"));
        }
        let named_twice = |names: &[String]| (1..names.len()).any(|at| names[..at].contains(&names[at]));
        if vats.len() > limits::STATIC_VATS_MAX || named_twice(vats) || named_twice(devices) {
            return Err(Refused::new(refusal::BAD_ARGUMENT, "a power is named twice, or too many are"));
        }
        let parameters = self.powers(vats, devices)?;
        for slot in &parameters.slots {
            self.hold(slot)?;
        }
        let kpid = self.new_promise(None, Some(ResolutionPolicy::Ignore {}), 0)?;
        self.hold(&kpid)?;
        let creation = Creation {
            vat_id: numbered("v", self.next_id(keys::VAT_NEXT_ID)?),
            name: String::from(NAME),
            bundle_id: String::from(bundle_id),
            options: VatOptions::default(),
            parameters,
            result: Some(kpid.clone()),
        };
        self.queue_push(Queue::Acceptance, Event::CreateVat { creation }.to_bytes())?;
        Ok(kpid)
    }

    /// `{vats: {…}, devices: {…}}`.
    fn powers(&mut self, vats: &[String], devices: &[String]) -> Served<CapData> {
        let mut data = CapData {
            body: String::from("#{\"vats\":{"),
            slots: Vec::new(),
        };
        for name in vats {
            if name == VAT_ADMIN {
                let root = self.store.get_text(keys::VAT_ADMIN_ROOT)?.map(String::from);
                let root = root.ok_or(Fault("there is no root of vat administration"))?;
                add_power(&mut data, name, root, VAT_ADMIN);
            } else {
                let vat_id = self.living_vat(name)?;
                let root = self.root_of(&vat_id)?;
                add_power(&mut data, name, root, "root");
            }
        }
        data.body.push_str("},\"devices\":{");
        for name in devices {
            let node = self.device_root(name)?;
            let node = node.ok_or(Refused::new(refusal::UNKNOWN, "no device has this name"))?;
            add_power(&mut data, name, node, name);
        }
        data.body.push_str("}}");
        Ok(data)
    }
}
