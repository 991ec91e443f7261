//! Submitting, depositing, voting, cancelling. Source: x/gov v1 msg server.

use prost::Message;
use swing_proto::{
    cosmos::gov::v1::{
        MsgCancelProposal, MsgCancelProposalResponse, MsgDeposit, MsgDepositResponse, MsgSubmitProposal,
        MsgSubmitProposalResponse, MsgUpdateParams, MsgUpdateParamsResponse, MsgVote, MsgVoteResponse, MsgVoteWeighted,
        MsgVoteWeightedResponse, Proposal, ProposalStatus, Vote, WeightedVoteOption,
    },
    google::protobuf::Any,
    type_url,
};

use super::{deposit, error::GovError, events, handler_legacy, keys, msg, state as gov};
use crate::{
    error::Failure,
    modules::{MsgContext, authority, message},
    router,
    sdk_error::SdkError,
};

/// Gas for each byte of a submitted proposal, beside that of writing it. Source: SDK, three times the price of a written byte.
const GAS_PER_BYTE: u64 = 90;

/// Does a message of this module; gives its response.
///
/// # Errors
/// The message's refusal; storage, out of gas.
pub fn handle(context: &mut MsgContext<'_, '_>, message: &Any) -> Result<Any, Failure> {
    let url = message.type_url.as_str();
    if url == type_url::<MsgSubmitProposal>() {
        message::run(message, |message| submit_proposal(context, message))
    } else if url == type_url::<MsgDeposit>() {
        message::run(message, |message| deposit(context, &message))
    } else if url == type_url::<MsgVote>() {
        message::run(message, |message| vote(context, message))
    } else if url == type_url::<MsgVoteWeighted>() {
        message::run(message, |message| vote_weighted(context, message))
    } else if url == type_url::<MsgCancelProposal>() {
        message::run(message, |message| cancel_proposal(context, &message))
    } else if url == type_url::<MsgUpdateParams>() {
        message::run(message, |message| update_params(context, &message))
    } else {
        handler_legacy::handle(context, message)
    }
}

/// Submits a proposal with its initial deposit.
///
/// # Errors
/// In the SDK's words and codes.
pub fn submit_proposal(
    context: &mut MsgContext<'_, '_>,
    message: MsgSubmitProposal,
) -> Result<MsgSubmitProposalResponse, Failure> {
    msg::check_texts(&message)?;
    let proposer = msg::address("proposer", &message.proposer)?;
    let initial = msg::coins(&message.initial_deposit)?;
    let params = gov::params(context.state)?;
    deposit::check_initial(&params, message.expedited, &initial)?;
    deposit::check_denoms(&params, &initial)?;
    let mut urls = String::new();
    for proposed in &message.messages {
        msg::check_proposed(proposed)?;
        router::check_proposed(context, proposed).map_err(msg::invalid_proposed)?;
        urls.push(',');
        urls.push_str(&proposed.type_url);
    }
    let id = gov::next_id(context.state)?;
    gov::set_next_id(context.state, id.checked_add(1).ok_or_else(|| gov::corrupt("no proposal number is left"))?)?;
    let proposal = Proposal {
        id,
        messages: message.messages,
        status: ProposalStatus::DepositPeriod.into(),
        final_tally_result: Some(gov::empty_tally()),
        submit_time: Some(context.block.time.to_proto()),
        deposit_end_time: Some(gov::later(context.block.time, params.max_deposit_period)?),
        metadata: message.metadata,
        title: message.title,
        summary: message.summary,
        proposer: message.proposer,
        expedited: message.expedited,
        ..Proposal::default()
    };
    gov::set_proposal(context.state, &proposal)?;
    gov::enqueue(context.state, &proposal)?;
    context.state.emit(events::submitted(id, &proposal.proposer, &urls));
    let bytes = u64::try_from(proposal.encoded_len()).unwrap_or(u64::MAX);
    context.state.charge(GAS_PER_BYTE.saturating_mul(bytes))?;
    if deposit::add(context.state, context.block, id, &proposer, &initial)? {
        context.state.emit(events::voting_began_at_submission(id));
    }
    Ok(MsgSubmitProposalResponse { proposal_id: id })
}

