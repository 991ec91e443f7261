//! Delivery cranks: from the run queue into a vat, and the verdict.
//!
//! Verdict, in this order: illegal syscall, delivery error, limit used up, meter underflow, exit with failure → the crank is undone
//! and the vat terminated; exit without failure → terminated. "Undone" goes back to before the item was taken from its queue, so
//! that the item meets the dead vat next; for `startVat`, create-vat and upgrade-vat it goes back to after it.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    kernel::{CrankKind, VatOptions},
    vat::{CapData, DeliveryVerdict, SyscallReply, VatDelivery, VatStep},
    wire::Wire,
};

use crate::{
    body,
    crank::{Crank, Kernel},
    event::{self, Event},
    host::Host,
    keys::{join, path},
    message::Message,
    queue::Queue,
    reap,
    routing::Route,
    store::{Fault, Kept},
    syscall::Session,
};

/// What a delivery came to.
pub enum Verdict {
    /// The vat lives on.
    Alive,
    /// It ended itself, with these last words.
    Exited(CapData),
    /// The crank is to be undone: the word for reports, and its own last words if it had any.
    Undone(String, Option<CapData>),
}

/// A delivery that ran; nothing was concluded from it yet.
pub struct Ran {
    /// How it ended.
    pub verdict: Verdict,
    /// What it cost.
    pub computrons: u64,
}

