//! Deliveries from the kernel.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    supervisor::{SlotHandle, VatEvent},
    vat::{CapData, Resolution, VatDelivery, VatSyscall},
};

use crate::{
    body,
    machine::{Coming, Requested, Supervisor, Then},
    promises::Standing,
    records::RECOGNIZABLE,
    sweep::{GIVE_BACK_BUDGET, SWEEP_BUDGET},
    vref::{self, Vref},
};

const UNREADABLE: &str = "#{\"#error\":\"the message is not a method and a list of arguments\",\"name\":\"TypeError\"}";

impl Supervisor {
    /// Queues the events and syscalls that a delivery leads to.
    pub(crate) fn deliver(&mut self, delivery: VatDelivery) -> Requested {
        self.stored.sweep_budget = SWEEP_BUDGET;
        self.stored.give_back_budget = GIVE_BACK_BUDGET;
        self.stored.named.clear();
        match delivery {
            VatDelivery::Message {
                target,
                methargs,
                result,
            } => self.message(&target, methargs, result)?,
            VatDelivery::Notify { resolutions } => self.notify(resolutions)?,
            VatDelivery::StartVat { parameters } => return self.start_vat(parameters),
            VatDelivery::DropExports { vrefs } => {
                let handles = self.exports_changed(&vrefs, RECOGNIZABLE)?;
                self.exports.dropped(&handles);
                if !handles.is_empty() {
                    self.events.push_back(Coming::Event(VatEvent::Dropped { handles }));
                }
            }
            VatDelivery::RetireExports { vrefs } => {
                let handles = self.exports_changed(&vrefs, 0)?;
                self.exports.retired(&handles);
            }
            VatDelivery::RetireImports { vrefs } => {
                for slot in &vrefs {
                    if let Some(Vref::Import(handle)) = vref::parse(slot) {
                        self.import_retired(handle);
                    }
                }
            }
            VatDelivery::ChangeVatOptions { .. } => {}
            VatDelivery::BringOutYourDead {} => return self.bring_out_your_dead(),
        }
        Ok(Then::NextEvent)
    }

    fn import_retired(&mut self, handle: u64) {
        self.imports.retired(handle);
        self.stored.forget_weak_import(handle);
        if self.stored.meta.imports_in_store > 0 {
            self.stored.meta.gone_imports.0.insert(handle);
        }
    }

    /// The object that a message is for.
    fn target(&self, vref: &str) -> Result<SlotHandle, &'static str> {
        match vref::parse(vref) {
            Some(Vref::Export(handle)) if self.exports.has(handle) => Ok(SlotHandle::Local { handle }),
            Some(Vref::Stored(object)) if self.stored.knows(object) => Ok(SlotHandle::Stored { object }),
            _ => Err("the kernel delivered to an object that this vat does not have"),
        }
    }

    fn message(&mut self, target: &str, methargs: CapData, result: Option<String>) -> Result<(), &'static str> {
        let target = self.target(target)?;
        let Some((method, list)) = body::split(&methargs.body) else {
            // Whoever sent it learns of it; this vat's code does not.
            let unread = self.value_in(methargs)?;
            for slot in unread.slots {
                if let SlotHandle::Promise { handle } = slot {
                    self.forget(handle);
                }
            }
            if let Some(promise) = result {
                let data = CapData {
                    body: String::from(UNREADABLE),
                    slots: Vec::new(),
                };
                let resolutions = Vec::from([Resolution {
                    promise,
                    rejected: true,
                    data,
                }]);
                self.syscalls.push_back(VatSyscall::Resolve { resolutions });
            }
            return Ok(());
        };
        let args = self.value_in(CapData {
            body: list,
            slots: methargs.slots,
        })?;
        let result = match result {
            None => None,
            Some(promise) => {
                let handle = self.promise_in(&promise)?;
                if let Some(promise) = self.promises.get_mut(handle) {
                    promise.standing = Standing::Ours;
                    promise.held_by_vat = true;
                }
                Some(handle)
            }
        };
        self.events.push_back(Coming::Event(VatEvent::Message {
            target,
            method,
            args,
            result,
        }));
        Ok(())
    }

    fn notify(&mut self, resolutions: Vec<Resolution>) -> Result<(), &'static str> {
        // First all names, since values name each other.
        let mut settled = Vec::with_capacity(resolutions.len());
        for Resolution {
            promise,
            rejected,
            data,
        } in resolutions
        {
            settled.push((self.promise_in(&promise)?, rejected, data));
        }
        let mut values = Vec::with_capacity(settled.len());
        for (handle, rejected, data) in settled {
            values.push((handle, rejected, self.value_in(data)?));
        }
        let handles: Vec<u64> = values.iter().map(|(handle, ..)| *handle).collect();
        for (handle, rejected, value) in values {
            self.hold_value(&value);
            self.promises.settle(handle, rejected, value);
        }
        for handle in handles {
            match self.promises.get(handle) {
                Some(promise) if promise.watched && promise.held_by_vat => {
                    self.events.push_back(Coming::Settled(handle))
                }
                _ => self.forget(handle),
            }
        }
        Ok(())
    }
}
