//! What governance decides for the engine's vats: other code for a static vat, and bundles that are run as vats with some powers. Both
//! wait in the high-priority queue until the next block's end, since decisions are made after a block's cranks.
//!
//! # Invariants
//! - Held against state twice, by the same rules: when the proposal is submitted, and when it has passed. The engine looks a third time
//!   when it takes the action.
//! - `js_code` is nowhere: what runs is an installed bundle.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};
use swing_proto::{
    swing::swingset::v1::{MsgCoreEval, MsgCoreEvalResponse, MsgUpgradeVat, MsgUpgradeVatResponse},
    type_url,
};

use super::{Refusal, actions, events, install::failure, queue, state as params, view};
use crate::{
    error::{Failure, Rejected},
    modules::{MsgContext, authority},
};

/// Bytes of an upgrade message.
const MESSAGE_MAX: usize = 1_024;
/// Actions of governance that may wait.
const QUEUE_MAX: u64 = 1_000;
/// Devices that may be permitted.
const DEVICES: [&str; 4] = ["vatAdmin", "timer", "mailbox", "bridge"];
/// What stands for vat administration's root among the vats.
const VAT_ADMIN: &str = "vatAdmin";

/// Holds a vat's upgrade against state, without deciding it.
///
/// # Errors
/// gov 13 for another authority; swingset 8, 9; the engine's refusal of the bundle; storage, out of gas.
pub fn check_upgrade(context: &mut MsgContext<'_, '_>, message: &MsgUpgradeVat) -> Result<(), Failure> {
    authority::check(&message.authority)?;
    parameters(message, params::args_limit(&params::params(context.state)?))?;
    if message.upgrade_message.len() > MESSAGE_MAX {
        let length = message.upgrade_message.len();
        return Refusal::Message.fail(format!("upgrade_message: up to {MESSAGE_MAX} bytes expected, got {length}"));
    }
    if view::vat_id(context.state, &message.vat_name)?.is_none() {
        return Refusal::UnknownVat.fail(format!("no vat is called {:?}", message.vat_name));
    }
    context.engine.check_vat_bundle(context.state, &message.bundle_id).map_err(failure)
}

/// Queues a vat's upgrade.
///
/// # Errors
/// As [`check_upgrade`]; swingset 6.
pub fn upgrade_vat(
    context: &mut MsgContext<'_, '_>,
    message: &MsgUpgradeVat,
) -> Result<MsgUpgradeVatResponse, Failure> {
    check_upgrade(context, message)?;
    let parameters = parameters(message, u64::MAX)?;
    let body = json!({
        "bundle_id": message.bundle_id,
        "message": message.upgrade_message,
        "parameters": parameters,
        "vat_name": message.vat_name,
    });
    let action = actions::action(type_url::<MsgUpgradeVat>(), &body, context.block);
    let action_number = queue::push(context.state, queue::Queue::HighPriority, action, QUEUE_MAX)?;
    context.state.emit(events::vat_upgrade_queued(action_number, &message.vat_name, &message.bundle_id));
    Ok(MsgUpgradeVatResponse { action_number })
}

/// The parameters as a smallcaps body.
fn parameters(message: &MsgUpgradeVat, length_max: u64) -> Result<String, Rejected> {
    if message.parameters.is_empty() {
        return Ok("#{}".to_owned());
    }
    let text = std::str::from_utf8(&message.parameters).ok().filter(|text| text.len() as u64 <= length_max);
    let json = text.and_then(|text| text.strip_prefix('#')).map(serde_json::from_str::<serde::de::IgnoredAny>);
    match (text, json) {
        (Some(text), Some(Ok(_))) => Ok(text.to_owned()),
        _ => {
            let rule = format!("a smallcaps body such as #{{\"limit\":\"+5\"}} expected, up to {length_max} bytes");
            Err(Refusal::Message.because(format!("parameters: {rule}")))
        }
    }
}

