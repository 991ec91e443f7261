//! The first state: counters, queues, static vats, and the bootstrap message.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    kernel::{ResolutionPolicy, StaticVat, VatSource, refusal},
    vat::CapData,
    wire::Wire,
};

use crate::{
    SCHEMA,
    cleanup::Terminated,
    command::{Refused, Served},
    crank::Kernel,
    device::VAT_ADMIN,
    evaluate::add_power,
    event::Event,
    host::Host,
    keys::{self, numbered, path},
    limits,
    objects::Object,
    queue::Queue,
    reap,
    store::Kept,
};

/// The vat that gets `bootstrap(vats, devices)`.
const BOOTSTRAP: &str = "bootstrap";

/// First IDs: what a reference's number tells of its kind at a glance.
const FIRST_IDS: [(&str, u64); 6] = [
    (keys::VAT_NEXT_ID, 1),
    (keys::DEVICE_NEXT_ID, 7),
    (keys::KO_NEXT_ID, 20),
    (keys::KD_NEXT_ID, 30),
    (keys::KP_NEXT_ID, 40),
    (keys::METER_NEXT_ID, 1),
];

fn check(vats: &[StaticVat]) -> Result<(), Refused> {
    if vats.len() > limits::STATIC_VATS_MAX {
        return Err(Refused::new(refusal::BAD_ARGUMENT, "too many static vats"));
    }
    for (at, vat) in vats.iter().enumerate() {
        let plain = vat
            .name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        let starts_well = vat.name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
        if !plain || !starts_well || vat.name.len() > limits::NAME_BYTES_MAX {
            return Err(Refused::new(
                refusal::BAD_ARGUMENT,
                "a vat's name is not letters, digits, '_' and '-' after a letter",
            ));
        }
        if vat.name == VAT_ADMIN {
            return Err(Refused::new(
                refusal::BAD_ARGUMENT,
                "vatAdmin is the kernel's own: no vat has this name",
            ));
        }
        if vats[..at].iter().any(|other| other.name == vat.name) {
            return Err(Refused::new(refusal::BAD_ARGUMENT, "two vats have the same name"));
        }
        if !vat.parameters.slots.is_empty() {
            return Err(Refused::new(
                refusal::BAD_ARGUMENT,
                "a static vat's parameters have slots",
            ));
        }
        if vat.options.meter.is_some() {
            return Err(Refused::new(
                refusal::BAD_ARGUMENT,
                "there are no meters yet that a static vat could be under",
            ));
        }
        if vat.options.pipelining && !vat.options.raw {
            return Err(Refused::new(
                refusal::BAD_ARGUMENT,
                "pipelining is for raw vats: the supervisor takes no messages for promises",
            ));
        }
    }
    Ok(())
}

impl<H: Host> Kernel<'_, H> {
    /// `initialize_swingset`.
    pub fn initialize(&mut self, vats: &[StaticVat], supervisor: &str, lockdown: &str) -> Served<()> {
        if self.store.has(keys::VERSION) {
            return Err(Refused::new(refusal::ALREADY_INITIALIZED, "the kernel's state was written before"));
        }
        check(vats)?;
        self.first_entries();
        let mut names = Vec::with_capacity(vats.len());
        let mut roots = Vec::with_capacity(vats.len());
        for vat in vats {
            let source = VatSource {
                bundle_id: vat.bundle_id.clone(),
                supervisor_bundle_id: String::from(supervisor),
                lockdown_bundle_id: String::from(lockdown),
            };
            let vat_id = self.new_vat(vat, &source)?;
            self.store.set_text(keys::vat_name(&vat.name), &vat_id);
            // A static vat's root is spoken to by name at any time: it is pinned, or each message from outside would end with
            // its export dropped and retired.
            let root = self.root_of(&vat_id)?;
            self.pin(root.clone())?;
            roots.push(root);
            names.push(vat.name.clone());
            self.queue_push(Queue::Acceptance, Event::StartVat { vat_id }.to_bytes())?;
        }
        self.set_list(keys::VAT_NAMES, &names);
        let admin = self.new_kernel_object(&Object::Root)?;
        self.hold(&admin)?;
        self.store.set_text(keys::VAT_ADMIN_ROOT, &admin);
        let devices = self.make_devices()?;
        if let Some(at) = names.iter().position(|name| name == BOOTSTRAP) {
            let bootstrap = roots[at].clone();
            let args = bootstrap_args(&names, roots, admin, devices);
            self.queue_to(&bootstrap, BOOTSTRAP, &args, ResolutionPolicy::Panic {})?;
        }
        Ok(())
    }

    fn first_entries(&mut self) {
        self.store.set_number(keys::VERSION, u64::from(SCHEMA));
        self.store.set_number(keys::CRANK_NUMBER, 0);
        for (counter, first) in FIRST_IDS {
            self.store.set_number(counter, first);
        }
        for queue in Queue::ALL {
            self.set_queue_bounds(queue, 1, 1);
        }
        self.store.set_number(keys::GC_ACTIONS, 0);
        self.store.set_number(keys::VAT_DYNAMIC_IDS, 0);
        self.set_list(keys::PINNED_OBJECTS, &[]);
        self.set_terminated(Terminated {
            head: 1,
            settled: 1,
            tail: 1,
        });
        self.set_reap_default(&reap::DEFAULT);
    }

    fn new_vat(&mut self, vat: &StaticVat, source: &VatSource) -> Kept<String> {
        let vat_id = numbered("v", self.next_id(keys::VAT_NEXT_ID)?);
        self.write_vat(&vat_id, source, &vat.options)?;
        self.store
            .set(path([&vat_id, ".vatParameters"]), vat.parameters.to_bytes());
        Ok(vat_id)
    }
}

/// `[{name: root, …, vatAdmin}, {vatAdmin, …}]`: all static vats' roots by name in the order given and the root of vat administration;
/// the devices by name.
fn bootstrap_args(names: &[String], roots: Vec<String>, admin: String, devices: Vec<(&str, String)>) -> CapData {
    let mut data = CapData {
        body: String::from("#[{"),
        slots: Vec::new(),
    };
    for (name, root) in names.iter().zip(roots) {
        add_power(&mut data, name, root, "root");
    }
    add_power(&mut data, VAT_ADMIN, admin, VAT_ADMIN);
    data.body.push_str("},{");
    for (name, node) in devices {
        add_power(&mut data, name, node, name);
    }
    data.body.push_str("}]");
    data
}
