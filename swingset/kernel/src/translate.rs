//! Marshalled data between a vat's space and the kernel's.

use alloc::{string::String, vec::Vec};

use swingset_abi::vat::{CapData, Resolution, VatDelivery};

use crate::{
    clist::is_import,
    crank::Kernel,
    host::Host,
    illegal::{Allowed, Illegal},
    limits, message,
    promise::Standing,
    refs::{Kind, kref_kind},
    store::{Fault, Kept},
};

impl<H: Host> Kernel<'_, H> {
    /// Data as a vat sees it; what it did not know becomes an import.
    pub fn data_to_vat(&mut self, vat_id: &str, data: CapData) -> Kept<CapData> {
        let slots = self.slots_to_vat(vat_id, &data.slots)?;
        Ok(CapData { body: data.body, slots })
    }

    fn slots_to_vat(&mut self, vat_id: &str, krefs: &[impl AsRef<str>]) -> Kept<Vec<String>> {
        let mut slots = Vec::with_capacity(krefs.len());
        for kref in krefs {
            slots.push(self.vref_of(vat_id, kref.as_ref())?);
        }
        Ok(slots)
    }

    /// Data that a vat wrote; what the kernel did not know becomes its export.
    pub fn data_from_vat(&mut self, vat_id: &str, data: CapData) -> Allowed<CapData> {
        let slots = self.slots_from_vat(vat_id, &data.body, &data.slots)?;
        Ok(CapData { body: data.body, slots })
    }

    /// The slots of data that a vat wrote.
    pub fn slots_from_vat(&mut self, vat_id: &str, body: &str, vrefs: &[impl AsRef<str>]) -> Allowed<Vec<String>> {
        if body.len() > limits::BODY_BYTES_MAX {
            return Err(Illegal::BodyTooLarge.into());
        }
        if vrefs.len() > limits::SLOTS_MAX {
            return Err(Illegal::TooManySlots.into());
        }
        let mut slots = Vec::with_capacity(vrefs.len());
        for vref in vrefs {
            slots.push(self.kref_of(vat_id, vref.as_ref())?);
        }
        Ok(slots)
    }

    /// A message for a vat, in wire form. It becomes the decider of the result.
    pub fn message_to_vat(
        &mut self,
        vat_id: &str,
        target: &str,
        result: Option<&str>,
        body: &str,
        slots: &[&str],
    ) -> Kept<Vec<u8>> {
        let kind = kref_kind(target)?;
        if kind == Kind::Device {
            return Err(Fault("a message was routed to a device"));
        }
        let target = self.vref_of(vat_id, target)?;
        // An exporter's entry outlives every queued message, since the message counts as reachable.
        if kind == Kind::Object && is_import(&target) {
            return Err(Fault("a message was routed to a vat that does not export its target"));
        }
        let slots = self.slots_to_vat(vat_id, slots)?;
        let result = match result {
            None => None,
            Some(kpid) => {
                if self.standing(kpid)? != (Standing::Unresolved { decider: None }) {
                    return Err(Fault("a queued message's result is settled or has a decider"));
                }
                self.set_decider(kpid, Some(vat_id));
                Some(self.vref_of(vat_id, kpid)?)
            }
        };
        Ok(message::delivery(&target, body, &slots, result.as_deref()))
    }

    /// The settled promises that a vat learns of together with `first`: it and all that their data names, in the order met.
    ///
    /// SwingSet: getKpidsToRetire.
    pub fn settled_together(&mut self, first: &str) -> Kept<Vec<(String, bool, CapData)>> {
        let mut found: Vec<(String, bool, CapData)> = Vec::new();
        let mut seen = alloc::collections::BTreeSet::new();
        let mut next = 0;
        seen.insert(String::from(first));
        let Standing::Settled { rejected, data } = self.standing(first)? else {
            return Err(Fault("a notify is queued for a promise that is not settled"));
        };
        found.push((String::from(first), rejected, data));
        let mut room = limits::NOTIFY_BYTES_MAX;
        while next < found.len() {
            for slot in found[next].2.slots.clone() {
                if kref_kind(&slot)? != Kind::Promise || found.len() >= limits::NOTIFY_MAX || !seen.insert(slot.clone())
                {
                    continue;
                }
                if let Standing::Settled { rejected, data } = self.standing(&slot)? {
                    let Some(left) = room.checked_sub(data.body.len() + data.slots.len() * limits::REFERENCE_BYTES)
                    else {
                        return Ok(found);
                    };
                    room = left;
                    found.push((slot, rejected, data));
                }
            }
            next += 1;
        }
        Ok(found)
    }

    /// A notify for a vat, and the end of its c-list entries for the promises in it; `None` when it no longer waits.
    ///
    /// SwingSet: processNotify.
    pub fn notify_to_vat(&mut self, vat_id: &str, kpid: &str) -> Kept<Option<VatDelivery>> {
        let Some(first) = self.entry(vat_id, kpid)? else {
            return Ok(None);
        };
        let mut first = Some(first.vref);
        let settled = self.settled_together(kpid)?;
        let mut resolutions = Vec::with_capacity(settled.len());
        let mut retired = Vec::with_capacity(settled.len());
        for (kpid, rejected, data) in settled {
            let promise = match first.take() {
                Some(vref) => vref,
                None => self.vref_of(vat_id, &kpid)?,
            };
            resolutions.push(Resolution {
                promise,
                rejected,
                data: self.data_to_vat(vat_id, data)?,
            });
            retired.push(kpid);
        }
        for (kpid, resolution) in retired.iter().zip(&resolutions) {
            self.delete_promise_entry(vat_id, kpid, &resolution.promise)?;
        }
        Ok(Some(VatDelivery::Notify { resolutions }))
    }

    /// Takes references on everything that a message to be queued names.
    pub fn hold_message(&mut self, target: &str, result: Option<&str>, slots: &[String]) -> Kept<()> {
        self.hold(target)?;
        if let Some(kpid) = result {
            self.hold(kpid)?;
        }
        for slot in slots {
            self.hold(slot)?;
        }
        Ok(())
    }

    /// The root object of a vat, exported when it was not yet.
    pub fn root_of(&mut self, vat_id: &str) -> Kept<String> {
        match self.kref_of(vat_id, "o+0") {
            Ok(kref) => Ok(kref),
            Err(crate::illegal::Stop::Fault(fault)) => Err(fault),
            Err(crate::illegal::Stop::Illegal(_)) => Err(Fault(ROOT_REFUSED)),
        }
    }
}

const ROOT_REFUSED: &str = "a vat's root object cannot be exported";
