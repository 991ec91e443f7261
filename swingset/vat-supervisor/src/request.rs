//! Requests of the vat's code. A refused one changes nothing.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    supervisor::{METHOD_BYTES_MAX, METHOD_TOO_LONG, Passable, SlotHandle, VatAnswer, VatRequest},
    vat::{Resolution, VatSyscall},
    wire::Blob,
};

use crate::{
    body,
    machine::{Coming, Requested, Supervisor, Then, done},
    promises::Standing,
    records::STORE_PREFIX,
    slots::Announced,
    vref,
};

/// Longest key of vat code, in bytes: with the prefix it stays below the kernel's limit.
const STORE_KEY_BYTES_MAX: usize = 500;

/// Most settlements in one syscall; below the kernel's limit.
const RESOLUTIONS_MAX: usize = 1_000;
/// Most bytes of them, with what they name: one alone has room for its promise's name above [`Passable::BYTES_MAX`].
const RESOLUTIONS_BYTES_MAX: usize = Passable::BYTES_MAX + 100;

fn resolution_bytes(resolution: &Resolution) -> usize {
    let slots: usize = resolution.data.slots.iter().map(String::len).sum();
    resolution.promise.len() + resolution.data.body.len() + slots
}

fn store_key(key: &str) -> Result<String, &'static str> {
    if key.is_empty() || key.len() > STORE_KEY_BYTES_MAX {
        return Err("a key is 1 to 500 bytes long");
    }
    Ok([STORE_PREFIX, key].concat())
}

impl Supervisor {
    /// Queues the syscalls that a request leads to, and says what follows them.
    pub(crate) fn request(&mut self, request: VatRequest) -> Requested {
        match request {
            VatRequest::Send {
                target,
                method,
                args,
                want_result,
            } => self.send(target, &method, args, want_result),
            VatRequest::NewPromise {} => {
                let handle = self.promises.add(None, Standing::Ours);
                self.hold_by_vat(handle);
                Ok(Then::Answer(VatAnswer::Handle { handle }))
            }
            VatRequest::NewObject { .. } => Ok(Then::Answer(VatAnswer::Handle {
                handle: self.exports.make(),
            })),
            VatRequest::Watch { promise } => self.watch(promise),
            VatRequest::Settle {
                promise,
                rejected,
                value,
            } => self.settle(promise, rejected, value),
            VatRequest::StoreGet { key } => self.read(store_key(&key)?, |_, found| {
                Ok(Then::Answer(VatAnswer::Value { value: found.map(Blob) }))
            }),
            VatRequest::StoreSet { key, value } => {
                if value.0.len() > Passable::BYTES_MAX {
                    return Err("a value has at most 260,000 bytes");
                }
                self.write(store_key(&key)?, value.0);
                done()
            }
            VatRequest::StoreDelete { key } => {
                self.delete(store_key(&key)?);
                done()
            }
            VatRequest::StoreNextKey { prior } => {
                if prior.len() > STORE_KEY_BYTES_MAX {
                    return Err("a key is at most 500 bytes long");
                }
                self.next_key(String::from(STORE_PREFIX), &prior, |_, key| {
                    Ok(Then::Answer(VatAnswer::Key { key }))
                })
            }
            VatRequest::Release { handles } => self.release(&handles),
            VatRequest::Exit { failure, info } => {
                self.check_value(&info)?;
                let mut announced = Announced::default();
                let info = self.value_out(info, &mut announced);
                self.announce(&mut announced);
                self.syscalls.push_back(VatSyscall::Exit { failure, info });
                done()
            }
            VatRequest::CallDevice { device, method, args } => {
                self.check_slots(&[SlotHandle::Device { handle: device }])?;
                self.check_value(&args)?;
                if method.len() > METHOD_BYTES_MAX {
                    return Err(METHOD_TOO_LONG);
                }
                if args.slots.iter().any(|slot| matches!(slot, SlotHandle::Promise { .. })) {
                    return Err("a device takes no promises");
                }
                let args = self.value_out(args, &mut Announced::default());
                self.call_device(vref::text("d-", device), method, args)
            }
            stored => self.stored_request(stored),
        }
    }

    fn stored_request(&mut self, request: VatRequest) -> Requested {
        match request {
            VatRequest::DefineKind { name, durable } => self.define_kind(name, durable),
            VatRequest::NewStored { kind, state } => self.new_stored(kind, &state),
            VatRequest::Hold { object } => self.hold_stored(object),
            VatRequest::StateGet { object } => self.state_get(object),
            VatRequest::StateSet { object, state } => self.state_set(object, &state),
            VatRequest::NewCollection {
                durable,
                shape,
                label,
                schema,
            } => self.new_collection(durable, &shape, label, schema),
            VatRequest::CollectionInfo { collection } => self.collection_info(collection),
            VatRequest::EntryGet { collection, key } => self.entry_get(collection, &key),
            VatRequest::EntrySet {
                collection,
                key,
                value,
                only_new,
            } => self.entry_set(collection, &key, &value, only_new),
            VatRequest::EntryDelete { collection, key } => self.entry_delete(collection, &key),
            VatRequest::EntryNext { collection, after } => self.entry_next(collection, after.as_ref()),
            _ => Err("a request that this supervisor does not know"),
        }
    }

