//! Parameters, validators and pools in state. Source: x/staking keeper.

use prost::Message;
use swing_proto::cosmos::staking::v1beta1::{Params, Validator as ValidatorProto};

use super::{error::StakingError, keys, validator::Validator};
use crate::{
    address::{Address, module_address},
    error::Failure,
    math::{Coin, Coins, Dec, Int},
    modules::{
        auth::keeper::{BONDED_POOL, NOT_BONDED_POOL},
        bank::keeper as bank,
    },
    state::{Entry, State, StateError, StateRead},
};

/// The pool that holds the tokens of validators with this bond.
pub fn pool(bonded: bool) -> &'static str {
    if bonded { BONDED_POOL } else { NOT_BONDED_POOL }
}

/// A fault of what is stored.
pub(super) fn corrupt(what: impl std::fmt::Display) -> StateError {
    StateError::Storage(format!("staking: {what}"))
}

/// The parameters.
///
/// # Errors
/// Storage, out of gas.
pub fn params(state: &dyn StateRead) -> Result<Params, StateError> {
    let bytes = state.get(keys::PARAMS)?.ok_or_else(|| corrupt("no parameters: genesis has not run"))?;
    Params::decode(bytes).map_err(corrupt)
}

/// Writes the parameters.
///
/// # Errors
/// Storage, out of gas.
pub fn set_params(state: &mut State<'_>, params: &Params) -> Result<(), StateError> {
    state.set(keys::PARAMS, params.encode_to_vec())
}

/// A coin of the bond denom.
///
/// # Errors
/// Storage, out of gas.
pub fn bond_coin(state: &dyn StateRead, amount: Int) -> Result<Coin, StateError> {
    Ok(Coin { denom: params(state)?.bond_denom, amount })
}

/// The balance of a pool.
///
/// # Errors
/// Storage, out of gas.
pub fn pool_balance(state: &dyn StateRead, bonded: bool) -> Result<Int, StateError> {
    let denom = params(state)?.bond_denom;
    bank::balance(state, &module_address(pool(bonded)), &denom)
}

/// Moves tokens from one pool to the other.
///
/// # Errors
/// A pool that lacks them; storage.
pub fn move_between_pools(state: &mut State<'_>, amount: Int, to_bonded: bool) -> Result<(), Failure> {
    if amount.is_zero() {
        return Ok(());
    }
    let coins = Coins::one(bond_coin(state, amount)?);
    bank::send_from_module_to_module(state, pool(!to_bonded), pool(to_bonded), &coins)
}

/// A validator.
///
/// # Errors
/// Storage, out of gas.
pub fn validator(state: &dyn StateRead, operator: &Address) -> Result<Option<Validator>, StateError> {
    state.get(&keys::validator(operator))?.map(|bytes| decode_validator(&bytes)).transpose()
}

/// A validator that must be there.
///
/// # Errors
/// Staking 3; storage, out of gas.
pub fn existing_validator(state: &dyn StateRead, operator: &Address) -> Result<Validator, Failure> {
    Ok(validator(state, operator)?.ok_or_else(|| StakingError::NoValidatorFound.bare())?)
}

fn decode_validator(bytes: &[u8]) -> Result<Validator, StateError> {
    Validator::from_proto(ValidatorProto::decode(bytes).map_err(corrupt)?).map_err(corrupt)
}

/// All validators, by operator.
///
/// # Errors
/// Storage, out of gas.
pub fn validators(state: &dyn StateRead) -> Result<Vec<Validator>, StateError> {
    state.prefix(keys::VALIDATORS).map(|entry| decode_validator(&entry?.1)).collect()
}

/// The bonded validators, strongest first.
///
/// # Errors
/// Storage, out of gas.
pub fn bonded_validators(state: &dyn StateRead) -> Result<Vec<Validator>, StateError> {
    let mut bonded = Vec::new();
    for operator in by_power(state)? {
        bonded.extend(validator(state, &operator)?.filter(Validator::is_bonded));
    }
    Ok(bonded)
}

/// The operators of all validators that are not jailed, strongest first, then by address.
///
/// # Errors
/// Storage, out of gas.
pub fn by_power(state: &dyn StateRead) -> Result<Vec<Address>, StateError> {
    let operator = |entry: Entry| keys::operator_of_power(&entry?.0).ok_or_else(|| corrupt("a key of the power index"));
    state.prefix(keys::BY_POWER).map(operator).collect()
}

