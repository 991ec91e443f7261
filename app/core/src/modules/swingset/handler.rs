//! Messages of the chain side: they install and queue; nothing runs here.

use serde_json::{Value, json};
use swing_proto::{
    agoric::swingset::{self as agoric, MsgInstallBundle, MsgSendChunk, MsgWalletAction, MsgWalletSpendAction},
    google::protobuf::Any,
    swing::swingset::v1::{
        MsgCancelKernelBundle, MsgCoreEval, MsgDeliverInbound, MsgDeliverInboundResponse, MsgReleaseBundle,
        MsgSetKernelBundle, MsgUpdateParams, MsgUpdateParamsResponse, MsgUpgradeVat,
    },
    type_url,
};

use super::{
    Refusal, actions, chunks, events,
    fees::{self, Unit},
    governed, install, mailbox, queue, release, state as params, swap, view, wallet,
};
use crate::{
    address::Address,
    error::{Failure, Rejected},
    modules::{MsgContext, authority, message},
    sdk_error::SdkError,
};

/// Bytes of a vat's or method's name.
const NAME_MAX: usize = 256;

/// Does a message of this module; gives its response.
///
/// # Errors
/// The message's refusal; storage, out of gas.
pub fn handle(context: &mut MsgContext<'_, '_>, message: &Any) -> Result<Any, Failure> {
    let url = message.type_url.as_str();
    if url == type_url::<MsgDeliverInbound>() {
        message::run(message, |message| deliver_inbound(context, &message))
    } else if url == type_url::<MsgInstallBundle>() {
        message::run(message, |message| install::install(context, &message))
    } else if url == type_url::<MsgSendChunk>() {
        message::run(message, |message| chunks::send_chunk(context, &message))
    } else if url == type_url::<MsgReleaseBundle>() {
        message::run(message, |message| release::release_bundle(context, &message))
    } else if url == type_url::<MsgUpdateParams>() {
        message::run(message, |message| update_params(context, message))
    } else if url == type_url::<MsgSetKernelBundle>() {
        message::run(message, |message| swap::set_kernel_bundle(context, &message))
    } else if url == type_url::<MsgCancelKernelBundle>() {
        message::run(message, |message| swap::cancel_kernel_bundle(context, &message))
    } else if url == type_url::<MsgUpgradeVat>() {
        message::run(message, |message| governed::upgrade_vat(context, &message))
    } else if url == type_url::<MsgCoreEval>() {
        message::run(message, |message| governed::core_eval(context, &message))
    } else if url == type_url::<agoric::MsgDeliverInbound>() {
        message::run(message, |message| mailbox::deliver_inbound(context, &message))
    } else if url == type_url::<MsgWalletAction>() {
        message::run(message, |message| wallet::action(context, &message))
    } else if url == type_url::<MsgWalletSpendAction>() {
        message::run(message, |message| wallet::spend_action(context, &message))
    } else {
        Err(message::unroutable(url))
    }
}

/// What can be told of a message when a proposal with it is submitted; nothing is changed.
///
/// # Errors
/// Why it could not be carried out now.
pub fn check_proposed(context: &mut MsgContext<'_, '_>, message: &Any) -> Result<(), Failure> {
    if message.type_url == type_url::<MsgSetKernelBundle>() {
        let message = message::unpack(message)?;
        swap::check_proposed(context, &message)
    } else if message.type_url == type_url::<MsgUpgradeVat>() {
        let message = message::unpack(message)?;
        governed::check_upgrade(context, &message)
    } else if message.type_url == type_url::<MsgCoreEval>() {
        let message = message::unpack(message)?;
        governed::check_eval(context, &message)
    } else {
        Ok(())
    }
}

fn check_inbound(message: &MsgDeliverInbound, args_max: u64) -> Result<(), Rejected> {
    let refuse = |reason: String| Err(Refusal::Message.because(reason));
    for (field, text) in [("target", &message.target), ("method", &message.method)] {
        if text.is_empty() || text.len() > NAME_MAX {
            return refuse(format!("{field}: from 1 to {NAME_MAX} bytes expected, got {}", text.len()));
        }
    }
    if message.args.len() as u64 > args_max {
        return refuse(format!("args: {} bytes are more than {args_max}", message.args.len()));
    }
    let list = message.args.strip_prefix(b"#").map(serde_json::from_slice::<Vec<serde::de::IgnoredAny>>);
    match list {
        Some(Ok(_)) => Ok(()),
        _ => refuse("args: a smallcaps body of a list expected, such as #[1,\"two\"]".to_owned()),
    }
}

/// Queues a message to a vat's root object; it is delivered at the end of this or a later block.
///
/// # Errors
/// swingset 6, 8, 9; SDK 5 for the price; storage, out of gas.
pub fn deliver_inbound(
    context: &mut MsgContext<'_, '_>,
    message: &MsgDeliverInbound,
) -> Result<MsgDeliverInboundResponse, Failure> {
    let sender = Address::parse(&message.sender).map_err(|error| SdkError::InvalidAddress.wrap(error))?;
    let params = params::params(context.state)?;
    check_inbound(message, params::args_limit(&params))?;
    if view::vat_id(context.state, &message.target)?.is_none() {
        return Refusal::UnknownVat.fail(format!("no vat is called {:?}", message.target));
    }
    let bytes = (message.args.len() + message.target.len() + message.method.len()) as u64;
    let work = [(Unit::InboundTx, 1), (Unit::Message, 1), (Unit::MessageByte, bytes)];
    fees::charge(context.state, &params, &sender, &work)?;
    let action = actions::action(type_url::<MsgDeliverInbound>(), &action_body(message, &sender)?, context.block);
    let action_number = queue::push(context.state, queue::Queue::Actions, action, params.inbound_queue_max)?;
    context.state.emit(events::action_queued(action_number, &message.target, &message.method, &message.sender));
    Ok(MsgDeliverInboundResponse { action_number })
}

fn action_body(message: &MsgDeliverInbound, sender: &Address) -> Result<Value, Rejected> {
    let args = std::str::from_utf8(&message.args).map_err(|_| Refusal::Message.because("args: not UTF-8"))?;
    Ok(json!({
        "args": args,
        "method": message.method,
        "sender": sender.to_string(),
        "target": message.target,
    }))
}

/// Replaces the parameters.
///
/// # Errors
/// gov 13 for another authority; swingset 10.
pub fn update_params(
    context: &mut MsgContext<'_, '_>,
    message: MsgUpdateParams,
) -> Result<MsgUpdateParamsResponse, Failure> {
    authority::check(&message.authority)?;
    let new = message.params.unwrap_or_default();
    params::validate_params(&new, context.block.app_version)?;
    params::set_params(context.state, &new)?;
    Ok(MsgUpdateParamsResponse {})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(args: &[u8], accepted: bool) {
        let message = MsgDeliverInbound {
            target: "counter".into(),
            method: "increment".into(),
            args: args.to_vec(),
            ..MsgDeliverInbound::default()
        };
        assert_eq!(check_inbound(&message, 1_000).is_ok(), accepted, "{:?}", String::from_utf8_lossy(args));
    }

    #[test]
    fn only_smallcaps_lists_are_arguments() {
        check(b"#[]", true);
        check(b"#[1,{\"a\":[\"+5\"]}]", true);
        check(b"", false);
        check(b"[]", false);
        check(b"#{}", false);
        check(b"#[", false);
        check(b"#[\xff]", false);
        check(&[b"#[".as_slice(), &vec![b' '; 1_000], b"]"].concat(), false);
    }
}
