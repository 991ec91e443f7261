//! Parameters, proposals, deposits and votes in state.

use prost::Message;
use swing_proto::{
    cosmos::gov::v1::{Deposit, Params, Proposal, ProposalStatus, TallyResult, Vote},
    google::protobuf::Timestamp,
};

use super::keys;
use crate::{
    address::Address,
    block::Time,
    error::Failure,
    math::{Coins, Dec},
    sdk_error::SdkError,
    state::{State, StateError, StateRead},
};

/// A fault of what is stored.
pub(super) fn corrupt(what: impl std::fmt::Display) -> StateError {
    StateError::Storage(format!("gov: {what}"))
}

fn decode<M: Message + Default>(state: &dyn StateRead, key: &[u8]) -> Result<Option<M>, StateError> {
    state.get(key)?.map(|bytes| M::decode(bytes).map_err(corrupt)).transpose()
}

/// The parameters.
///
/// # Errors
/// Storage, out of gas.
pub fn params(state: &dyn StateRead) -> Result<Params, StateError> {
    decode(state, keys::PARAMS)?.ok_or_else(|| corrupt("no parameters: genesis has not run"))
}

/// Writes the parameters.
///
/// # Errors
/// Storage, out of gas.
pub fn set_params(state: &mut State<'_>, params: &Params) -> Result<(), StateError> {
    state.set(keys::PARAMS, params.encode_to_vec())
}

/// A fraction among the parameters, which were checked when they were written.
///
/// # Errors
/// Storage.
pub fn fraction(text: &str) -> Result<Dec, StateError> {
    Dec::parse(text).map_err(corrupt)
}

/// The number that the next proposal gets.
///
/// # Errors
/// Storage, out of gas.
pub fn next_id(state: &dyn StateRead) -> Result<u64, StateError> {
    let Some(bytes) = state.get(keys::NEXT_ID)? else {
        return Ok(1);
    };
    let bytes = bytes.as_ref().try_into().map_err(|_| corrupt("the next proposal's number is not 8 bytes"))?;
    Ok(u64::from_be_bytes(bytes))
}

/// Writes the number that the next proposal gets.
///
/// # Errors
/// Storage, out of gas.
pub fn set_next_id(state: &mut State<'_>, id: u64) -> Result<(), StateError> {
    state.set(keys::NEXT_ID, id.to_be_bytes().to_vec())
}

/// A proposal.
///
/// # Errors
/// Storage, out of gas.
pub fn proposal(state: &dyn StateRead, id: u64) -> Result<Option<Proposal>, StateError> {
    decode(state, &keys::proposal(id))
}

/// All proposals, by number.
///
/// # Errors
/// Storage, out of gas.
pub fn proposals(state: &dyn StateRead) -> Result<Vec<Proposal>, StateError> {
    state.prefix(keys::PROPOSALS).map(|entry| Proposal::decode(entry?.1).map_err(corrupt)).collect()
}

/// Writes a proposal; its place in the queues is the caller's.
///
/// # Errors
/// Storage, out of gas.
pub fn set_proposal(state: &mut State<'_>, proposal: &Proposal) -> Result<(), StateError> {
    state.set(keys::proposal(proposal.id), proposal.encode_to_vec())
}

/// Removes a proposal with its places in the queues.
///
/// # Errors
/// Storage, out of gas.
pub fn remove_proposal(state: &mut State<'_>, proposal: &Proposal) -> Result<(), StateError> {
    dequeue(state, proposal)?;
    state.delete(keys::proposal(proposal.id))
}

/// Puts a proposal into the queue of its status.
///
/// # Errors
/// Storage, out of gas.
pub fn enqueue(state: &mut State<'_>, proposal: &Proposal) -> Result<(), StateError> {
    match queue_key(proposal)? {
        Some(key) => state.set(key, Vec::new()),
        None => Ok(()),
    }
}

/// Takes a proposal out of the queue of its status.
///
/// # Errors
/// Storage, out of gas.
pub fn dequeue(state: &mut State<'_>, proposal: &Proposal) -> Result<(), StateError> {
    match queue_key(proposal)? {
        Some(key) => state.delete(key),
        None => Ok(()),
    }
}

