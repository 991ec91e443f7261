//! The validator set at a block's end. Source: x/staking `BlockValidatorUpdates`.
//!
//! # Invariants
//! - The set and the order of updates are a function of powers and addresses alone: strongest first, ties by operator, then those
//!   that left, by operator.

use std::collections::BTreeMap;

use swing_proto::cosmos::staking::v1beta1::BondStatus;

use super::{
    delegation, keys, redelegation,
    state::{self as staking, corrupt},
    unbonding,
    validator::Validator,
};
use crate::{
    address::Address,
    block::{Time, ValidatorUpdate},
    error::Failure,
    math::Int,
    modules::BlockContext,
    state::{State, StateError, StateRead},
};

/// Tokens that change pools with their validators.
#[derive(Default)]
struct PoolMoves {
    to_bonded: Int,
    from_bonded: Int,
}

/// A block's end: the new validator set, then everything that has unbonded in full.
///
/// # Errors
/// Storage; a pool that lacks what it owes.
pub fn end_block(state: &mut State<'_>, block: &BlockContext) -> Result<Vec<ValidatorUpdate>, Failure> {
    let updates = apply_updates(state, block)?;
    complete_validators(state, block.time)?;
    unbonding::complete_mature(state, block.time)?;
    redelegation::complete_mature(state, block.time)?;
    Ok(updates)
}

/// Bonds the strongest validators, unbonds those that are no longer among them, and gives the changes for CometBFT. Source:
/// SDK `ApplyAndReturnValidatorSetUpdates`.
///
/// # Errors
/// Storage; a pool that lacks what it owes.
pub fn apply_updates(state: &mut State<'_>, block: &BlockContext) -> Result<Vec<ValidatorUpdate>, Failure> {
    let max = usize::try_from(staking::params(state)?.max_validators).unwrap_or(usize::MAX);
    let mut last = last_powers(state)?;
    let (mut updates, mut moves, mut total) = (Vec::new(), PoolMoves::default(), 0_u64);
    for operator in staking::by_power(state)?.into_iter().take(max) {
        let validator = staking::existing_validator(state, &operator)?;
        let power = validator.power()?;
        if power == 0 {
            break;
        }
        if !validator.is_bonded() {
            moves.to_bonded = moves.to_bonded.add(validator.tokens)?;
            bond(state, &validator)?;
        }
        if last.remove(&operator) != Some(power) {
            updates.push(validator.update(power));
            state.set(keys::last_power(&operator), power.to_be_bytes().to_vec())?;
        }
        total = total.checked_add(power).ok_or_else(|| corrupt("the powers' sum has more than 64 bits"))?;
    }
    for operator in last.into_keys() {
        let validator = staking::existing_validator(state, &operator)?;
        moves.from_bonded = moves.from_bonded.add(validator.tokens)?;
        begin_unbonding(state, block, &validator)?;
        state.delete(keys::last_power(&operator))?;
        updates.push(validator.update(0));
    }
    match moves.to_bonded.sub(moves.from_bonded) {
        Ok(amount) => staking::move_between_pools(state, amount, true)?,
        Err(_) => staking::move_between_pools(state, moves.from_bonded.sub(moves.to_bonded)?, false)?,
    }
    if !updates.is_empty() {
        state.set(keys::LAST_TOTAL_POWER, total.to_be_bytes().to_vec())?;
    }
    Ok(updates)
}

/// Powers of the last validator set, by operator.
///
/// # Errors
/// Storage.
pub fn last_powers(state: &dyn StateRead) -> Result<BTreeMap<Address, u64>, StateError> {
    let mut powers = BTreeMap::new();
    for entry in state.prefix(keys::LAST_POWERS) {
        let (key, value) = entry?;
        let [operator] = keys::addresses(keys::LAST_POWERS, &key).ok_or_else(|| corrupt("a key of the last powers"))?;
        let power = value.as_ref().try_into().map_err(|_| corrupt("a last power is not 8 bytes"))?;
        powers.insert(operator, u64::from_be_bytes(power));
    }
    Ok(powers)
}

/// The sum of the last validator set's powers.
///
/// # Errors
/// Storage.
pub fn last_total_power(state: &dyn StateRead) -> Result<u64, StateError> {
    Ok(staking::number(state, keys::LAST_TOTAL_POWER)?.unwrap_or_default())
}

fn bond(state: &mut State<'_>, before: &Validator) -> Result<(), Failure> {
    if before.status == BondStatus::Unbonding {
        state.delete(keys::validator_at(before.unbonding_time, &before.operator))?;
    }
    let now = Validator { status: BondStatus::Bonded, ..before.clone() };
    staking::set_validator(state, Some(before), &now)
}

fn begin_unbonding(state: &mut State<'_>, block: &BlockContext, before: &Validator) -> Result<(), Failure> {
    let now = Validator {
        status: BondStatus::Unbonding,
        unbonding_height: block.height,
        unbonding_time: unbonding::completion(state, block.time)?,
        ..before.clone()
    };
    state.set(keys::validator_at(now.unbonding_time, &now.operator), Vec::new())?;
    staking::set_validator(state, Some(before), &now)
}

/// Validators whose unbonding time has come are unbonded; those that nobody delegates to are gone.
fn complete_validators(state: &mut State<'_>, now: Time) -> Result<(), Failure> {
    let end = keys::queue_end(keys::VALIDATOR_QUEUE, now);
    let due: Vec<_> = state.range(keys::VALIDATOR_QUEUE, end.as_deref()).collect();
    for entry in due {
        let (key, _) = entry?;
        let [operator] =
            keys::queued(keys::VALIDATOR_QUEUE, &key).ok_or_else(|| corrupt("a key of the validator queue"))?;
        state.delete(key)?;
        let before = staking::existing_validator(state, &operator)?;
        let unbonded = Validator { status: BondStatus::Unbonded, ..before.clone() };
        staking::set_validator(state, Some(&before), &unbonded)?;
        delegation::remove_if_empty(state, &unbonded)?;
    }
    Ok(())
}
