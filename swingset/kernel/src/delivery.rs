//! Delivery cranks: from the run queue into a vat, and the verdict.
//!
//! Verdict, in this order: illegal syscall, delivery error, meter used up, exit with failure → the crank is undone and the vat
//! terminated; exit without failure → terminated. "Undone" goes back to before the item was taken from its queue, so that the
//! item meets the dead vat next; for `startVat` it goes back to after it.

use alloc::string::String;

use swingset_abi::{
    kernel::CrankKind,
    vat::{DeliveryVerdict, SyscallReply, VatDelivery, VatStep},
    wire::Wire,
};

use crate::{
    crank::{Crank, Kernel},
    event::{self, Event},
    host::Host,
    keys::{self, join, path},
    routing::Route,
    store::{Fault, Kept},
    syscall::Session,
};

enum Verdict {
    Alive,
    Exited,
    Undone(String),
}

impl<H: Host> Kernel<'_, H> {
    /// One item of the run queue.
    pub fn run_crank(&mut self, item: &[u8], limit_default: u64) -> Kept<Crank> {
        match event::decode(item)? {
            Event::Send {
                target,
                result,
                methargs,
            } => match self.route(&target)? {
                Route::Deliver { vat_id, target: routed } => {
                    self.release_message(&target, result.as_deref(), &methargs)?;
                    let delivery = self.message_to_vat(&vat_id, &routed, result.as_deref(), methargs)?;
                    if let Some(kpid) = &result
                        && self.options(&vat_id)?.is_some_and(|options| options.pipelining)
                    {
                        self.requeue(kpid)?;
                    }
                    self.deliver(&vat_id, &delivery, limit_default)
                }
                Route::Wait { kpid } => {
                    self.wait(&target, kpid, alloc::vec::Vec::from(item))?;
                    Ok(Crank::empty(None))
                }
                Route::Splat { reason } => {
                    self.splat(&target, result.as_deref(), &methargs, &reason)?;
                    Ok(Crank::empty(None))
                }
            },
            Event::Notify { vat_id, kpid } => {
                self.let_go(&kpid)?;
                if self.options(&vat_id)?.is_none() {
                    return Ok(Crank::empty(Some(vat_id)));
                }
                match self.notify_to_vat(&vat_id, &kpid)? {
                    None => Ok(Crank::empty(Some(vat_id))),
                    Some(delivery) => self.deliver(&vat_id, &delivery, limit_default),
                }
            }
            Event::StartVat { vat_id } => self.start_vat(vat_id, limit_default),
        }
    }

    fn start_vat(&mut self, vat_id: String, limit_default: u64) -> Kept<Crank> {
        if self.options(&vat_id)?.is_none() {
            return Ok(Crank::empty(Some(vat_id)));
        }
        let key = path([&vat_id, ".vatParameters"]);
        let parameters = self.store.get(&key).ok_or(Fault("a vat to start has no parameters"))?;
        let parameters = Wire::from_bytes(parameters).map_err(|_| Fault("a vat's parameters are malformed"))?;
        self.store.delete(&key);
        let crank = self.deliver(&vat_id, &VatDelivery::StartVat { parameters }, limit_default)?;
        if crank.aborted {
            // A start is not tried again: what was undone ends after the dequeue.
            self.queue_pop(keys::RUN_QUEUE)?;
            self.store.delete(&key);
        }
        Ok(crank)
    }

    /// One vat of the reap queue.
    pub fn reap_crank(&mut self, item: alloc::vec::Vec<u8>, limit_default: u64) -> Kept<Crank> {
        let vat_id = String::from_utf8(item).map_err(|_| Fault("a reap queue item is malformed"))?;
        if self.options(&vat_id)?.is_none() {
            return Ok(Crank::empty(Some(vat_id)));
        }
        self.deliver(&vat_id, &VatDelivery::BringOutYourDead {}, limit_default)
    }

    /// Delivers to a living vat, executes its syscalls, and gives the verdict.
    pub fn deliver(&mut self, vat_id: &str, delivery: &VatDelivery, limit_default: u64) -> Kept<Crank> {
        let options = self
            .options(vat_id)?
            .ok_or(Fault("a delivery to a vat that does not live"))?;
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
        message.clear();
        delivery.encode(&mut message);
        self.store.host.deliver(vat_id, &message, limit, &mut step);
        let outcome = loop {
            let reply = match VatStep::from_bytes(&step) {
                Ok(VatStep::Done { outcome }) => break outcome,
                Ok(VatStep::Syscall { syscall }) => self.syscall(&mut session, syscall)?,
                Err(_) => return Err(Fault("the host gave a malformed vat step")),
            };
            step.clear();
            message.clear();
            reply.encode(&mut message);
            self.store.host.resume(&message, &mut step);
        };
        self.store.buffers.step = step;
        self.store.buffers.message = message;
        let verdict = match (session.illegal, outcome.verdict, session.exit_failure) {
            (Some(illegal), _, _) => Verdict::Undone(String::from(illegal.word())),
            (None, DeliveryVerdict::Error { problem }, _) => Verdict::Undone(join(["delivery error: ", &problem])),
            (None, DeliveryVerdict::MeterExhausted {}, _) => Verdict::Undone(String::from("meter exhausted")),
            (None, DeliveryVerdict::Ok {}, Some(true)) => Verdict::Undone(String::from("exit with failure")),
            (None, DeliveryVerdict::Ok {}, Some(false)) => Verdict::Exited,
            (None, DeliveryVerdict::Ok {}, None) => Verdict::Alive,
        };
        let mut crank = Crank::of(CrankKind::Delivery {}, Some(String::from(vat_id)));
        crank.computrons = outcome.computrons;
        match verdict {
            Verdict::Alive => self.count_delivery(vat_id, delivery, options.reap.deliveries.unwrap_or(0))?,
            Verdict::Exited => {
                self.terminate(vat_id, options.critical)?;
                crank.terminated = Some(String::from("exit"));
            }
            Verdict::Undone(reason) => {
                self.abort();
                self.terminate(vat_id, options.critical)?;
                crank.aborted = true;
                crank.terminated = Some(reason);
            }
        }
        Ok(crank)
    }

    /// Per-vat counts of deliveries: for reaping, and (schema 2) for all to see.
    fn count_delivery(&mut self, vat_id: &str, delivery: &VatDelivery, reap_interval: u64) -> Kept<()> {
        if cfg!(feature = "schema-2") {
            let key = path([vat_id, ".deliveries"]);
            let count = self
                .store
                .get_number(&key)?
                .ok_or(Fault("a vat has no count of deliveries"))?;
            self.store.set_number(&key, count + 1);
        }
        if reap_interval == 0 || *delivery == (VatDelivery::BringOutYourDead {}) {
            return Ok(());
        }
        let key = path([vat_id, ".reapDirt"]);
        let dirt = self.store.get_number(&key)?.unwrap_or(0) + 1;
        if dirt < reap_interval {
            self.store.set_number(&key, dirt);
            return Ok(());
        }
        self.store.set_number(&key, 0);
        self.queue_push(keys::REAP_QUEUE, alloc::vec::Vec::from(vat_id.as_bytes()))
    }

    /// Ends a vat at once in state; what it leaves behind goes in cleanup cranks.
    pub fn terminate(&mut self, vat_id: &str, critical: bool) -> Kept<()> {
        self.store.host.abandon_vat(vat_id);
        self.store.delete(path([vat_id, ".options"]));
        let mut waiting = self.list(keys::VATS_TERMINATED)?;
        waiting.push(String::from(vat_id));
        self.set_list(keys::VATS_TERMINATED, &waiting);
        if critical {
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
