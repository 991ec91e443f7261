//! Actions of wallets' owners: they go to whoever registered with the bridge, as messages of bridge `wallet`. Source: upstream's
//! `MsgWalletAction` and `MsgWalletSpendAction`.

use serde_json::{Value, json};
use swing_proto::agoric::swingset::{
    MsgWalletAction, MsgWalletActionResponse, MsgWalletSpendAction, MsgWalletSpendActionResponse,
};

use super::{
    Refusal, bridge, events,
    fees::{self, Unit},
    install, state as params,
};
use crate::{error::Failure, modules::MsgContext};

/// The bridge's ID.
const BRIDGE: &str = "wallet";

/// Queues an action that may not spend.
///
/// # Errors
/// swingset 6, 9; SDK 5 for the price; storage, out of gas.
pub fn action(context: &mut MsgContext<'_, '_>, message: &MsgWalletAction) -> Result<MsgWalletActionResponse, Failure> {
    queue(context, &message.owner, ("WALLET_ACTION", "action"), &message.action)?;
    Ok(MsgWalletActionResponse {})
}

/// Queues an action that may spend.
///
/// # Errors
/// As [`action`].
pub fn spend_action(
    context: &mut MsgContext<'_, '_>,
    message: &MsgWalletSpendAction,
) -> Result<MsgWalletSpendActionResponse, Failure> {
    queue(context, &message.owner, ("WALLET_SPEND_ACTION", "spendAction"), &message.spend_action)?;
    Ok(MsgWalletSpendActionResponse {})
}

fn queue(
    context: &mut MsgContext<'_, '_>,
    owner: &[u8],
    (kind, field): (&str, &str),
    text: &str,
) -> Result<(), Failure> {
    let owner = install::submitter(owner)?;
    let params = params::params(context.state)?;
    let (length, max) = (text.len() as u64, params::args_limit(&params));
    if text.trim().is_empty() || length > max {
        return Refusal::Message.fail(format!("{field}: from 1 to {max} bytes expected, got {length}"));
    }
    let work = [(Unit::InboundTx, 1), (Unit::Message, 1), (Unit::MessageByte, length)];
    fees::charge(context.state, &params, &owner, &work)?;
    let value: Value = json!({
        "type": kind,
        "owner": owner.to_string(),
        field: text,
        "blockHeight": context.block.height,
        "blockTime": context.block.time.seconds,
    });
    let number = bridge::inbound(context.state, context.block, BRIDGE, value, params.inbound_queue_max)?;
    context.state.emit(events::action_queued(number, BRIDGE, kind, &owner.to_string()));
    Ok(())
}
