//! What vats are told, by a model of its own: identities in place of references, and no counts.
//!
//! It has one queue that accepts and one that runs, promises with deciders, subscribers and waiting messages, and for each vat what it has
//! an entry for. What is to be collected is found by looking through everything ([`crate::collector`]). Source: SwingSet's rules, not the
//! kernel.
//!
//! Not modelled: pipelining, `bringOutYourDead`, vat administration, devices, meters, upgrades, limits, and vats that retire or abandon
//! exports of their own accord.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::mind::{Deed, Mind, Told};

type Slots = Vec<(usize, bool)>;

#[derive(Clone)]
pub struct Message {
    pub target: (usize, bool),
    pub slots: Slots,
    pub result: Option<usize>,
}

#[derive(Clone)]
pub enum Event {
    Send(Message),
    Notify { vat: usize, promise: usize },
}

#[derive(Clone)]
pub struct Settled {
    rejected: bool,
    lone: bool,
    pub slots: Slots,
}

#[derive(Clone, Default)]
pub struct Promise {
    decider: Option<usize>,
    subscribers: BTreeSet<usize>,
    pub waiting: Vec<Message>,
    pub settled: Option<Settled>,
    /// Nothing referred to it any more.
    pub gone: bool,
}

#[derive(Clone)]
pub struct Object {
    pub owner: usize,
    /// The owner's entry, if it has one: false once it was told that nobody reaches the object.
    pub exported: Option<bool>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Life {
    Alive,
    /// What it left is still to be given up.
    Ended,
    Gone,
}

#[derive(Clone)]
pub struct Vat {
    pub life: Life,
    /// Promises that it has an entry for.
    pub promises: BTreeSet<usize>,
    /// Objects of others that it has an entry for, and whether it reaches them.
    pub imports: BTreeMap<usize, bool>,
}

#[derive(Clone)]
pub struct Model {
    pub objects: Vec<Object>,
    pub promises: Vec<Promise>,
    pub vats: Vec<Vat>,
    pub accepted: VecDeque<Event>,
    pub runnable: VecDeque<Event>,
}

enum Way {
    Deliver(usize),
    Wait(usize),
    Splat(Settled),
}

enum Crank {
    Idle,
    Quiet,
    Told(usize, Told<usize>),
}

fn error() -> Settled {
    Settled {
        rejected: true,
        lone: false,
        slots: Vec::new(),
    }
}

impl Model {
    /// Vats with a root each, which is told of all roots.
    fn new(vats: usize) -> Model {
        let vat = Vat {
            life: Life::Alive,
            promises: BTreeSet::new(),
            imports: BTreeMap::new(),
        };
        let root = |owner| Object {
            owner,
            exported: Some(true),
        };
        let begin = |number| Message {
            target: (number, false),
            slots: (0..vats).map(|root| (root, false)).collect(),
            result: None,
        };
        Model {
            objects: (0..vats).map(root).collect(),
            promises: Vec::new(),
            vats: vec![vat; vats],
            accepted: (0..vats).map(|number| Event::Send(begin(number))).collect(),
            runnable: VecDeque::new(),
        }
    }

    /// A new promise or object of a vat's.
    fn fresh(&mut self, vat: usize, promise: bool) -> usize {
        if promise {
            self.promises.push(Promise {
                decider: Some(vat),
                ..Promise::default()
            });
            self.promises.len() - 1
        } else {
            self.objects.push(Object {
                owner: vat,
                exported: None,
            });
            self.objects.len() - 1
        }
    }

