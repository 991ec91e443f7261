//! Messages that wait for a promise: at `kp$N.queue.$I`, the next number at `kp$N.queue.nextID`.
//!
//! When they need to wait no longer, one item of the acceptance queue stands for all of them, in the place that they would have there:
//! each crank that finds it at the head routes one of them. So it takes no more to settle a promise for which ten thousand wait, and
//! their order is the same. `kp$N.queue.moving` is `first,end`: the first that waits still, and the first of those that came later.

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

    /// A routing crank's work for such an item: its next message. The item stays at the head till it was the last.
    pub fn route_waiting(&mut self, item: &[u8]) -> Kept<()> {
        let Event::Requeue { kpid, end: own_end } = crate::event::decode(item)? else {
            return Err(crate::event::MALFORMED);
        };
        let missing = Fault("a waiting message is missing");
        let (first, end) = self.moving(&kpid)?;
        let message = self.store.take(place(&kpid, first)).ok_or(missing)?;
        let left = first + 1;
        if self.store.get_number(next_id(&kpid))? == Some(left) {
            self.store.delete(next_id(&kpid));
            self.store.delete(moving(&kpid));
        } else {
            self.store.set(moving(&kpid), Numbers::of([left, end]));
        }
        if left < own_end {
            self.queue_put_back(Queue::Acceptance, item)?;
        }
        self.route_event(message)
    }
}

/// Whether an item stands for the messages that waited for a promise.
pub fn stands_for_waiting(item: &[u8]) -> bool {
    item.first() == Some(&Event::REQUEUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_stands_for_others_is_known_by_its_first_byte() {
        let kpid = String::from("kp40");
        assert!(stands_for_waiting(&Event::Requeue { kpid: kpid.clone(), end: 3 }.to_bytes()));
        assert!(!stands_for_waiting(&Event::Notify { vat_id: String::from("v1"), kpid }.to_bytes()));
        assert!(!stands_for_waiting(&[]));
    }
}
