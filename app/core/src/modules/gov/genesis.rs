//! Genesis of governance. Source: x/gov `InitGenesis`, `ExportGenesis`.

use prost::Message;
use serde_json::Value;
use swing_proto::{
    cosmos::{
        base::v1beta1::Coin as CoinProto,
        gov::v1::{Deposit, GenesisState, Params, Proposal, ProposalStatus, Vote},
    },
    google::protobuf::Duration,
    json,
};

use super::{keys, msg, state as gov};
use crate::{
    address::module_address,
    genesis::GenesisError,
    math::{Coins, Dec},
    modules::{GenesisContext, auth::keeper as auth, bank::keeper as bank},
    state::{State, StateRead},
};

/// The section of a new chain. Source: SDK `DefaultParams`, with this chain's denom.
pub fn default() -> Value {
    let uswing = |amount: &str| vec![CoinProto { denom: "uswing".to_owned(), amount: amount.to_owned() }];
    let seconds = |seconds| Some(Duration { seconds, nanos: 0 });
    let thousandths = |value| Dec::with_places(value, 3).unwrap_or_default().to_string();
    let params = Params {
        min_deposit: uswing("10000000"),
        max_deposit_period: seconds(172_800),
        voting_period: seconds(172_800),
        quorum: thousandths(334),
        threshold: thousandths(500),
        veto_threshold: thousandths(334),
        min_initial_deposit_ratio: thousandths(0),
        proposal_cancel_ratio: thousandths(500),
        proposal_cancel_dest: String::new(),
        expedited_voting_period: seconds(86_400),
        expedited_threshold: thousandths(667),
        expedited_min_deposit: uswing("50000000"),
        burn_vote_quorum: false,
        burn_proposal_deposit_prevote: false,
        burn_vote_veto: true,
        min_deposit_ratio: thousandths(10),
    };
    let section = GenesisState { starting_proposal_id: 1, params: Some(params), ..GenesisState::default() };
    json::to_json(&section).unwrap_or_default()
}

/// Writes the section.
///
/// # Errors
/// What is wrong with it, or with the gov account's balance.
pub fn init(context: &mut GenesisContext<'_, '_>, section: &Value) -> Result<(), GenesisError> {
    let section: GenesisState = json::from_json(section).map_err(|error| GenesisError::at("gov", error))?;
    check_legacy(&section)?;
    let state = &mut *context.state;
    let params = section.params.unwrap_or_default();
    msg::check_params(&params).map_err(|refused| GenesisError::at("gov.params", refused))?;
    gov::set_params(state, &params)?;
    let next = section.starting_proposal_id.max(1);
    gov::set_next_id(state, next)?;
    if !section.constitution.is_empty() {
        state.set(keys::CONSTITUTION, section.constitution.into_bytes())?;
    }
    auth::ensure_module_account(state, auth::GOV).map_err(|failure| GenesisError::of("gov", failure))?;
    for (index, proposal) in section.proposals.iter().enumerate() {
        let path = format!("gov.proposals[{index}]");
        if proposal.id == 0 || proposal.id >= next || gov::proposal(state, proposal.id)?.is_some() {
            let reason = format!("{} is 0, not below starting_proposal_id {next}, or was there before", proposal.id);
            return Err(GenesisError::at(format!("{path}.id"), reason));
        }
        check_proposal(proposal).map_err(|reason| GenesisError::at(&path, reason))?;
        gov::set_proposal(state, proposal)?;
        gov::enqueue(state, proposal)?;
    }
    init_votes(state, &section.votes)?;
    init_deposits(state, &section.deposits)
}

/// The fields that the SDK itself no longer fills.
fn check_legacy(section: &GenesisState) -> Result<(), GenesisError> {
    let legacy = [
        ("deposit_params", section.deposit_params.is_some()),
        ("voting_params", section.voting_params.is_some()),
        ("tally_params", section.tally_params.is_some()),
    ];
    match legacy.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(GenesisError::at(format!("gov.{name}"), "null expected: it is part of gov.params")),
        None => Ok(()),
    }
}

fn check_proposal(proposal: &Proposal) -> Result<(), String> {
    gov::coins(&proposal.total_deposit).map_err(|error| error.to_string())?;
    let needed = match proposal.status() {
        ProposalStatus::Unspecified => return Err("it has no status".to_owned()),
        ProposalStatus::DepositPeriod => vec![proposal.deposit_end_time],
        ProposalStatus::VotingPeriod => vec![proposal.voting_start_time, proposal.voting_end_time],
        _ => Vec::new(),
    };
    for time in needed {
        gov::time(time).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn init_votes(state: &mut State<'_>, votes: &[Vote]) -> Result<(), GenesisError> {
    for (index, vote) in votes.iter().enumerate() {
        let at = |reason: &dyn std::fmt::Display| GenesisError::at(format!("gov.votes[{index}]"), reason);
        let voter = msg::address("voter", &vote.voter).map_err(|error| at(&error))?;
        msg::check_options(&vote.options).map_err(|error| at(&error))?;
        let proposal = gov::proposal(state, vote.proposal_id)?;
        if proposal.is_none_or(|proposal| proposal.status() != ProposalStatus::VotingPeriod) {
            return Err(at(&format!("proposal {} is not voted on", vote.proposal_id)));
        }
        state.set(keys::vote(vote.proposal_id, &voter), vote.encode_to_vec())?;
    }
    Ok(())
}

/// Deposits, and that the gov account has them.
fn init_deposits(state: &mut State<'_>, deposits: &[Deposit]) -> Result<(), GenesisError> {
    let mut total = Coins::EMPTY;
    for (index, deposit) in deposits.iter().enumerate() {
        let at = |reason: &dyn std::fmt::Display| GenesisError::at(format!("gov.deposits[{index}]"), reason);
        let depositor = msg::address("depositor", &deposit.depositor).map_err(|error| at(&error))?;
        let coins = msg::coins(&deposit.amount).map_err(|error| at(&error))?;
        if gov::proposal(state, deposit.proposal_id)?.is_none() {
            return Err(at(&format!("there is no proposal {}", deposit.proposal_id)));
        }
        total = total.add(&coins).map_err(|error| at(&error))?;
        state.set(keys::deposit(deposit.proposal_id, &depositor), deposit.encode_to_vec())?;
    }
    let held = bank::balances(state, &module_address(auth::GOV))?;
    if held.covers(&total) {
        return Ok(());
    }
    Err(GenesisError::at("bank.balances", format!("the gov account has {held}, its deposits are {total}")))
}

/// The constitution.
///
/// # Errors
/// Storage.
pub(super) fn constitution(state: &dyn StateRead) -> Result<String, crate::state::StateError> {
    let bytes = state.get(keys::CONSTITUTION)?.unwrap_or_default();
    String::from_utf8(bytes.to_vec()).map_err(gov::corrupt)
}

/// The section of a state.
///
/// # Errors
/// Storage.
pub fn export(state: &dyn StateRead) -> Result<Value, GenesisError> {
    let section = GenesisState {
        starting_proposal_id: gov::next_id(state)?,
        deposits: gov::deposits(state, keys::DEPOSITS)?.into_iter().map(|(_, deposit)| deposit).collect(),
        votes: gov::votes(state, keys::VOTES)?.into_iter().map(|(_, vote)| vote).collect(),
        proposals: gov::proposals(state)?,
        params: Some(gov::params(state)?),
        constitution: constitution(state)?,
        ..GenesisState::default()
    };
    json::to_json(&section).map_err(|error| GenesisError::at("gov", error))
}