    fn hold_by_vat(&mut self, handle: u64) {
        if let Some(promise) = self.promises.get_mut(handle) {
            promise.held_by_vat = true;
        }
    }

    fn announce(&mut self, announced: &mut Announced) {
        let resolutions = self.announcements(announced);
        self.queue_resolutions(resolutions);
    }

    /// In as many syscalls as their limits ask for.
    fn queue_resolutions(&mut self, resolutions: Vec<Resolution>) {
        // As most are.
        if resolutions.len() == 1 {
            return self.push_resolutions(resolutions);
        }
        let (mut together, mut bytes) = (Vec::new(), 0);
        for resolution in resolutions {
            let more = resolution_bytes(&resolution);
            if together.len() == RESOLUTIONS_MAX || (!together.is_empty() && bytes + more > RESOLUTIONS_BYTES_MAX) {
                self.push_resolutions(core::mem::take(&mut together));
                bytes = 0;
            }
            together.push(resolution);
            bytes += more;
        }
        if !together.is_empty() {
            self.push_resolutions(together);
        }
    }

    fn push_resolutions(&mut self, resolutions: Vec<Resolution>) {
        self.syscalls.push_back(VatSyscall::Resolve { resolutions });
    }

    fn send(&mut self, target: SlotHandle, method: &str, args: Passable, want_result: bool) -> Requested {
        if matches!(target, SlotHandle::Device { .. }) {
            return Err("a device is called, not sent to");
        }
        self.check_slots(&[target])?;
        self.check_value(&args)?;
        if method.len() > METHOD_BYTES_MAX {
            return Err(METHOD_TOO_LONG);
        }
        let body = body::join(method, &args.body)
            .ok_or("the arguments are not a list, or the method has control characters")?;
        let mut announced = Announced::default();
        let target = self.slot_out(target, &mut announced);
        let methargs = self.value_out(
            Passable {
                body,
                slots: args.slots,
            },
            &mut announced,
        );
        let mut answer = VatAnswer::Done {};
        let mut result = None;
        if want_result {
            let vref = self.promises.new_vref();
            let handle = self
                .promises
                .add(Some(vref.clone()), Standing::Theirs { subscribed: false });
            self.hold_by_vat(handle);
            result = Some(vref);
            answer = VatAnswer::Handle { handle };
        }
        self.syscalls.push_back(VatSyscall::Send {
            target,
            methargs,
            result,
        });
        self.announce(&mut announced);
        Ok(Then::Answer(answer))
    }

    fn watch(&mut self, handle: u64) -> Requested {
        let promise = self.promises.get_mut(handle).filter(|promise| promise.held_by_vat);
        let promise = promise.ok_or("a promise that this vat does not hold")?;
        promise.watched = true;
        match &mut promise.standing {
            Standing::Ours => {}
            Standing::Settled { .. } => self.events.push_back(Coming::Settled(handle)),
            Standing::Theirs { subscribed } => {
                if !core::mem::replace(subscribed, true)
                    && let Some(promise) = promise.vref.clone()
                {
                    self.syscalls.push_back(VatSyscall::Subscribe { promise });
                }
            }
        }
        done()
    }

    fn settle(&mut self, handle: u64, rejected: bool, value: Passable) -> Requested {
        let promise = self.promises.get(handle).filter(|promise| promise.held_by_vat);
        let promise = promise.ok_or("a promise that this vat does not hold")?;
        if promise.standing != Standing::Ours {
            return Err("a promise that this vat does not decide, or that is settled");
        }
        self.check_value(&value)?;
        if !rejected && matches!(value.slots[..], [SlotHandle::Promise { .. }]) && body::is_lone_reference(&value.body)
        {
            return Err("a promise is not fulfilled with a promise: watch it and settle with its value");
        }
        let (name, watched) = (promise.vref.clone(), promise.watched);
        if let Some(promise) = name {
            let mut announced = Announced::default();
            let data = self.value_out(value.clone(), &mut announced);
            let mut resolutions = Vec::from([Resolution {
                promise,
                rejected,
                data,
            }]);
            resolutions.extend(self.announcements(&mut announced));
            self.queue_resolutions(resolutions);
        }
        self.hold_value(&value);
        self.promises.settle(handle, rejected, value);
        if watched {
            self.events.push_back(Coming::Settled(handle));
        }
        done()
    }

    fn release(&mut self, handles: &[SlotHandle]) -> Requested {
        self.check_slots(handles)?;
        for slot in handles {
            if let SlotHandle::Local { handle } = slot
                && (!self.exports.releasable(*handle) || self.imports.local_is_held(*handle))
            {
                return Err("an object that others, or a settled promise's value, may reach");
            }
        }
        let mut retired = Vec::new();
        for slot in handles {
            match *slot {
                SlotHandle::Local { handle } => retired.extend(self.exports.release(handle)),
                SlotHandle::Presence { handle } => self.imports.release(handle),
                SlotHandle::Promise { handle } => self.release_promise(handle),
                SlotHandle::Stored { object } => self.counts.release(object),
                SlotHandle::Device { .. } => {}
            }
        }
        if !retired.is_empty() {
            self.syscalls.push_back(VatSyscall::RetireExports { vrefs: retired });
        }
        done()
    }

    fn release_promise(&mut self, handle: u64) {
        if let Some(promise) = self.promises.get_mut(handle) {
            promise.held_by_vat = false;
            self.forget(handle);
        }
    }
}
