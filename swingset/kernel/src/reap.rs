//! When vats are told `bringOutYourDead`: each gathers dirt, and is queued when it has enough of one kind.
//!
//! A vat is in the reap queue once at most (`v$N.reapQueued` is there while it is).

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    kernel::{ReapThreshold, VatOptions},
    vat::VatDelivery,
};

use crate::{
    crank::{Crank, Kernel},
    host::Host,
    keys::{self, path},
    queue::Queue,
    store::{Fault, Kept, Numbers, parse_numbers},
};

/// The default of a new kernel, as SwingSet's.
pub const DEFAULT: ReapThreshold = ReapThreshold {
    deliveries: Some(1_000),
    gc_krefs: Some(20),
    computrons: Some(0),
};

/// What replaces what: a threshold of `over` goes before the one of `under`.
pub fn merged(over: &ReapThreshold, under: &ReapThreshold) -> ReapThreshold {
    ReapThreshold {
        deliveries: over.deliveries.or(under.deliveries),
        gc_krefs: over.gc_krefs.or(under.gc_krefs),
        computrons: over.computrons.or(under.computrons),
    }
}

/// References that a delivery tells a vat to forget; none for `bringOutYourDead`, which is no dirt at all.
pub fn krefs(delivery: &VatDelivery) -> Option<u64> {
    match delivery {
        VatDelivery::DropExports { vrefs }
        | VatDelivery::RetireExports { vrefs }
        | VatDelivery::RetireImports { vrefs } => Some(vrefs.len() as u64),
        VatDelivery::BringOutYourDead {} => None,
        _ => Some(0),
    }
}

impl<H: Host> Kernel<'_, H> {
    /// Counts a delivery's dirt ([`krefs`]); queues the vat when it has enough.
    pub fn count_dirt(
        &mut self,
        vat_id: &str,
        options: &VatOptions,
        krefs: Option<u64>,
        computrons: u64,
    ) -> Kept<()> {
        let Some(krefs) = krefs else { return Ok(()) };
        let own = &options.reap;
        let complete = own.deliveries.is_some() && own.gc_krefs.is_some() && own.computrons.is_some();
        let threshold = if options.raw || complete {
            own.clone()
        } else {
            merged(own, &self.reap_default()?)
        };
        let limits = [threshold.deliveries, threshold.gc_krefs, threshold.computrons].map(|limit| limit.unwrap_or(0));
        if limits == [0; 3] {
            return Ok(());
        }
        let more = [1, krefs, computrons];
        let reached = self.store.update(path([vat_id, ".reapDirt"]), |old| {
            let mut dirt = match old {
                None => [0u64; 3],
                Some(text) => parse_numbers(text).ok_or(Fault("a vat's dirt is malformed"))?,
            };
            let mut reached = false;
            for ((kind, more), limit) in dirt.iter_mut().zip(more).zip(limits) {
                *kind = kind.saturating_add(more);
                reached |= limit > 0 && *kind >= limit;
            }
            Ok((reached, Numbers::of(dirt)))
        })?;
        if reached {
            return self.reap(vat_id);
        }
        Ok(())
    }

    /// Puts a vat on the reap queue, unless it is there; its dirt is counted from nothing again.
    pub fn reap(&mut self, vat_id: &str) -> Kept<()> {
        self.store.delete_if_there(path([vat_id, ".reapDirt"]));
        let queued = path([vat_id, ".reapQueued"]);
        if self.store.has(&queued) {
            return Ok(());
        }
        self.store.set_text(&queued, "1");
        self.queue_push(Queue::Reap, Vec::from(vat_id.as_bytes()))
    }

    /// One vat of the reap queue.
    pub fn reap_crank(&mut self, item: Vec<u8>, limit_default: u64) -> Kept<Crank> {
        let vat_id = String::from_utf8(item).map_err(|_| Fault("a reap queue item is malformed"))?;
        self.store.delete_if_there(path([&vat_id, ".reapQueued"]));
        if !self.lives(&vat_id) {
            return Ok(Crank::empty(Some(vat_id)));
        }
        self.deliver(&vat_id, &VatDelivery::BringOutYourDead {}, limit_default)
    }

    /// Every living vat is due.
    pub fn reap_all(&mut self) -> Kept<()> {
        let end = self
            .store
            .get_number(keys::VAT_NEXT_ID)?
            .ok_or(Fault("an ID counter is missing"))?;
        for number in 1..end {
            let vat_id = keys::numbered("v", number);
            if self.lives(&vat_id) {
                self.reap(&vat_id)?;
            }
        }
        Ok(())
    }
}
