//! Deliveries from the kernel.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    supervisor::{SlotHandle, VatEvent},
    vat::{CapData, Resolution, VatDelivery, VatSyscall},
};

use crate::{
    body,
    machine::{Coming, Supervisor},
    promises::Standing,
    vref::{self, Vref},
};

const UNREADABLE: &str = "#{\"#error\":\"the message is not a method and a list of arguments\",\"name\":\"TypeError\"}";

impl Supervisor {
    /// Queues the events and syscalls that a delivery leads to.
    pub(crate) fn deliver(&mut self, delivery: VatDelivery) -> Result<(), &'static str> {
        match delivery {
            VatDelivery::Message {
                target,
                methargs,
                result,
            } => self.message(&target, methargs, result),
            VatDelivery::Notify { resolutions } => self.notify(resolutions),
            VatDelivery::StartVat { parameters } => {
                let parameters = self.value_in(parameters)?;
                self.events.push_back(Coming::Event(VatEvent::Start {
                    parameters,
                    incarnation: 0,
                }));
                Ok(())
            }
            VatDelivery::DropExports { vrefs } => {
                let handles = self
                    .exports
                    .handles(&vrefs)
                    .ok_or("the kernel dropped what was never exported")?;
                self.exports.dropped(&handles);
                self.events.push_back(Coming::Event(VatEvent::Dropped { handles }));
                Ok(())
            }
            VatDelivery::RetireExports { vrefs } => {
                let handles = self
                    .exports
                    .handles(&vrefs)
                    .ok_or("the kernel retired what was never exported")?;
                self.exports.retired(&handles);
                Ok(())
            }
            VatDelivery::RetireImports { vrefs } => {
                for slot in &vrefs {
                    if let Some(Vref::Import(handle)) = vref::parse(slot) {
                        self.imports.retired(handle);
                    }
                }
                Ok(())
            }
            // What nothing holds is given back at every delivery's end, so there is nothing left to bring out.
            VatDelivery::ChangeVatOptions { .. } | VatDelivery::BringOutYourDead {} => Ok(()),
        }
    }

    fn message(&mut self, target: &str, methargs: CapData, result: Option<String>) -> Result<(), &'static str> {
        let Some(Vref::Export(target)) = vref::parse(target) else {
            return Err("the kernel delivered to what is no export");
        };
        if !self.exports.has(target) {
            return Err("the kernel delivered to an object that this vat does not have");
        }
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
