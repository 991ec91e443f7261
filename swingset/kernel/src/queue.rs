//! The FIFO queues: `[head,tail]` at the queue's key, items at `.$N` for head ≤ N < tail.

use alloc::vec::Vec;

use crate::{
    crank::Kernel,
    host::Host,
    keys,
    store::{Fault, Kept, Numbers, Often, parse_numbers},
};

/// A queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Events from vats and from outside, not routed yet.
    Acceptance,
    /// Events for a delivery crank.
    Run,
    /// Vats due for bringOutYourDead.
    Reap,
}

impl Queue {
    /// All of them.
    pub const ALL: [Queue; 3] = [Queue::Acceptance, Queue::Run, Queue::Reap];

    /// Where its bounds are.
    pub fn key(self) -> &'static str {
        match self {
            Queue::Acceptance => "acceptanceQueue",
            Queue::Run => "runQueue",
            Queue::Reap => "reapQueue",
        }
    }
}

impl<H: Host> Kernel<'_, H> {
    /// Head and tail.
    // Inlined: a call costs about as much, its work is counted, and its stack.
    #[inline(always)]
    pub fn queue_bounds(&mut self, queue: Queue) -> Kept<(u64, u64)> {
        if let Some(bounds) = self.store.buffers.known.bounds[queue as usize] {
            return Ok(bounds);
        }
        let Some(text) = self.store.get(queue.key()) else {
            return Err(Fault("a queue is missing"));
        };
        let inner = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]"));
        match inner.and_then(parse_numbers) {
            Some([head, tail]) if head <= tail => {
                self.store.buffers.known.bounds[queue as usize] = Some((head, tail));
                Ok((head, tail))
            }
            _ => Err(Fault("a queue's bounds are malformed")),
        }
    }

    /// Writes head and tail.
    // Inlined: a call costs about as much, its work is counted, and its stack.
    #[inline(always)]
    pub fn set_queue_bounds(&mut self, queue: Queue, head: u64, tail: u64) {
        self.store
            .set_often(Often::Queue(queue), Numbers::in_brackets([head, tail]));
        self.store.buffers.known.bounds[queue as usize] = Some((head, tail));
    }

    /// Adds an item at the tail.
    pub fn queue_push(&mut self, queue: Queue, item: Vec<u8>) -> Kept<()> {
        let (head, tail) = self.queue_bounds(queue)?;
        self.store.set(keys::item(queue.key(), tail), item);
        self.set_queue_bounds(queue, head, tail + 1);
        Ok(())
    }

    /// Takes the item at the head.
    pub fn queue_pop(&mut self, queue: Queue) -> Kept<Option<Vec<u8>>> {
        let (head, tail) = self.queue_bounds(queue)?;
        if head == tail {
            return Ok(None);
        }
        let item = self.store.take(keys::item(queue.key(), head));
        let item = item.ok_or(Fault("a queue's item is missing"))?;
        self.set_queue_bounds(queue, head + 1, tail);
        Ok(Some(item))
    }

    /// Puts back the item that was taken from the head.
    pub fn queue_put_back(&mut self, queue: Queue, item: &[u8]) -> Kept<()> {
        let (head, tail) = self.queue_bounds(queue)?;
        let head = head.checked_sub(1).ok_or(Fault("nothing was taken from a queue"))?;
        self.store.set(keys::item(queue.key(), head), item);
        self.set_queue_bounds(queue, head, tail);
        Ok(())
    }

    /// How many items wait.
    pub fn queue_length(&mut self, queue: Queue) -> Kept<u64> {
        let (head, tail) = self.queue_bounds(queue)?;
        Ok(tail - head)
    }

    /// Takes the next number of a counter (`ko.nextID`, `v1.o.nextID`, …).
    pub fn next_id(&mut self, counter: impl AsRef<[u8]>) -> Kept<u64> {
        let missing = Fault("an ID counter is missing");
        let next = self.store.update_number(counter, missing, |id| Ok(id + 1))?;
        Ok(next - 1)
    }

    /// A comma-separated list's items.
    pub fn list(&mut self, key: impl AsRef<[u8]>) -> Kept<Vec<alloc::string::String>> {
        let text = self.store.get_text(key)?.unwrap_or_default();
        Ok(text
            .split(',')
            .filter(|item| !item.is_empty())
            .map(alloc::string::String::from)
            .collect())
    }

    /// Writes a comma-separated list.
    pub fn set_list(&mut self, key: impl AsRef<[u8]>, items: &[alloc::string::String]) {
        self.store.set(key, items.join(",").into_bytes());
    }
}
