//! What waits for a promise: vats that subscribed, and messages at `kp$N.queue.$I`, the next number at `kp$N.queue.nextID`.
//!
//! When they need to wait no longer, one item of the acceptance queue stands for all of them, in the place that they would have there:
//! each crank that finds it at the head routes one of them. So it takes no more to settle a promise for which ten thousand wait, and
//! their order is the same. Several subscribers are told in the same way. `kp$N.queue.moving` is `first,end`: the first that waits still, and the first of those that came later.

use alloc::string::String;

use swingset_abi::wire::Wire;

use crate::{
    crank::Kernel,
    event::Event,
    host::Host,
    keys::{Path, path},
    limits,
    queue::Queue,
    store::{Fault, Kept, Numbers, number_text, parse_numbers},
};

fn next_id(kpid: &str) -> Path {
    path([kpid, ".queue.nextID"])
}

fn moving(kpid: &str) -> Path {
    path([kpid, ".queue.moving"])
}

fn place(kpid: &str, number: u64) -> Path {
    path([kpid, ".queue.", &number_text(number)])
}

impl<H: Host> Kernel<'_, H> {
    /// Puts a message with its references behind an unresolved promise; false when too many wait there.
    pub fn queue_on_promise(&mut self, kpid: &str, message: &[u8]) -> Kept<bool> {
        let id = self.store.get_number(next_id(kpid))?.unwrap_or(0);
        if id >= limits::PROMISE_QUEUE_MAX && id - self.moving(kpid)?.0 >= limits::PROMISE_QUEUE_MAX {
            return Ok(false);
        }
        self.store.set(place(kpid, id), message);
        self.store.set_number(next_id(kpid), id + 1);
        Ok(true)
    }

    /// The first that waits, and up to which they have their place in the acceptance queue.
    fn moving(&mut self, kpid: &str) -> Kept<(u64, u64)> {
        match self.store.get(moving(kpid)).map(parse_numbers) {
            None => Ok((0, 0)),
            Some(Some([first, end])) if first <= end => Ok((first, end)),
            Some(_) => Err(Fault("what moves of a promise's queue is malformed")),
        }
    }

    /// Queues the messages that wait for a promise again: it has settled, or a vat that takes them decides it now.
    ///
    /// SwingSet: requeueKernelPromise.
    pub fn requeue(&mut self, kpid: &str) -> Kept<()> {
        let Some(next) = self.store.get_number(next_id(kpid))? else {
            return Ok(());
        };
        let (first, end) = self.moving(kpid)?;
        if end == next {
            return Ok(());
        }
        self.store.set(moving(kpid), Numbers::of([first, next]));
        let event = Event::Requeue {
            kpid: String::from(kpid),
            end: next,
        };
        self.queue_push(Queue::Acceptance, event.to_bytes())
    }

    /// Queues notifies for those that subscribed to a promise that settles, other than `by`.
    pub fn notify_subscribers(&mut self, kpid: &str, by: Option<&str>) -> Kept<()> {
        let key = path([kpid, ".subscribers"]);
        let mut vats = self.list(&key)?;
        if vats.is_empty() {
            return Ok(());
        }
        vats.retain(|vat_id| by != Some(vat_id.as_str()));
        if vats.len() > 1 {
            self.set_list(&key, &vats);
            self.hold(kpid)?;
            let event = Event::NotifyAll {
                kpid: String::from(kpid),
            };
            return self.queue_push(Queue::Acceptance, event.to_bytes());
        }
        self.store.delete(&key);
        match vats.first() {
            Some(vat_id) => self.queue_notify(vat_id, kpid),
            None => Ok(()),
        }
    }

    /// A routing crank's work for an item that stands for others: the next of them. The item stays at the head till it was the last.
    pub fn route_next(&mut self, item: &[u8]) -> Kept<()> {
        match crate::event::decode(item)? {
            Event::Requeue { kpid, end } => self.route_waiting(item, &kpid, end),
            Event::NotifyAll { kpid } => self.route_notify(item, &kpid),
            _ => Err(crate::event::MALFORMED),
        }
    }

    fn route_notify(&mut self, item: &[u8], kpid: &str) -> Kept<()> {
        let key = path([kpid, ".subscribers"]);
        let vats = self.list(&key)?;
        let (vat_id, others) = vats.split_first().ok_or(Fault("those to be notified are missing"))?;
        self.hold(kpid)?;
        let event = Event::Notify {
            vat_id: vat_id.clone(),
            kpid: String::from(kpid),
        };
        self.queue_push(Queue::Run, event.to_bytes())?;
        if others.is_empty() {
            self.store.delete(&key);
            return self.let_go(kpid);
        }
        self.set_list(&key, others);
        self.queue_put_back(Queue::Acceptance, item)
    }

    fn route_waiting(&mut self, item: &[u8], kpid: &str, own_end: u64) -> Kept<()> {
        let missing = Fault("a waiting message is missing");
        let (first, end) = self.moving(kpid)?;
        let message = self.store.take(place(kpid, first)).ok_or(missing)?;
        let left = first + 1;
        if self.store.get_number(next_id(kpid))? == Some(left) {
            self.store.delete(next_id(kpid));
            self.store.delete(moving(kpid));
        } else {
            self.store.set(moving(kpid), Numbers::of([left, end]));
        }
        if left < own_end {
            self.queue_put_back(Queue::Acceptance, item)?;
        }
        self.route_event(message)
    }
}

/// Whether an item stands for others.
pub fn stands_for_others(item: &[u8]) -> bool {
    item.first().is_some_and(|tag| Event::FOR_OTHERS.contains(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_stands_for_others_is_known_by_its_first_byte() {
        let kpid = String::from("kp40");
        assert!(stands_for_others(&Event::Requeue { kpid: kpid.clone(), end: 3 }.to_bytes()));
        assert!(stands_for_others(&Event::NotifyAll { kpid: kpid.clone() }.to_bytes()));
        assert!(!stands_for_others(&Event::Notify { vat_id: String::from("v1"), kpid }.to_bytes()));
        assert!(!stands_for_others(&[]));
    }
}
