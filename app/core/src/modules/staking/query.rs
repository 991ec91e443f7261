//! Queries `cosmos.staking.v1beta1.Query`. Source: x/staking gRPC query server.

use prost::Message;
use swing_proto::cosmos::staking::v1beta1::{
    BondStatus, Delegation as DelegationProto, DelegationResponse, Pool, QueryDelegationRequest,
    QueryDelegationResponse, QueryDelegatorDelegationsRequest, QueryDelegatorDelegationsResponse,
    QueryDelegatorUnbondingDelegationsRequest, QueryDelegatorUnbondingDelegationsResponse, QueryParamsResponse,
    QueryPoolResponse, QueryUnbondingDelegationRequest, QueryUnbondingDelegationResponse,
    QueryValidatorDelegationsRequest, QueryValidatorDelegationsResponse, QueryValidatorRequest, QueryValidatorResponse,
    QueryValidatorsRequest, QueryValidatorsResponse, UnbondingDelegation, Validator as ValidatorProto,
};

use super::{keys, state as staking, unbonding, validator::Validator};
use crate::{
    address::Address,
    math::{Dec, Int, MathError},
    modules::QueryContext,
    query::{QueryError, Status, page},
    state::StateRead,
};

/// Answers the method at a gRPC path.
///
/// # Errors
/// A path that is not answered here, a request that does not decode, an object that is not there.
pub fn query(context: &QueryContext<'_>, path: &str, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let state = context.state;
    let Some(method) = path.strip_prefix("/cosmos.staking.v1beta1.Query/") else {
        return Err(QueryError::unimplemented(path));
    };
    Ok(match method {
        "Validators" => validators(state, &QueryValidatorsRequest::decode(data)?)?.encode_to_vec(),
        "Validator" => validator(state, &QueryValidatorRequest::decode(data)?)?.encode_to_vec(),
        "ValidatorDelegations" => {
            validator_delegations(state, &QueryValidatorDelegationsRequest::decode(data)?)?.encode_to_vec()
        }
        "Delegation" => delegation(state, &QueryDelegationRequest::decode(data)?)?.encode_to_vec(),
        "UnbondingDelegation" => {
            unbonding_delegation(state, &QueryUnbondingDelegationRequest::decode(data)?)?.encode_to_vec()
        }
        "DelegatorDelegations" => {
            delegator_delegations(state, &QueryDelegatorDelegationsRequest::decode(data)?)?.encode_to_vec()
        }
        "DelegatorUnbondingDelegations" => {
            delegator_unbondings(state, &QueryDelegatorUnbondingDelegationsRequest::decode(data)?)?.encode_to_vec()
        }
        "Pool" => pool(state)?.encode_to_vec(),
        "Params" => QueryParamsResponse { params: Some(staking::params(state)?) }.encode_to_vec(),
        _ => return Err(QueryError::unimplemented(path)),
    })
}

fn operator(text: &str) -> Result<Address, QueryError> {
    if text.is_empty() {
        return Err(QueryError::invalid("validator address cannot be empty"));
    }
    Address::parse_operator(text).map_err(|error| QueryError::invalid(format!("invalid validator address: {error}")))
}

fn delegator(text: &str) -> Result<Address, QueryError> {
    if text.is_empty() {
        return Err(QueryError::invalid("delegator address cannot be empty"));
    }
    Address::parse(text).map_err(|error| QueryError::invalid(format!("invalid delegator address: {error}")))
}

fn internal(error: impl std::fmt::Display) -> QueryError {
    QueryError::new(Status::Internal, error.to_string())
}

/// Validators by operator, of one status when the request names one.
fn validators(state: &dyn StateRead, request: &QueryValidatorsRequest) -> Result<QueryValidatorsResponse, QueryError> {
    let wanted = match request.status.as_str() {
        "" => None,
        name => Some(
            BondStatus::from_str_name(name)
                .filter(|status| *status != BondStatus::Unspecified)
                .ok_or_else(|| QueryError::invalid(format!("invalid validator status {name}")))?,
        ),
    };
    let (validators, pagination) = page(state, keys::VALIDATORS, request.pagination.as_ref(), |_, value| {
        let validator = ValidatorProto::decode(value).map_err(internal)?;
        Ok(wanted.is_none_or(|wanted| validator.status() == wanted).then_some(validator))
    })?;
    Ok(QueryValidatorsResponse { validators, pagination: Some(pagination) })
}

fn validator(state: &dyn StateRead, request: &QueryValidatorRequest) -> Result<QueryValidatorResponse, QueryError> {
    let validator = existing(state, &operator(&request.validator_addr)?)?;
    Ok(QueryValidatorResponse { validator: Some(validator.to_proto()) })
}