    fn way(&self, mut target: (usize, bool)) -> Way {
        loop {
            let (reference, is_promise) = target;
            if !is_promise {
                let owner = self.objects[reference].owner;
                return match self.vats[owner].life {
                    Life::Alive => Way::Deliver(reference),
                    _ => Way::Splat(error()),
                };
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

    /// Notes that a vat sees these, or shows them.
    fn show(&mut self, vat: usize, slots: &[(usize, bool)]) {
        for (reference, is_promise) in slots {
            if *is_promise {
                self.vats[vat].promises.insert(*reference);
            } else if self.objects[*reference].owner == vat {
                self.objects[*reference].exported = Some(true);
            } else {
                self.vats[vat].imports.insert(*reference, true);
            }
        }
    }

    /// One crank. Accepting comes first, then what ended vats left, then collection, then the rest.
    fn crank(&mut self) -> Crank {
        if let Some(event) = self.accepted.pop_front() {
            match event {
                Event::Notify { .. } => self.runnable.push_back(event),
                Event::Send(mut message) => {
                    if let Some(object) = self.route(&message) {
                        message.target = (object, false);
                        self.runnable.push_back(Event::Send(message));
                    }
                }
            }
            return Crank::Quiet;
        }
        if let Some(vat) = self.vats.iter().position(|vat| vat.life == Life::Ended) {
            self.give_up(vat);
            return Crank::Quiet;
        }
        if let Some((vat, told)) = self.collect() {
            return Crank::Told(vat, told);
        }
        let told = match self.runnable.pop_front() {
            None => return Crank::Idle,
            Some(Event::Notify { vat, promise }) => self.notify(vat, promise),
            Some(Event::Send(message)) => self.route(&message).map(|object| self.deliver(object, message)),
        };
        told.map_or(Crank::Quiet, |(vat, told)| Crank::Told(vat, told))
    }

    /// Where a message is delivered; else it is put behind a promise or given up.
    fn route(&mut self, message: &Message) -> Option<usize> {
        match self.way(message.target) {
            Way::Deliver(object) => return Some(object),
            Way::Wait(promise) => {
                let target = (promise, true);
                self.promises[promise].waiting.push(Message {
                    target,
                    ..message.clone()
                });
            }
            Way::Splat(reason) => {
                if let Some(promise) = message.result {
                    self.settle(promise, reason, None);
                }
            }
        }
        None
    }

    fn deliver(&mut self, object: usize, message: Message) -> (usize, Told<usize>) {
        let Message { slots, result, .. } = message;
        let vat = self.objects[object].owner;
        self.show(vat, &[(object, false)]);
        self.show(vat, &slots);
        if let Some(promise) = result {
            self.promises[promise].decider = Some(vat);
            self.vats[vat].promises.insert(promise);
        }
        let target = object;
        (vat, Told::Message { target, slots, result })
    }

    fn notify(&mut self, vat: usize, promise: usize) -> Option<(usize, Told<usize>)> {
        if self.vats[vat].life != Life::Alive || !self.vats[vat].promises.contains(&promise) {
            return None;
        }
        let mut together = vec![promise];
        let mut told = Vec::new();
        let mut at = 0;
        while at < together.len() {
            let settled = self.promises[together[at]].settled.clone();
            let settled = settled.expect("a notify is of a settled promise");
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
            self.vats[vat].promises.remove(promise);
        }
        Some((vat, Told::Settled(told)))
    }

    /// What an ended vat decides is rejected, what it has entries for is let go of.
    fn give_up(&mut self, vat: usize) {
        for promise in std::mem::take(&mut self.vats[vat].promises) {
            if self.promises[promise].decider == Some(vat) {
                self.settle(promise, error(), Some(vat));
            }
        }
        self.vats[vat].imports.clear();
        self.vats[vat].life = Life::Gone;
    }

    fn carry_out(&mut self, vat: usize, deed: Deed<usize>) {
        match deed {
            Deed::Send { target, slots, result } => {
                self.show(vat, &[target]);
                self.show(vat, &slots);
                if let Some(promise) = result {
                    self.vats[vat].promises.insert(promise);
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
                self.vats[vat].promises.remove(&promise);
            }
            Deed::Drop { object, retire: false } => {
                self.vats[vat].imports.insert(object, false);
            }
            Deed::Drop { object, retire: true } | Deed::Retire(object) => {
                self.vats[vat].imports.remove(&object);
            }
            Deed::Exit { .. } | Deed::Illegal => {}
        }
    }
}

/// Whether these deeds end a vat: how that is called, and whether the crank is undone.
fn end<R>(deeds: &[Deed<R>]) -> Option<(&'static str, bool)> {
    let did = |what: fn(&Deed<R>) -> bool| deeds.iter().any(what);
    if did(|deed| matches!(deed, Deed::Illegal)) {
        Some(("illegal syscall: vref was not allocated by the kernel", true))
    } else if did(|deed| matches!(deed, Deed::Exit { failure: true })) {
        Some(("exit with failure", true))
    } else if did(|deed| matches!(deed, Deed::Exit { .. })) {
        Some(("exit", false))
    } else {
        None
    }
}

/// Runs a program; gives what each vat was told.
pub fn run(seed: u64, vats: usize) -> Vec<Vec<String>> {
    let mut model = Model::new(vats);
    let mut minds: Vec<Mind<usize>> = (0..vats).map(|number| Mind::of(seed, number, number)).collect();
    loop {
        let before = model.clone();
        let (vat, told) = match model.crank() {
            Crank::Idle => break,
            Crank::Quiet => continue,
            Crank::Told(vat, told) => (vat, told),
        };
        let deeds = minds[vat].told(&told, &mut |promise| model.fresh(vat, promise));
        let end = end(&deeds);
        for deed in deeds {
            model.carry_out(vat, deed);
        }
        if let Some((word, undone)) = end {
            // What it was told comes again, and meets a vat that ended.
            if undone {
                model = before;
            }
            model.vats[vat].life = Life::Ended;
            minds[vat].log.push(format!("ended: {word}"));
        }
    }
    minds.into_iter().map(|mind| mind.log).collect()
}
