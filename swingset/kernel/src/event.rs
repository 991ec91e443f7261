//! What waits in the acceptance queue, the run queue and promises' queues.

use alloc::string::String;

use swingset_abi::{
    kernel::{ReapThreshold, VatOptions},
    vat::CapData,
    wire::{Reader, Wire},
    wire_enum, wire_struct,
};

use crate::{
    backlog,
    message::Message,
    store::{Fault, Kept},
};

/// A queued event. It holds a reference on every kref that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message for an object or a promise.
    Send {
        target: String,
        result: Option<String>,
        methargs: CapData,
    },
    /// A promise that the vat subscribed to has settled.
    Notify { vat_id: String, kpid: String },
    /// The vat's first delivery; its parameters are at `v$N.vatParameters`.
    StartVat { vat_id: String },
    /// A dynamic vat is made and started.
    CreateVat { creation: Creation },
    /// A vat gets its next incarnation.
    UpgradeVat { upgrade: Upgrade },
    /// A vat's options change; `options` is what its supervisor is told, a JSON object.
    ChangeVatOptions {
        vat_id: String,
        reap: ReapThreshold,
        options: String,
        stored_bytes_max: Option<u64>,
    },
    /// The messages up to `end` that waited for a promise ([`crate::waiting`]). They hold the references.
    Requeue { kpid: String, end: u64 },
    /// Notifies for all who subscribed to a promise that has settled ([`crate::waiting`]).
    NotifyAll { kpid: String },
}
wire_enum!(Event {
    0 => Send { target, result, methargs },
    1 => Notify { vat_id, kpid },
    2 => StartVat { vat_id },
    3 => CreateVat { creation },
    4 => UpgradeVat { upgrade },
    5 => ChangeVatOptions { vat_id, reap, options, stored_bytes_max },
    6 => Requeue { kpid, end },
    7 => NotifyAll { kpid },
});

impl Event {
    /// Tags of items that stand for others: [`Event::Requeue`] and [`Event::NotifyAll`].
    pub const FOR_OTHERS: [u8; 2] = [6, 7];
}

/// A dynamic vat to be made. Nothing of it is in state before its crank but its ID, which no other will have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    pub vat_id: String,
    /// For people.
    pub name: String,
    pub bundle_id: String,
    /// The event counts among the meter's users.
    pub options: VatOptions,
    pub parameters: CapData,
    /// The promise of `{root, adminNode}`.
    pub result: Option<String>,
}
wire_struct!(Creation {
    vat_id,
    name,
    bundle_id,
    options,
    parameters,
    result
});

/// A vat's next incarnation to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    pub vat_id: String,
    pub bundle_id: String,
    pub parameters: CapData,
    /// Why, for those whose promises are disconnected.
    pub message: String,
    /// The promise of `{incarnationNumber}`.
    pub result: Option<String>,
}
wire_struct!(Upgrade {
    vat_id,
    bundle_id,
    parameters,
    message,
    result
});

/// The target of an encoded `Send`, without decoding its body; `None` for other events.
pub fn send_target(bytes: &[u8]) -> Option<&str> {
    let mut reader = Reader::new(crate::backlog::split(bytes).ok()?.1);
    match reader.u8() {
        Ok(0) => core::str::from_utf8(reader.slice().ok()?).ok(),
        _ => None,
    }
}

/// An event that the kernel stored and cannot read.
pub const MALFORMED: Fault = Fault("a queued event is malformed");

/// Decodes an event that the kernel stored, charged to somebody or not.
pub fn decode(bytes: &[u8]) -> Kept<Event> {
    Event::from_bytes(backlog::split(bytes)?.1).map_err(|_| MALFORMED)
}

/// A message, unopened; none for another event.
pub fn message(bytes: &[u8]) -> Kept<Option<Message<'_>>> {
    Message::queued(backlog::split(bytes)?.1).map_err(|_| MALFORMED)
}

/// The same where only a message can be.
pub fn expect_message(bytes: &[u8]) -> Kept<Message<'_>> {
    message(bytes)?.ok_or(MALFORMED)
}
