//! The vats of a controller: which have instances now, what they did since their pages were stored, and what a crank did to them.
//!
//! A vat's memory is not copied at each delivery. Instead the host remembers the deliveries that it ran since its pages were stored
//! and the answers that it got; when a crank is undone and the vat lives on, it is made again from its pages and does the earlier
//! deliveries once more, which gives the same memory since guests are deterministic (their costs are compared).
//!
//! # Invariants
//! - Between public calls the environment holds all state: every vat with a record is stored by [`Vats::flush`].
//! - A crank that is undone leaves every vat as it was before it (held by `tests::it::rollback`).
//! - At most one vat is suspended.

mod crank;
mod live;
mod make;
mod memory;

use std::{collections::BTreeMap, sync::Arc};

use swingset_abi::{
    vat::{DeliveryOutcome, DeliveryVerdict, VatStep},
    wire::Wire,
};

use crate::{
    bundle::LockdownPolicy,
    engine::EngineRuntime,
    env::Environment,
    error::Halt,
    kernel::{KernelFault, KvStore},
    schedule::SCHEDULE,
    watch::{DeliveryBegins, Watchers},
    worker::{Event, Order},
};
use live::{Delivery, Live};

/// Instances kept alive when no other number is set.
pub const LIVE_VATS_DEFAULT: usize = 50;

/// What this crank did to a vat.
#[derive(Default)]
struct Touched {
    /// Remembered deliveries at the crank's start.
    remembered: usize,
    delivered: bool,
    failed: bool,
    abandoned: bool,
    /// It is made anew in this crank. What it was made of before is kept here, if it was live.
    replaced: Option<Option<Box<Live>>>,
}

/// The vats.
#[derive(Default)]
pub(crate) struct Vats {
    live: BTreeMap<String, Live>,
    live_max: usize,
    height: u64,
    tick: u64,
    /// The vats that this crank touched: one or two.
    crank: Vec<(String, Touched)>,
    suspended: Option<String>,
    /// A vat that the kernel asked for and that can have no instance, with the reason in a fixed word.
    unusable: Option<(String, &'static str)>,
    policies: BTreeMap<String, Arc<LockdownPolicy>>,
    /// Who looks on.
    pub(crate) watchers: Watchers,
}

fn kernel(word: &'static str) -> KernelFault {
    KernelFault::Kernel(word)
}

/// What this crank did to a vat so far; `remembered` are its deliveries at the crank's start.
fn touched<'a>(crank: &'a mut Vec<(String, Touched)>, vat: &str, remembered: usize) -> &'a mut Touched {
    let at = crank.iter().position(|(touched, _)| touched == vat).unwrap_or_else(|| {
        crank.push((vat.to_owned(), Touched { remembered, ..Touched::default() }));
        crank.len() - 1
    });
    &mut crank[at].1
}

impl Vats {
    /// None is alive; at most so many will be between two cranks.
    pub(crate) fn new(live_max: usize) -> Self {
        Vats { live_max, ..Vats::default() }
    }

    /// Sets the height of the block that begins.
    pub(crate) fn begin_block(&mut self, height: u64) {
        self.height = height;
    }

    /// Starts a delivery. Gives an encoded `VatStep`; none when the vat must be prepared first ([`Vats::prepare`]).
    pub(crate) fn deliver(&mut self, vat: &str, delivery: &[u8], limit: u64) -> Result<Option<Vec<u8>>, KernelFault> {
        if self.suspended.is_some() {
            return Err(kernel("delivery while another vat is suspended"));
        }
        if !is_vat_id(vat) {
            return Err(kernel("delivery to what is no vat"));
        }
        let live = self.live.get_mut(vat);
        let remembered = live.as_ref().map_or(0, |live| live.remembered.len());
        let touched = touched(&mut self.crank, vat, remembered);
        if touched.abandoned || touched.failed {
            return Err(kernel("delivery to a vat whose delivery failed in this crank"));
        }
        touched.delivered = true;
        if let Some((_, word)) = self.unusable.take_if(|(unusable, _)| unusable == vat) {
            return Ok(Some(self.refuse(vat, word, limit)));
        }
        let Some(live) = live.filter(|live| live.worker.is_some()) else {
            return Ok(None);
        };
        self.tick = self.tick.saturating_add(1);
        live.last_used = self.tick;
        let fuel = SCHEDULE.fuel(limit.min(live.policy.crank_computrons_max));
        let used = live.block_charge(self.height);
        let delivery: Arc<[u8]> = Arc::from(delivery);
        self.watchers.delivery_begins(&DeliveryBegins {
            vat,
            delivery: &delivery,
            fuel,
            used,
            previous_height: live.previous_height(self.height),
            source: &live.source,
            raw: live.supervisor.is_none(),
        });
        live.pending = Some(Delivery { delivery: delivery.clone(), fuel, used, replies: Vec::new(), computrons: 0 });
        let event = live.order(Order::Deliver { delivery, fuel, used })?;
        self.after(vat, event).map(Some)
    }

