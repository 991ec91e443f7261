//! Moving a delegation to another validator. Source: x/staking `BeginRedelegation`.

use prost::Message;
use swing_proto::cosmos::staking::v1beta1::{BondStatus, Redelegation, RedelegationEntry};

use super::{
    delegation::{self, Source},
    error::StakingError,
    events, keys,
    state::{self as staking, corrupt},
    unbonding,
    validator::Validator,
};
use crate::{
    address::Address,
    block::Time,
    error::Failure,
    math::{Coin, Coins, Dec, Int},
    modules::BlockContext,
    state::{State, StateError, StateRead},
};

/// Who moves what from where to where.
#[derive(Clone, Copy, Debug)]
pub struct Move<'a> {
    /// The delegator.
    pub delegator: &'a Address,
    /// The validator that loses the delegation.
    pub source: &'a Address,
    /// The validator that gets it.
    pub destination: &'a Address,
}

impl Move<'_> {
    fn key(&self) -> Vec<u8> {
        keys::redelegation(self.delegator, self.source, self.destination)
    }
}

/// A redelegation.
///
/// # Errors
/// Storage, out of gas.
pub fn redelegation(state: &dyn StateRead, moved: Move<'_>) -> Result<Option<Redelegation>, StateError> {
    state.get(&moved.key())?.map(|bytes| Redelegation::decode(bytes).map_err(corrupt)).transpose()
}

/// Redelegations whose keys begin with `prefix` ([`keys::REDELEGATIONS`] or [`keys::redelegations_of`]).
///
/// # Errors
/// Storage, out of gas.
pub fn redelegations(state: &dyn StateRead, prefix: &[u8]) -> Result<Vec<Redelegation>, StateError> {
    state.prefix(prefix).map(|entry| Redelegation::decode(entry?.1).map_err(corrupt)).collect()
}

/// Moves shares at once; gives when the move is over, until when the delegation cannot move on.
///
/// # Errors
/// Staking 29 to 33 and those of delegating; storage, out of gas.
pub fn begin(state: &mut State<'_>, block: &BlockContext, moved: Move<'_>, shares: Dec) -> Result<Time, Failure> {
    if moved.source == moved.destination {
        return Err(StakingError::SelfRedelegation.bare().into());
    }
    if staking::validator(state, moved.destination)?.is_none() {
        return Err(StakingError::BadRedelegationDst.bare().into());
    }
    let receiving = keys::redelegations_to(moved.delegator, moved.source);
    if state.prefix(&receiving).next().transpose()?.is_some() {
        return Err(StakingError::TransitiveRedelegation.bare().into());
    }
    let entries = redelegation(state, moved)?.map_or(0, |moved| moved.entries.len());
    if entries >= usize::try_from(staking::params(state)?.max_entries).unwrap_or(usize::MAX) {
        return Err(StakingError::MaxRedelegationEntries.bare().into());
    }
    let source = staking::existing_validator(state, moved.source)?;
    let tokens = delegation::unbond(state, moved.delegator, moved.source, shares)?;
    if tokens.is_zero() {
        return Err(StakingError::TinyRedelegationAmount.bare().into());
    }
    let pool = Source::Pool { bonded: source.is_bonded() };
    let created = delegation::delegate(state, moved.delegator, moved.destination, tokens, pool)?;
    let Some((height, completion)) = end_of_move(state, block, &source)? else {
        return Ok(block.time);
    };
    add_entry(state, moved, height, completion, tokens, created)?;
    Ok(completion)
}

/// Since which height and until when a move from this validator lasts; none when it is over at once. Source: `getBeginInfo`.
fn end_of_move(state: &State<'_>, block: &BlockContext, source: &Validator) -> Result<Option<(u64, Time)>, Failure> {
    Ok(match source.status {
        BondStatus::Unbonded => None,
        BondStatus::Unbonding => Some((source.unbonding_height, source.unbonding_time)),
        BondStatus::Bonded | BondStatus::Unspecified => Some((block.height, unbonding::completion(state, block.time)?)),
    })
}

fn add_entry(
    state: &mut State<'_>,
    moved: Move<'_>,
    height: u64,
    completion: Time,
    tokens: Int,
    created: Dec,
) -> Result<(), Failure> {
    let mut all = redelegation(state, moved)?.unwrap_or_else(|| Redelegation {
        delegator_address: moved.delegator.to_string(),
        validator_src_address: moved.source.to_operator(),
        validator_dst_address: moved.destination.to_operator(),
        entries: Vec::new(),
    });
    all.entries.push(RedelegationEntry {
        creation_height: i64::try_from(height).unwrap_or(i64::MAX),
        completion_time: Some(completion.to_proto()),
        initial_balance: tokens.to_string(),
        shares_dst: created.to_scaled_string(),
        unbonding_id: staking::next_unbonding_id(state)?,
        unbonding_on_hold_ref_count: 0,
    });
    set(state, moved, &all)?;
    let at = keys::redelegation_at(completion, moved.delegator, moved.source, moved.destination);
    state.set(at, Vec::new())?;
    Ok(())
}

/// Writes a redelegation; one without entries is removed.
pub(super) fn set(state: &mut State<'_>, moved: Move<'_>, redelegation: &Redelegation) -> Result<(), StateError> {
    let index = keys::redelegation_to(moved.delegator, moved.destination, moved.source);
    if redelegation.entries.is_empty() {
        state.delete(moved.key())?;
        return state.delete(index);
    }
    state.set(moved.key(), redelegation.encode_to_vec())?;
    state.set(index, Vec::new())
}

/// Ends all moves that are due.
///
/// # Errors
/// Storage.
pub fn complete_mature(state: &mut State<'_>, now: Time) -> Result<(), Failure> {
    let end = keys::queue_end(keys::REDELEGATION_QUEUE, now);
    let due: Vec<_> = state.range(keys::REDELEGATION_QUEUE, end.as_deref()).collect();
    for entry in due {
        let (key, _) = entry?;
        let triplet = keys::queued(keys::REDELEGATION_QUEUE, &key);
        let [delegator, source, destination] = triplet.ok_or_else(|| corrupt("a key of the redelegation queue"))?;
        state.delete(key)?;
        let moved = Move { delegator: &delegator, source: &source, destination: &destination };
        let coin = complete(state, now, moved)?;
        state.emit(events::complete_redelegation(&Coins::one(coin), moved));
    }
    Ok(())
}

fn complete(state: &mut State<'_>, now: Time, moved: Move<'_>) -> Result<Coin, Failure> {
    let mut all = redelegation(state, moved)?.unwrap_or_default();
    let (mut done, mut left) = (Int::ZERO, Vec::new());
    for entry in all.entries {
        if unbonding::is_due(entry.completion_time.as_ref(), now)? {
            done = done.add(Int::parse(&entry.initial_balance)?)?;
        } else {
            left.push(entry);
        }
    }
    all.entries = left;
    set(state, moved, &all)?;
    Ok(staking::bond_coin(state, done)?)
}
