//! One crank: which work comes first, and what every crank ends with.

use alloc::{collections::BTreeSet, string::String};

use swingset_abi::kernel::{CrankKind, CrankReport};

use crate::{
    host::Host,
    keys::{self, join},
    limits,
    queue::Queue,
    store::{Buffers, Fault, Kept, Numbers, Often, Store},
    stored::Tallies,
};

/// The kernel during one command.
pub struct Kernel<'h, H: Host> {
    /// The kvStore.
    pub store: Store<'h, H>,
    /// Krefs whose count fell to zero in this crank.
    pub maybe_free: BTreeSet<String>,
    /// GC actions added and not yet counted in state.
    pub gc_actions_added: u64,
    /// Why the engine must stop, if it must.
    pub panic: Option<String>,
    /// The present block's time, in seconds.
    pub now: u64,
    /// Calls of the host's bridges in this crank.
    pub bridge_calls: u64,
    /// References given back at the crank's end because what held them was deleted.
    pub freed: u64,
    /// Stored bytes of the vats whose state changed its size in this crank.
    pub tallies: Tallies,
}

/// What a crank did.
pub struct Crank {
    pub kind: CrankKind,
    pub vat_id: Option<String>,
    pub computrons: u64,
    pub aborted: bool,
    pub terminated: Option<String>,
    pub vats_created: u32,
    pub cleaned: u64,
}

impl Crank {
    /// A crank of this kind that cost nothing in a vat.
    pub fn of(kind: CrankKind, vat_id: Option<String>) -> Crank {
        Crank {
            kind,
            vat_id,
            computrons: 0,
            aborted: false,
            terminated: None,
            vats_created: 0,
            cleaned: 0,
        }
    }

    /// An item that needed no delivery.
    pub fn empty(vat_id: Option<String>) -> Crank {
        Crank::of(CrankKind::Empty {}, vat_id)
    }
}

impl<'h, H: Host> Kernel<'h, H> {
    /// A kernel for one command; `unchanged`: with what the last command knew.
    pub fn new(host: &'h mut H, buffers: &'h mut Buffers, unchanged: bool) -> Self {
        Kernel {
            store: Store::new(host, buffers, unchanged),
            maybe_free: BTreeSet::new(),
            gc_actions_added: 0,
            panic: None,
            now: 0,
            bridge_calls: 0,
            freed: 0,
            tallies: Tallies::default(),
        }
    }

    /// Undoes everything since the last flush.
    pub fn abort(&mut self) {
        self.store.discard();
        self.maybe_free.clear();
        self.gc_actions_added = 0;
        self.panic = None;
        self.freed = 0;
        self.tallies.clear();
    }

    /// One crank, with its writes given to the host; on a broken state nothing is written and the report says so.
    pub fn step(&mut self, limit_default: u64, cleanup_max: u64) -> CrankReport {
        let done = self.work(limit_default, cleanup_max).and_then(|crank| match crank {
            None => Ok(Crank::of(CrankKind::Idle {}, None)),
            Some(crank) => self.end_crank().map(|()| crank),
        });
        let freed = self.freed;
        let crank = match done {
            Ok(crank) => crank,
            Err(Fault(what)) => {
                self.abort();
                self.panic = Some(join(["the kernel's state is broken: ", what]));
                Crank::empty(None)
            }
        };
        if self.panic.is_none() {
            self.store.flush();
        }
        CrankReport {
            kind: crank.kind,
            vat_id: crank.vat_id,
            computrons: crank.computrons,
            aborted: crank.aborted,
            terminated: crank.terminated,
            panic: self.panic.take(),
            vats_created: crank.vats_created,
            cleaned: match crank.kind {
                // No vat paid for what was deleted.
                CrankKind::Empty {} | CrankKind::Routing {} if freed > limits::FREED_FOR_NOTHING => freed,
                _ => crank.cleaned,
            },
        }
    }

    /// SwingSet: acceptance queue > cleanup of terminated vats > gcActions > reapQueue > runQueue. `None` when all are empty.
    fn work(&mut self, limit_default: u64, cleanup_max: u64) -> Kept<Option<Crank>> {
        if let Some(item) = self.queue_pop(Queue::Acceptance)? {
            self.route_event(item)?;
            return Ok(Some(Crank::of(CrankKind::Routing {}, None)));
        }
        if let Some(crank) = self.clean_up(cleanup_max)? {
            return Ok(Some(crank));
        }
        if self.gc_pending()? > 0 {
            return self.gc_crank(limit_default).map(Some);
        }
        if let Some(item) = self.queue_pop(Queue::Reap)? {
            return self.reap_crank(item, limit_default).map(Some);
        }
        match self.queue_pop(Queue::Run)? {
            Some(item) => self.run_crank(&item, limit_default).map(Some),
            None => Ok(None),
        }
    }

    /// What every crank and every command that writes ends with, before its flush.
    fn end_crank(&mut self) -> Kept<()> {
        self.settle_counts()?;
        let number = match self.store.buffers.known.cranks {
            Some(known) => known,
            None => {
                let number = self.store.get_number(keys::CRANK_NUMBER)?;
                number.ok_or(Fault("crankNumber is missing"))?
            }
        };
        self.store.set_often(Often::CrankNumber, Numbers::of([number + 1]));
        self.store.buffers.known.cranks = Some(number + 1);
        Ok(())
    }

    /// Deletes what nothing refers to and counts the GC actions that came of it.
    pub fn settle_counts(&mut self) -> Kept<()> {
        self.free_unreferenced()?;
        self.save_stored();
        self.save_gc_count(0)
    }
}
