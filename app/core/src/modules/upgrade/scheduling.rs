//! Deciding numbered plans: beside the pending ones, in place of one, and taking one back.

use swing_proto::swing::upgrade::v1::{
    MsgCancelPlan, MsgCancelPlanResponse, MsgSchedulePlan, MsgSchedulePlanResponse, MsgUpdateParams,
    MsgUpdateParamsResponse, PlanRecord, PlanStatus,
};

use super::{
    events, handler,
    info::{self, Keys},
    migration, msg, params,
    plans::{self, Ending},
};
use crate::{
    error::{Failure, Rejected},
    modules::{MsgContext, authority, consensus, swingset::swap},
    ports::upgrade::Plan,
    sdk_error::SdkError,
};

/// Bytes of a cancellation's reason.
const REASON_MAX: usize = 300;

fn refuse<T>(reason: impl std::fmt::Display) -> Result<T, Failure> {
    Err(invalid(reason).into())
}

fn invalid(reason: impl std::fmt::Display) -> Rejected {
    SdkError::InvalidRequest.wrap(reason)
}

/// Refuses messages about numbered plans where plans have no numbers yet.
///
/// # Errors
/// SDK 37; storage, out of gas.
pub(super) fn check_enabled(context: &MsgContext<'_, '_>) -> Result<(), Failure> {
    if plans::enabled(context.state)? {
        return Ok(());
    }
    let reason = "plans have no numbers under the rules in force: they come with the upgrade to version-2";
    Err(SdkError::NotSupported.wrap(reason).into())
}

/// Decides a plan beside those that are pending, or in place of one.
///
/// # Errors
/// gov 13 for another authority; SDK 18 for a plan that cannot be, SDK 37 under version-1's rules; swingset 11 for one that the
/// kernel's state could not follow.
pub fn schedule_plan(
    context: &mut MsgContext<'_, '_>,
    message: &MsgSchedulePlan,
) -> Result<MsgSchedulePlanResponse, Failure> {
    let (plan, replaced) = planned(context, message)?;
    let record = schedule(context, &plan, replaced)?;
    Ok(MsgSchedulePlanResponse { id: record.id })
}

/// What can be told when the plan is proposed: all but the notice.
///
/// # Errors
/// As [`schedule_plan`].
pub(super) fn check_proposed(context: &mut MsgContext<'_, '_>, message: &MsgSchedulePlan) -> Result<(), Failure> {
    let (plan, replaced) = planned(context, message)?;
    handler::check_schedulable(context, &plan)?;
    check_beside(context, &plan, replaced.as_ref())
}

fn planned(context: &MsgContext<'_, '_>, message: &MsgSchedulePlan) -> Result<(Plan, Option<PlanRecord>), Failure> {
    authority::check(&message.authority)?;
    check_enabled(context)?;
    let plan = msg::plan(message.plan.as_ref(), Keys::All)?;
    let replaced = match message.replaces {
        0 => None,
        id => Some(pending(context, id)?),
    };
    Ok((plan, replaced))
}

/// The pending plan of a number.
fn pending(context: &MsgContext<'_, '_>, id: u64) -> Result<PlanRecord, Failure> {
    match plans::record(context.state, id)? {
        Some(record) if record.status() == PlanStatus::Pending => Ok(record),
        Some(record) => refuse(format!("plan {id} is not pending: it is {}", events::word(record.status()))),
        None => refuse(format!("there is no plan {id}")),
    }
}

/// Schedules a plan, in place of `replaced` where there is one.
///
/// # Errors
/// As [`schedule_plan`].
pub(super) fn schedule(
    context: &mut MsgContext<'_, '_>,
    plan: &Plan,
    replaced: Option<PlanRecord>,
) -> Result<PlanRecord, Failure> {
    handler::check_schedulable(context, plan)?;
    check_notice(context, plan)?;
    check_beside(context, plan, replaced.as_ref())?;
    let height = context.block.height;
    if let Some(before) = &replaced {
        let by = plans::next_id(context.state)?;
        plans::end(context.state, before, height, Ending::Replaced { by })?;
    }
    let record = plans::add(context.state, plan, height)?;
    context.state.emit(events::decided(&record, replaced.as_ref()));
    Ok(record)
}

