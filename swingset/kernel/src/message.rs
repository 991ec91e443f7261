//! Messages in wire form, read and written without building values: a body passes through the kernel as it is, and most messages go
//! through it three times.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    vat::CapData,
    wire::{Reader, Wire, WireError},
};

/// Tags of `VatStep::Syscall` and `VatSyscall::Send`; of `Event::Send`; of `VatDelivery::Message`. A test compares them.
const SYSCALL_SEND: [u8; 2] = [0, 0];
const EVENT_SEND: u8 = 0;
const DELIVERY_MESSAGE: u8 = 0;

/// A message, in the space of whoever holds it.
#[derive(Debug, PartialEq, Eq)]
pub struct Message<'a> {
    pub target: &'a str,
    pub result: Option<&'a str>,
    pub body: &'a str,
    pub slots: Vec<&'a str>,
}

impl<'a> Message<'a> {
    /// Its method and arguments as a value.
    pub fn methargs(&self) -> CapData {
        CapData {
            body: String::from(self.body),
            slots: self.slots.iter().copied().map(String::from).collect(),
        }
    }

    /// A value's view.
    pub fn new(target: &'a str, methargs: &'a CapData, result: Option<&'a str>) -> Message<'a> {
        Message {
            target,
            result,
            body: &methargs.body,
            slots: methargs.slots.iter().map(String::as_str).collect(),
        }
    }

    /// Reads a queued event; `None` when it is another one than a message.
    pub fn queued(bytes: &'a [u8]) -> Result<Option<Message<'a>>, WireError> {
        let Some((&EVENT_SEND, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        Message::read(rest, true).map(Some)
    }

    /// Reads what a vat did; `None` when it is something else than sending a message.
    pub fn sent(step: &'a [u8]) -> Result<Option<Message<'a>>, WireError> {
        let Some(rest) = step.strip_prefix(&SYSCALL_SEND) else {
            return Ok(None);
        };
        Message::read(rest, false).map(Some)
    }

    /// The fields, all of `bytes`: the result before the data or after it.
    fn read(bytes: &'a [u8], result_first: bool) -> Result<Message<'a>, WireError> {
        let mut reader = Reader::new(bytes);
        let target = text(&mut reader)?;
        let before = if result_first { maybe_text(&mut reader)? } else { None };
        let (body, slots) = data(&mut reader)?;
        let result = if result_first { before } else { maybe_text(&mut reader)? };
        reader.finish()?;
        Ok(Message {
            target,
            result,
            body,
            slots,
        })
    }
}

/// A message to be queued.
pub fn event(target: &str, result: Option<&str>, body: &str, slots: &[impl AsRef<str>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + slots.len() * 16 + 48);
    out.push(EVENT_SEND);
    put_text(&mut out, target);
    put_maybe_text(&mut out, result);
    put_data(&mut out, body, slots);
    out
}

/// A message to be delivered.
pub fn delivery(target: &str, body: &str, slots: &[String], result: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + slots.len() * 16 + 48);
    out.push(DELIVERY_MESSAGE);
    put_text(&mut out, target);
    put_data(&mut out, body, slots);
    put_maybe_text(&mut out, result);
    out
}

fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a str, WireError> {
    core::str::from_utf8(reader.slice()?).map_err(|_| WireError::Text)
}

fn maybe_text<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a str>, WireError> {
    if bool::decode(reader)? {
        text(reader).map(Some)
    } else {
        Ok(None)
    }
}

fn data<'a>(reader: &mut Reader<'a>) -> Result<(&'a str, Vec<&'a str>), WireError> {
    let body = text(reader)?;
    let count = reader.length()?;
    // An item takes at least one byte: a count beyond what is left is refused before allocation.
    if count > reader.rest().len() {
        return Err(WireError::Truncated);
    }
    let mut slots = Vec::with_capacity(count.min(1024));
    for _ in 0..count {
        slots.push(text(reader)?);
    }
    Ok((body, slots))
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    (text.len() as u64).encode(out);
    out.extend_from_slice(text.as_bytes());
}

fn put_maybe_text(out: &mut Vec<u8>, text: Option<&str>) {
    text.is_some().encode(out);
    if let Some(text) = text {
        put_text(out, text);
    }
}

fn put_data(out: &mut Vec<u8>, body: &str, slots: &[impl AsRef<str>]) {
    put_text(out, body);
    (slots.len() as u64).encode(out);
    for slot in slots {
        put_text(out, slot.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use swingset_abi::vat::{VatDelivery, VatStep, VatSyscall};

    use super::*;
    use crate::event::Event;

    #[test]
    fn messages_have_the_bytes_of_the_values_that_they_stand_for() {
        for (result, slots) in [(None, 0), (Some("p+7"), 1), (Some("kp40"), 200)] {
            let target = String::from("ko20");
            let slots = (0..slots).map(|number| alloc::format!("ko{number}")).collect();
            let body = "x".repeat(200);
            let methargs = CapData { body, slots };
            let message = Message::new(&target, &methargs, result);
            let result = result.map(String::from);
            let queued = Event::Send {
                target: target.clone(),
                result: result.clone(),
                methargs: methargs.clone(),
            }
            .to_bytes();
            assert_eq!(Message::queued(&queued).as_ref(), Ok(&Some(Message::new(&target, &methargs, result.as_deref()))));
            assert_eq!(event(&target, result.as_deref(), &methargs.body, &methargs.slots), queued);
            let syscall = VatSyscall::Send {
                target: target.clone(),
                methargs: methargs.clone(),
                result: result.clone(),
            };
            let step = VatStep::Syscall { syscall }.to_bytes();
            assert_eq!(Message::sent(&step), Ok(Some(message)));
            for cut in 2..step.len() {
                assert!(Message::sent(&step[..cut]).is_err(), "{cut}");
            }
            let delivered = VatDelivery::Message {
                target: target.clone(),
                methargs: methargs.clone(),
                result: result.clone(),
            };
            assert_eq!(
                delivery(&target, &methargs.body, &methargs.slots, result.as_deref()),
                delivered.to_bytes()
            );
        }
        let other = VatSyscall::Exit {
            failure: false,
            info: CapData::default(),
        };
        assert_eq!(Message::sent(&VatStep::Syscall { syscall: other }.to_bytes()), Ok(None));
        let vat_id = String::from("v1");
        assert_eq!(Message::queued(&Event::StartVat { vat_id }.to_bytes()), Ok(None));
    }
}