    /// Makes sure that a vat has an instance, or remembers for the next delivery why it can have none.
    pub(crate) fn prepare(
        &mut self,
        env: &dyn Environment,
        runtime: &Arc<EngineRuntime>,
        kv: &mut KvStore,
        vat: &str,
    ) -> Result<(), KernelFault> {
        if !self.live.contains_key(vat) {
            let anew = self.crank.iter().any(|(touched, what)| touched == vat && what.replaced.is_some());
            match self.make(env, runtime, kv, vat)? {
                Ok(live) => self.live.insert(vat.to_owned(), Live { anew, ..live }),
                Err(word) => {
                    self.unusable = Some((vat.to_owned(), word));
                    return Ok(());
                }
            };
        }
        let live = self.live.get_mut(vat).ok_or_else(|| Halt::new("a live vat is gone"))?;
        if let Err(word) = live.wake(env, runtime, vat)? {
            self.unusable = Some((vat.to_owned(), word));
        }
        Ok(())
    }

    /// Answers the suspended vat. Gives an encoded `VatStep`.
    pub(crate) fn resume(&mut self, reply: &[u8]) -> Result<Vec<u8>, KernelFault> {
        let Some(vat) = self.suspended.take() else {
            return Err(kernel("answer with no vat suspended"));
        };
        let Some(live) = self.live.get_mut(&vat) else {
            return Err(Halt::new("a suspended vat is gone").into());
        };
        let reply: Arc<[u8]> = Arc::from(reply);
        self.watchers.syscall_answered(&vat, &reply);
        if let Some(pending) = &mut live.pending {
            pending.replies.push(reply.clone());
        }
        let event = live.order(Order::Reply(reply))?;
        self.after(&vat, event)
    }

    /// A delivery that could not even begin.
    fn refuse(&mut self, vat: &str, word: &'static str, limit: u64) -> Vec<u8> {
        self.fail(vat);
        let verdict = DeliveryVerdict::Error { problem: word.to_owned() };
        VatStep::Done { outcome: DeliveryOutcome { verdict, computrons: limit } }.to_bytes()
    }

    fn fail(&mut self, vat: &str) {
        if let Some((_, touched)) = self.crank.iter_mut().find(|(touched, _)| touched == vat) {
            touched.failed = true;
        }
        if let Some(live) = self.live.get_mut(vat) {
            live.drop_worker();
        }
    }

    fn after(&mut self, vat: &str, event: Event) -> Result<Vec<u8>, KernelFault> {
        match event {
            Event::Syscall(step) => {
                self.watchers.syscall(vat, &step);
                self.suspended = Some(vat.to_owned());
                Ok(step)
            }
            Event::Done { outcome, memory_bytes } => {
                self.watchers.delivery_ends(vat, &outcome);
                if outcome.verdict == (DeliveryVerdict::Ok {}) {
                    if let Some(live) = self.live.get_mut(vat) {
                        live.memory_bytes = memory_bytes;
                        live.remember(outcome.computrons);
                    }
                } else {
                    self.fail(vat);
                }
                Ok(VatStep::Done { outcome }.to_bytes())
            }
            Event::Ready { .. } | Event::Unusable(_) | Event::Captured(_) | Event::Halt(_) => {
                Err(Halt::new("a vat's worker answered something else than it was asked").into())
            }
        }
    }

    /// Forgets all instances, and what they did since it was stored.
    pub(crate) fn discard(&mut self) {
        self.live.clear();
        self.policies.clear();
        self.crank.clear();
        self.suspended = None;
        self.unusable = None;
    }
}

/// `v` and a number without leading zeros.
fn is_vat_id(text: &str) -> bool {
    text.strip_prefix('v').is_some_and(|digits| {
        (1..=18).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}
