//! The kernel's own objects: vat administration. Vats speak to them by messages as to any object; the kernel answers in the crank
//! that a delivery would have, and no vat runs.
//!
//! | `ko$N.kernel` | object | made by |
//! |---|---|---|
//! | `root` | `vats.vatAdmin` of `bootstrap`, kept for ever at `vatAdminRootKref` | `initialize` |
//! | `service` | makes vats and meters, gives out bundlecaps | the root |
//! | `criticalKey` | lets a vat be made critical | the root |
//! | `meter m$N`, `notifier m$N` | a meter, and who is told of its threshold | the service, a meter |
//! | `admin v$N` | a vat's admin node | `createVat` |
//!
//! # Invariants
//! - Such an object is owned by `kernel`, has no c-list entry as an export, and is forgotten when nobody reaches it.
//! - Whatever the kernel will settle later holds a reference on the promise.

use alloc::{string::String, vec::Vec};

use swingset_abi::vat::CapData;

use crate::{
    body,
    crank::Kernel,
    host::Host,
    json::Json,
    keys::{join, path},
    refcount::Change,
    store::{Fault, Kept},
};

/// The owner of the kernel's objects, in the place of a vat ID.
pub const OWNER: &str = "kernel";

/// What one of the kernel's objects is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    Root,
    Service,
    CriticalKey,
    Meter(String),
    Notifier(String),
    Admin(String),
}

impl Object {
    fn to_text(&self) -> String {
        match self {
            Object::Root => String::from("root"),
            Object::Service => String::from("service"),
            Object::CriticalKey => String::from("criticalKey"),
            Object::Meter(meter) => join(["meter ", meter]),
            Object::Notifier(meter) => join(["notifier ", meter]),
            Object::Admin(vat_id) => join(["admin ", vat_id]),
        }
    }

    fn from_text(text: &str) -> Option<Object> {
        Some(match text.split_once(' ') {
            None => match text {
                "root" => Object::Root,
                "service" => Object::Service,
                "criticalKey" => Object::CriticalKey,
                _ => return None,
            },
            Some(("meter", meter)) => Object::Meter(String::from(meter)),
            Some(("notifier", meter)) => Object::Notifier(String::from(meter)),
            Some(("admin", vat_id)) => Object::Admin(String::from(vat_id)),
            Some(_) => return None,
        })
    }

    /// Its name in bodies, after `Alleged: `.
    pub fn alleged(&self) -> &'static str {
        match self {
            Object::Root => "vatAdmin",
            Object::Service => "vatAdminService",
            Object::CriticalKey => "criticalVatKey",
            Object::Meter(_) => "meter",
            Object::Notifier(_) => "notifier",
            Object::Admin(_) => "adminNode",
        }
    }
}

/// What a message to one of the kernel's objects comes to.
pub enum Answer {
    /// Its result, at once.
    Value(CapData),
    /// Its result is rejected with an error of these words.
    Refused(&'static str),
    /// The result, if there is one, is settled later by whoever took the reference.
    Later,
}

/// A message: its arguments, and the slots that they name.
pub struct Call<'a> {
    pub method: &'a str,
    pub args: &'a [Json],
    pub slots: &'a [String],
    pub result: Option<&'a str>,
}

impl Call<'_> {
    /// An argument; `undefined` and what was not given alike are none.
    pub fn arg(&self, at: usize) -> Option<&Json> {
        self.args.get(at).filter(|arg| !arg.is_undefined())
    }

    /// The kref that a value names.
    pub fn kref(&self, value: Option<&Json>) -> Option<&str> {
        Some(self.slots.get(value?.slot()?)?.as_str())
    }
}