/// The operator of a consensus address.
///
/// # Errors
/// Storage, out of gas.
pub fn operator_by_consensus(state: &dyn StateRead, consensus: &Address) -> Result<Option<Address>, StateError> {
    let bytes = state.get(&keys::operator_by_consensus(consensus))?;
    bytes.map(|bytes| Address::from_slice(&bytes).map_err(corrupt)).transpose()
}

/// Writes a validator over what it was, and its place in the power index.
///
/// # Errors
/// Storage, out of gas; a power that CometBFT cannot count.
pub fn set_validator(state: &mut State<'_>, before: Option<&Validator>, now: &Validator) -> Result<(), Failure> {
    if let Some(before) = before.filter(|before| !before.jailed) {
        state.delete(keys::by_power(before.power()?, &before.operator))?;
    }
    if !now.jailed {
        state.set(keys::by_power(now.power()?, &now.operator), Vec::new())?;
    }
    state.set(keys::validator(&now.operator), now.encode())?;
    Ok(())
}

/// Writes a new validator.
///
/// # Errors
/// As [`set_validator`].
pub fn insert_validator(state: &mut State<'_>, validator: &Validator) -> Result<(), Failure> {
    let operator = validator.operator.as_bytes().to_vec();
    state.set(keys::operator_by_consensus(&validator.consensus_address()), operator)?;
    set_validator(state, None, validator)
}

/// Removes a validator that has nothing left.
///
/// # Errors
/// Storage, out of gas.
pub fn remove_validator(state: &mut State<'_>, validator: &Validator) -> Result<(), Failure> {
    state.delete(keys::by_power(validator.power()?, &validator.operator))?;
    state.delete(keys::operator_by_consensus(&validator.consensus_address()))?;
    state.delete(keys::validator(&validator.operator))?;
    Ok(())
}

/// The shares of a delegation.
///
/// # Errors
/// Storage, out of gas.
pub fn delegation(state: &dyn StateRead, delegator: &Address, operator: &Address) -> Result<Option<Dec>, StateError> {
    state.get(&keys::delegation(delegator, operator))?.map(|bytes| decode_shares(&bytes)).transpose()
}

fn decode_shares(bytes: &[u8]) -> Result<Dec, StateError> {
    Dec::parse_scaled(std::str::from_utf8(bytes).map_err(corrupt)?).map_err(corrupt)
}

/// Writes a delegation's shares; none removes it.
///
/// # Errors
/// Storage, out of gas.
pub fn set_delegation(
    state: &mut State<'_>,
    delegator: &Address,
    operator: &Address,
    shares: Dec,
) -> Result<(), StateError> {
    if shares.is_zero() {
        state.delete(keys::delegation(delegator, operator))?;
        return state.delete(keys::delegator_of(operator, delegator));
    }
    state.set(keys::delegation(delegator, operator), shares.to_scaled_string().into_bytes())?;
    state.set(keys::delegator_of(operator, delegator), Vec::new())
}

/// A delegation as it is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Who delegates.
    pub delegator: Address,
    /// To whom.
    pub operator: Address,
    /// How much of the validator.
    pub shares: Dec,
}

/// Delegations whose keys begin with `prefix` ([`keys::DELEGATIONS`] or [`keys::delegations_of`]).
///
/// # Errors
/// Storage, out of gas.
pub fn delegations(state: &dyn StateRead, prefix: &[u8]) -> Result<Vec<Delegation>, StateError> {
    let decode = |entry: Entry| {
        let (key, value) = entry?;
        let addresses = keys::addresses(keys::DELEGATIONS, &key);
        let [delegator, operator] = addresses.ok_or_else(|| corrupt("a key of a delegation"))?;
        Ok(Delegation { delegator, operator, shares: decode_shares(&value)? })
    };
    state.prefix(prefix).map(decode).collect()
}

/// The number of the next unbonding operation; it is used up.
///
/// # Errors
/// Storage, out of gas.
pub(super) fn next_unbonding_id(state: &mut State<'_>) -> Result<u64, StateError> {
    let before = number(state, keys::NEXT_UNBONDING_ID)?.unwrap_or_default();
    let id = before.checked_add(1).ok_or_else(|| corrupt("no unbonding number is left"))?;
    state.set(keys::NEXT_UNBONDING_ID, id.to_be_bytes().to_vec())?;
    Ok(id)
}

/// A number of 8 bytes.
pub(super) fn number(state: &dyn StateRead, key: &[u8]) -> Result<Option<u64>, StateError> {
    let decode = |bytes: bytes::Bytes| bytes.as_ref().try_into().map(u64::from_be_bytes);
    state.get(key)?.map(decode).transpose().map_err(|_| corrupt(format!("{} is not 8 bytes", hex::encode(key))))
}
