//! The mailbox: messages to and from peers outside, numbered per peer and direction. Source: SwingSet's mailbox device.
//!
//! A vat calls `registerInboundHandler(handler)` and `send(peer, body)`, which gives the message's number. The handler is told
//! `deliverInboundMessages(peer, [[number, body], …])` and `deliverInboundAck(peer, number)`.
//!
//! State: `.out.$peer.$number` is a message that the peer has not acknowledged, `.next.$peer` the next one's number, `.in.$peer` the
//! highest number that came in, which is what the peer is acknowledged. Whoever carries messages reads them there. `.bytes` counts what
//! waits for all peers together.
//!
//! # Invariants
//! - A message that came in is told once: numbers up to the highest that came in before are passed over.
//! - What a peer has acknowledged is deleted. A number that was never sent cannot be acknowledged.

use alloc::{string::String, vec::Vec};

use swingset_abi::{kernel::refusal, vat::CapData};

use super::{Answered, Device, DeviceCall, nat, no, number_of, ordered, state};
use crate::{
    body,
    command::{Refused, Served},
    crank::Kernel,
    host::Host,
    json::Json,
    keys::{Path, join},
    limits,
    store::{Fault, Kept, number_text},
};

/// A peer's name is its address: letters, digits, `-` and `_`.
fn is_peer(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.len() <= limits::PEER_BYTES_MAX && name.bytes().all(plain)
}

fn of_peer(device: &str, part: &str, peer: &str) -> Path {
    state(device, &join([part, peer]))
}

fn out_prefix(device: &str, peer: &str) -> String {
    join([device, ".deviceState.out.", peer, "."])
}

impl<H: Host> Kernel<'_, H> {
    pub(super) fn answer_mailbox(&mut self, call: &DeviceCall<'_>) -> Answered {
        match call.call.method {
            "registerInboundHandler" => self.register_handler(call),
            "send" => {
                let text = |at: usize| call.call.arg(at).and_then(Json::text);
                match (text(0).filter(|peer| is_peer(peer)), text(1)) {
                    (Some(peer), Some(text)) => self.send_to_peer(call.device, peer, text),
                    _ => no("the arguments are not a peer's address and a text"),
                }
            }
            _ => no("mailbox has no such method"),
        }
    }

    fn send_to_peer(&mut self, device: &str, peer: &str, text: &str) -> Answered {
        if text.len() > limits::PEER_MESSAGE_BYTES_MAX {
            return no("the message is too long");
        }
        let counter = of_peer(device, ".next.", peer);
        let number = self.store.get_number(&counter)?.unwrap_or(1);
        let prefix = out_prefix(device, peer);
        let first = match self.store.next_key(&prefix, &prefix)? {
            Some(key) => number_of(key.get(prefix.len()..).unwrap_or_default())?,
            None => number,
        };
        if number.saturating_sub(first) >= limits::OUTBOX_MAX {
            return no("the peer has too many messages that it did not acknowledge");
        }
        let bytes_key = state(device, ".bytes");
        let bytes = self.store.get_number(&bytes_key)?.unwrap_or(0) + text.len() as u64;
        if bytes > limits::OUTBOX_BYTES_MAX {
            return no("too much waits for peers already");
        }
        self.store.set_number(&bytes_key, bytes);
        self.store.set_text(join([&prefix, &ordered(number)]), text);
        self.store.set_number(&counter, number + 1);
        Ok(Ok(nat(number)))
    }

    /// What a peer sent, and how far it has got what was sent to it.
    pub fn mailbox_inbound(&mut self, peer: &str, messages: &[(u64, String)], ack: u64) -> Served<()> {
        let refused = |problem| Refused::new(refusal::BAD_ARGUMENT, problem);
        if !is_peer(peer) {
            return Err(refused("a peer's address is letters, digits, '-' and '_'"));
        }
        if messages.len() > limits::PEER_MESSAGES_MAX
            || messages.iter().any(|(_, text)| text.len() > limits::PEER_MESSAGE_BYTES_MAX)
        {
            return Err(refused("too many messages, or one is too long"));
        }
        let device = self.device_id(Device::Mailbox)?;
        let Some(handler) = self.handler(&device)? else {
            return Err(Refused::new(refusal::UNKNOWN, "no vat takes messages of the mailbox"));
        };
        let sent = self.store.get_number(of_peer(&device, ".next.", peer))?.unwrap_or(1);
        if ack >= sent {
            return Err(refused("a message is acknowledged that was never sent"));
        }
        self.take_messages(&device, &handler, peer, messages)?;
        Ok(self.take_ack(&device, &handler, peer, ack)?)
    }

    fn take_messages(&mut self, device: &str, handler: &str, peer: &str, messages: &[(u64, String)]) -> Served<()> {
        let key = of_peer(device, ".in.", peer);
        let before = self.store.get_number(&key)?.unwrap_or(0);
        let mut highest = before;
        let mut told = String::from("#[\"deliverInboundMessages\",[");
        body::push_string(&mut told, peer);
        told.push_str(",[");
        for (number, text) in messages {
            if *number <= highest {
                continue;
            }
            told.push_str(if highest == before { "[\"+" } else { ",[\"+" });
            told.push_str(&number_text(*number));
            told.push_str("\",");
            body::push_string(&mut told, text);
            told.push(']');
            highest = *number;
        }
        if highest == before {
            return Ok(());
        }
        told.push_str("]]]");
        if told.len() > limits::PEER_BATCH_BYTES_MAX {
            return Err(Refused::new(
                refusal::BAD_ARGUMENT,
                "the messages are too much at once",
            ));
        }
        self.store.set_number(&key, highest);
        let methargs = CapData {
            body: told,
            slots: Vec::new(),
        };
        Ok(self.tell_object(handler, methargs)?)
    }

    fn take_ack(&mut self, device: &str, handler: &str, peer: &str, ack: u64) -> Kept<()> {
        let prefix = out_prefix(device, peer);
        let mut prior = prefix.clone();
        let mut acknowledged = false;
        let mut bytes = 0;
        while let Some(key) = self.store.next_key(&prior, &prefix)? {
            let digits = key.get(prefix.len()..).ok_or(Fault("a message's key is malformed"))?;
            if number_of(digits)? > ack {
                break;
            }
            bytes += self.store.get(&key).map_or(0, |text| text.len() as u64);
            self.store.delete(&key);
            acknowledged = true;
            prior = key;
        }
        if !acknowledged {
            return Ok(());
        }
        let bytes_key = state(device, ".bytes");
        let left = self.store.get_number(&bytes_key)?.unwrap_or(0).checked_sub(bytes);
        self.store.set_number(&bytes_key, left.ok_or(Fault("the count of a mailbox's bytes is too low"))?);
        let mut told = String::from("#[\"deliverInboundAck\",[");
        body::push_string(&mut told, peer);
        told.push_str(",\"+");
        told.push_str(&number_text(ack));
        told.push_str("\"]]");
        let methargs = CapData {
            body: told,
            slots: Vec::new(),
        };
        self.tell_object(handler, methargs)
    }
}
