//! Delegating and taking back. Source: x/staking `Delegate`, `Unbond`.

use swing_proto::cosmos::staking::v1beta1::BondStatus;

use super::{error::StakingError, state as staking, validator::Validator};
use crate::{
    address::Address,
    error::Failure,
    math::{Coins, Dec, Int},
    modules::bank::keeper as bank,
    sdk_error::SdkError,
    state::State,
};

/// Where delegated tokens come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The delegator's account.
    Account,
    /// A pool: they were just taken from another validator, bonded or not.
    Pool {
        /// That validator was bonded.
        bonded: bool,
    },
}

/// Delegates tokens; gives the new shares.
///
/// # Errors
/// Staking 34 for a validator that lost all tokens; SDK 5; storage, out of gas.
pub fn delegate(
    state: &mut State<'_>,
    delegator: &Address,
    operator: &Address,
    tokens: Int,
    source: Source,
) -> Result<Dec, Failure> {
    let before = staking::existing_validator(state, operator)?;
    if before.tokens.is_zero() && !before.shares.is_zero() {
        return Err(StakingError::DelegatorShareExRateInvalid.bare().into());
    }
    match source {
        Source::Account => {
            let coins = Coins::one(staking::bond_coin(state, tokens)?);
            bank::delegate_from_account_to_module(state, delegator, staking::pool(before.is_bonded()), &coins)?;
        }
        Source::Pool { bonded } if bonded != before.is_bonded() => {
            staking::move_between_pools(state, tokens, before.is_bonded())?;
        }
        Source::Pool { .. } => {}
    }
    let mut now = before.clone();
    let issued = now.add_tokens(tokens)?;
    staking::set_validator(state, Some(&before), &now)?;
    let shares = staking::delegation(state, delegator, operator)?.unwrap_or(Dec::ZERO).add(issued)?;
    staking::set_delegation(state, delegator, operator, shares)?;
    Ok(issued)
}

/// The shares that taking back this amount costs. Source: SDK `ValidateUnbondAmount`.
///
/// # Errors
/// Staking 3, 19, 22; SDK 18 for more than there is.
pub fn shares_for(state: &State<'_>, delegator: &Address, operator: &Address, tokens: Int) -> Result<Dec, Failure> {
    let validator = staking::existing_validator(state, operator)?;
    let own = staking::delegation(state, delegator, operator)?.ok_or_else(|| StakingError::NoDelegation.bare())?;
    if validator.tokens.is_zero() {
        return Err(StakingError::InsufficientShares.bare().into());
    }
    let shares = validator.shares_from_tokens(tokens)?;
    let truncated = validator.shares.mul_int(tokens)?.quo_truncate(Dec::from_int(validator.tokens)?)?;
    if truncated > own {
        return Err(SdkError::InvalidRequest.wrap("invalid shares amount").into());
    }
    Ok(shares.min(own))
}

/// Takes shares back; gives the tokens that they were worth, which stay in the validator's pool.
///
/// # Errors
/// Staking 21, 24; storage, out of gas.
pub fn unbond(state: &mut State<'_>, delegator: &Address, operator: &Address, shares: Dec) -> Result<Int, Failure> {
    let own =
        staking::delegation(state, delegator, operator)?.ok_or_else(|| StakingError::NoDelegatorForAddress.bare())?;
    let left = own.sub(shares).map_err(|_| StakingError::NotEnoughDelegationShares.wrap(own))?;
    let before = staking::existing_validator(state, operator)?;
    let mut now = before.clone();
    // Below its own minimum a validator leaves the set.
    now.jailed |= delegator == operator && now.tokens_from_shares(left)?.truncate()? < now.min_self_delegation;
    staking::set_delegation(state, delegator, operator, left)?;
    let tokens = now.remove_shares(shares)?;
    staking::set_validator(state, Some(&before), &now)?;
    remove_if_empty(state, &now)?;
    Ok(tokens)
}

/// Removes a validator that is unbonded and to which nobody delegates.
pub(super) fn remove_if_empty(state: &mut State<'_>, validator: &Validator) -> Result<(), Failure> {
    if validator.shares.is_zero() && validator.status == BondStatus::Unbonded {
        staking::remove_validator(state, validator)?;
    }
    Ok(())
}
