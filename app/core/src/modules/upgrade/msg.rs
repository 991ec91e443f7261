//! Messages of upgrades, and what can be told of them without state.

use prost::Name;
use swing_proto::{
    cosmos::upgrade::v1beta1::{MsgCancelUpgrade, MsgSoftwareUpgrade, Plan as PlanProto},
    swing::upgrade::v1::{MsgAttestUpgrade, MsgCancelPlan, MsgSchedulePlan, MsgUpdateParams},
};

use super::info::{self, Keys};
use crate::{error::Rejected, ports::upgrade::Plan, sdk_error::SdkError, time::GO_ZERO_SECONDS};

pub use crate::modules::message::signers;

/// Type names of the messages that [`super::handler::handle`] takes.
pub fn names() -> [String; 6] {
    [
        MsgSoftwareUpgrade::full_name(),
        MsgCancelUpgrade::full_name(),
        MsgSchedulePlan::full_name(),
        MsgCancelPlan::full_name(),
        MsgUpdateParams::full_name(),
        MsgAttestUpgrade::full_name(),
    ]
}

/// The plan of a message. Source: SDK `Plan.ValidateBasic`; its information is looked at beyond that ([`info`]).
///
/// # Errors
/// SDK 18 in the SDK's words.
pub fn plan(plan: Option<&PlanProto>, known: Keys) -> Result<Plan, Rejected> {
    let refuse = |reason: &str| Err(SdkError::InvalidRequest.wrap(format!("plan: {reason}")));
    let plan = plan.cloned().unwrap_or_default();
    let (time, client_state) = (plan.time, plan.upgraded_client_state);
    if time.is_some_and(|time| time.seconds != GO_ZERO_SECONDS || time.nanos != 0) {
        return refuse("time-based upgrades have been deprecated in the SDK");
    }
    if client_state.is_some() {
        return refuse("upgrade logic for IBC has been moved to the IBC module");
    }
    if plan.name.is_empty() {
        return refuse("name cannot be empty");
    }
    match u64::try_from(plan.height) {
        Ok(height) if height > 0 => {
            info::check(&plan.info, known)?;
            Ok(Plan { name: plan.name, height, info: plan.info })
        }
        _ => refuse("height must be greater than 0"),
    }
}
