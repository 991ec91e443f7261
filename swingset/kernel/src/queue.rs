//! The FIFO queues: `[head,tail]` at the queue's key, items at `.$N` for head ≤ N < tail.

use alloc::vec::Vec;

use crate::{
    crank::Kernel,
    host::Host,
    keys,
    store::{Fault, Kept, parse_number, push_number},
};

impl<H: Host> Kernel<'_, H> {
    /// Head and tail.
    pub fn queue_bounds(&mut self, queue: &str) -> Kept<(u64, u64)> {
        let Some(text) = self.store.get(queue) else {
            return Err(Fault("a queue is missing"));
        };
        let inner = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]"));
        let mut parts = inner.unwrap_or_default().split(|byte| *byte == b',');
        match (
            parts.next().and_then(parse_number),
            parts.next().and_then(parse_number),
            parts.next(),
        ) {
            (Some(head), Some(tail), None) if head <= tail => Ok((head, tail)),
            _ => Err(Fault("a queue's bounds are malformed")),
        }
    }

    /// Writes head and tail.
    pub fn set_queue_bounds(&mut self, queue: &str, head: u64, tail: u64) {
        let mut text = Vec::with_capacity(24);
        text.push(b'[');
        push_number(&mut text, head);
        text.push(b',');
        push_number(&mut text, tail);
        text.push(b']');
        self.store.set(queue, text);
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
        let key = keys::item(queue, head);
        let item = Vec::from(self.store.get(&key).ok_or(Fault("a queue's item is missing"))?);
        self.store.delete(&key);
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
        let id = self
            .store
            .get_number(counter.as_ref())?
            .ok_or(Fault("an ID counter is missing"))?;
        self.store.set_number(counter.as_ref(), id + 1);
        Ok(id)
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
