//! Genesis of staking. Source: x/staking `InitGenesis`, `ExportGenesis`.

use std::collections::BTreeMap;

use serde_json::Value;
use swing_proto::{
    cosmos::staking::v1beta1::{
        Delegation as DelegationProto, GenesisState, LastValidatorPower, Params, Redelegation, UnbondingDelegation,
    },
    google::protobuf::{Duration, Timestamp},
    json,
};

use super::{
    keys, msg,
    redelegation::{self, Move},
    state::{self as staking, Delegation},
    unbonding,
    validator::Validator,
    validator_set,
};
use crate::{
    address::Address,
    block::{Time, ValidatorUpdate},
    error::Failure,
    genesis::GenesisError,
    math::{Dec, Int},
    modules::{GenesisContext, auth::keeper as auth},
    state::{State, StateRead},
};

/// The section of a new chain. Source: SDK `DefaultGenesisState`, with this chain's denom.
pub fn default() -> Value {
    let params = Params {
        unbonding_time: Some(Duration { seconds: 1_814_400, nanos: 0 }),
        max_validators: 100,
        max_entries: 7,
        historical_entries: 10_000,
        bond_denom: "uswing".to_owned(),
        min_commission_rate: Dec::ZERO.to_scaled_string(),
    };
    let section = GenesisState { params: Some(params), last_total_power: b"0".to_vec(), ..GenesisState::default() };
    json::to_json(&section).unwrap_or_default()
}

/// Writes the section; gives the validator set that it begins with. Validators of genesis transactions come after it and are
/// told by [`validator_set::apply_updates`].
///
/// # Errors
/// What is wrong with the section, or with the pools' balances.
pub fn init(context: &mut GenesisContext<'_, '_>, section: &Value) -> Result<Vec<ValidatorUpdate>, GenesisError> {
    let section: GenesisState = json::from_json(section).map_err(|error| GenesisError::at("staking", error))?;
    let params = section.params.clone().unwrap_or_default();
    msg::check_params(&params).map_err(|refused| GenesisError::at("staking.params", refused))?;
    let state = &mut *context.state;
    staking::set_params(state, &params)?;
    init_validators(state, &section)?;
    init_delegations(state, &section.delegations)?;
    for (index, unbonding) in section.unbonding_delegations.iter().enumerate() {
        init_unbonding(state, &format!("staking.unbonding_delegations[{index}]"), unbonding)?;
    }
    for (index, moved) in section.redelegations.iter().enumerate() {
        init_redelegation(state, &format!("staking.redelegations[{index}]"), moved)?;
    }
    for pool in [auth::BONDED_POOL, auth::NOT_BONDED_POOL] {
        auth::ensure_module_account(state, pool).map_err(|failure| GenesisError::of("staking", failure))?;
    }
    check_shares(state)?;
    check_pools(state)?;
    if section.exported {
        return init_last_powers(state, &section.last_validator_powers);
    }
    validator_set::apply_updates(state, context.block).map_err(|failure| GenesisError::of("staking", failure))
}

fn init_validators(state: &mut State<'_>, section: &GenesisState) -> Result<(), GenesisError> {
    for (index, proto) in section.validators.iter().enumerate() {
        let path = format!("staking.validators[{index}]");
        let validator = Validator::from_proto(proto.clone()).map_err(|error| GenesisError::at(&path, error))?;
        let known = staking::validator(state, &validator.operator)?.is_some()
            || staking::operator_by_consensus(state, &validator.consensus_address())?.is_some();
        if known {
            return Err(GenesisError::at(&path, "its operator or its key was there before"));
        }
        staking::insert_validator(state, &validator).map_err(|failure| GenesisError::of(&path, failure))?;
        if validator.status == swing_proto::cosmos::staking::v1beta1::BondStatus::Unbonding {
            state.set(keys::validator_at(validator.unbonding_time, &validator.operator), Vec::new())?;
        }
    }
    Ok(())
}