impl<H: Host> Kernel<'_, H> {
    /// One item of the run queue.
    pub fn run_crank(&mut self, item: &[u8], limit_default: u64) -> Kept<Crank> {
        if let Some(message) = event::message(item)? {
            return self.run_message(&message, item, limit_default);
        }
        match event::decode(item)? {
            Event::Send { .. } | Event::Requeue { .. } | Event::NotifyAll { .. } => Err(event::MALFORMED),
            Event::Notify { vat_id, kpid } => {
                self.let_go(&kpid)?;
                if !self.lives(&vat_id) {
                    return Ok(Crank::empty(Some(vat_id)));
                }
                match self.notify_to_vat(&vat_id, &kpid)? {
                    None => Ok(Crank::empty(Some(vat_id))),
                    Some(delivery) => self.deliver(&vat_id, &delivery, limit_default),
                }
            }
            Event::StartVat { vat_id } => self.start_vat(vat_id, limit_default),
            Event::CreateVat { creation } => self.create_vat(creation, limit_default),
            Event::UpgradeVat { upgrade } => self.upgrade_vat(upgrade, limit_default),
            Event::ChangeVatOptions {
                vat_id,
                reap,
                options,
                stored_bytes_max,
            } => {
                let Some(mut changed) = self.options(&vat_id)? else {
                    return Ok(Crank::empty(Some(vat_id)));
                };
                changed.reap = reap::merged(&reap, &changed.reap);
                if let Some(bytes) = stored_bytes_max {
                    changed.stored_bytes_max = bytes;
                    self.change_stored_max(&vat_id, &changed)?;
                }
                self.set_options(&vat_id, &changed);
                self.deliver(&vat_id, &VatDelivery::ChangeVatOptions { options }, limit_default)
            }
        }
    }

    fn run_message(&mut self, message: &Message<'_>, item: &[u8], limit_default: u64) -> Kept<Crank> {
        let Message {
            target, result, body, ..
        } = *message;
        match self.route(target)? {
            Route::Deliver { vat_id, target: routed } => {
                self.refund_message(item)?;
                self.release_message(target, result, &message.slots)?;
                let bytes = self.message_to_vat(&vat_id, &routed, result, body, &message.slots)?;
                if self.is_overfull(&vat_id) {
                    return self.turn_away(item, &vat_id);
                }
                if let Some(kpid) = result
                    && self.pipelines(&vat_id)?
                {
                    self.requeue(kpid)?;
                }
                self.deliver_bytes(&vat_id, &bytes, Some(0), limit_default)
            }
            Route::Kernel { target: object } => {
                self.refund_message(item)?;
                self.kernel_message(target, &object, result, &message.methargs())?;
                Ok(Crank::empty(None))
            }
            Route::Wait { kpid } => {
                self.wait(target, kpid, Vec::from(item))?;
                Ok(Crank::empty(None))
            }
            Route::Splat { reason } => {
                self.refund_message(item)?;
                self.splat(target, result, &message.slots, &reason)?;
                Ok(Crank::empty(None))
            }
        }
    }

    fn start_vat(&mut self, vat_id: String, limit_default: u64) -> Kept<Crank> {
        if !self.lives(&vat_id) {
            return Ok(Crank::empty(Some(vat_id)));
        }
        let key = path([&vat_id, ".vatParameters"]);
        let parameters = self.store.get(&key).ok_or(Fault("a vat to start has no parameters"))?;
        let parameters = Wire::from_bytes(parameters).map_err(|_| Fault("a vat's parameters are malformed"))?;
        self.store.delete(&key);
        let crank = self.deliver(&vat_id, &VatDelivery::StartVat { parameters }, limit_default)?;
        if crank.aborted {
            // A start is not tried again: what was undone ends after the dequeue.
            self.queue_pop(Queue::Run)?;
            self.store.delete(&key);
        }
        Ok(crank)
    }

    /// Delivers to a living vat, executes its syscalls, and gives the verdict.
    pub fn deliver(&mut self, vat_id: &str, delivery: &VatDelivery, limit_default: u64) -> Kept<Crank> {
        self.deliver_bytes(vat_id, &delivery.to_bytes(), reap::krefs(delivery), limit_default)
    }

    /// The same in wire form, with how much dirt it is: see [`reap::krefs`].
    fn deliver_bytes(&mut self, vat_id: &str, delivery: &[u8], krefs: Option<u64>, limit_default: u64) -> Kept<Crank> {
        let options = self
            .options(vat_id)?
            .ok_or(Fault("a delivery to a vat that does not live"))?;
        let ran = self.run_delivery(vat_id, &options, delivery, limit_default)?;
        let mut crank = Crank::of(CrankKind::Delivery {}, Some(String::from(vat_id)));
        crank.computrons = ran.computrons;
        match ran.verdict {
            Verdict::Alive => {
                self.charge_meter(&options, ran.computrons)?;
                self.count_delivery(vat_id)?;
                self.count_dirt(vat_id, &options, krefs, ran.computrons)?;
            }
            Verdict::Exited(info) => {
                self.charge_meter(&options, ran.computrons)?;
                self.terminate(vat_id, &options, false, &info)?;
                crank.terminated = Some(String::from("exit"));
            }
            Verdict::Undone(reason, info) => {
                self.abort();
                self.charge_meter(&options, ran.computrons)?;
                let info = self.last_words(&reason, info)?;
                self.terminate(vat_id, &options, true, &info)?;
                crank.aborted = true;
                crank.terminated = Some(reason);
            }
        }
        Ok(crank)
    }

    /// A delivery in wire form, with its syscalls executed, and nothing concluded from it.
    pub fn run_delivery(
        &mut self,
        vat_id: &str,
        options: &VatOptions,
        delivery: &[u8],
        limit_default: u64,
    ) -> Kept<Ran> {
        let limit = if options.crank_limit == 0 {
            limit_default
        } else {
            options.crank_limit
        };
        self.store.scanned = 0;
        let mut session = Session::new(vat_id);
        let mut step = core::mem::take(&mut self.store.buffers.step);
        let mut message = core::mem::take(&mut self.store.buffers.message);
        step.clear();
        self.store.host.deliver(vat_id, delivery, limit, &mut step);
        let outcome = loop {
            let malformed = |_| Fault("the host gave a malformed vat step");
            let reply = match Message::sent(&step).map_err(malformed)? {
                Some(message) => self.send_syscall(&mut session, &message)?,
                None => match VatStep::from_bytes(&step).map_err(malformed)? {
                    VatStep::Done { outcome } => break outcome,
                    VatStep::Syscall { syscall } => self.syscall(&mut session, syscall)?,
                },
            };
            step.clear();
            message.clear();
            reply.encode(&mut message);
            self.store.host.resume(&message, &mut step);
        };
        self.store.buffers.step = step;
        self.store.buffers.message = message;
        let computrons = outcome.computrons;
        let undone = |word: &str| Verdict::Undone(String::from(word), None);
        let verdict = match (session.illegal, outcome.verdict, session.exit) {
            (Some(illegal), _, _) => undone(illegal.word()),
            (None, DeliveryVerdict::Error { problem }, _) => undone(&join(["delivery error: ", &problem])),
            (None, DeliveryVerdict::MeterExhausted {}, _) => undone("meter exhausted"),
            (None, DeliveryVerdict::Ok {}, _) if self.underflows(options, computrons)? => undone("meter underflow"),
            (None, DeliveryVerdict::Ok {}, Some((true, info))) => {
                Verdict::Undone(String::from("exit with failure"), Some(info))
            }
            (None, DeliveryVerdict::Ok {}, Some((false, info))) => Verdict::Exited(info),
            (None, DeliveryVerdict::Ok {}, None) => Verdict::Alive,
        };
        Ok(Ran { verdict, computrons })
    }

    /// What is said of a vat whose crank was undone: its own words, unless they name what was undone with it.
    fn last_words(&mut self, reason: &str, info: Option<CapData>) -> Kept<CapData> {
        let Some(info) = info else {
            return Ok(body::error(reason));
        };
        for slot in &info.slots {
            if !self.exists(slot)? {
                return Ok(body::error(reason));
            }
        }
        Ok(info)
    }

    /// Counts of deliveries by vat, for all to see (schema 2).
    pub fn count_delivery(&mut self, vat_id: &str) -> Kept<()> {
        if cfg!(feature = "schema-2") {
            let missing = Fault("a vat has no count of deliveries");
            let key = path([vat_id, ".deliveries"]);
            self.store.update_number(key, missing, |count| Ok(count + 1))?;
        }
        Ok(())
    }

    /// Ends a vat at once in state; what it leaves behind goes in cleanup cranks. Whoever waits for its end is told `info`.
    pub fn terminate(&mut self, vat_id: &str, options: &VatOptions, failed: bool, info: &CapData) -> Kept<()> {
        self.store.host.abandon_vat(vat_id);
        self.delete_options(vat_id);
        self.forget_stored(vat_id);
        self.add_terminated(vat_id)?;
        self.forget_dynamic(vat_id)?;
        self.tell_of_end(vat_id, failed, info)?;
        self.stop_metering(options)?;
        if options.critical {
            self.panic = Some(join(["critical vat ", vat_id, " died"]));
        }
        Ok(())
    }
}

/// What a vat is answered once it has made an illegal syscall: nothing is executed any more.
pub fn refusal(word: &str) -> SyscallReply {
    SyscallReply::Error {
        problem: String::from(word),
    }
}
