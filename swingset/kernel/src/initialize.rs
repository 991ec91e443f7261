//! The first state: counters, queues, static vats, and the bootstrap message.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    kernel::{ResolutionPolicy, StaticVat, VatSource, refusal},
    vat::CapData,
    wire::Wire,
};

use crate::{
    SCHEMA, body,
    command::{Refused, Served},
    crank::Kernel,
    event::Event,
    host::Host,
    keys::{self, numbered, path},
    limits,
    store::Kept,
};

/// The vat that gets `bootstrap(vats, devices)`.
const BOOTSTRAP: &str = "bootstrap";

/// First IDs: what a reference's number tells of its kind at a glance.
const FIRST_IDS: [(&str, u64); 5] = [
    (keys::VAT_NEXT_ID, 1),
    (keys::DEVICE_NEXT_ID, 7),
    (keys::KO_NEXT_ID, 20),
    (keys::KD_NEXT_ID, 30),
    (keys::KP_NEXT_ID, 40),
];
const FIRST_VAT_IDS: [(&str, u64); 3] = [(".o.nextID", 50), (".p.nextID", 60), (".d.nextID", 70)];

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
        if vats[..at].iter().any(|other| other.name == vat.name) {
            return Err(Refused::new(refusal::BAD_ARGUMENT, "two vats have the same name"));
        }
        if !vat.parameters.slots.is_empty() {
            return Err(Refused::new(
                refusal::BAD_ARGUMENT,
                "a static vat's parameters have slots",
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
            return Err(Refused::new(refusal::ALREADY_INITIALIZED, "the kernel's state was written before").into());
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
            self.store.set_text(&keys::vat_name(&vat.name), &vat_id);
            // A static vat's root is spoken to by name at any time: it is pinned, or each message from outside would end with
            // its export dropped and retired.
            let root = self.root_of(&vat_id)?;
            self.pin(root.clone())?;
            roots.push(root);
            names.push(vat.name.clone());
            self.queue_push(keys::ACCEPTANCE_QUEUE, Event::StartVat { vat_id }.to_bytes())?;
        }
        self.set_list(keys::VAT_NAMES, &names);
        if let Some(at) = names.iter().position(|name| name == BOOTSTRAP) {
            let args = bootstrap_args(&names, roots.clone());
            self.queue_to(&roots[at], BOOTSTRAP, &args, ResolutionPolicy::Panic {})?;
        }
        Ok(())
    }

    fn first_entries(&mut self) {
        self.store.set_number(keys::VERSION, u64::from(SCHEMA));
        self.store.set_number(keys::CRANK_NUMBER, 0);
        for (counter, first) in FIRST_IDS {
            self.store.set_number(counter, first);
        }
        for queue in [keys::ACCEPTANCE_QUEUE, keys::RUN_QUEUE, keys::REAP_QUEUE] {
            self.set_queue_bounds(queue, 1, 1);
        }
        self.store.set_number(keys::GC_ACTIONS, 0);
        for list in [keys::VAT_DYNAMIC_IDS, keys::VATS_TERMINATED, keys::PINNED_OBJECTS] {
            self.set_list(list, &[]);
        }
    }

    fn new_vat(&mut self, vat: &StaticVat, source: &VatSource) -> Kept<String> {
        let vat_id = numbered("v", self.next_id(keys::VAT_NEXT_ID)?);
        self.store.set(path([&vat_id, ".source"]), source.to_bytes());
        self.store.set(path([&vat_id, ".options"]), vat.options.to_bytes());
        self.store
            .set(path([&vat_id, ".vatParameters"]), vat.parameters.to_bytes());
        for (counter, first) in FIRST_VAT_IDS {
            self.store.set_number(path([&vat_id, counter]), first);
        }
        if cfg!(feature = "schema-2") {
            self.store.set_number(path([&vat_id, ".deliveries"]), 0);
        }
        Ok(vat_id)
    }
}

/// `[{name: root, …}, {}]`: all static vats' roots by name in the order given, and no devices.
fn bootstrap_args(names: &[String], roots: Vec<String>) -> CapData {
    let mut text = String::from("#[{");
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        body::push_string(&mut text, name);
        text.push_str(":\"$");
        text.push_str(&crate::store::number_text(at as u64));
        text.push_str(".Alleged: root\"");
    }
    text.push_str("},{}]");
    CapData {
        body: text,
        slots: roots,
    }
}
