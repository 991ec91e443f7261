//! A vat's worker: its instances on a fiber, behind two calls that a pipe could make as well: give an order, take what came of it.
//!
//! One long-lived future a vat owns its instance and its supervisor's; it is polled by hand and parks
//! whenever it waits for an order or for the answer to a syscall.
//!
//! # Invariants
//! - Between deliveries no guest frame is on the fiber: a delivery is calls that return. The frame of [`crate::runner`] stays.
//! - Both instances burn one fuel and grow under one limit; they share nothing else.

mod delivery;
mod imports;
mod instances;
mod limits;
mod outputs;
mod parts;
mod supervisor;

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Waker},
};

use swingset_abi::vat::DeliveryOutcome;

pub(crate) use imports::link_vat;
pub(crate) use instances::{VatData, VatParts};
pub(crate) use limits::VatLimits;

use crate::{
    engine::Fault,
    error::Halt,
    pages::{Capture, Restore},
    sync::lock,
};
use instances::Instances;

/// What a worker is told.
#[derive(Debug)]
pub(crate) enum Order {
    /// Run a delivery with this much fuel.
    Deliver {
        /// Its bytes.
        delivery: Arc<[u8]>,
        /// The crank's limit.
        fuel: u64,
        /// What of it is used before the guest runs.
        used: u64,
    },
    /// The answer to the syscall that it waits for.
    Reply(Arc<[u8]>),
    /// Compare memory and globals with what was captured last.
    Capture,
}

/// What came of an order.
#[derive(Debug)]
pub(crate) enum Event {
    /// It is ready for orders; its memories have this many bytes together.
    Ready {
        /// Bytes of memory.
        memory_bytes: u64,
    },
    /// Its making failed, by the guest's fault.
    Unusable(&'static str),
    /// It waits for the answer to a syscall: the whole `VatStep`, encoded.
    Syscall(Vec<u8>),
    /// The delivery has ended. The worker is usable only when it ended well.
    Done {
        /// How it ended.
        outcome: DeliveryOutcome,
        /// Bytes of memory now.
        memory_bytes: u64,
    },
    /// What changed.
    Captured(Box<Capture>),
    /// A fault of this node.
    Halt(String),
}

/// One order and one event at most lie here.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    order: Option<Order>,
    reply: Option<Arc<[u8]>>,
    event: Option<Event>,
}

pub(crate) type SharedMailbox = Arc<Mutex<Mailbox>>;

/// A vat's worker.
pub(crate) struct Worker {
    /// None once it has ended: by the guest's fault or the node's.
    future: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    mailbox: SharedMailbox,
}

impl Worker {
    /// Makes a vat's instances, from their state if there is one. Gives [`Event::Ready`] or [`Event::Unusable`] at once.
    pub(crate) fn start(parts: VatParts, restore: Option<Restore>) -> Result<(Self, Event), Halt> {
        let mailbox = SharedMailbox::default();
        let future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(live(parts, restore, mailbox.clone()));
        let future = Some(future);
        let mut worker = Worker { future, mailbox };
        let event = worker.poll()?;
        Ok((worker, event))
    }

    /// Gives an order and runs the worker until something comes of it.
    pub(crate) fn order(&mut self, order: Order) -> Result<Event, Halt> {
        {
            let mut mailbox = lock(&self.mailbox);
            match order {
                Order::Reply(reply) => mailbox.reply = Some(reply),
                order => mailbox.order = Some(order),
            }
        }
        self.poll()
    }

    fn poll(&mut self) -> Result<Event, Halt> {
        let mut context = Context::from_waker(Waker::noop());
        if self.future.as_mut().is_some_and(|future| future.as_mut().poll(&mut context).is_ready()) {
            self.future = None;
        }
        match lock(&self.mailbox).event.take() {
            Some(Event::Halt(reason)) => Err(Halt::new(format!("vat: {reason}"))),
            Some(event) => Ok(event),
            None => Err(Halt::new("a vat's worker stopped with nothing to say")),
        }
    }
}

/// A worker's whole life.
async fn live(parts: VatParts, restore: Option<Restore>, mailbox: SharedMailbox) {
    let Instances { mut store, run } = match Instances::make(parts, restore, mailbox.clone()).await {
        Ok(instances) => instances,
        Err(event) => {
            lock(&mailbox).event = Some(event);
            return;
        }
    };
    lock(&mailbox).event = Some(Event::Ready { memory_bytes: instances::memory_bytes(&mut store) });
    let fault = match run.call_async(&mut store, ()).await {
        Err(error) => Fault::from(error),
        Ok(()) => Fault::Halt("the runner ended".to_owned()),
    };
    let ended = match delivery::faulted(store.data_mut(), fault) {
        Ok(outcome) => Event::Done { outcome, memory_bytes: instances::memory_bytes(&mut store) },
        Err(reason) => Event::Halt(reason),
    };
    lock(&mailbox).event = Some(ended);
}
