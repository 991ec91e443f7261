//! Changing the parameters. Source: x/consensus msg server.

use swing_proto::{
    cosmos::consensus::v1::{MsgUpdateParams, MsgUpdateParamsResponse},
    google::protobuf::Any,
    json, type_url,
};

use super::{events, msg, state as consensus};
use crate::{
    error::Failure,
    modules::{MsgContext, authority, message},
    sdk_error::SdkError,
};

/// Does a message of this module; gives its response.
///
/// # Errors
/// The message's refusal; storage, out of gas.
pub fn handle(context: &mut MsgContext<'_, '_>, message: &Any) -> Result<Any, Failure> {
    if message.type_url == type_url::<MsgUpdateParams>() {
        message::run(message, |message| update_params(context, &message))
    } else {
        Err(message::unroutable(&message.type_url))
    }
}

/// Replaces all parameters but the app version. They hold from the next block on.
///
/// # Errors
/// gov 13 for another authority; SDK 18 for parameters that cannot be.
pub fn update_params(
    context: &mut MsgContext<'_, '_>,
    message: &MsgUpdateParams,
) -> Result<MsgUpdateParamsResponse, Failure> {
    authority::check(&message.authority)?;
    let before = consensus::params(context.state)?;
    let mut params = msg::params(message, before.version);
    // As in CometBFT's `Update`, a group that is absent stays as it was.
    params.abci = params.abci.or(before.abci);
    consensus::validate(&params)?;
    consensus::set_params(context.state, &params)?;
    let parameters = json::to_json(&params).map_err(|error| SdkError::Logic.wrap(error))?;
    context.state.emit(events::params_updated(&message.authority, &parameters.to_string()));
    Ok(MsgUpdateParamsResponse {})
}
