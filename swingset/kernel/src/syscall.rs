//! Syscalls: translated and executed at once. After an illegal one every other is refused, and the verdict undoes the crank.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    vat::{CapData, Resolution, SyscallReply, VatSyscall},
    wire::Blob,
};

use crate::{
    body,
    crank::Kernel,
    delivery::refusal,
    host::Host,
    illegal::{Allowed, Illegal, Stop},
    keys::{Path, join, path},
    limits,
    message::{self, Message},
    promise::Standing,
    refs::{Kind, kref_kind, parse_vref},
    store::{Fault, Kept},
};

/// What one delivery has asked for so far.
pub struct Session {
    pub vat_id: String,
    /// Its first illegal syscall.
    pub illegal: Option<Illegal>,
    /// It asked to end: with failure or without, and its last words.
    pub exit: Option<(bool, CapData)>,
    syscalls: u64,
    sends: u64,
    bytes: u64,
}

impl Session {
    /// A delivery to this vat begins.
    pub fn new(vat_id: &str) -> Session {
        Session {
            vat_id: String::from(vat_id),
            illegal: None,
            exit: None,
            syscalls: 0,
            sends: 0,
            bytes: 0,
        }
    }

    fn spend(&mut self, bytes: usize) -> Allowed<()> {
        self.syscalls += 1;
        self.bytes += bytes as u64;
        if self.syscalls > limits::SYSCALLS_PER_CRANK_MAX {
            return Err(Illegal::TooManySyscalls.into());
        }
        if self.bytes > limits::SYSCALL_BYTES_PER_CRANK_MAX {
            return Err(Illegal::TooManyBytes.into());
        }
        Ok(())
    }
}

fn data_weight(body: usize, slots: usize) -> usize {
    body + slots * 32
}

/// Bytes that a syscall brings into the kernel, each slot counted like a short key.
fn weight(syscall: &VatSyscall) -> usize {
    let data = |data: &CapData| data_weight(data.body.len(), data.slots.len());
    match syscall {
        VatSyscall::Send { methargs, .. } => data(methargs),
        VatSyscall::CallNow { args, .. } => data(args),
        VatSyscall::Resolve { resolutions } => resolutions.iter().map(|resolution| 64 + data(&resolution.data)).sum(),
        VatSyscall::Exit { info, .. } => data(info),
        VatSyscall::VatstoreGet { key } | VatSyscall::VatstoreDelete { key } => key.len(),
        VatSyscall::VatstoreSet { key, value } => key.len() + value.0.len(),
        VatSyscall::VatstoreGetNextKey { prior } => prior.len(),
        VatSyscall::DropImports { vrefs }
        | VatSyscall::RetireImports { vrefs }
        | VatSyscall::RetireExports { vrefs }
        | VatSyscall::AbandonExports { vrefs } => vrefs.len() * 32,
        VatSyscall::Subscribe { .. } => 32,
    }
}