/// Adds to a proposal's deposits.
///
/// # Errors
/// In the SDK's words and codes.
pub fn deposit(context: &mut MsgContext<'_, '_>, message: &MsgDeposit) -> Result<MsgDepositResponse, Failure> {
    let depositor = msg::address("depositor", &message.depositor)?;
    let coins = msg::coins(&message.amount)?;
    if coins.is_empty() {
        return Err(SdkError::InvalidCoins.wrap("").into());
    }
    if deposit::add(context.state, context.block, message.proposal_id, &depositor, &coins)? {
        context.state.emit(events::voting_began_by_deposit(message.proposal_id));
    }
    Ok(MsgDepositResponse {})
}

/// Votes for one option.
///
/// # Errors
/// In the SDK's words and codes.
pub fn vote(context: &mut MsgContext<'_, '_>, message: MsgVote) -> Result<MsgVoteResponse, Failure> {
    let options = msg::single_option(message.option)?;
    cast(context, message.proposal_id, message.voter, options, message.metadata)?;
    Ok(MsgVoteResponse {})
}

/// Splits a vote.
///
/// # Errors
/// In the SDK's words and codes.
pub fn vote_weighted(
    context: &mut MsgContext<'_, '_>,
    message: MsgVoteWeighted,
) -> Result<MsgVoteWeightedResponse, Failure> {
    msg::check_options(&message.options)?;
    cast(context, message.proposal_id, message.voter, message.options, message.metadata)?;
    Ok(MsgVoteWeightedResponse {})
}

/// Writes a vote over the voter's former one. Source: SDK `AddVote`.
fn cast(
    context: &mut MsgContext<'_, '_>,
    proposal_id: u64,
    voter: String,
    options: Vec<WeightedVoteOption>,
    metadata: String,
) -> Result<(), Failure> {
    let address = msg::address("voter", &voter)?;
    let proposal = gov::proposal(context.state, proposal_id)?;
    if proposal.is_none_or(|proposal| proposal.status() != ProposalStatus::VotingPeriod) {
        return Err(GovError::InactiveProposal.wrap(proposal_id).into());
    }
    msg::check_metadata(&metadata)?;
    let event = events::voted(proposal_id, &voter, &msg::options_text(&options));
    let vote = Vote { proposal_id, voter, options, metadata };
    context.state.set(keys::vote(proposal_id, &address), vote.encode_to_vec())?;
    context.state.emit(event);
    Ok(())
}

/// The proposer takes a proposal back, for a charge on the deposits.
///
/// # Errors
/// In the SDK's words and codes.
pub fn cancel_proposal(
    context: &mut MsgContext<'_, '_>,
    message: &MsgCancelProposal,
) -> Result<MsgCancelProposalResponse, Failure> {
    msg::address("proposer", &message.proposer)?;
    let id = message.proposal_id;
    let proposal = gov::proposal(context.state, id)?.ok_or_else(|| GovError::UnknownProposal.wrap(id))?;
    if proposal.proposer != message.proposer {
        return Err(GovError::InvalidProposer.wrap(format!("invalid proposer {}", message.proposer)).into());
    }
    if !matches!(proposal.status(), ProposalStatus::DepositPeriod | ProposalStatus::VotingPeriod) {
        return Err(GovError::InvalidProposal.wrap("proposal should be in the deposit or voting period").into());
    }
    if proposal.voting_end_time.is_some() && gov::time(proposal.voting_end_time)? < context.block.time {
        let reason = format!("voting period is already ended for this proposal {id}");
        return Err(GovError::VotingPeriodEnded.wrap(reason).into());
    }
    deposit::charge(context.state, &gov::params(context.state)?, id)?;
    gov::remove_votes(context.state, id)?;
    gov::remove_proposal(context.state, &proposal)?;
    context.state.emit(events::cancelled(id, &message.proposer));
    Ok(MsgCancelProposalResponse {
        proposal_id: id,
        canceled_time: Some(context.block.time.to_proto()),
        canceled_height: context.block.height,
    })
}

/// Replaces the parameters.
///
/// # Errors
/// gov 13 for another authority; SDK 18 for parameters that cannot be.
pub fn update_params(
    context: &mut MsgContext<'_, '_>,
    message: &MsgUpdateParams,
) -> Result<MsgUpdateParamsResponse, Failure> {
    authority::check(&message.authority)?;
    let params = message.params.clone().unwrap_or_default();
    msg::check_params(&params)?;
    gov::set_params(context.state, &params)?;
    Ok(MsgUpdateParamsResponse {})
}
