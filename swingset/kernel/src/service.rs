//! The vat administration's service: `createVat`, meters, bundlecaps. Source: SwingSet's vatAdmin.

use alloc::string::String;

use swingset_abi::{kernel::VatOptions, vat::CapData, wire::Wire};

use crate::{
    crank::Kernel,
    event::{Creation, Event},
    host::Host,
    json::Json,
    keys::{self, numbered},
    limits,
    objects::{Answer, Call, Object, interval, quoted, reference},
    queue::Queue,
    refcount::Change,
    refs::{Kind, kref_kind},
    store::Kept,
};

/// What `createVat` is told of the vat beside its code.
struct Wanted {
    name: String,
    options: VatOptions,
    parameters: CapData,
}

impl<H: Host> Kernel<'_, H> {
    /// Answers a message to the service.
    pub fn answer_service(&mut self, call: &Call<'_>) -> Kept<Answer> {
        let text = call.arg(0).and_then(Json::text);
        match (call.method, text) {
            ("createVat", _) => self.queue_creation(call),
            ("createMeter", _) => {
                let (Some(remaining), Some(threshold)) =
                    (call.arg(0).and_then(Json::nat), call.arg(1).and_then(Json::nat))
                else {
                    return Ok(Answer::Refused("remaining and threshold are not natural numbers"));
                };
                let meter = self.new_meter(Some(remaining), threshold)?;
                self.give(&Object::Meter(meter))
            }
            ("createUnlimitedMeter", _) => {
                let meter = self.new_meter(None, 0)?;
                self.give(&Object::Meter(meter))
            }
            ("getBundleCap", Some(id)) => self.give_cap(id),
            ("getNamedBundleCap", Some(name)) => match self.named_bundle(name)? {
                Some(id) => self.give_cap(&id),
                None => Ok(Answer::Refused("no bundle has this name")),
            },
            ("getBundleIDByName", Some(name)) => Ok(match self.named_bundle(name)? {
                Some(id) => Answer::Value(quoted(&id)),
                None => Answer::Refused("no bundle has this name"),
            }),
            ("waitForBundleCap", Some(id)) => {
                if !crate::objects::bundle_id_form(id) {
                    return Ok(Answer::Refused("the argument is no bundle ID"));
                }
                if self.is_installed(id) {
                    return self.give_cap(id);
                }
                self.wait_in(keys::bundle_wait(id), call.result)
            }
            ("getBundleCap" | "getNamedBundleCap" | "getBundleIDByName" | "waitForBundleCap", None) => {
                Ok(Answer::Refused("the argument is not a string"))
            }
            _ => Ok(Answer::Refused("the vat administration's service has no such method")),
        }
    }

    fn give_cap(&mut self, bundle_id: &str) -> Kept<Answer> {
        if !self.is_installed(bundle_id) {
            return Ok(Answer::Refused("no bundle with this ID is installed"));
        }
        let node = self.bundlecap(bundle_id)?;
        Ok(Answer::Value(reference(node, "bundlecap")))
    }

    /// The bundle that an argument stands for, when it is a bundlecap.
    pub fn bundle_argument(&mut self, call: &Call<'_>, at: usize) -> Kept<Option<String>> {
        match call.kref(call.arg(at)) {
            Some(kref) if kref_kind(kref)? == Kind::Device => self.bundle_of(kref),
            _ => Ok(None),
        }
    }

    /// `createVat(bundlecap, options)`: the vat gets its ID now and everything else in a crank of its own.
    fn queue_creation(&mut self, call: &Call<'_>) -> Kept<Answer> {
        let Some(bundle_id) = self.bundle_argument(call, 0)? else {
            return Ok(Answer::Refused("the first argument is not a bundlecap"));
        };
        let wanted = match self.wanted(call)? {
            Ok(wanted) => wanted,
            Err(words) => return Ok(Answer::Refused(words)),
        };
        if let Some(meter) = &wanted.options.meter {
            self.use_meter(meter, Change::Add)?;
        }
        for slot in &wanted.parameters.slots {
            self.hold(slot)?;
        }
        let creation = Creation {
            vat_id: numbered("v", self.next_id(keys::VAT_NEXT_ID)?),
            name: wanted.name,
            bundle_id,
            options: wanted.options,
            parameters: wanted.parameters,
            result: call.result.map(String::from),
        };
        self.queue_push(Queue::Acceptance, Event::CreateVat { creation }.to_bytes())?;
        Ok(Answer::Later)
    }

    fn wanted(&mut self, call: &Call<'_>) -> Kept<Result<Wanted, &'static str>> {
        let mut wanted = Wanted {
            name: String::new(),
            options: VatOptions::default(),
            parameters: CapData {
                body: String::from("#{}"),
                slots: alloc::vec::Vec::new(),
            },
        };
        let fields = match call.arg(1) {
            None => return Ok(Ok(wanted)),
            Some(Json::Object(fields)) => fields,
            Some(_) => return Ok(Err("the options are not an object")),
        };
        for (name, value) in fields {
            if value.is_undefined() {
                continue;
            }
            if let Err(words) = self.want(&mut wanted, call, name, value)? {
                return Ok(Err(words));
            }
        }
        if wanted.options.pipelining && !wanted.options.raw {
            return Ok(Err(
                "pipelining is for raw vats: the supervisor takes no messages for promises",
            ));
        }
        Ok(Ok(wanted))
    }

    fn want(
        &mut self,
        wanted: &mut Wanted,
        call: &Call<'_>,
        name: &str,
        value: &Json,
    ) -> Kept<Result<(), &'static str>> {
        let options = &mut wanted.options;
        match (name, value) {
            ("name", _) => match value.text().filter(|name| name.len() <= limits::NAME_BYTES_MAX) {
                Some(name) => wanted.name = String::from(name),
                None => return Ok(Err("the option name is not a short string")),
            },
            ("vatParameters", _) => match value.to_data(call.slots) {
                Some(parameters) => wanted.parameters = parameters,
                None => return Ok(Err("the parameters name a slot that is not there")),
            },
            ("meter", _) => match self.named_object(call, value)? {
                Some(Object::Meter(meter)) => options.meter = Some(meter),
                _ => return Ok(Err("the option meter is not a meter")),
            },
            ("critical", Json::Bool(false)) => {}
            ("critical", _) => match self.named_object(call, value)? {
                Some(Object::CriticalKey) => options.critical = true,
                _ => return Ok(Err("the option critical is not the critical vat key")),
            },
            ("reapInterval", _) | ("reapGCKrefs", _) => {
                let Some(threshold) = interval(value) else {
                    return Ok(Err("a reap threshold is neither a natural number nor 'never'"));
                };
                let reap = &mut options.reap;
                *(if name == "reapInterval" {
                    &mut reap.deliveries
                } else {
                    &mut reap.gc_krefs
                }) = Some(threshold);
            }
            ("storedBytesMax", _) => match value.nat().filter(|bytes| *bytes > 0) {
                Some(bytes) => options.stored_bytes_max = bytes,
                None => return Ok(Err("the option storedBytesMax is not a natural number above 0")),
            },
            ("enableSetup", Json::Bool(raw)) => options.raw = *raw,
            ("enablePipelining", Json::Bool(pipelining)) => options.pipelining = *pipelining,
            ("enableSetup" | "enablePipelining", _) => return Ok(Err("an option is not true or false")),
            _ => return Ok(Err("there is an option that createVat does not know")),
        }
        Ok(Ok(()))
    }

    fn named_object(&mut self, call: &Call<'_>, value: &Json) -> Kept<Option<Object>> {
        match call.kref(Some(value)) {
            Some(kref) => self.kernel_object(kref),
            None => Ok(None),
        }
    }
}
