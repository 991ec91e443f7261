//! Devices: called at once (`callNow`), answered in the same crank. Their code is the kernel's, so that they are replaced with it.
//!
//! | device | what it gives |
//! |---|---|
//! | `vatAdmin` | bundlecaps, which are device nodes too ([`vat_admin`]) |
//! | `timer` | the block's time, and wake-ups ([`timer`]) |
//! | `mailbox` | numbered messages to and from peers outside ([`mailbox`]) |
//! | `bridge` | the host's own functions, and messages from the host ([`bridge`]) |
//!
//! # Invariants
//! - Device nodes are permanent and not counted.
//! - A device lives in the kernel's space: what its state names is named by kref, and counted like every reference of the kernel's.
//! - All state of a device is in the kvStore under `d$N.deviceState.`, so that a later kernel's device finds it.
//! - A call that a device refuses changes nothing; the caller is told why and goes on.

mod bridge;
mod mailbox;
mod timer;
mod vat_admin;

use alloc::{borrow::Cow, string::String, vec::Vec};

use swingset_abi::{
    vat::{CapData, SyscallReply},
    wire::Wire,
};

use crate::{
    crank::Kernel,
    event::Event,
    host::Host,
    illegal::{Allowed, Illegal},
    json::Json,
    keys::{self, Path, join, numbered, path},
    objects::{self, Call},
    queue::Queue,
    refs::{Kind, kref_kind},
    store::{Fault, Kept, number_text},
};

/// Name of the vat administration's device.
pub const VAT_ADMIN: &str = "vatAdmin";

/// What a call comes to: its value, or why it is refused.
type Answered = Kept<Result<CapData, Cow<'static, str>>>;

fn no(words: &'static str) -> Answered {
    Ok(Err(Cow::Borrowed(words)))
}

/// One of the kernel's devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Device {
    VatAdmin,
    Timer,
    Mailbox,
    Bridge,
}

impl Device {
    /// All, in the order in which a new state gets them.
    const ALL: [Device; 4] = [Device::VatAdmin, Device::Timer, Device::Mailbox, Device::Bridge];

    /// Its name in `bootstrap(vats, devices)` and in the kvStore.
    fn name(self) -> &'static str {
        match self {
            Device::VatAdmin => VAT_ADMIN,
            Device::Timer => "timer",
            Device::Mailbox => "mailbox",
            Device::Bridge => "bridge",
        }
    }

    fn of_name(name: &str) -> Option<Device> {
        Device::ALL.into_iter().find(|device| device.name() == name)
    }
}

/// A call of a device by a vat.
struct DeviceCall<'a> {
    /// The device's ID.
    device: &'a str,
    /// Who calls.
    vat_id: &'a str,
    call: Call<'a>,
}

