//! Making and changing validators, delegating, taking back, moving. Source: x/staking msg server.

use swing_proto::{
    cosmos::staking::v1beta1::{
        BondStatus, MsgBeginRedelegate, MsgBeginRedelegateResponse, MsgCreateValidator, MsgCreateValidatorResponse,
        MsgDelegate, MsgDelegateResponse, MsgEditValidator, MsgEditValidatorResponse, MsgUndelegate,
        MsgUndelegateResponse, MsgUpdateParams, MsgUpdateParamsResponse,
    },
    google::protobuf::{Any, Duration},
    type_url,
};

use super::{
    delegation::{self, Source},
    error::StakingError,
    events,
    msg::{self, NewValidator},
    redelegation::{self, Move},
    state as staking, unbonding,
    validator::{Rates, Validator},
};
use crate::{
    block::Time,
    error::{Failure, Rejected},
    math::{Coin, Dec, Int},
    modules::{BlockContext, MsgContext, authority, message},
    sdk_error::SdkError,
    state::{State, StateRead},
};

/// Does a message of this module; gives its response.
///
/// # Errors
/// The message's refusal; storage, out of gas.
pub fn handle(context: &mut MsgContext<'_, '_>, message: &Any) -> Result<Any, Failure> {
    let url = message.type_url.as_str();
    if url == type_url::<MsgCreateValidator>() {
        message::run(message, |message| create_validator(context.state, context.block, &message))
    } else if url == type_url::<MsgEditValidator>() {
        message::run(message, |message| edit_validator(context, &message))
    } else if url == type_url::<MsgDelegate>() {
        message::run(message, |message| delegate(context, &message))
    } else if url == type_url::<MsgUndelegate>() {
        message::run(message, |message| undelegate(context, &message))
    } else if url == type_url::<MsgBeginRedelegate>() {
        message::run(message, |message| begin_redelegate(context, &message))
    } else if url == type_url::<MsgUpdateParams>() {
        message::run(message, |message| update_params(context, &message))
    } else {
        Err(message::unroutable(url))
    }
}

/// Makes a validator with its first delegation; genesis transactions come here too.
///
/// # Errors
/// In the SDK's words and codes.
pub fn create_validator(
    state: &mut State<'_>,
    block: &BlockContext,
    message: &MsgCreateValidator,
) -> Result<MsgCreateValidatorResponse, Failure> {
    let new = msg::new_validator(message)?;
    check_new(state, &new)?;
    let validator = Validator {
        operator: new.operator,
        consensus_key: new.consensus_key,
        jailed: false,
        status: BondStatus::Unbonded,
        tokens: Int::ZERO,
        shares: Dec::ZERO,
        description: new.description,
        unbonding_height: 0,
        unbonding_time: Time::default(),
        rates: new.rates,
        rates_time: block.time,
        min_self_delegation: new.min_self_delegation,
    };
    staking::insert_validator(state, &validator)?;
    delegation::delegate(state, &new.operator, &new.operator, new.value.amount, Source::Account)?;
    state.emit(events::create_validator(&message.validator_address, &new.value));
    Ok(MsgCreateValidatorResponse {})
}

fn check_new(state: &dyn StateRead, new: &NewValidator) -> Result<(), Failure> {
    let params = staking::params(state)?;
    let least = Dec::parse_scaled(&params.min_commission_rate)?;
    if new.rates.rate < least {
        let reason = format!("cannot set validator commission to less than minimum rate of {least}");
        return Err(StakingError::CommissionLtMinRate.wrap(reason).into());
    }
    if staking::validator(state, &new.operator)?.is_some() {
        return Err(StakingError::ValidatorOwnerExists.bare().into());
    }
    let consensus = crate::address::Address::of_ed25519(&new.consensus_key);
    if staking::operator_by_consensus(state, &consensus)?.is_some() {
        return Err(StakingError::ValidatorPubKeyExists.bare().into());
    }
    check_denom(&new.value, &params.bond_denom)
}

fn check_denom(coin: &Coin, bond_denom: &str) -> Result<(), Failure> {
    if coin.denom == bond_denom {
        return Ok(());
    }
    let reason = format!("invalid coin denomination: got {}, expected {bond_denom}", coin.denom);
    Err(SdkError::InvalidRequest.wrap(reason).into())
}

