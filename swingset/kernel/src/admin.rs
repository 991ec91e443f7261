//! Admin nodes: what the maker of a dynamic vat holds of it. Source: SwingSet's adminNode.
//!
//! `v$N.admin` names the node while it lives, `v$N.done` the promises that wait for the vat's end, `ko$N.done` is the end itself.

use alloc::string::String;

use swingset_abi::{kernel::ReapThreshold, vat::CapData, wire::Wire, wire_struct};

use crate::{
    body,
    crank::Kernel,
    event::{Event, Upgrade},
    host::Host,
    json::Json,
    keys::path,
    limits,
    objects::{Answer, Call, interval, undefined},
    queue::Queue,
    store::{Fault, Kept},
};

/// How a vat ended.
#[derive(Clone, Debug, PartialEq, Eq)]
struct End {
    failed: bool,
    info: CapData,
}
wire_struct!(End { failed, info });

impl<H: Host> Kernel<'_, H> {
    /// Answers a message to a vat's admin node.
    pub fn answer_admin(&mut self, node: &str, vat_id: &str, call: &Call<'_>) -> Kept<Answer> {
        match call.method {
            "done" => self.answer_done(node, vat_id, call),
            "terminateWithFailure" => {
                let reason = match call.args.first() {
                    Some(reason) => reason.to_data(call.slots),
                    None => Some(undefined()),
                };
                let Some(reason) = reason else {
                    return Ok(Answer::Refused("the reason names a slot that is not there"));
                };
                if let Some(options) = self.options(vat_id)? {
                    self.terminate(vat_id, &options, true, &reason)?;
                }
                Ok(Answer::Value(undefined()))
            }
            "upgrade" => self.queue_upgrade_of(vat_id, call),
            "changeOptions" => self.queue_options(vat_id, call),
            _ => Ok(Answer::Refused("an admin node has no such method")),
        }
    }

    fn answer_done(&mut self, node: &str, vat_id: &str, call: &Call<'_>) -> Kept<Answer> {
        let end = match self.store.get(path([node, ".done"])) {
            None => return self.wait_in(path([vat_id, ".done"]), call.result),
            Some(bytes) => End::from_bytes(bytes).map_err(|_| Fault("a vat's end is malformed"))?,
        };
        if !body::is_short(&end.info) {
            return Ok(Answer::Refused(body::LAST_WORDS_TOO_LONG));
        }
        if !end.failed {
            return Ok(Answer::Value(end.info));
        }
        if let Some(kpid) = call.result {
            self.settle(kpid, true, &end.info, None)?;
            self.let_go(kpid)?;
        }
        Ok(Answer::Later)
    }

    fn queue_upgrade_of(&mut self, vat_id: &str, call: &Call<'_>) -> Kept<Answer> {
        let Some(bundle_id) = self.bundle_argument(call, 0)? else {
            return Ok(Answer::Refused("the first argument is not a bundlecap"));
        };
        let mut upgrade = Upgrade {
            vat_id: String::from(vat_id),
            bundle_id,
            parameters: CapData {
                body: String::from("#{}"),
                slots: alloc::vec::Vec::new(),
            },
            message: String::from("vat upgraded"),
            result: call.result.map(String::from),
        };
        let fields: &[(String, Json)] = match call.arg(1) {
            None => &[],
            Some(Json::Object(fields)) => fields,
            Some(_) => return Ok(Answer::Refused("the options are not an object")),
        };
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_undefined()) {
            match name.as_str() {
                "vatParameters" => match value.to_data(call.slots) {
                    Some(parameters) => upgrade.parameters = parameters,
                    None => return Ok(Answer::Refused("the parameters name a slot that is not there")),
                },
                "upgradeMessage" => match value.text().filter(|text| text.len() <= limits::MESSAGE_BYTES_MAX) {
                    Some(text) => upgrade.message = String::from(text),
                    None => return Ok(Answer::Refused("the upgrade message is not a short string")),
                },
                _ => return Ok(Answer::Refused("there is an option that upgrade does not know")),
            }
        }
        for slot in &upgrade.parameters.slots {
            self.hold(slot)?;
        }
        self.queue_push(Queue::Acceptance, Event::UpgradeVat { upgrade }.to_bytes())?;
        Ok(Answer::Later)
    }

    fn queue_options(&mut self, vat_id: &str, call: &Call<'_>) -> Kept<Answer> {
        let Some(all @ Json::Object(fields)) = call.arg(0) else {
            return Ok(Answer::Refused("the options are not an object"));
        };
        let mut reap = ReapThreshold::default();
        let mut stored_bytes_max = None;
        for (name, value) in fields {
            let known = match name.as_str() {
                "reapInterval" => interval(value).map(|threshold| reap.deliveries = Some(threshold)),
                "reapGCKrefs" => interval(value).map(|threshold| reap.gc_krefs = Some(threshold)),
                "storedBytesMax" => value
                    .nat()
                    .filter(|bytes| *bytes > 0)
                    .map(|bytes| stored_bytes_max = Some(bytes)),
                "virtualObjectCacheSize" => value.nat().map(|_| ()),
                _ => None,
            };
            if known.is_none() {
                return Ok(Answer::Refused("an option is unknown, or is no natural number"));
            }
        }
        let text = all.to_data(&[]).ok_or(Fault("numbers named a slot"))?.body;
        let event = Event::ChangeVatOptions {
            vat_id: String::from(vat_id),
            reap,
            options: String::from(text.strip_prefix('#').unwrap_or_default()),
            stored_bytes_max,
        };
        self.queue_push(Queue::Acceptance, event.to_bytes())?;
        Ok(Answer::Value(undefined()))
    }

    /// Tells whoever waits for a vat's end, and keeps it for those who ask later.
    pub fn tell_of_end(&mut self, vat_id: &str, failed: bool, info: &CapData) -> Kept<()> {
        let waiting = path([vat_id, ".done"]);
        // Each gets a copy that nobody is charged for.
        let size = info.body.len() + info.slots.len() * limits::REFERENCE_BYTES;
        let told = limits::LAST_WORDS_BYTES_MAX.checked_div(size).unwrap_or(usize::MAX).max(1);
        for (number, kpid) in self.list(&waiting)?.iter().enumerate() {
            if number < told || body::is_short(info) {
                self.settle(kpid, failed, info, None)?;
            } else {
                self.settle(kpid, true, &body::error(body::LAST_WORDS_TOO_LONG), None)?;
            }
            self.let_go(kpid)?;
        }
        self.store.delete_if_there(&waiting);
        let key = path([vat_id, ".admin"]);
        if let Some(node) = self.store.get_text(&key)?.map(String::from) {
            for slot in &info.slots {
                self.hold(slot)?;
            }
            let end = End {
                failed,
                info: info.clone(),
            };
            self.store.set(path([&node, ".done"]), end.to_bytes());
            self.store.delete(&key);
        }
        Ok(())
    }

    /// The node of this vat is forgotten.
    pub fn free_admin_node(&mut self, node: &str, vat_id: &str) -> Kept<()> {
        self.store.delete_if_there(path([vat_id, ".admin"]));
        let key = path([node, ".done"]);
        let end = match self.store.get(&key) {
            None => return Ok(()),
            Some(bytes) => End::from_bytes(bytes).map_err(|_| Fault("a vat's end is malformed"))?,
        };
        for slot in &end.info.slots {
            self.let_go(slot)?;
        }
        self.store.delete(&key);
        Ok(())
    }

    /// The reason of a termination from outside, when everything that it names is there.
    pub fn reason_of(&mut self, reason: CapData) -> Kept<CapData> {
        for slot in &reason.slots {
            if !self.exists(slot)? {
                return Ok(body::error(body::VAT_TERMINATED));
            }
        }
        Ok(reason)
    }
}
