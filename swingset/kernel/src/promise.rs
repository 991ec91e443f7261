//! Promises: their making, settlement and deletion.

use alloc::string::String;

use swingset_abi::{kernel::ResolutionPolicy, vat::CapData, wire::Wire};

use crate::{
    crank::Kernel,
    event::Event,
    host::Host,
    keys::{self, join, numbered, path},
    queue::Queue,
    store::{Fault, Kept},
};

/// Where a promise stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not settled; the vat that decides it, if one does now (while its message is queued, none does).
    Unresolved { decider: Option<String> },
    /// Fulfilled or rejected.
    Settled { rejected: bool, data: CapData },
}

impl<H: Host> Kernel<'_, H> {
    /// A new promise with so many references.
    pub fn new_promise(
        &mut self,
        decider: Option<&str>,
        policy: Option<ResolutionPolicy>,
        references: u64,
    ) -> Kept<String> {
        let number = self.next_id(keys::KP_NEXT_ID)?;
        self.store.buffers.known.fresh.made_promise(number);
        let kpid = numbered("kp", number);
        self.store.set_text(path([&kpid, ".state"]), "unresolved");
        self.store.set_number(path([&kpid, ".refCount"]), references);
        if let Some(vat_id) = decider {
            self.store.set_text(path([&kpid, ".decider"]), vat_id);
        }
        if let Some(word) = policy.and_then(policy_word) {
            self.store.set_text(path([&kpid, ".policy"]), word);
        }
        Ok(kpid)
    }

    /// Where a promise stands; `None` when there is none of that name.
    pub fn standing_if_any(&mut self, kpid: &str) -> Kept<Option<Standing>> {
        let rejected = match self.store.get(path([kpid, ".state"])) {
            None => return Ok(None),
            Some(b"unresolved") => {
                let decider = self.store.get_text(path([kpid, ".decider"]))?.map(String::from);
                return Ok(Some(Standing::Unresolved { decider }));
            }
            Some(b"fulfilled") => false,
            Some(b"rejected") => true,
            Some(_) => return Err(MALFORMED_STATE),
        };
        let body = self
            .store
            .get_text(path([kpid, ".data.body"]))?
            .ok_or(Fault("a settled promise has no data"))?;
        let body = String::from(body);
        let slots = self.list(path([kpid, ".data.slots"]))?;
        Ok(Some(Standing::Settled {
            rejected,
            data: CapData { body, slots },
        }))
    }

    /// Whether a promise that something refers to is settled.
    pub fn is_settled(&mut self, kpid: &str) -> Kept<bool> {
        match self.store.get(path([kpid, ".state"])) {
            Some(b"unresolved") => Ok(false),
            Some(b"fulfilled" | b"rejected") => Ok(true),
            Some(_) => Err(MALFORMED_STATE),
            None => Err(MISSING),
        }
    }

    /// Where a promise that something refers to stands.
    pub fn standing(&mut self, kpid: &str) -> Kept<Standing> {
        self.standing_if_any(kpid)?
            .ok_or(MISSING)
    }

    /// Gives or takes the right to settle.
    pub fn set_decider(&mut self, kpid: &str, decider: Option<&str>) {
        let key = path([kpid, ".decider"]);
        match decider {
            Some(vat_id) => self.store.set_text(&key, vat_id),
            None => self.store.delete(&key),
        }
    }

    /// Adds a subscriber, once.
    pub fn add_subscriber(&mut self, kpid: &str, vat_id: &str) -> Kept<()> {
        let key = path([kpid, ".subscribers"]);
        let mut vats = self.list(&key)?;
        if let Err(at) = vats.binary_search_by(|known| known.as_str().cmp(vat_id)) {
            vats.insert(at, String::from(vat_id));
            self.set_list(&key, &vats);
        }
        Ok(())
    }

    /// Queues a notify.
    pub fn queue_notify(&mut self, vat_id: &str, kpid: &str) -> Kept<()> {
        self.hold(kpid)?;
        let event = Event::Notify {
            vat_id: String::from(vat_id),
            kpid: String::from(kpid),
        };
        self.queue_push(Queue::Acceptance, event.to_bytes())
    }

    /// Settles an unresolved promise: subscribers other than `by` are notified and waiting messages queued again.
    ///
    /// SwingSet: doResolve. `data` is in krefs; the promise takes references of its own on its slots.
    pub fn settle(&mut self, kpid: &str, rejected: bool, data: &CapData, by: Option<&str>) -> Kept<()> {
        self.notify_subscribers(kpid, by)?;
        let had_policy = self.apply_policy(kpid, rejected)?;
        self.requeue(kpid)?;
        if !self.charge_data(kpid, data, by)? {
            self.store.delete_if_there(path([kpid, ".decider"]));
        }
        if had_policy {
            self.store.delete(path([kpid, ".policy"]));
        }
        self.store
            .set_text(path([kpid, ".state"]), if rejected { "rejected" } else { "fulfilled" });
        self.store.set_text(path([kpid, ".data.body"]), &data.body);
        for slot in &data.slots {
            self.hold(slot)?;
        }
        self.set_list(path([kpid, ".data.slots"]), &data.slots);
        Ok(())
    }

    /// What the promise's policy asks for; false when it has none.
    fn apply_policy(&mut self, kpid: &str, rejected: bool) -> Kept<bool> {
        let Some(policy) = self.store.get_text(path([kpid, ".policy"]))?.map(String::from) else {
            return Ok(false);
        };
        let settled = if rejected { "rejected" } else { "fulfilled" };
        match policy.as_str() {
            "logAlways" => self.store.host.log(2, &join([kpid, " was ", settled])),
            "logFailure" if rejected => self.store.host.log(1, &join([kpid, " was ", settled])),
            "panic" if rejected => self.panic = Some(join([kpid, " was rejected and its policy is panic"])),
            _ => {}
        }
        Ok(true)
    }

    /// Deletes what is left of a promise without references, and gives back those that its data holds; gives how many.
    pub fn delete_promise(&mut self, kpid: &str) -> Kept<u64> {
        let mut given_back = 0;
        if self.store.get(path([kpid, ".state"])) == Some(b"unresolved") {
            if self.store.has(path([kpid, ".queue.nextID"])) {
                return Err(Fault("a promise without references has messages waiting"));
            }
            for part in [".decider", ".policy", ".subscribers"] {
                self.store.delete_if_there(path([kpid, part]));
            }
        } else {
            // The other parts ended when it was settled.
            let (at_body, at_slots) = (path([kpid, ".data.body"]), path([kpid, ".data.slots"]));
            let body = self.store.get(&at_body).map_or(0, <[u8]>::len);
            let slots = self.list(&at_slots)?;
            self.end_charge_of_data(kpid, body, &slots)?;
            given_back = slots.len() as u64;
            for slot in slots {
                self.let_go(&slot)?;
            }
            self.store.delete(at_body);
            self.store.delete(at_slots);
        }
        for part in [".state", ".refCount"] {
            self.store.delete(path([kpid, part]));
        }
        Ok(given_back)
    }
}

const MALFORMED_STATE: Fault = Fault("a promise's state is malformed");
const MISSING: Fault = Fault("a promise that is referred to does not exist");

fn policy_word(policy: ResolutionPolicy) -> Option<&'static str> {
    match policy {
        ResolutionPolicy::None {} => None,
        ResolutionPolicy::Ignore {} => Some("ignore"),
        ResolutionPolicy::LogAlways {} => Some("logAlways"),
        ResolutionPolicy::LogFailure {} => Some("logFailure"),
        ResolutionPolicy::Panic {} => Some("panic"),
    }
}