fn queue_key(proposal: &Proposal) -> Result<Option<Vec<u8>>, StateError> {
    Ok(match proposal.status() {
        ProposalStatus::DepositPeriod => {
            Some(keys::queued(keys::INACTIVE_QUEUE, time(proposal.deposit_end_time)?, proposal.id))
        }
        ProposalStatus::VotingPeriod => {
            Some(keys::queued(keys::ACTIVE_QUEUE, time(proposal.voting_end_time)?, proposal.id))
        }
        _ => None,
    })
}

/// A stored time.
///
/// # Errors
/// Storage.
pub fn time(timestamp: Option<Timestamp>) -> Result<Time, StateError> {
    let timestamp = timestamp.ok_or_else(|| corrupt("a proposal lacks a time that its status needs"))?;
    Time::from_proto(&timestamp).map_err(corrupt)
}

/// A time so much later.
///
/// # Errors
/// SDK 18 after the year 9999.
pub(super) fn later(
    time: Time,
    duration: Option<swing_proto::google::protobuf::Duration>,
) -> Result<Timestamp, Failure> {
    let later = time.plus(&duration.unwrap_or_default());
    Ok(later.map(Time::to_proto).map_err(|error| SdkError::InvalidRequest.wrap(error))?)
}

/// A deposit.
///
/// # Errors
/// Storage, out of gas.
pub fn deposit(state: &dyn StateRead, id: u64, depositor: &Address) -> Result<Option<Deposit>, StateError> {
    decode(state, &keys::deposit(id, depositor))
}

/// Deposits with their depositors, under `prefix` ([`keys::DEPOSITS`] or [`keys::deposits`]).
///
/// # Errors
/// Storage, out of gas.
pub fn deposits(state: &dyn StateRead, prefix: &[u8]) -> Result<Vec<(Address, Deposit)>, StateError> {
    let decode = |entry: crate::state::Entry| {
        let (key, value) = entry?;
        let depositor = keys::account(&key).ok_or_else(|| corrupt("a key of a deposit"))?;
        Ok((depositor, Deposit::decode(value).map_err(corrupt)?))
    };
    state.prefix(prefix).map(decode).collect()
}

/// The coins of a deposit or a proposal.
///
/// # Errors
/// Storage.
pub fn coins(coins: &[swing_proto::cosmos::base::v1beta1::Coin]) -> Result<Coins, StateError> {
    Coins::from_proto(coins).map_err(corrupt)
}

/// A vote.
///
/// # Errors
/// Storage, out of gas.
pub fn vote(state: &dyn StateRead, id: u64, voter: &Address) -> Result<Option<Vote>, StateError> {
    decode(state, &keys::vote(id, voter))
}

/// Votes with their voters, under `prefix` ([`keys::VOTES`] or [`keys::votes`]).
///
/// # Errors
/// Storage, out of gas.
pub fn votes(state: &dyn StateRead, prefix: &[u8]) -> Result<Vec<(Address, Vote)>, StateError> {
    let decode = |entry: crate::state::Entry| {
        let (key, value) = entry?;
        let voter = keys::account(&key).ok_or_else(|| corrupt("a key of a vote"))?;
        Ok((voter, Vote::decode(value).map_err(corrupt)?))
    };
    state.prefix(prefix).map(decode).collect()
}

/// Removes all votes on a proposal.
///
/// # Errors
/// Storage, out of gas.
pub fn remove_votes(state: &mut State<'_>, id: u64) -> Result<(), StateError> {
    for (voter, _) in votes(state, &keys::votes(id))? {
        state.delete(keys::vote(id, &voter))?;
    }
    Ok(())
}

/// A tally in which nobody voted.
pub fn empty_tally() -> TallyResult {
    let zero = || "0".to_owned();
    TallyResult { yes_count: zero(), abstain_count: zero(), no_count: zero(), no_with_veto_count: zero() }
}
