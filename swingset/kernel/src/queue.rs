//! The FIFO queues: `[head,tail]` at the queue's key, items at `.$N` for head ≤ N < tail.

use alloc::vec::Vec;

use crate::{
    crank::Kernel,
    host::Host,
    keys::{self, Path},
    store::{Fault, Kept, parse_numbers},
};

/// Those whose bounds the store remembers as numbers.
const QUEUES: [&str; 3] = [keys::ACCEPTANCE_QUEUE, keys::RUN_QUEUE, keys::REAP_QUEUE];

impl<H: Host> Kernel<'_, H> {
    /// Head and tail.
    pub fn queue_bounds(&mut self, queue: &str) -> Kept<(u64, u64)> {
        let known = QUEUES.iter().position(|name| *name == queue);
        if let Some(bounds) = known.and_then(|at| self.store.buffers.known.bounds[at]) {
            return Ok(bounds);
        }
        let Some(text) = self.store.get(queue) else {
            return Err(Fault("a queue is missing"));
        };
        let inner = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]"));
        match inner.and_then(parse_numbers) {
            Some([head, tail]) if head <= tail => {
                if let Some(at) = known {
                    self.store.buffers.known.bounds[at] = Some((head, tail));
                }
                Ok((head, tail))
            }
            _ => Err(Fault("a queue's bounds are malformed")),
        }
    }

    /// Writes head and tail.
    pub fn set_queue_bounds(&mut self, queue: &str, head: u64, tail: u64) {
        self.store.set(queue, Path::of_bounds([head, tail]));
        if let Some(at) = QUEUES.iter().position(|name| *name == queue) {
            self.store.buffers.known.bounds[at] = Some((head, tail));
        }
    }

    /// Adds an item at the tail.
    pub fn queue_push(&mut self, queue: &str, item: Vec<u8>) -> Kept<()> {
        let (head, tail) = self.queue_bounds(queue)?;
        self.store.set(&keys::item(queue, tail), item);
        self.set_queue_bounds(queue, head, tail + 1);
        Ok(())
    }

    /// Takes the item at the head.
    pub fn queue_pop(&mut self, queue: &str) -> Kept<Option<Vec<u8>>> {
        let (head, tail) = self.queue_bounds(queue)?;
        if head == tail {
            return Ok(None);
        }
        let item = self.store.take(keys::item(queue, head));
        let item = item.ok_or(Fault("a queue's item is missing"))?;
        self.set_queue_bounds(queue, head + 1, tail);
        Ok(Some(item))
    }

    /// How many items wait.
    pub fn queue_length(&mut self, queue: &str) -> Kept<u64> {
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
