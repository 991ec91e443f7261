//! Scheduling and cancelling. Source: x/upgrade msg server and `ScheduleUpgrade`.

use swing_proto::{
    cosmos::upgrade::v1beta1::{
        MsgCancelUpgrade, MsgCancelUpgradeResponse, MsgSoftwareUpgrade, MsgSoftwareUpgradeResponse,
    },
    google::protobuf::Any,
    swing::upgrade::v1::{MsgAttestUpgrade, MsgCancelPlan, MsgSchedulePlan, MsgUpdateParams},
    type_url,
};

use super::{
    events,
    info::{self, Keys},
    msg,
    plans::{self, Ending},
    readiness, scheduling, state as upgrades,
};
use crate::{
    error::Failure,
    modules::{MsgContext, authority, message, swingset::swap},
    ports::upgrade::Plan,
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
    } else if url == type_url::<MsgSchedulePlan>() {
        message::run(message, |message| scheduling::schedule_plan(context, &message))
    } else if url == type_url::<MsgCancelPlan>() {
        message::run(message, |message| scheduling::cancel_plan(context, message))
    } else if url == type_url::<MsgUpdateParams>() {
        message::run(message, |message| scheduling::update_params(context, &message))
    } else if url == type_url::<MsgAttestUpgrade>() {
        message::run(message, |message| readiness::attest(context, message))
    } else {
        Err(message::unroutable(url))
    }
}

/// What can be told of a message when a proposal with it is submitted. Of the SDK's: whether the plan's information can be read; all
/// else is looked at when the proposal has passed, as in the SDK. Ours are looked at whole, the notice aside, which is measured when
/// the proposal has passed.
///
/// # Errors
/// SDK 18; as [`scheduling`].
pub fn check_proposed(context: &mut MsgContext<'_, '_>, message: &Any) -> Result<(), Failure> {
    let url = message.type_url.as_str();
    if url == type_url::<MsgSoftwareUpgrade>() {
        let message: MsgSoftwareUpgrade = message::unpack(message)?;
        let known = known_keys(context)?;
        info::check(&message.plan.unwrap_or_default().info, known)?;
    } else if url == type_url::<MsgSchedulePlan>() {
        scheduling::check_proposed(context, &message::unpack(message)?)?;
    } else if url == type_url::<MsgCancelPlan>() {
        scheduling::cancel_plan(context, message::unpack(message)?)?;
    } else if url == type_url::<MsgUpdateParams>() {
        scheduling::update_params(context, &message::unpack(message)?)?;
    }
    Ok(())
}

/// The keys of a plan's information under the rules in force. Version-1's charge no gas for the look.
fn known_keys(context: &MsgContext<'_, '_>) -> Result<Keys, Failure> {
    let all = context.block.app_version > 1 && plans::enabled(context.state)?;
    Ok(if all { Keys::All } else { Keys::First })
}

/// Schedules a plan, in place of the nearest pending one.
///
/// # Errors
/// gov 13 for another authority; SDK 18 for a plan that cannot be; swingset 11 for one that the kernel's state could not follow.
pub fn software_upgrade(
    context: &mut MsgContext<'_, '_>,
    message: &MsgSoftwareUpgrade,
) -> Result<MsgSoftwareUpgradeResponse, Failure> {
    authority::check(&message.authority)?;
    let plan = msg::plan(message.plan.as_ref(), known_keys(context)?)?;
    if plans::enabled(context.state)? {
        let nearest = plans::nearest(context.state)?;
        scheduling::schedule(context, &plan, nearest)?;
    } else {
        schedule_only_one(context, &plan)?;
    }
    Ok(MsgSoftwareUpgradeResponse {})
}

/// Under the rules of version-1: one plan is pending at most.
fn schedule_only_one(context: &mut MsgContext<'_, '_>, plan: &Plan) -> Result<(), Failure> {
    check_schedulable(context, plan)?;
    swap::check_plan(context.state, plan, None)?;
    let event = match upgrades::plan(context.state)? {
        Some(before) => events::replaced(plan, &before),
        None => events::scheduled(plan),
    };
    upgrades::set_plan(context.state, plan)?;
    context.state.emit(event);
    Ok(())
}

/// What the SDK looks at, in its words.
pub(super) fn check_schedulable(context: &MsgContext<'_, '_>, plan: &Plan) -> Result<(), Failure> {
    // As in the SDK, the present height is no past: such a plan is due in the next block.
    if plan.height < context.block.height {
        return Err(SdkError::InvalidRequest.wrap("upgrade cannot be scheduled in the past").into());
    }
    if upgrades::applied_height(context.state, &plan.name)?.is_some() {
        let reason = format!("upgrade with name {} has already been completed", plan.name);
        return Err(SdkError::InvalidRequest.wrap(reason).into());
    }
    Ok(())
}

/// Cancels the nearest pending plan; none is no error, as in the SDK.
///
/// # Errors
/// gov 13 for another authority.
pub fn cancel_upgrade(
    context: &mut MsgContext<'_, '_>,
    message: &MsgCancelUpgrade,
) -> Result<MsgCancelUpgradeResponse, Failure> {
    authority::check(&message.authority)?;
    if plans::enabled(context.state)? {
        if let Some(record) = plans::nearest(context.state)? {
            let ending = Ending::Cancelled { reason: String::new() };
            let record = plans::end(context.state, &record, context.block.height, ending)?;
            context.state.emit(events::ended("cancel_upgrade", &record));
        }
    } else if let Some(plan) = upgrades::plan(context.state)? {
        upgrades::clear_plan(context.state)?;
        context.state.emit(events::cancelled(&plan));
    }
    Ok(MsgCancelUpgradeResponse {})
}
