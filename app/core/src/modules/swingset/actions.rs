//! Actions in the queues: how they are written, and what they bring to the kernel. An action's type is the message that queued it, or
//! [`BRIDGE`]; its body is canonical JSON, keys in order and no white space.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use swing_proto::{
    agoric::swingset as agoric,
    google::protobuf::Timestamp,
    swing::swingset::v1::{ActionContext, InboundAction, MsgCoreEval, MsgDeliverInbound, MsgUpgradeVat},
    type_url,
};

use crate::{
    error::Halt,
    modules::BlockContext,
    ports::engine::{Evaluation, Inbound, InboundMessage, VatUpgrade},
};

/// Type of an action that one of the chain's modules queued for the bridge.
pub const BRIDGE: &str = "bridge";

/// An action of this type and body.
pub(super) fn action(kind: String, body: &Value, block: &BlockContext) -> InboundAction {
    InboundAction {
        r#type: kind,
        body: body.to_string().into_bytes(),
        context: Some(context(block)),
        ..InboundAction::default()
    }
}

/// Where an action comes from.
fn context(block: &BlockContext) -> ActionContext {
    ActionContext {
        block_height: i64::try_from(block.height).unwrap_or(i64::MAX),
        block_time: Some(Timestamp {
            seconds: block.time.seconds,
            nanos: i32::try_from(block.time.nanos).unwrap_or_default(),
        }),
        ..ActionContext::default()
    }
}

#[derive(Deserialize)]
struct Message {
    target: String,
    method: String,
    args: String,
}

#[derive(Deserialize)]
struct Mailbox {
    peer: String,
    messages: Vec<(u64, String)>,
    ack: u64,
}

#[derive(Deserialize)]
struct Bridge {
    bridge: String,
    value: String,
}

#[derive(Deserialize)]
struct Upgrade {
    vat_name: String,
    bundle_id: String,
    parameters: String,
    message: String,
}

#[derive(Deserialize)]
struct Eval {
    bundle_id: String,
    vats: Vec<String>,
    devices: Vec<String>,
}

/// What a queued action brings to the kernel.
///
/// # Errors
/// An action that this module did not write.
pub(super) fn inbound(action: &InboundAction) -> Result<Inbound, Halt> {
    let kind = action.r#type.as_str();
    Ok(if kind == type_url::<MsgDeliverInbound>() {
        let Message { target, method, args } = body(action)?;
        Inbound::Message(InboundMessage { vat_name: target, method, args_body: args })
    } else if kind == type_url::<agoric::MsgDeliverInbound>() {
        let Mailbox { peer, messages, ack } = body(action)?;
        Inbound::Mailbox { peer, messages, ack }
    } else if kind == BRIDGE {
        let Bridge { bridge, value } = body(action)?;
        Inbound::Bridge { bridge, value }
    } else if kind == type_url::<MsgUpgradeVat>() {
        let Upgrade { vat_name, bundle_id, parameters, message } = body(action)?;
        Inbound::UpgradeVat(VatUpgrade { vat_name, bundle_id, parameters, message })
    } else if kind == type_url::<MsgCoreEval>() {
        let Eval { bundle_id, vats, devices } = body(action)?;
        Inbound::Evaluate(Evaluation { bundle_id, vats, devices })
    } else {
        return Err(Halt::new(format!("action {} in the queue is of unknown type {kind:?}", action.number)));
    })
}

fn body<T: DeserializeOwned>(action: &InboundAction) -> Result<T, Halt> {
    serde_json::from_slice(&action.body)
        .map_err(|error| Halt::new(format!("action {} in the queue: {error}", action.number)))
}
