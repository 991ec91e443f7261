//! Messages that are charged to their sender while they wait: `255`, the sender, the bytes charged, then the event as any other.
//!
//! Charged are those that may wait long or take much room: messages to promises, large ones, and all while many wait already. The others
//! are nobody's, so that a short queue costs no look at a figure; all of them together are [`limits::FREE_MESSAGES`] small messages.

use alloc::vec::Vec;

use swingset_abi::wire::{Reader, Wire};

use crate::{
    crank::Kernel,
    host::Host,
    limits,
    queue::Queue,
    store::{Fault, Kept},
};

/// Tag of a charged message, where an event has its own.
const CHARGED: u8 = 255;

/// An item: who is charged for it, if somebody is, and how much; and the event itself.
type Item<'a> = (Option<(&'a str, u64)>, &'a [u8]);

/// Takes an item apart.
pub fn split(item: &[u8]) -> Kept<Item<'_>> {
    if item.first() != Some(&CHARGED) {
        return Ok((None, item));
    }
    read(item).ok_or(Fault("a charged message is malformed"))
}

fn read(item: &[u8]) -> Option<Item<'_>> {
    let mut reader = Reader::new(item.get(1..)?);
    let vat_id = core::str::from_utf8(reader.slice().ok()?).ok()?;
    let bytes = reader.u64().ok()?;
    Some((Some((vat_id, bytes)), reader.rest()))
}

/// Another event in the place of an item's, under the same charge.
pub fn rewrapped(item: &[u8], event: &[u8]) -> Kept<Vec<u8>> {
    let (_, old) = split(item)?;
    let mark = item.len().saturating_sub(old.len());
    let mut bytes = Vec::with_capacity(mark + event.len());
    bytes.extend_from_slice(item.get(..mark).unwrap_or_default());
    bytes.extend_from_slice(event);
    Ok(bytes)
}

impl<H: Host> Kernel<'_, H> {
    /// Queues a message of a vat's.
    pub fn queue_message(&mut self, vat_id: &str, to_promise: bool, event: Vec<u8>) -> Kept<()> {
        let free = !to_promise
            && event.len() <= limits::FREE_MESSAGE_BYTES
            && self.queue_length(Queue::Acceptance)? < limits::FREE_MESSAGES
            && self.queue_length(Queue::Run)? < limits::FREE_MESSAGES;
        if free || !self.charge_stored(vat_id, event.len())? {
            return self.queue_push(Queue::Acceptance, event);
        }
        let mut item = Vec::with_capacity(event.len() + vat_id.len() + 8);
        item.push(CHARGED);
        alloc::string::String::from(vat_id).encode(&mut item);
        (event.len() as u64).encode(&mut item);
        item.extend_from_slice(&event);
        self.queue_push(Queue::Acceptance, item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_without_a_charge_is_its_event() {
        assert_eq!(split(&[0, 1, 2]), Ok((None, &[0, 1, 2][..])));
        assert_eq!(rewrapped(&[0, 1, 2], &[7]), Ok(Vec::from([7])));
    }

    #[test]
    fn a_charge_stays_with_another_event() {
        let item = [CHARGED, 2, b'v', b'1', 9, 0, 5];
        assert_eq!(split(&item), Ok((Some(("v1", 9)), &[0, 5][..])));
        assert_eq!(rewrapped(&item, &[7]), Ok(Vec::from([CHARGED, 2, b'v', b'1', 9, 7])));
    }

    #[test]
    fn a_charge_that_is_cut_off_is_a_fault() {
        assert!(split(&[CHARGED, 2, b'v']).is_err());
    }
}