fn init_delegations(state: &mut State<'_>, delegations: &[DelegationProto]) -> Result<(), GenesisError> {
    for (index, proto) in delegations.iter().enumerate() {
        let path = format!("staking.delegations[{index}]");
        let parse = || {
            let (delegator, operator) =
                (msg::delegator(&proto.delegator_address)?, msg::operator(&proto.validator_address)?);
            Ok::<_, Failure>(Delegation { delegator, operator, shares: Dec::parse_scaled(&proto.shares)? })
        };
        let delegation = parse().map_err(|failure| GenesisError::of(&path, failure))?;
        let Delegation { delegator, operator, shares } = delegation;
        if shares.is_zero() || staking::delegation(state, &delegator, &operator)?.is_some() {
            return Err(GenesisError::at(&path, "it has no shares, or was there before"));
        }
        staking::set_delegation(state, &delegator, &operator, shares)?;
    }
    Ok(())
}

fn init_unbonding(state: &mut State<'_>, path: &str, unbonding: &UnbondingDelegation) -> Result<(), GenesisError> {
    let delegator = msg::delegator(&unbonding.delegator_address).map_err(|error| GenesisError::at(path, error))?;
    let operator = msg::operator(&unbonding.validator_address).map_err(|error| GenesisError::at(path, error))?;
    for entry in &unbonding.entries {
        Int::parse(&entry.balance).map_err(|error| GenesisError::at(path, error))?;
        let completion = completion(path, entry.completion_time)?;
        state.set(keys::unbonding_at(completion, &delegator, &operator), Vec::new())?;
        keep_unbonding_id(state, entry.unbonding_id)?;
    }
    Ok(unbonding::set(state, &delegator, &operator, unbonding)?)
}

fn init_redelegation(state: &mut State<'_>, path: &str, moved: &Redelegation) -> Result<(), GenesisError> {
    let delegator = msg::delegator(&moved.delegator_address).map_err(|error| GenesisError::at(path, error))?;
    let source = msg::operator(&moved.validator_src_address).map_err(|error| GenesisError::at(path, error))?;
    let destination = msg::operator(&moved.validator_dst_address).map_err(|error| GenesisError::at(path, error))?;
    for entry in &moved.entries {
        Int::parse(&entry.initial_balance).map_err(|error| GenesisError::at(path, error))?;
        let completion = completion(path, entry.completion_time)?;
        state.set(keys::redelegation_at(completion, &delegator, &source, &destination), Vec::new())?;
        keep_unbonding_id(state, entry.unbonding_id)?;
    }
    let between = Move { delegator: &delegator, source: &source, destination: &destination };
    Ok(redelegation::set(state, between, moved)?)
}

fn completion(path: &str, time: Option<Timestamp>) -> Result<Time, GenesisError> {
    Time::from_proto(&time.unwrap_or_default()).map_err(|error| GenesisError::at(path, error))
}

/// Numbers given before the export are not given again.
fn keep_unbonding_id(state: &mut State<'_>, id: u64) -> Result<(), GenesisError> {
    let next = staking::number(state, keys::NEXT_UNBONDING_ID)?.unwrap_or_default().max(id);
    Ok(state.set(keys::NEXT_UNBONDING_ID, next.to_be_bytes().to_vec())?)
}

fn init_last_powers(
    state: &mut State<'_>,
    powers: &[LastValidatorPower],
) -> Result<Vec<ValidatorUpdate>, GenesisError> {
    let (mut updates, mut total) = (Vec::new(), 0_u64);
    for (index, last) in powers.iter().enumerate() {
        let path = format!("staking.last_validator_powers[{index}]");
        let operator = msg::operator(&last.address).map_err(|error| GenesisError::at(&path, error))?;
        let validator = staking::validator(state, &operator)?
            .ok_or_else(|| GenesisError::at(&path, "there is no validator of this operator"))?;
        let power = u64::try_from(last.power).map_err(|_| GenesisError::at(&path, "the power is negative"))?;
        total = total.checked_add(power).ok_or_else(|| GenesisError::at(&path, "too much power in all"))?;
        state.set(keys::last_power(&operator), power.to_be_bytes().to_vec())?;
        updates.push(validator.update(power));
    }
    state.set(keys::LAST_TOTAL_POWER, total.to_be_bytes().to_vec())?;
    Ok(updates)
}