/// Measured when the plan is decided, not when it is proposed: only then it is known what is left.
fn check_notice(context: &MsgContext<'_, '_>, plan: &Plan) -> Result<(), Failure> {
    let (present, wanted) = (context.block.height, params::params(context.state)?.notice_blocks_min);
    let notice = plan.height.saturating_sub(present);
    if notice >= wanted {
        return Ok(());
    }
    let earliest = present.saturating_add(wanted);
    refuse(format!(
        "plan \"{}\" at height {} leaves {notice} blocks of notice, at least {wanted} are needed: height {earliest} or later",
        plan.name, plan.height
    ))
}

/// What the other pending plans, a migration and the plan's own options leave possible.
fn check_beside(context: &MsgContext<'_, '_>, plan: &Plan, replaced: Option<&PlanRecord>) -> Result<(), Failure> {
    let mut others = plans::pending(context.state)?;
    others.retain(|record| replaced.is_none_or(|replaced| replaced.id != record.id));
    if others.len() >= plans::PENDING_MAX {
        return refuse(format!("{} plans are pending: cancel or replace one", others.len()));
    }
    let height = i64::try_from(plan.height).unwrap_or(i64::MAX);
    if let Some(other) = others.iter().find(|record| record.name == plan.name) {
        return refuse(format!("plan {} is pending under this name: replace it, or cancel it first", other.id));
    }
    if let Some(other) = others.iter().find(|record| record.height == height) {
        return refuse(format!("plan {} (\"{}\") is pending at this height", other.id, other.name));
    }
    if let Some(migration) = migration::under_way(context.state)? {
        return refuse(format!(
            "the migration of module {} by plan \"{}\" is under way; the next plan must wait",
            migration.module, migration.plan_name
        ));
    }
    check_options(context, plan)?;
    let earlier = others.iter().find(|record| record.height < height);
    swap::check_plan(context.state, plan, earlier.map(|record| record.name.as_str()))
}

/// Whether there are blocks left for what the plan asks of validators, and whether its app version is one to go up to.
fn check_options(context: &MsgContext<'_, '_>, plan: &Plan) -> Result<(), Failure> {
    let (present, info) = (context.block.height, info::stored(&plan.info));
    if let Some(rehearsal) = info.rehearsal
        && (rehearsal.height <= present || rehearsal.height >= plan.height)
    {
        return refuse(format!(
            "plan: info rehearsal: height {} is not between the present one, {present}, and the plan's, {}",
            rehearsal.height, plan.height
        ));
    }
    if let Some(app_version) = info.app_version {
        let present = consensus::state::app_version(context.state)?;
        if app_version <= present {
            return refuse(format!("plan: info app_version: {app_version} is not above the present one, {present}"));
        }
    }
    let Some(readiness) = info.readiness else { return Ok(()) };
    let decision = plan.height.saturating_sub(readiness.decide_blocks_before);
    let first = info.rehearsal.map_or(present, |rehearsal| rehearsal.height);
    if decision <= first {
        return refuse(format!(
            "plan: info readiness: it would be decided at height {decision}, and nobody can attest before {}",
            first.saturating_add(1)
        ));
    }
    Ok(())
}

/// Takes a pending plan back.
///
/// # Errors
/// gov 13 for another authority; SDK 18 for a plan that is not pending, SDK 37 under version-1's rules.
pub fn cancel_plan(context: &mut MsgContext<'_, '_>, message: MsgCancelPlan) -> Result<MsgCancelPlanResponse, Failure> {
    authority::check(&message.authority)?;
    check_enabled(context)?;
    if message.reason.len() > REASON_MAX {
        return refuse(format!("reason: at most {REASON_MAX} bytes expected, got {}", message.reason.len()));
    }
    let record = pending(context, message.id)?;
    let ending = Ending::Cancelled { reason: message.reason };
    let record = plans::end(context.state, &record, context.block.height, ending)?;
    context.state.emit(events::ended("cancel_upgrade", &record));
    Ok(MsgCancelPlanResponse {})
}

/// Replaces the parameters.
///
/// # Errors
/// gov 13 for another authority; SDK 18 for parameters that cannot be, SDK 37 under version-1's rules.
pub fn update_params(
    context: &mut MsgContext<'_, '_>,
    message: &MsgUpdateParams,
) -> Result<MsgUpdateParamsResponse, Failure> {
    authority::check(&message.authority)?;
    check_enabled(context)?;
    let new = message.params.unwrap_or_default();
    params::check(&new)?;
    params::set(context.state, &new)?;
    Ok(MsgUpdateParamsResponse {})
}