/// Changes a validator's description, commission rate and least own delegation.
///
/// # Errors
/// In the SDK's words and codes.
pub fn edit_validator(
    context: &mut MsgContext<'_, '_>,
    message: &MsgEditValidator,
) -> Result<MsgEditValidatorResponse, Failure> {
    let operator = msg::operator(&message.validator_address)?;
    let before = staking::existing_validator(context.state, &operator)?;
    let mut now = before.clone();
    now.description = msg::edited(&before.description, &message.description.clone().unwrap_or_default())?;
    if !message.commission_rate.is_empty() {
        let rate = Dec::parse_scaled(&message.commission_rate)?;
        let least = Dec::parse_scaled(&staking::params(context.state)?.min_commission_rate)?;
        check_new_rate(&before, rate, least, context.block.time)?;
        now.rates = Rates { rate, ..before.rates };
        now.rates_time = context.block.time;
    }
    if !message.min_self_delegation.is_empty() {
        let least = Int::parse(&message.min_self_delegation)?;
        if least <= before.min_self_delegation {
            return Err(StakingError::MinSelfDelegationDecreased.bare().into());
        }
        if least > before.tokens {
            return Err(StakingError::SelfDelegationBelowMinimum.bare().into());
        }
        now.min_self_delegation = least;
    }
    staking::set_validator(context.state, Some(&before), &now)?;
    context.state.emit(events::edit_validator(&now.rates.rate.to_string(), now.min_self_delegation));
    Ok(MsgEditValidatorResponse {})
}

/// Source: SDK `Commission.ValidateNewRate`.
fn check_new_rate(before: &Validator, rate: Dec, least: Dec, now: Time) -> Result<(), Rejected> {
    let a_day_later = before.rates_time.plus(&Duration { seconds: 86_400, nanos: 0 });
    if a_day_later.is_ok_and(|later| now < later) {
        return Err(StakingError::CommissionUpdateTime.bare());
    }
    if rate > before.rates.max_rate {
        return Err(StakingError::CommissionGtMaxRate.bare());
    }
    if rate.sub(before.rates.rate).is_ok_and(|change| change > before.rates.max_change_rate) {
        return Err(StakingError::CommissionGtMaxChangeRate.bare());
    }
    if rate < least {
        let reason = format!("cannot set validator commission to less than minimum rate of {least}");
        return Err(StakingError::CommissionLtMinRate.wrap(reason));
    }
    Ok(())
}

/// Delegates.
///
/// # Errors
/// In the SDK's words and codes.
pub fn delegate(context: &mut MsgContext<'_, '_>, message: &MsgDelegate) -> Result<MsgDelegateResponse, Failure> {
    let operator = msg::operator(&message.validator_address)?;
    let delegator = msg::delegator(&message.delegator_address)?;
    let coin = msg::amount(message.amount.as_ref())?;
    staking::existing_validator(context.state, &operator)?;
    check_denom(&coin, &staking::params(context.state)?.bond_denom)?;
    let shares = delegation::delegate(context.state, &delegator, &operator, coin.amount, Source::Account)?;
    let event = events::delegate(&message.validator_address, &message.delegator_address, &coin, shares);
    context.state.emit(event);
    Ok(MsgDelegateResponse {})
}

/// Begins to take a delegation back.
///
/// # Errors
/// In the SDK's words and codes.
pub fn undelegate(context: &mut MsgContext<'_, '_>, message: &MsgUndelegate) -> Result<MsgUndelegateResponse, Failure> {
    let operator = msg::operator(&message.validator_address)?;
    let delegator = msg::delegator(&message.delegator_address)?;
    let coin = msg::amount(message.amount.as_ref())?;
    let shares = delegation::shares_for(context.state, &delegator, &operator, coin.amount)?;
    check_denom(&coin, &staking::params(context.state)?.bond_denom)?;
    let begun = unbonding::begin(context.state, context.block, &delegator, &operator, shares)?;
    let (validator, delegator) = (&message.validator_address, &message.delegator_address);
    context.state.emit(events::unbond(validator, delegator, &begun.coin, begun.completion));
    Ok(MsgUndelegateResponse {
        completion_time: Some(begun.completion.to_proto()),
        amount: Some(begun.coin.to_proto()),
    })
}

/// Moves a delegation to another validator.
///
/// # Errors
/// In the SDK's words and codes.
pub fn begin_redelegate(
    context: &mut MsgContext<'_, '_>,
    message: &MsgBeginRedelegate,
) -> Result<MsgBeginRedelegateResponse, Failure> {
    let source = msg::operator(&message.validator_src_address)?;
    let destination = msg::operator(&message.validator_dst_address)?;
    let delegator = msg::delegator(&message.delegator_address)?;
    let coin = msg::amount(message.amount.as_ref())?;
    let shares = delegation::shares_for(context.state, &delegator, &source, coin.amount)?;
    check_denom(&coin, &staking::params(context.state)?.bond_denom)?;
    let moved = Move { delegator: &delegator, source: &source, destination: &destination };
    let completion = redelegation::begin(context.state, context.block, moved, shares)?;
    context.state.emit(events::redelegate(
        &message.validator_src_address,
        &message.validator_dst_address,
        &message.delegator_address,
        &coin,
        completion,
    ));
    Ok(MsgBeginRedelegateResponse { completion_time: Some(completion.to_proto()) })
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
    // What is bonded is counted in the bond denom: another one would lose it.
    if params.bond_denom != staking::params(context.state)?.bond_denom {
        return Err(SdkError::InvalidRequest.wrap("the bond denom of a living chain cannot change").into());
    }
    staking::set_params(context.state, &params)?;
    Ok(MsgUpdateParamsResponse {})
}
