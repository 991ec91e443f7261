//! One vat that has an instance, or that ran since its pages were stored.

use std::sync::Arc;

use swingset_abi::{kernel::VatSource, vat::DeliveryVerdict};

use crate::{
    bundle::LockdownPolicy,
    engine::{EngineRuntime, PreparedModule},
    env::Environment,
    error::Halt,
    pages::{self, Leaf, PAGE_BYTES},
    schedule::SCHEDULE,
    worker::{Event, Order, VatLimits, VatParts, Worker},
};

/// A delivery that ended well: all that its vat learned from outside.
#[derive(Debug)]
pub(super) struct Delivery {
    pub delivery: Arc<[u8]>,
    pub fuel: u64,
    pub used: u64,
    pub replies: Vec<Arc<[u8]>>,
    pub computrons: u64,
}

/// One vat.
pub(super) struct Live {
    pub worker: Option<Worker>,
    pub vat: Arc<PreparedModule>,
    pub supervisor: Option<Arc<PreparedModule>>,
    pub policy: Arc<LockdownPolicy>,
    /// The bundles that it is made from.
    pub source: VatSource,
    /// Its leaf in state, none before it was stored for the first time.
    pub leaf: Option<Leaf>,
    /// Deliveries since its pages were stored.
    pub remembered: Vec<Delivery>,
    pub remembered_bytes: usize,
    /// The delivery under way.
    pub pending: Option<Delivery>,
    pub memory_bytes: u64,
    pub last_used: u64,
    /// This crank makes it anew: what is stored is of the incarnation before.
    pub anew: bool,
}

impl Live {
    /// Gives the worker an order.
    pub(super) fn order(&mut self, order: Order) -> Result<Event, Halt> {
        self.worker.as_mut().ok_or_else(|| Halt::new("order to a vat with no instance"))?.order(order)
    }

    pub(super) fn drop_worker(&mut self) {
        self.worker = None;
        self.pending = None;
    }

    /// Fuel for the vat's whole memory, at its first delivery of the block.
    pub(super) fn block_charge(&self, height: u64) -> u64 {
        let charged = !self.remembered.is_empty() || self.leaf.as_ref().is_some_and(|leaf| leaf.height == height);
        if charged { 0 } else { (self.memory_bytes / PAGE_BYTES as u64).saturating_mul(SCHEDULE.page_touched) }
    }

    /// Height of the block of the delivery before the next one; none when the next is the first of this incarnation.
    pub(super) fn previous_height(&self, height: u64) -> Option<u64> {
        if self.remembered.is_empty() { self.leaf.as_ref().map(|leaf| leaf.height) } else { Some(height) }
    }

    /// Takes the delivery under way among those remembered.
    pub(super) fn remember(&mut self, computrons: u64) {
        if let Some(mut delivery) = self.pending.take() {
            delivery.computrons = computrons;
            self.remembered_bytes = self.remembered_bytes.saturating_add(delivery.bytes());
            self.remembered.push(delivery);
        }
    }

    /// Forgets the deliveries from `count` on.
    pub(super) fn forget_since(&mut self, count: usize) {
        for delivery in self.remembered.drain(count.min(self.remembered.len())..) {
            self.remembered_bytes = self.remembered_bytes.saturating_sub(delivery.bytes());
        }
    }

    /// Makes sure that there is an instance: from the stored pages and the deliveries since. The inner error is the guest's fault in
    /// a fixed word, and possible only for a vat that never ran.
    pub(super) fn wake(
        &mut self,
        env: &dyn Environment,
        runtime: &Arc<EngineRuntime>,
        vat: &str,
    ) -> Result<Result<(), &'static str>, Halt> {
        if self.worker.is_some() {
            return Ok(Ok(()));
        }
        let stored = if self.anew { None } else { pages::load(env, vat)? };
        let (leaf, restore) = stored.map_or((None, None), |(leaf, restore)| (Some(leaf), Some(restore)));
        let fresh = leaf.is_none() && self.remembered.is_empty();
        let parts = VatParts {
            runtime: runtime.clone(),
            vat: self.vat.clone(),
            supervisor: self.supervisor.clone(),
            limits: VatLimits::of(&self.policy),
        };
        let (mut worker, event) = Worker::start(parts, restore)?;
        match event {
            Event::Ready { memory_bytes } => self.memory_bytes = memory_bytes,
            Event::Unusable(word) if fresh => return Ok(Err(word)),
            _ => return Err(Halt::new(format!("vat {vat} ran before and cannot be made again"))),
        }
        for delivery in &self.remembered {
            self.memory_bytes = repeat(&mut worker, vat, delivery)?;
        }
        self.leaf = leaf;
        self.worker = Some(worker);
        Ok(Ok(()))
    }
}

/// Does a remembered delivery once more; gives the bytes of memory after it.
fn repeat(worker: &mut Worker, vat: &str, delivery: &Delivery) -> Result<u64, Halt> {
    let differs = || Halt::new(format!("vat {vat} did not do a remembered delivery as before"));
    let mut replies = delivery.replies.iter();
    let mut order = Order::Deliver { delivery: delivery.delivery.clone(), fuel: delivery.fuel, used: delivery.used };
    loop {
        match worker.order(order)? {
            Event::Syscall(_) => order = Order::Reply(replies.next().ok_or_else(differs)?.clone()),
            Event::Done { outcome, memory_bytes } => {
                let same = outcome.verdict == (DeliveryVerdict::Ok {}) && outcome.computrons == delivery.computrons;
                return if same && replies.next().is_none() { Ok(memory_bytes) } else { Err(differs()) };
            }
            _ => return Err(differs()),
        }
    }
}

impl Delivery {
    fn bytes(&self) -> usize {
        let replies = self.replies.iter().map(|reply| reply.len()).fold(0, usize::saturating_add);
        self.delivery.len().saturating_add(replies).saturating_add(128)
    }
}