impl<H: Host> Kernel<'_, H> {
    /// Registers the devices of a new state; gives their names and root nodes.
    pub fn make_devices(&mut self) -> Kept<Vec<(&'static str, String)>> {
        let names: Vec<String> = Device::ALL.iter().map(|device| String::from(device.name())).collect();
        self.set_list(keys::DEVICE_NAMES, &names);
        let mut nodes = Vec::with_capacity(names.len());
        for device in Device::ALL {
            let id = numbered("d", self.next_id(keys::DEVICE_NEXT_ID)?);
            self.store.set_text(keys::device_name(device.name()), &id);
            self.store.set_text(path([&id, ".name"]), device.name());
            let node = self.new_device_node(&id)?;
            self.store.set_text(path([&id, ".root"]), &node);
            nodes.push((device.name(), node));
        }
        Ok(nodes)
    }

    fn new_device_node(&mut self, device: &str) -> Kept<String> {
        let node = numbered("kd", self.next_id(keys::KD_NEXT_ID)?);
        self.store.set_text(path([&node, ".owner"]), device);
        Ok(node)
    }

    /// The ID of a device.
    fn device_id(&mut self, device: Device) -> Kept<String> {
        let id = self.store.get_text(keys::device_name(device.name()))?.map(String::from);
        id.ok_or(Fault("a device is missing"))
    }

    /// The root node of a device; `None` when there is none of this name.
    pub fn device_root(&mut self, name: &str) -> Kept<Option<String>> {
        let Some(device) = Device::of_name(name) else {
            return Ok(None);
        };
        let id = self.device_id(device)?;
        Ok(self.store.get_text(path([&id, ".root"]))?.map(String::from))
    }

    /// SwingSet: callNow. A refusal is told to the caller, who goes on.
    pub fn call_device(&mut self, vat_id: &str, target: &str, method: &str, args: CapData) -> Allowed<SyscallReply> {
        let (parsed, node) = self.known_kref(vat_id, target)?;
        if parsed.kind != Kind::Device {
            return Err(Illegal::WrongKind.into());
        }
        let args = self.data_from_vat(vat_id, args)?;
        // What the call exported and the device did not keep is dropped again at the crank's end.
        for slot in &args.slots {
            if kref_kind(slot)? == Kind::Object {
                self.maybe_free.insert(slot.clone());
            }
        }
        Ok(match self.answer_call(vat_id, &node, method, &args)? {
            Ok(data) => SyscallReply::Data {
                data: self.data_to_vat(vat_id, data)?,
            },
            Err(problem) => SyscallReply::Failed {
                problem: problem.into_owned(),
            },
        })
    }

    fn answer_call(&mut self, vat_id: &str, node: &str, method: &str, args: &CapData) -> Answered {
        let Some(Json::List(list)) = args.body.strip_prefix('#').and_then(Json::parse) else {
            return no("the arguments are not a list");
        };
        let call = Call {
            method,
            args: &list,
            slots: &args.slots,
            result: None,
        };
        if let Some(bundle_id) = self.bundle_of(node)? {
            return vat_admin::answer_bundlecap(&bundle_id, &call);
        }
        let id = self.store.get_text(path([node, ".owner"]))?.map(String::from);
        let id = id.ok_or(Fault("a device node has no owner"))?;
        let name = self.store.get_text(path([&id, ".name"]))?.map(String::from);
        let device = name.as_deref().and_then(Device::of_name);
        let device = device.ok_or(Fault("a device is of no kind that this kernel has"))?;
        let call = DeviceCall {
            device: &id,
            vat_id,
            call,
        };
        match device {
            Device::VatAdmin => self.answer_vat_admin(&call.call),
            Device::Timer => self.answer_timer(&call),
            Device::Mailbox => self.answer_mailbox(&call),
            Device::Bridge => self.answer_bridge(&call),
        }
    }

    /// Takes an argument as the object that is told of what comes from outside, in the place of the one before.
    fn register_handler(&mut self, call: &DeviceCall<'_>) -> Answered {
        let Some(handler) = call.object(0) else {
            return no("the argument is not an object");
        };
        let key = state(call.device, ".handler");
        self.hold(handler)?;
        if let Some(before) = self.store.get_text(&key)?.map(String::from) {
            self.let_go(&before)?;
        }
        self.store.set_text(&key, handler);
        Ok(Ok(objects::undefined()))
    }

    /// The object that was registered.
    fn handler(&mut self, device: &str) -> Kept<Option<String>> {
        Ok(self.store.get_text(state(device, ".handler"))?.map(String::from))
    }

    /// Queues a message of a device's to an object. Nobody waits for its result.
    fn tell_object(&mut self, target: &str, methargs: CapData) -> Kept<()> {
        self.hold_message(target, None, &methargs.slots)?;
        let event = Event::Send {
            target: String::from(target),
            result: None,
            methargs,
        };
        self.queue_push(Queue::Acceptance, event.to_bytes())
    }

    /// Whether a message to the object would reach anybody.
    fn is_served(&mut self, kref: &str) -> Kept<bool> {
        match self.store.get_text(path([kref, ".owner"]))?.map(String::from) {
            None => Ok(false),
            Some(owner) => Ok(owner == objects::OWNER || self.lives(&owner)),
        }
    }
}

impl DeviceCall<'_> {
    /// An argument that is an object.
    fn object(&self, at: usize) -> Option<&str> {
        self.call.kref(self.call.arg(at)).filter(|kref| kref.starts_with("ko"))
    }
}

/// A key of a device's state.
fn state(device: &str, part: &str) -> Path {
    path([device, ".deviceState", part])
}

/// A natural number as a body, a bigint as all numbers between vats.
fn nat(number: u64) -> CapData {
    CapData {
        body: join(["#\"+", &number_text(number), "\""]),
        slots: Vec::new(),
    }
}

/// A number with leading zeros, whose order as text is that of numbers.
fn ordered(number: u64) -> String {
    let digits = number_text(number);
    join([ZEROS.get(digits.len()..).unwrap_or_default(), &digits])
}

const ZEROS: &str = "00000000000000000000";

/// The number at the end of a key, after leading zeros.
fn number_of(digits: &str) -> Kept<u64> {
    let significant = match digits.trim_start_matches('0') {
        "" if !digits.is_empty() => "0",
        rest => rest,
    };
    crate::store::parse_number(significant.as_bytes()).ok_or(Fault("a number in a device's key is malformed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_keys_are_ordered_as_numbers() {
        let numbers = [0, 1, 9, 10, 99, 100, u64::MAX - 1, u64::MAX];
        let texts: Vec<String> = numbers.iter().map(|number| ordered(*number)).collect();
        assert!(texts.is_sorted() && texts.iter().all(|text| text.len() == 20));
        for (text, number) in texts.iter().zip(numbers) {
            assert_eq!(number_of(text), Ok(number));
        }
        assert!(number_of("").is_err());
        assert!(number_of("0x").is_err());
    }
}
