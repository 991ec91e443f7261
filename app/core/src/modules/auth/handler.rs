//! Changing the parameters. Source: x/auth msg server.

use prost::Message;
use swing_proto::{
    cosmos::auth::v1beta1::{MsgUpdateParams, MsgUpdateParamsResponse, Params},
    google::protobuf::Any,
    type_url,
};

use super::keys;
use crate::{
    error::{Failure, Rejected},
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

fn update_params(
    context: &mut MsgContext<'_, '_>,
    message: &MsgUpdateParams,
) -> Result<MsgUpdateParamsResponse, Failure> {
    authority::check(&message.authority)?;
    let params = message.params.unwrap_or_default();
    validate_params(&params)?;
    context.state.set(keys::PARAMS, params.encode_to_vec())?;
    Ok(MsgUpdateParamsResponse {})
}

/// Source: SDK `Params.Validate`.
///
/// # Errors
/// SDK 18 with the parameter's name.
pub(super) fn validate_params(params: &Params) -> Result<(), Rejected> {
    let figures = [
        ("tx signature limit", params.tx_sig_limit),
        ("ED25519 signature verification cost", params.sig_verify_cost_ed25519),
        ("SECK256k1 signature verification cost", params.sig_verify_cost_secp256k1),
        ("max memo characters", params.max_memo_characters),
        ("tx size cost per byte", params.tx_size_cost_per_byte),
    ];
    match figures.iter().find(|(_, figure)| *figure == 0) {
        Some((name, figure)) => Err(SdkError::InvalidRequest.wrap(format!("invalid {name}: {figure}"))),
        None => Ok(()),
    }
}
