//! What vats are told, by a model of its own: identities in place of references, and no counts.
//!
//! It has one queue that accepts and one that runs, promises with deciders, subscribers and waiting messages, and for each vat the set of
//! promises that it has an entry for. Source: SwingSet's rules, not the kernel.

use std::collections::{BTreeSet, VecDeque};

use crate::random::Mind;

/// What a vat is told; slots say whether they are promises.
pub enum Told<R> {
    Message {
        target: R,
        slots: Vec<(R, bool)>,
        result: Option<R>,
    },
    Settled(Vec<(R, bool, Vec<(R, bool)>)>),
}

/// What a vat does; a target says whether it is a promise.
pub enum Deed<R> {
    Send {
        target: (R, bool),
        slots: Vec<(R, bool)>,
        result: Option<R>,
    },
    Subscribe(R),
    /// `lone`: the value is its one slot and nothing else.
    Settle {
        promise: R,
        rejected: bool,
        lone: bool,
        slots: Vec<(R, bool)>,
    },
}

type Slots = Vec<(usize, bool)>;

#[derive(Clone)]
struct Message {
    target: (usize, bool),
    slots: Slots,
    result: Option<usize>,
}

#[derive(Clone)]
enum Event {
    Send(Message),
    Notify { vat: usize, promise: usize },
}

#[derive(Clone)]
struct Settled {
    rejected: bool,
    lone: bool,
    slots: Slots,
}

#[derive(Default)]
struct Promise {
    decider: Option<usize>,
    subscribers: BTreeSet<usize>,
    waiting: Vec<Message>,
    settled: Option<Settled>,
}

#[derive(Default)]
struct Model {
    /// Owners of objects.
    objects: Vec<usize>,
    promises: Vec<Promise>,
    /// By vat: the promises that it has an entry for.
    entries: Vec<BTreeSet<usize>>,
    accepted: VecDeque<Event>,
    runnable: VecDeque<Event>,
}

enum Way {
    Deliver(usize),
    Wait(usize),
    Splat(Settled),
}

fn error() -> Settled {
    Settled {
        rejected: true,
        lone: false,
        slots: Vec::new(),
    }
}

impl Model {
    fn way(&self, mut target: (usize, bool)) -> Way {
        loop {
            let (reference, is_promise) = target;
            if !is_promise {
                return Way::Deliver(reference);
            }
            match &self.promises[reference].settled {
                None => return Way::Wait(reference),
                Some(settled) if settled.rejected => return Way::Splat(settled.clone()),
                Some(settled) if settled.lone => target = settled.slots[0],
                Some(_) => return Way::Splat(error()),
            }
        }
    }

    fn settle(&mut self, promise: usize, settled: Settled, by: Option<usize>) {
        let this = &mut self.promises[promise];
        let (subscribers, waiting) = (std::mem::take(&mut this.subscribers), std::mem::take(&mut this.waiting));
        this.decider = None;
        this.settled = Some(settled);
        for vat in subscribers.into_iter().filter(|vat| Some(*vat) != by) {
            self.accepted.push_back(Event::Notify { vat, promise });
        }
        self.accepted.extend(waiting.into_iter().map(Event::Send));
    }

    fn splat(&mut self, message: &Message, reason: Settled) {
        if let Some(promise) = message.result {
            self.settle(promise, reason, None);
        }
    }

    /// Notes that a vat sees these.
    fn show(&mut self, vat: usize, slots: &Slots) {
        let promises = slots
            .iter()
            .filter(|(_, is_promise)| *is_promise)
            .map(|(promise, _)| *promise);
        self.entries[vat].extend(promises);
    }

