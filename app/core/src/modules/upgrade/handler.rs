//! Scheduling and cancelling. Source: x/upgrade msg server and `ScheduleUpgrade`.

use swing_proto::{
    cosmos::upgrade::v1beta1::{
        MsgCancelUpgrade, MsgCancelUpgradeResponse, MsgSoftwareUpgrade, MsgSoftwareUpgradeResponse,
    },
    google::protobuf::Any,
    type_url,
};

use super::{events, info, msg, state as upgrades};
use crate::{
    error::Failure,
    modules::{MsgContext, authority, message, swingset::swap},
    sdk_error::SdkError,
};

/// Does a message of this module; gives its response.
///
/// # Errors
/// The message's refusal; storage, out of gas.
pub fn handle(context: &mut MsgContext<'_, '_>, message: &Any) -> Result<Any, Failure> {
    let url = message.type_url.as_str();
    if url == type_url::<MsgSoftwareUpgrade>() {
        message::run(message, |message| software_upgrade(context, &message))
    } else if url == type_url::<MsgCancelUpgrade>() {
        message::run(message, |message| cancel_upgrade(context, &message))
    } else {
        Err(message::unroutable(url))
    }
}

/// What can be told of a message when a proposal with it is submitted: whether the plan's information can be read. All else is
/// looked at when the proposal has passed, as in the SDK.
///
/// # Errors
/// SDK 18.
pub fn check_proposed(_: &mut MsgContext<'_, '_>, message: &Any) -> Result<(), Failure> {
    if message.type_url != type_url::<MsgSoftwareUpgrade>() {
        return Ok(());
    }
    let message: MsgSoftwareUpgrade = message::unpack(message)?;
    info::check(&message.plan.unwrap_or_default().info)?;
    Ok(())
}

/// Schedules a plan, in place of the pending one.
///
/// # Errors
/// gov 13 for another authority; SDK 18 for a plan that cannot be; swingset 11 for one that the kernel's state could not follow.
pub fn software_upgrade(
    context: &mut MsgContext<'_, '_>,
    message: &MsgSoftwareUpgrade,
) -> Result<MsgSoftwareUpgradeResponse, Failure> {
    authority::check(&message.authority)?;
    let plan = msg::plan(message.plan.as_ref())?;
    // As in the SDK, the present height is no past: such a plan is due in the next block.
    if plan.height < context.block.height {
        return Err(SdkError::InvalidRequest.wrap("upgrade cannot be scheduled in the past").into());
    }
    if upgrades::applied_height(context.state, &plan.name)?.is_some() {
        let reason = format!("upgrade with name {} has already been completed", plan.name);
        return Err(SdkError::InvalidRequest.wrap(reason).into());
    }
    swap::check_plan(context.state, &plan)?;
    let event = match upgrades::plan(context.state)? {
        Some(before) => events::replaced(&plan, &before),
        None => events::scheduled(&plan),
    };
    upgrades::set_plan(context.state, &plan)?;
    context.state.emit(event);
    Ok(MsgSoftwareUpgradeResponse {})
}

/// Cancels the pending plan; none is no error, as in the SDK.
///
/// # Errors
/// gov 13 for another authority.
pub fn cancel_upgrade(
    context: &mut MsgContext<'_, '_>,
    message: &MsgCancelUpgrade,
) -> Result<MsgCancelUpgradeResponse, Failure> {
    authority::check(&message.authority)?;
    if let Some(plan) = upgrades::plan(context.state)? {
        upgrades::clear_plan(context.state)?;
        context.state.emit(events::cancelled(&plan));
    }
    Ok(MsgCancelUpgradeResponse {})
}