impl<H: Host> Kernel<'_, H> {
    /// A new object of the kernel's. It is gone at the crank's end unless somebody refers to it then.
    pub fn new_kernel_object(&mut self, object: &Object) -> Kept<String> {
        let kref = self.new_object(OWNER)?;
        self.store.set_text(path([&kref, ".kernel"]), &object.to_text());
        self.maybe_free.insert(kref.clone());
        Ok(kref)
    }

    /// What an object of the kernel's is; `None` for an object of a vat, or none.
    pub fn kernel_object(&mut self, kref: &str) -> Kept<Option<Object>> {
        match self.store.get_text(path([kref, ".kernel"]))? {
            None => Ok(None),
            Some(text) => Object::from_text(text)
                .map(Some)
                .ok_or(Fault("an object of the kernel's is malformed")),
        }
    }

    /// A message to `target`, which was sent to `held`. Its result is settled now or later; its references are given back.
    pub fn kernel_message(&mut self, held: &str, target: &str, result: Option<&str>, methargs: &CapData) -> Kept<()> {
        let object = self
            .kernel_object(target)?
            .ok_or(Fault("an object of the kernel's has no kind"))?;
        if let Some(kpid) = result {
            self.hold(kpid)?;
        }
        let answer = self.answer(target, &object, result, methargs)?;
        self.release_message(held, result, &methargs.slots)?;
        let (rejected, data) = match answer {
            Answer::Later => return Ok(()),
            Answer::Value(data) => (false, data),
            Answer::Refused(words) => (true, body::error(words)),
        };
        if let Some(kpid) = result {
            self.settle(kpid, rejected, &data, None)?;
            self.let_go(kpid)?;
        }
        Ok(())
    }

    fn answer(&mut self, kref: &str, object: &Object, result: Option<&str>, methargs: &CapData) -> Kept<Answer> {
        let parsed = methargs.body.strip_prefix('#').and_then(Json::parse);
        let Some(Json::List(parts)) = parsed else {
            return Ok(Answer::Refused("the message is not a method and a list of arguments"));
        };
        let (Some(method), Some(Json::List(args)), 2) = (parts.first().and_then(Json::text), parts.get(1), parts.len())
        else {
            return Ok(Answer::Refused("the message is not a method and a list of arguments"));
        };
        let call = Call {
            method,
            args,
            slots: &methargs.slots,
            result,
        };
        match object {
            Object::Root => self.answer_root(&call),
            Object::Service => self.answer_service(&call),
            Object::CriticalKey => Ok(Answer::Refused("a critical vat key has no methods")),
            Object::Meter(meter) => self.answer_meter(meter, &call),
            Object::Notifier(meter) => self.answer_notifier(meter, &call),
            Object::Admin(vat_id) => self.answer_admin(kref, vat_id, &call),
        }
    }

    fn answer_root(&mut self, call: &Call<'_>) -> Kept<Answer> {
        let object = match call.method {
            "createVatAdminService" => Object::Service,
            "getCriticalVatKey" => Object::CriticalKey,
            _ => return Ok(Answer::Refused("vatAdmin has no such method")),
        };
        self.give(&object)
    }

    /// A new object as the answer.
    pub fn give(&mut self, object: &Object) -> Kept<Answer> {
        let kref = self.new_kernel_object(object)?;
        Ok(Answer::Value(reference(kref, object.alleged())))
    }

    fn answer_meter(&mut self, meter: &str, call: &Call<'_>) -> Kept<Answer> {
        match call.method {
            "addRemaining" => {
                let Some(more) = call.arg(0).and_then(Json::nat) else {
                    return Ok(Answer::Refused("the argument is not a natural number"));
                };
                if let Some(remaining) = self.remaining(meter)? {
                    let Some(sum) = remaining.checked_add(more) else {
                        return Ok(Answer::Refused("a meter holds no more than 64 bits"));
                    };
                    self.set_remaining(meter, Some(sum));
                }
                Ok(Answer::Value(undefined()))
            }
            "setThreshold" => {
                let Some(threshold) = call.arg(0).and_then(Json::nat) else {
                    return Ok(Answer::Refused("the argument is not a natural number"));
                };
                self.store.set_number(path([meter, ".threshold"]), threshold);
                Ok(Answer::Value(undefined()))
            }
            "get" => {
                let remaining = crate::meter::remaining_text(self.remaining(meter)?);
                let threshold = crate::store::number_text(self.threshold(meter)?);
                let body = join(["#{\"remaining\":", &remaining, ",\"threshold\":\"+", &threshold, "\"}"]);
                Ok(Answer::Value(CapData {
                    body,
                    slots: Vec::new(),
                }))
            }
            "getNotifier" => {
                self.use_meter(meter, Change::Add)?;
                self.give(&Object::Notifier(String::from(meter)))
            }
            _ => Ok(Answer::Refused("a meter has no such method")),
        }
    }

    fn answer_notifier(&mut self, meter: &str, call: &Call<'_>) -> Kept<Answer> {
        if call.method != "getUpdateSince" {
            return Ok(Answer::Refused("a notifier has no such method"));
        }
        let updates = self.store.get_number(path([meter, ".updates"]))?.unwrap_or(0);
        if call.arg(0).and_then(Json::nat) != Some(updates) {
            return Ok(Answer::Value(self.meter_update(meter)?));
        }
        self.wait_in(path([meter, ".waiting"]), call.result)
    }

    /// Takes the result to be settled later, among those that wait at a key.
    pub fn wait_in(&mut self, key: impl AsRef<[u8]>, result: Option<&str>) -> Kept<Answer> {
        if let Some(kpid) = result {
            let mut waiting = self.list(key.as_ref())?;
            if waiting.len() >= crate::limits::WAITING_MAX {
                return Ok(Answer::Refused("too many wait for this already"));
            }
            waiting.push(String::from(kpid));
            self.set_list(key, &waiting);
        }
        Ok(Answer::Later)
    }

    /// Forgets an object of the kernel's that nobody reaches.
    pub fn free_kernel_object(&mut self, kref: &str) -> Kept<()> {
        match self.kernel_object(kref)? {
            Some(Object::Meter(meter) | Object::Notifier(meter)) => self.use_meter(&meter, Change::Remove)?,
            Some(Object::Admin(vat_id)) => self.free_admin_node(kref, &vat_id)?,
            _ => {}
        }
        self.store.delete(path([kref, ".kernel"]));
        self.retire_object(kref)
    }
}

/// A body that is a reference and nothing else.
pub fn reference(kref: String, alleged: &str) -> CapData {
    CapData {
        body: join(["#\"$0.Alleged: ", alleged, "\""]),
        slots: Vec::from([kref]),
    }
}

/// A body that is a string.
pub fn quoted(text: &str) -> CapData {
    let mut body = String::from("#");
    body::push_string(&mut body, text);
    CapData {
        body,
        slots: Vec::new(),
    }
}

/// The body that is `undefined`.
pub fn undefined() -> CapData {
    CapData {
        body: String::from("#\"#undefined\""),
        slots: Vec::new(),
    }
}

/// Whether text has the form of a bundle ID: `b1-` and 128 lower-case hex digits.
pub fn bundle_id_form(text: &str) -> bool {
    text.strip_prefix("b1-").is_some_and(|digits| {
        digits.len() == 128 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// `never` or a natural number, as a threshold.
pub fn interval(value: &Json) -> Option<u64> {
    match value.text() {
        Some("never") => Some(0),
        _ => value.nat(),
    }
}
