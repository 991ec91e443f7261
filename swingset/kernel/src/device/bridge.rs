//! The bridge: what the host's own modules do for vats, and what they tell them. Source: SwingSet's bridge device.
//!
//! `callOutbound(bridgeID, value)` gives the host's answer; both are data without references, as smallcaps.
//! `registerInboundHandler(handler)`: the handler is told `inbound(bridgeID, value)`.
//!
//! # Invariants
//! - What a call wrote on the host's side is kept with the vat's crank, and undone with it.

use alloc::{borrow::Cow, string::String, vec::Vec};

use swingset_abi::{
    kernel::{BridgeAnswer, refusal},
    vat::CapData,
    wire::Wire,
};

use super::{Answered, Device, DeviceCall, no};
use crate::{
    body,
    command::{Refused, Served},
    crank::Kernel,
    host::Host,
    json::Json,
    keys::join,
    limits,
    store::Fault,
};

impl<H: Host> Kernel<'_, H> {
    pub(super) fn answer_bridge(&mut self, call: &DeviceCall<'_>) -> Answered {
        match call.call.method {
            "registerInboundHandler" => self.register_handler(call),
            "callOutbound" => self.call_outbound(call),
            _ => no("bridge has no such method"),
        }
    }

    fn call_outbound(&mut self, call: &DeviceCall<'_>) -> Answered {
        let (Some(bridge), Some(value)) = (call.call.arg(0).and_then(Json::text), call.call.arg(1)) else {
            return no("the arguments are not a bridge's ID and a value");
        };
        if bridge.len() > limits::NAME_BYTES_MAX {
            return no("the bridge's ID is too long");
        }
        let Some(value) = value.to_data(&[]) else {
            return no("a value for the host holds no references");
        };
        let value = value.body.strip_prefix('#').unwrap_or_default();
        if value.len() > limits::BRIDGE_BYTES_MAX {
            return no("the value is too large");
        }
        if self.bridge_calls >= limits::BRIDGE_CALLS_PER_CRANK_MAX {
            return no("too many calls of the host in one crank");
        }
        self.bridge_calls += 1;
        let mut bytes = Vec::new();
        if !self.store.host.bridge(bridge, value.as_bytes(), &mut bytes) {
            return no("the host has no bridge of this ID");
        }
        match BridgeAnswer::from_bytes(&bytes) {
            Err(_) => Err(Fault("the host's answer to a bridge call is malformed")),
            Ok(BridgeAnswer::Value { body }) => Ok(Ok(CapData {
                body: join(["#", &body]),
                slots: Vec::new(),
            })),
            Ok(BridgeAnswer::Refused { problem }) => Ok(Err(Cow::Owned(problem))),
        }
    }

    /// A message of the host's to whoever registered for it.
    pub fn bridge_inbound(&mut self, bridge: &str, value: &str) -> Served<()> {
        let plain = Json::parse(value).and_then(|value| value.to_data(&[]));
        let Some(plain) = plain.filter(|data| data.body.len() <= limits::BODY_BYTES_MAX) else {
            let problem = "a bridge's message is not smallcaps without references, or too large";
            return Err(Refused::new(refusal::BAD_ARGUMENT, problem));
        };
        let device = self.device_id(Device::Bridge)?;
        let Some(handler) = self.handler(&device)? else {
            return Err(Refused::new(refusal::UNKNOWN, "no vat takes messages of the bridge"));
        };
        let mut told = String::from("#[\"inbound\",[");
        body::push_string(&mut told, bridge);
        told.push(',');
        told.push_str(plain.body.strip_prefix('#').unwrap_or_default());
        told.push_str("]]");
        let methargs = CapData {
            body: told,
            slots: Vec::new(),
        };
        Ok(self.tell_object(&handler, methargs)?)
    }
}