/// Every validator's shares are the sum of its delegations'.
fn check_shares(state: &State<'_>) -> Result<(), GenesisError> {
    let mut sums: BTreeMap<Address, Dec> = BTreeMap::new();
    let overflow = |error| GenesisError::at("staking.delegations", error);
    for Delegation { operator, shares, .. } in staking::delegations(state, keys::DELEGATIONS)? {
        let sum = sums.entry(operator).or_insert(Dec::ZERO);
        *sum = sum.add(shares).map_err(overflow)?;
    }
    for validator in staking::validators(state)? {
        let sum = sums.remove(&validator.operator).unwrap_or(Dec::ZERO);
        if sum != validator.shares {
            let operator = validator.operator.to_operator();
            let reason = format!("{operator} has {} shares, its delegations have {sum}", validator.shares);
            return Err(GenesisError::at("staking.validators", reason));
        }
    }
    match sums.keys().next() {
        Some(operator) => {
            let reason = format!("there is no validator {}", operator.to_operator());
            Err(GenesisError::at("staking.delegations", reason))
        }
        None => Ok(()),
    }
}

/// Both pools hold what validators and unbonding delegations say.
fn check_pools(state: &State<'_>) -> Result<(), GenesisError> {
    let (mut bonded, mut not_bonded) = (Int::ZERO, Int::ZERO);
    let overflow = |error| GenesisError::at("staking", error);
    for validator in staking::validators(state)? {
        let pool = if validator.is_bonded() { &mut bonded } else { &mut not_bonded };
        *pool = pool.add(validator.tokens).map_err(overflow)?;
    }
    for entry in unbonding::unbondings(state, keys::UNBONDINGS)?.iter().flat_map(|unbonding| &unbonding.entries) {
        let balance = Int::parse(&entry.balance).map_err(overflow)?;
        not_bonded = not_bonded.add(balance).map_err(overflow)?;
    }
    for (name, is_bonded, wanted) in [("bonded", true, bonded), ("not bonded", false, not_bonded)] {
        let found = staking::pool_balance(state, is_bonded)?;
        if found != wanted {
            let reason = format!("{name} pool balance is different from {name} coins: {found} <-> {wanted}");
            return Err(GenesisError::at("bank.balances", reason));
        }
    }
    Ok(())
}

/// The section of a state.
///
/// # Errors
/// Storage.
pub fn export(state: &dyn StateRead) -> Result<Value, GenesisError> {
    let power = |(operator, power): (Address, u64)| LastValidatorPower {
        address: operator.to_operator(),
        power: i64::try_from(power).unwrap_or(i64::MAX),
    };
    let delegation = |delegation: &Delegation| DelegationProto {
        delegator_address: delegation.delegator.to_string(),
        validator_address: delegation.operator.to_operator(),
        shares: delegation.shares.to_scaled_string(),
    };
    let section = GenesisState {
        params: Some(staking::params(state)?),
        last_total_power: validator_set::last_total_power(state)?.to_string().into_bytes(),
        last_validator_powers: validator_set::last_powers(state)?.into_iter().map(power).collect(),
        validators: staking::validators(state)?.iter().map(Validator::to_proto).collect(),
        delegations: staking::delegations(state, keys::DELEGATIONS)?.iter().map(delegation).collect(),
        unbonding_delegations: unbonding::unbondings(state, keys::UNBONDINGS)?,
        redelegations: redelegation::redelegations(state, keys::REDELEGATIONS)?,
        exported: true,
    };
    json::to_json(&section).map_err(|error| GenesisError::at("staking", error))
}