/// What a bundle is permitted. Unknown keys are refused: they would be powers that somebody thinks to be given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Permits {
    #[serde(default)]
    vats: Vec<String>,
    #[serde(default)]
    devices: Vec<String>,
}

/// Holds the running of a bundle against state, without deciding it.
///
/// # Errors
/// gov 13 for another authority; swingset 8, 9; the engine's refusal of the bundle; storage, out of gas.
pub fn check_eval(context: &mut MsgContext<'_, '_>, message: &MsgCoreEval) -> Result<(), Failure> {
    authority::check(&message.authority)?;
    let permits = permits(&message.json_permits)?;
    for name in permits.vats.iter().filter(|name| *name != VAT_ADMIN) {
        if view::vat_id(context.state, name)?.is_none() {
            return Refusal::UnknownVat.fail(format!("no vat is called {name:?}"));
        }
    }
    context.engine.check_vat_bundle(context.state, &message.bundle_id).map_err(failure)
}

/// Queues the running of a bundle.
///
/// # Errors
/// As [`check_eval`]; swingset 6.
pub fn core_eval(context: &mut MsgContext<'_, '_>, message: &MsgCoreEval) -> Result<MsgCoreEvalResponse, Failure> {
    check_eval(context, message)?;
    let Permits { vats, devices } = permits(&message.json_permits)?;
    let body = json!({"bundle_id": message.bundle_id, "devices": devices, "vats": vats});
    let action = actions::action(type_url::<MsgCoreEval>(), &body, context.block);
    let action_number = queue::push(context.state, queue::Queue::HighPriority, action, QUEUE_MAX)?;
    context.state.emit(events::core_eval_queued(action_number, &message.bundle_id));
    Ok(MsgCoreEvalResponse { action_number })
}

fn permits(text: &str) -> Result<Permits, Rejected> {
    let refuse = |reason: String| Err(Refusal::Message.because(format!("json_permits: {reason}")));
    // An object, and not the list of its values that a reader takes as well.
    let object = serde_json::from_str::<serde_json::Map<String, Value>>(text);
    let Ok(permits) = object.and_then(|fields| serde_json::from_value::<Permits>(Value::Object(fields))) else {
        return refuse("{\"vats\":[names],\"devices\":[names]} expected, and no other keys".to_owned());
    };
    if let Some(name) = permits.devices.iter().find(|name| !DEVICES.contains(&name.as_str())) {
        return refuse(format!("there is no device {name:?}, but {}", DEVICES.join(", ")));
    }
    for names in [&permits.vats, &permits.devices] {
        let mut seen = BTreeSet::new();
        if let Some(name) = names.iter().find(|name| !seen.insert(*name)) {
            return refuse(format!("{name:?} stands twice"));
        }
    }
    Ok(permits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_names_of_vats_and_devices_and_nothing_else() {
        for (text, accepted) in [
            ("{}", true),
            ("{\"vats\":[\"vatAdmin\",\"counter\"],\"devices\":[\"bridge\",\"timer\"]}", true),
            ("", false),
            ("[]", false),
            ("{\"vats\":true}", false),
            ("{\"everything\":true}", false),
            ("{\"devices\":[\"rocket\"]}", false),
            ("{\"devices\":[\"timer\",\"timer\"]}", false),
        ] {
            assert_eq!(permits(text).is_ok(), accepted, "{text}");
        }
    }

    #[test]
    fn parameters_are_a_smallcaps_body() {
        for (bytes, body) in [
            (&b""[..], Some("#{}")),
            (b"#{\"a\":\"+5\"}", Some("#{\"a\":\"+5\"}")),
            (b"#undefined", None),
            (b"{}", None),
            (b"#{", None),
            (b"#\"\xff\"", None),
            (b"#\"0123456789\"", None),
        ] {
            let message = MsgUpgradeVat { parameters: bytes.to_vec(), ..MsgUpgradeVat::default() };
            assert_eq!(parameters(&message, 12).ok().as_deref(), body, "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}
