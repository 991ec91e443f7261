//! Tokens on their way back to delegators. Source: x/staking `UnbondingDelegation` and its queue.

use prost::Message;
use swing_proto::cosmos::staking::v1beta1::{UnbondingDelegation, UnbondingDelegationEntry};

use super::{
    delegation,
    error::StakingError,
    events, keys,
    state::{self as staking, corrupt},
};
use crate::{
    address::Address,
    block::Time,
    error::Failure,
    math::{Coin, Coins, Dec, Int},
    modules::{BlockContext, bank::keeper as bank},
    sdk_error::SdkError,
    state::{State, StateError, StateRead},
};

/// What began to unbond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbonding {
    /// When it is given back.
    pub completion: Time,
    /// What is given back.
    pub coin: Coin,
}

/// An unbonding delegation.
///
/// # Errors
/// Storage, out of gas.
pub fn unbonding(
    state: &dyn StateRead,
    delegator: &Address,
    operator: &Address,
) -> Result<Option<UnbondingDelegation>, StateError> {
    let bytes = state.get(&keys::unbonding(delegator, operator))?;
    bytes.map(|bytes| UnbondingDelegation::decode(bytes).map_err(corrupt)).transpose()
}

/// Unbonding delegations whose keys begin with `prefix` ([`keys::UNBONDINGS`] or [`keys::unbondings_of`]).
///
/// # Errors
/// Storage, out of gas.
pub fn unbondings(state: &dyn StateRead, prefix: &[u8]) -> Result<Vec<UnbondingDelegation>, StateError> {
    state.prefix(prefix).map(|entry| UnbondingDelegation::decode(entry?.1).map_err(corrupt)).collect()
}

/// When something that begins to unbond now is done.
pub(super) fn completion(state: &dyn StateRead, now: Time) -> Result<Time, Failure> {
    let period = staking::params(state)?.unbonding_time.unwrap_or_default();
    Ok(now.plus(&period).map_err(|error| SdkError::InvalidRequest.wrap(error))?)
}

/// Begins to unbond shares.
///
/// # Errors
/// Staking 27 and those of [`delegation::unbond`]; storage, out of gas.
pub fn begin(
    state: &mut State<'_>,
    block: &BlockContext,
    delegator: &Address,
    operator: &Address,
    shares: Dec,
) -> Result<Unbonding, Failure> {
    let bonded = staking::existing_validator(state, operator)?.is_bonded();
    let entries = unbonding(state, delegator, operator)?.map_or(0, |unbonding| unbonding.entries.len());
    if entries >= usize::try_from(staking::params(state)?.max_entries).unwrap_or(usize::MAX) {
        return Err(StakingError::MaxUnbondingDelegationEntries.bare().into());
    }
    let tokens = delegation::unbond(state, delegator, operator, shares)?;
    if bonded {
        staking::move_between_pools(state, tokens, false)?;
    }
    let completion = completion(state, block.time)?;
    add_entry(state, block.height, delegator, operator, completion, tokens)?;
    Ok(Unbonding { completion, coin: staking::bond_coin(state, tokens)? })
}

fn add_entry(
    state: &mut State<'_>,
    height: u64,
    delegator: &Address,
    operator: &Address,
    completion: Time,
    tokens: Int,
) -> Result<(), Failure> {
    let unbonding_id = staking::next_unbonding_id(state)?;
    let mut entry = UnbondingDelegationEntry {
        creation_height: i64::try_from(height).unwrap_or(i64::MAX),
        completion_time: Some(completion.to_proto()),
        initial_balance: tokens.to_string(),
        balance: tokens.to_string(),
        unbonding_id,
        unbonding_on_hold_ref_count: 0,
    };
    let mut all = unbonding(state, delegator, operator)?.unwrap_or_else(|| UnbondingDelegation {
        delegator_address: delegator.to_string(),
        validator_address: operator.to_operator(),
        entries: Vec::new(),
    });
    // As in the SDK, what began in the same block and is due at the same time is one entry.
    let same = |other: &UnbondingDelegationEntry| {
        other.creation_height == entry.creation_height && other.completion_time == entry.completion_time
    };
    match all.entries.iter_mut().find(|other| same(other)) {
        Some(other) => {
            other.initial_balance = Int::parse(&other.initial_balance)?.add(tokens)?.to_string();
            other.balance = Int::parse(&other.balance)?.add(tokens)?.to_string();
        }
        None => all.entries.push(std::mem::take(&mut entry)),
    }
    set(state, delegator, operator, &all)?;
    state.set(keys::unbonding_at(completion, delegator, operator), Vec::new())?;
    Ok(())
}

/// Writes an unbonding delegation; one without entries is removed.
pub(super) fn set(
    state: &mut State<'_>,
    delegator: &Address,
    operator: &Address,
    unbonding: &UnbondingDelegation,
) -> Result<(), StateError> {
    let key = keys::unbonding(delegator, operator);
    if unbonding.entries.is_empty() { state.delete(key) } else { state.set(key, unbonding.encode_to_vec()) }
}

/// Gives back all that is due.
///
/// # Errors
/// A pool that lacks what it owes; storage.
pub fn complete_mature(state: &mut State<'_>, now: Time) -> Result<(), Failure> {
    let due: Vec<_> =
        state.range(keys::UNBONDING_QUEUE, keys::queue_end(keys::UNBONDING_QUEUE, now).as_deref()).collect();
    for entry in due {
        let (key, _) = entry?;
        let pair = keys::queued(keys::UNBONDING_QUEUE, &key);
        let [delegator, operator] = pair.ok_or_else(|| corrupt("a key of the unbonding queue"))?;
        state.delete(key)?;
        let coins = complete(state, now, &delegator, &operator)?;
        state.emit(events::complete_unbonding(&coins, &operator, &delegator));
    }
    Ok(())
}

fn complete(state: &mut State<'_>, now: Time, delegator: &Address, operator: &Address) -> Result<Coins, Failure> {
    let mut all = unbonding(state, delegator, operator)?.unwrap_or_default();
    let mut given = Int::ZERO;
    let mut left = Vec::new();
    for entry in all.entries {
        if is_due(entry.completion_time.as_ref(), now)? {
            given = given.add(Int::parse(&entry.balance)?)?;
        } else {
            left.push(entry);
        }
    }
    all.entries = left;
    set(state, delegator, operator, &all)?;
    let coins = Coins::one(staking::bond_coin(state, given)?);
    if !coins.is_empty() {
        bank::undelegate_from_module_to_account(state, staking::pool(false), delegator, &coins)?;
    }
    Ok(coins)
}

/// Whether a stored completion time has come.
pub(super) fn is_due(
    completion: Option<&swing_proto::google::protobuf::Timestamp>,
    now: Time,
) -> Result<bool, StateError> {
    Ok(Time::from_proto(&completion.copied().unwrap_or_default()).map_err(corrupt)? <= now)
}