impl<H: Host> Kernel<'_, H> {
    /// Executes a syscall and gives the vat's answer.
    pub fn syscall(&mut self, session: &mut Session, syscall: VatSyscall) -> Kept<SyscallReply> {
        if let Some(illegal) = session.illegal {
            return Ok(refusal(illegal.word()));
        }
        let stored = self.tallies.now(&session.vat_id);
        let executed = session
            .spend(weight(&syscall))
            .and_then(|()| self.execute(session, syscall));
        self.tell(session, stored, executed)
    }

    /// Executes a message's sending, and gives the vat's answer.
    pub fn send_syscall(&mut self, session: &mut Session, message: &Message<'_>) -> Kept<SyscallReply> {
        if let Some(illegal) = session.illegal {
            return Ok(refusal(illegal.word()));
        }
        let stored = self.tallies.now(&session.vat_id);
        let executed = session
            .spend(data_weight(message.body.len(), message.slots.len()))
            .and_then(|()| self.send(session, message));
        self.tell(session, stored, executed)
    }

    /// What was done of a syscall, as the vat is told; `stored` are its bytes before, when this crank had changed them.
    fn tell(
        &mut self,
        session: &mut Session,
        stored: Option<u64>,
        executed: Allowed<SyscallReply>,
    ) -> Kept<SyscallReply> {
        match executed.and_then(|reply| self.require_stored(&session.vat_id, stored).map(|()| reply)) {
            Ok(reply) => Ok(reply),
            Err(Stop::Illegal(illegal)) => {
                session.illegal = Some(illegal);
                Ok(refusal(illegal.word()))
            }
            Err(Stop::Fault(fault)) => Err(fault),
        }
    }

    fn execute(&mut self, session: &mut Session, syscall: VatSyscall) -> Allowed<SyscallReply> {
        let vat_id = session.vat_id.clone();
        match syscall {
            VatSyscall::Send {
                target,
                methargs,
                result,
            } => return self.send(session, &Message::new(&target, &methargs, result.as_deref())),
            VatSyscall::CallNow { target, method, args } => return self.call_device(&vat_id, &target, &method, args),
            VatSyscall::Subscribe { promise } => self.subscribe(&vat_id, &promise)?,
            VatSyscall::Resolve { resolutions } => self.resolve(&vat_id, resolutions)?,
            VatSyscall::Exit { failure, info } => {
                let info = self.data_from_vat(&vat_id, info)?;
                // Whoever waits for its end is fulfilled with it.
                if !failure {
                    refuse_lone_promise(&info)?;
                }
                if !matches!(session.exit, Some((true, _))) {
                    session.exit = Some((failure, info));
                }
            }
            VatSyscall::VatstoreGet { key } => {
                let value = self
                    .store
                    .get(&store_key(&vat_id, &key)?)
                    .map(|value| Blob(Vec::from(value)));
                return Ok(SyscallReply::Value { value });
            }
            VatSyscall::VatstoreSet { key, value } => {
                if value.0.len() > limits::STORE_VALUE_BYTES_MAX {
                    return Err(Illegal::StoreValueTooLarge.into());
                }
                self.write_own(&vat_id, &store_key(&vat_id, &key)?, Some(&value.0))?;
            }
            VatSyscall::VatstoreGetNextKey { prior } => return self.store_next_key(&vat_id, &prior),
            VatSyscall::VatstoreDelete { key } => {
                self.write_own(&vat_id, &store_key(&vat_id, &key)?, None)?;
            }
            VatSyscall::DropImports { vrefs } => self.drop_imports(&vat_id, &vrefs)?,
            VatSyscall::RetireImports { vrefs } => self.retire_imports(&vat_id, &vrefs)?,
            VatSyscall::RetireExports { vrefs } => self.retire_exports(&vat_id, &vrefs)?,
            VatSyscall::AbandonExports { vrefs } => self.abandon_exports(&vat_id, &vrefs)?,
        }
        Ok(SyscallReply::Done {})
    }

    fn send(&mut self, session: &mut Session, message: &Message<'_>) -> Allowed<SyscallReply> {
        session.sends += 1;
        if session.sends > limits::SENDS_PER_CRANK_MAX {
            return Err(Illegal::TooManySends.into());
        }
        let vat_id = session.vat_id.as_str();
        let target = self.kref_of(vat_id, message.target)?;
        if kref_kind(&target)? == Kind::Device {
            return Err(Illegal::WrongKind.into());
        }
        let to_promise = kref_kind(&target)? == Kind::Promise;
        let slots = self.slots_from_vat(vat_id, message.body, &message.slots)?;
        let result = match message.result {
            None => None,
            Some(vref) => Some(self.result_promise(vat_id, vref)?),
        };
        self.hold_message(&target, result.as_deref(), &slots)?;
        let event = message::event(&target, result.as_deref(), message.body, &slots);
        self.queue_message(vat_id, to_promise, event)?;
        Ok(SyscallReply::Done {})
    }

    /// The promise of a message's result, new or one that the vat decides. The right to settle it lies with the queued message now.
    fn result_promise(&mut self, vat_id: &str, vref: &str) -> Allowed<String> {
        let parsed = parse_vref(vref).filter(|parsed| parsed.kind == Kind::Promise);
        let parsed = parsed.ok_or(Illegal::WrongKind)?;
        if let Some(kpid) = self.find_kref(vat_id, vref, parsed)? {
            self.require_decider(vat_id, &kpid)?;
            self.set_decider(&kpid, None);
            return Ok(kpid);
        }
        Ok(self.export_promise(vat_id, vref, None)?)
    }

    fn require_decider(&mut self, vat_id: &str, kpid: &str) -> Allowed<()> {
        match self.standing(kpid)? {
            Standing::Settled { .. } => Err(Illegal::AlreadySettled.into()),
            Standing::Unresolved { decider } if decider.as_deref() == Some(vat_id) => Ok(()),
            Standing::Unresolved { .. } => Err(Illegal::NotDecider.into()),
        }
    }

    fn subscribe(&mut self, vat_id: &str, vref: &str) -> Allowed<()> {
        let (parsed, kpid) = self.known_kref(vat_id, vref)?;
        if parsed.kind != Kind::Promise {
            return Err(Illegal::WrongKind.into());
        }
        if self.is_settled(&kpid)? {
            self.queue_notify(vat_id, &kpid)?;
        } else {
            self.add_subscriber(&kpid, vat_id)?;
        }
        Ok(())
    }

    fn resolve(&mut self, vat_id: &str, resolutions: Vec<Resolution>) -> Allowed<()> {
        if resolutions.len() > limits::RESOLUTIONS_MAX {
            return Err(Illegal::TooManyResolutions.into());
        }
        let mut translated = Vec::with_capacity(resolutions.len());
        for Resolution {
            promise,
            rejected,
            data,
        } in resolutions
        {
            if parse_vref(&promise).is_none_or(|vref| vref.kind != Kind::Promise) {
                return Err(Illegal::WrongKind.into());
            }
            let kpid = self.kref_of(vat_id, &promise)?;
            self.require_decider(vat_id, &kpid)?;
            let data = self.data_from_vat(vat_id, data)?;
            if !rejected {
                refuse_lone_promise(&data)?;
            }
            translated.push((promise, kpid, rejected, data));
        }
        let several = translated.len() > 1;
        for (_, kpid, rejected, data) in &translated {
            // A promise named twice is settled by now.
            if several {
                self.require_decider(vat_id, kpid)?;
            }
            self.settle(kpid, *rejected, data, Some(vat_id))?;
        }
        for (vref, kpid, ..) in &translated {
            self.delete_promise_entry(vat_id, kpid, vref)?;
        }
        Ok(())
    }

    fn store_next_key(&mut self, vat_id: &str, prior: &str) -> Allowed<SyscallReply> {
        if prior.len() > limits::STORE_KEY_BYTES_MAX {
            return Err(Illegal::StoreKey.into());
        }
        let prefix = join([vat_id, ".vs."]);
        let next = self.store.next_key(&join([&prefix, prior]), &prefix)?;
        if self.store.scanned > limits::SCANNED_PER_CRANK_MAX {
            return Err(Illegal::TooMuchScanned.into());
        }
        let key = match next {
            None => None,
            Some(key) => Some(String::from(
                key.get(prefix.len()..).ok_or(Fault("a vatstore key is malformed"))?,
            )),
        };
        Ok(SyscallReply::Key { key })
    }
}

/// A promise is never fulfilled with a promise, maybe itself: messages would follow it for ever.
fn refuse_lone_promise(data: &CapData) -> Allowed<()> {
    match body::single_slot(data) {
        Some(slot) if kref_kind(slot)? == Kind::Promise => Err(Illegal::FulfilWithPromise.into()),
        _ => Ok(()),
    }
}

fn store_key(vat_id: &str, key: &str) -> Allowed<Path> {
    if key.is_empty() || key.len() > limits::STORE_KEY_BYTES_MAX {
        return Err(Illegal::StoreKey.into());
    }
    Ok(path([vat_id, ".vs.", key]))
}