fn existing(state: &dyn StateRead, operator: &Address) -> Result<Validator, QueryError> {
    let text = || format!("validator {} not found", operator.to_operator());
    staking::validator(state, operator)?.ok_or_else(|| QueryError::not_found(text()))
}

/// A delegation with what it is worth now.
fn response(
    state: &dyn StateRead,
    delegator: &Address,
    operator: &Address,
    shares: Dec,
) -> Result<DelegationResponse, QueryError> {
    let validator = existing(state, operator)?;
    let worth = validator.tokens_from_shares(shares).and_then(Dec::truncate).map_err(internal)?;
    Ok(DelegationResponse {
        delegation: Some(DelegationProto {
            delegator_address: delegator.to_string(),
            validator_address: operator.to_operator(),
            shares: shares.to_scaled_string(),
        }),
        balance: Some(staking::bond_coin(state, worth)?.to_proto()),
    })
}

fn shares(value: &[u8]) -> Result<Dec, QueryError> {
    let text = std::str::from_utf8(value).map_err(internal)?;
    Dec::parse_scaled(text).map_err(|error: MathError| internal(error))
}

fn delegation(state: &dyn StateRead, request: &QueryDelegationRequest) -> Result<QueryDelegationResponse, QueryError> {
    let (delegator, operator) = (delegator(&request.delegator_addr)?, operator(&request.validator_addr)?);
    let shares = staking::delegation(state, &delegator, &operator)?.ok_or_else(|| {
        let (delegator, operator) = (&request.delegator_addr, &request.validator_addr);
        QueryError::not_found(format!("delegation with delegator {delegator} not found for validator {operator}"))
    })?;
    Ok(QueryDelegationResponse { delegation_response: Some(response(state, &delegator, &operator, shares)?) })
}

fn delegator_delegations(
    state: &dyn StateRead,
    request: &QueryDelegatorDelegationsRequest,
) -> Result<QueryDelegatorDelegationsResponse, QueryError> {
    let delegator = delegator(&request.delegator_addr)?;
    let prefix = keys::delegations_of(&delegator);
    let (delegation_responses, pagination) = page(state, &prefix, request.pagination.as_ref(), |key, value| {
        let operator = Address::from_slice(key).map_err(internal)?;
        response(state, &delegator, &operator, shares(value)?).map(Some)
    })?;
    Ok(QueryDelegatorDelegationsResponse { delegation_responses, pagination: Some(pagination) })
}

fn validator_delegations(
    state: &dyn StateRead,
    request: &QueryValidatorDelegationsRequest,
) -> Result<QueryValidatorDelegationsResponse, QueryError> {
    let operator = operator(&request.validator_addr)?;
    let prefix = keys::delegators_of(&operator);
    let (delegation_responses, pagination) = page(state, &prefix, request.pagination.as_ref(), |key, _| {
        let delegator = Address::from_slice(key).map_err(internal)?;
        let Some(shares) = staking::delegation(state, &delegator, &operator)? else {
            return Ok(None);
        };
        response(state, &delegator, &operator, shares).map(Some)
    })?;
    Ok(QueryValidatorDelegationsResponse { delegation_responses, pagination: Some(pagination) })
}

fn unbonding_delegation(
    state: &dyn StateRead,
    request: &QueryUnbondingDelegationRequest,
) -> Result<QueryUnbondingDelegationResponse, QueryError> {
    let (delegator, operator) = (delegator(&request.delegator_addr)?, operator(&request.validator_addr)?);
    let unbond = unbonding::unbonding(state, &delegator, &operator)?.ok_or_else(|| {
        let (delegator, operator) = (&request.delegator_addr, &request.validator_addr);
        QueryError::not_found(format!(
            "unbonding delegation with delegator {delegator} not found for validator {operator}"
        ))
    })?;
    Ok(QueryUnbondingDelegationResponse { unbond: Some(unbond) })
}

fn delegator_unbondings(
    state: &dyn StateRead,
    request: &QueryDelegatorUnbondingDelegationsRequest,
) -> Result<QueryDelegatorUnbondingDelegationsResponse, QueryError> {
    let prefix = keys::unbondings_of(&delegator(&request.delegator_addr)?);
    let (unbonding_responses, pagination) = page(state, &prefix, request.pagination.as_ref(), |_, value| {
        UnbondingDelegation::decode(value).map(Some).map_err(internal)
    })?;
    Ok(QueryDelegatorUnbondingDelegationsResponse { unbonding_responses, pagination: Some(pagination) })
}

/// Tokens in both pools. What is unbonding is not bonded.
fn pool(state: &dyn StateRead) -> Result<QueryPoolResponse, QueryError> {
    let text = |amount: Int| amount.to_string();
    Ok(QueryPoolResponse {
        pool: Some(Pool {
            not_bonded_tokens: text(staking::pool_balance(state, false)?),
            bonded_tokens: text(staking::pool_balance(state, true)?),
        }),
    })
}
