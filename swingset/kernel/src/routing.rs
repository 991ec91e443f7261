//! Routing: from the acceptance queue to the run queue or a promise's queue, and where a message goes at its delivery.

use alloc::{string::String, vec::Vec};

use swingset_abi::vat::CapData;

use crate::{
    backlog::rewrapped,
    body,
    crank::Kernel,
    event,
    host::Host,
    keys::path,
    message::{self, Message},
    promise::Standing,
    queue::Queue,
    refs::{Kind, kref_kind},
    store::Kept,
    waiting::stands_for_others,
};

/// Where a message for a target goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To this vat, under this target: an object that it exports, or a promise that it decides.
    Deliver { vat_id: String, target: String },
    /// To the kernel itself: an object of vat administration.
    Kernel { target: String },
    /// Behind this unresolved promise.
    Wait { kpid: String },
    /// Nowhere: its result is rejected with this.
    Splat { reason: CapData },
}

impl<H: Host> Kernel<'_, H> {
    /// SwingSet: routeSendEvent.
    pub fn route(&mut self, first_target: &str) -> Kept<Route> {
        let mut target = String::from(first_target);
        loop {
            match kref_kind(&target)? {
                Kind::Device => {
                    return Ok(Route::Splat {
                        reason: body::error(body::NOT_CALLABLE),
                    });
                }
                Kind::Object => return self.route_to_object(target),
                Kind::Promise => match self.standing(&target)? {
                    Standing::Unresolved { decider } => {
                        if let Some(vat_id) = decider
                            && self.pipelines(&vat_id)?
                        {
                            return Ok(Route::Deliver { vat_id, target });
                        }
                        return Ok(Route::Wait { kpid: target });
                    }
                    Standing::Settled { rejected: true, data } => {
                        return Ok(Route::Splat {
                            reason: body::short(data, body::REASON_TOO_LONG),
                        });
                    }
                    Standing::Settled { rejected: false, data } => match body::single_slot(&data) {
                        Some(slot) => target = String::from(slot),
                        None => {
                            return Ok(Route::Splat {
                                reason: body::error(body::NOT_CALLABLE),
                            });
                        }
                    },
                },
            }
        }
    }

    fn route_to_object(&mut self, target: String) -> Kept<Route> {
        if let Some(owner) = self.store.get_text(path([&target, ".owner"]))? {
            if owner == crate::objects::OWNER {
                return Ok(Route::Kernel { target });
            }
            let vat_id = String::from(owner);
            if self.lives(&vat_id) {
                return Ok(Route::Deliver { vat_id, target });
            }
        }
        Ok(Route::Splat {
            reason: body::error(body::VAT_TERMINATED),
        })
    }

    /// A routing crank's work: one event out of the acceptance queue.
    pub fn route_event(&mut self, item: Vec<u8>) -> Kept<()> {
        let Some(target) = event::send_target(&item) else {
            return if stands_for_others(&item) {
                self.route_next(&item)
            } else {
                self.queue_push(Queue::Run, item)
            };
        };
        let target = String::from(target);
        match self.route(&target)? {
            Route::Deliver { target: routed, .. } | Route::Kernel { target: routed } if routed == target => {
                self.queue_push(Queue::Run, item)
            }
            Route::Deliver { target: routed, .. } | Route::Kernel { target: routed } => {
                self.hold(&routed)?;
                self.let_go(&target)?;
                let item = retargeted(&item, &routed)?;
                self.queue_push(Queue::Run, item)
            }
            Route::Wait { kpid } => self.wait(&target, kpid, item),
            Route::Splat { reason } => {
                let message = event::expect_message(&item)?;
                self.refund_message(&item)?;
                self.splat(message.target, message.result, &message.slots, &reason)
            }
        }
    }

    /// Puts a message behind a promise, which may be another one than it was sent to.
    pub fn wait(&mut self, target: &str, kpid: String, item: Vec<u8>) -> Kept<()> {
        let item = if kpid == target {
            item
        } else {
            self.hold(&kpid)?;
            self.let_go(target)?;
            retargeted(&item, &kpid)?
        };
        if self.queue_on_promise(&kpid, &item)? {
            return Ok(());
        }
        let message = event::expect_message(&item)?;
        self.refund_message(&item)?;
        self.splat(&kpid, message.result, &message.slots, &body::error(body::PROMISE_QUEUE_FULL))
    }

    /// Gives up a message: its result is rejected, its references are given back.
    pub fn splat(&mut self, target: &str, result: Option<&str>, slots: &[&str], reason: &CapData) -> Kept<()> {
        if let Some(kpid) = result {
            self.settle(kpid, true, reason, None)?;
        }
        self.release_message(target, result, slots)
    }

    /// Gives back the references that a queued message held.
    pub fn release_message(&mut self, target: &str, result: Option<&str>, slots: &[impl AsRef<str>]) -> Kept<()> {
        self.let_go(target)?;
        if let Some(kpid) = result {
            self.let_go(kpid)?;
        }
        for slot in slots {
            self.let_go(slot.as_ref())?;
        }
        Ok(())
    }
}

/// A queued message, for another target and under the same charge.
fn retargeted(item: &[u8], target: &str) -> Kept<Vec<u8>> {
    let Message {
        result, body, slots, ..
    } = event::expect_message(item)?;
    rewrapped(item, &message::event(target, result, body, &slots))
}
