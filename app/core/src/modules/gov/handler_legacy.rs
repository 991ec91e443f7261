//! Votes and deposits in the messages of `cosmos.gov.v1beta1`, which wallets still send. Proposals with a legacy content have no
//! handler: what they could do, messages of v1 do.

use swing_proto::{
    cosmos::gov::{
        v1::{self, WeightedVoteOption},
        v1beta1::{MsgDeposit, MsgDepositResponse, MsgVote, MsgVoteResponse, MsgVoteWeighted, MsgVoteWeightedResponse},
    },
    google::protobuf::Any,
    type_url,
};

use super::{error::GovError, handler};
use crate::{
    error::Failure,
    math::Dec,
    modules::{MsgContext, message},
};

/// Does a message of v1beta1; gives its response.
///
/// # Errors
/// As the message of v1 that it stands for.
pub fn handle(context: &mut MsgContext<'_, '_>, message: &Any) -> Result<Any, Failure> {
    let url = message.type_url.as_str();
    if url == type_url::<MsgVote>() {
        message::run(message, |message| vote(context, message))
    } else if url == type_url::<MsgVoteWeighted>() {
        message::run(message, |message| vote_weighted(context, message))
    } else if url == type_url::<MsgDeposit>() {
        message::run(message, |message| deposit(context, message))
    } else {
        Err(message::unroutable(url))
    }
}

fn vote(context: &mut MsgContext<'_, '_>, message: MsgVote) -> Result<MsgVoteResponse, Failure> {
    let MsgVote { proposal_id, voter, option } = message;
    // The options have the same numbers.
    handler::vote(context, v1::MsgVote { proposal_id, voter, option, metadata: String::new() })?;
    Ok(MsgVoteResponse {})
}

fn vote_weighted(
    context: &mut MsgContext<'_, '_>,
    message: MsgVoteWeighted,
) -> Result<MsgVoteWeightedResponse, Failure> {
    let MsgVoteWeighted { proposal_id, voter, options } = message;
    let mut converted = Vec::with_capacity(options.len());
    for option in options {
        // Scaled by 10^18 here, plain in v1.
        let weight = Dec::parse_scaled(&option.weight)
            .map_err(|error| GovError::InvalidVote.wrap(format!("invalid weight: {error}")))?;
        converted.push(WeightedVoteOption { option: option.option, weight: weight.to_string() });
    }
    let message = v1::MsgVoteWeighted { proposal_id, voter, options: converted, metadata: String::new() };
    handler::vote_weighted(context, message)?;
    Ok(MsgVoteWeightedResponse {})
}

fn deposit(context: &mut MsgContext<'_, '_>, message: MsgDeposit) -> Result<MsgDepositResponse, Failure> {
    let MsgDeposit { proposal_id, depositor, amount } = message;
    handler::deposit(context, &v1::MsgDeposit { proposal_id, depositor, amount })?;
    Ok(MsgDepositResponse {})
}
