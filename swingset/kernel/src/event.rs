//! What waits in the acceptance queue, the run queue and promises' queues.

use alloc::string::String;

use swingset_abi::{
    vat::CapData,
    wire::{Reader, Wire},
    wire_enum,
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
}
wire_enum!(Event {
    0 => Send { target, result, methargs },
    1 => Notify { vat_id, kpid },
    2 => StartVat { vat_id },
});

/// The target of an encoded `Send`, without decoding its body; `None` for other events.
pub fn send_target(bytes: &[u8]) -> Option<&str> {
    let mut reader = Reader::new(bytes);
    match reader.u8() {
        Ok(0) => core::str::from_utf8(reader.slice().ok()?).ok(),
        _ => None,
    }
}

/// Decodes an event that the kernel stored.
pub fn decode(bytes: &[u8]) -> crate::store::Kept<Event> {
    Event::from_bytes(bytes).map_err(|_| crate::store::Fault("a queued event is malformed"))
}