    /// The next delivery, if there is one.
    fn next(&mut self) -> Option<(usize, Told<usize>)> {
        loop {
            let accepting = !self.accepted.is_empty();
            let event = self.accepted.pop_front().or_else(|| self.runnable.pop_front())?;
            let mut message = match event {
                Event::Send(message) => message,
                Event::Notify { .. } if accepting => {
                    self.runnable.push_back(event);
                    continue;
                }
                Event::Notify { vat, promise } => match self.notify(vat, promise) {
                    Some(told) => return Some((vat, told)),
                    None => continue,
                },
            };
            match self.way(message.target) {
                Way::Splat(reason) => self.splat(&message, reason),
                Way::Wait(promise) => {
                    message.target = (promise, true);
                    self.promises[promise].waiting.push(message);
                }
                Way::Deliver(object) if accepting => {
                    message.target = (object, false);
                    self.runnable.push_back(Event::Send(message));
                }
                Way::Deliver(object) => {
                    let vat = self.objects[object];
                    self.show(vat, &message.slots);
                    if let Some(promise) = message.result {
                        self.promises[promise].decider = Some(vat);
                        self.entries[vat].insert(promise);
                    }
                    let Message { slots, result, .. } = message;
                    return Some((
                        vat,
                        Told::Message {
                            target: object,
                            slots,
                            result,
                        },
                    ));
                }
            }
        }
    }

    fn notify(&mut self, vat: usize, promise: usize) -> Option<Told<usize>> {
        if !self.entries[vat].contains(&promise) {
            return None;
        }
        let mut together = vec![promise];
        let mut told = Vec::new();
        let mut at = 0;
        while at < together.len() {
            let settled = self.promises[together[at]]
                .settled
                .clone()
                .expect("a notify is of a settled promise");
            for (slot, is_promise) in &settled.slots {
                if *is_promise && self.promises[*slot].settled.is_some() && !together.contains(slot) {
                    together.push(*slot);
                }
            }
            told.push((together[at], settled.rejected, settled.slots));
            at += 1;
        }
        for (_, _, slots) in &told {
            self.show(vat, slots);
        }
        for promise in &together {
            self.entries[vat].remove(promise);
        }
        Some(Told::Settled(told))
    }

    fn carry_out(&mut self, vat: usize, deed: Deed<usize>) {
        match deed {
            Deed::Send { target, slots, result } => {
                self.show(vat, &slots);
                if let Some(promise) = result {
                    self.entries[vat].insert(promise);
                    self.promises[promise].decider = None;
                }
                self.accepted.push_back(Event::Send(Message { target, slots, result }));
            }
            Deed::Subscribe(promise) => {
                if self.promises[promise].settled.is_some() {
                    self.accepted.push_back(Event::Notify { vat, promise });
                } else {
                    self.promises[promise].subscribers.insert(vat);
                }
            }
            Deed::Settle {
                promise,
                rejected,
                lone,
                slots,
            } => {
                self.show(vat, &slots);
                self.settle(promise, Settled { rejected, lone, slots }, Some(vat));
                self.entries[vat].remove(&promise);
            }
        }
    }
}

/// Runs a program; gives what each vat was told.
pub fn run(seed: u64, vats: usize) -> Vec<Vec<String>> {
    let mut model = Model {
        objects: (0..vats).collect(),
        ..Model::default()
    };
    model.entries.resize(vats, BTreeSet::new());
    let mut minds: Vec<Mind<usize>> = (0..vats)
        .map(|number| Mind::new(seed * 31 + number as u64, number))
        .collect();
    for number in 0..vats {
        let slots = (0..vats).map(|root| (root, false)).collect();
        model.accepted.push_back(Event::Send(Message {
            target: (number, false),
            slots,
            result: None,
        }));
    }
    while let Some((vat, told)) = model.next() {
        let Model { objects, promises, .. } = &mut model;
        let mut fresh = |promise: bool| {
            if promise {
                promises.push(Promise {
                    decider: Some(vat),
                    ..Promise::default()
                });
                promises.len() - 1
            } else {
                objects.push(vat);
                objects.len() - 1
            }
        };
        for deed in minds[vat].told(&told, &mut fresh) {
            model.carry_out(vat, deed);
        }
    }
    minds.into_iter().map(|mind| mind.log).collect()
}
