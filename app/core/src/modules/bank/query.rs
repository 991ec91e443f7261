//! Queries `cosmos.bank.v1beta1.Query`. `DenomOwners` is not among them: it would need an index that every transfer pays for.

use prost::Message;
use swing_proto::cosmos::{
    bank::v1beta1::{
        Metadata, QueryAllBalancesRequest, QueryAllBalancesResponse, QueryBalanceRequest, QueryBalanceResponse,
        QueryDenomMetadataByQueryStringRequest, QueryDenomMetadataByQueryStringResponse, QueryDenomMetadataRequest,
        QueryDenomMetadataResponse, QueryDenomsMetadataRequest, QueryDenomsMetadataResponse, QueryParamsResponse,
        QuerySendEnabledRequest, QuerySendEnabledResponse, QuerySpendableBalanceByDenomRequest,
        QuerySpendableBalanceByDenomResponse, QuerySpendableBalancesRequest, QuerySpendableBalancesResponse,
        QuerySupplyOfRequest, QuerySupplyOfResponse, QueryTotalSupplyRequest, QueryTotalSupplyResponse, SendEnabled,
    },
    base::{
        query::v1beta1::{PageRequest, PageResponse},
        v1beta1::Coin,
    },
};

use super::{keeper, keys, state as params};
use crate::{
    address::Address,
    math::{Int, validate_denom},
    modules::QueryContext,
    query::{QueryError, page},
    state::StateRead,
};

/// Answers the method at a gRPC path.
///
/// # Errors
/// A path that is not of this module, a request that does not decode, an object that is not there; storage.
pub fn query(context: &QueryContext<'_>, path: &str, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let state = context.state;
    let Some(method) = path.strip_prefix("/cosmos.bank.v1beta1.Query/") else {
        return Err(QueryError::unimplemented(path));
    };
    match method {
        "Params" => Ok(QueryParamsResponse { params: Some(params::params(state)?) }.encode_to_vec()),
        "Balance" => {
            let QueryBalanceRequest { address, denom } = QueryBalanceRequest::decode(data)?;
            Ok(QueryBalanceResponse { balance: Some(balance(state, &address, &denom)?) }.encode_to_vec())
        }
        "SpendableBalanceByDenom" => {
            let QuerySpendableBalanceByDenomRequest { address, denom } =
                QuerySpendableBalanceByDenomRequest::decode(data)?;
            let balance = Some(balance(state, &address, &denom)?);
            Ok(QuerySpendableBalanceByDenomResponse { balance }.encode_to_vec())
        }
        "AllBalances" => {
            let request = QueryAllBalancesRequest::decode(data)?;
            let (balances, pagination) = balances(state, &request.address, request.pagination.as_ref())?;
            Ok(QueryAllBalancesResponse { balances, pagination: Some(pagination) }.encode_to_vec())
        }
        "SpendableBalances" => {
            let request = QuerySpendableBalancesRequest::decode(data)?;
            let (balances, pagination) = balances(state, &request.address, request.pagination.as_ref())?;
            Ok(QuerySpendableBalancesResponse { balances, pagination: Some(pagination) }.encode_to_vec())
        }
        "TotalSupply" => {
            let request = QueryTotalSupplyRequest::decode(data)?;
            let (supply, pagination) = coins(state, keys::SUPPLIES, request.pagination.as_ref())?;
            Ok(QueryTotalSupplyResponse { supply, pagination: Some(pagination) }.encode_to_vec())
        }
        "SupplyOf" => {
            let denom = QuerySupplyOfRequest::decode(data)?.denom;
            check_denom(&denom)?;
            let amount = keeper::supply(state, &denom)?.to_string();
            Ok(QuerySupplyOfResponse { amount: Some(Coin { denom, amount }) }.encode_to_vec())
        }
        _ => denoms(state, path, method, data),
    }
}

fn denoms(state: &dyn StateRead, path: &str, method: &str, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    match method {
        "DenomMetadata" => {
            let metadata = Some(metadata(state, &QueryDenomMetadataRequest::decode(data)?.denom)?);
            Ok(QueryDenomMetadataResponse { metadata }.encode_to_vec())
        }
        "DenomMetadataByQueryString" => {
            let metadata = Some(metadata(state, &QueryDenomMetadataByQueryStringRequest::decode(data)?.denom)?);
            Ok(QueryDenomMetadataByQueryStringResponse { metadata }.encode_to_vec())
        }
        "DenomsMetadata" => {
            let request = QueryDenomsMetadataRequest::decode(data)?;
            let (metadatas, pagination) = page(state, keys::METADATA, request.pagination.as_ref(), |_, value| {
                Ok(Some(Metadata::decode(value)?))
            })?;
            Ok(QueryDenomsMetadataResponse { metadatas, pagination: Some(pagination) }.encode_to_vec())
        }
        "SendEnabled" => Ok(send_enabled(state, &QuerySendEnabledRequest::decode(data)?)?.encode_to_vec()),
        _ => Err(QueryError::unimplemented(path)),
    }
}

fn check_denom(denom: &str) -> Result<(), QueryError> {
    validate_denom(denom).map_err(|error| QueryError::invalid(error.to_string()))
}

fn parse(address: &str) -> Result<Address, QueryError> {
    Address::parse(address).map_err(|error| QueryError::invalid(format!("invalid address: {error}")))
}

fn balance(state: &dyn StateRead, address: &str, denom: &str) -> Result<Coin, QueryError> {
    check_denom(denom)?;
    let amount = keeper::balance(state, &parse(address)?, denom)?.to_string();
    Ok(Coin { denom: denom.to_owned(), amount })
}

fn balances(
    state: &dyn StateRead,
    address: &str,
    pagination: Option<&PageRequest>,
) -> Result<(Vec<Coin>, PageResponse), QueryError> {
    coins(state, &keys::balances(&parse(address)?), pagination)
}

/// Amounts under a prefix, by denom.
fn coins(
    state: &dyn StateRead,
    prefix: &[u8],
    pagination: Option<&PageRequest>,
) -> Result<(Vec<Coin>, PageResponse), QueryError> {
    page(state, prefix, pagination, |denom, value| {
        let amount = Int::from_be_bytes(value).map_err(|error| QueryError::invalid(error.to_string()))?;
        Ok(Some(Coin { denom: String::from_utf8_lossy(denom).into_owned(), amount: amount.to_string() }))
    })
}

fn metadata(state: &dyn StateRead, denom: &str) -> Result<Metadata, QueryError> {
    check_denom(denom)?;
    match state.get(&keys::metadata(denom))? {
        Some(bytes) => Ok(Metadata::decode(bytes)?),
        None => Err(QueryError::not_found(format!("client metadata for denom {denom}"))),
    }
}

fn send_enabled(
    state: &dyn StateRead,
    request: &QuerySendEnabledRequest,
) -> Result<QuerySendEnabledResponse, QueryError> {
    if request.denoms.is_empty() {
        let (send_enabled, pagination) =
            page(state, keys::SEND_ENABLED, request.pagination.as_ref(), |denom, value| {
                let denom = String::from_utf8_lossy(denom).into_owned();
                Ok(Some(SendEnabled { denom, enabled: value == [1] }))
            })?;
        return Ok(QuerySendEnabledResponse { send_enabled, pagination: Some(pagination) });
    }
    let mut send_enabled = Vec::new();
    for denom in &request.denoms {
        if let Some(enabled) = params::send_enabled(state, denom)? {
            send_enabled.push(SendEnabled { denom: denom.clone(), enabled });
        }
    }
    Ok(QuerySendEnabledResponse { send_enabled, pagination: None })
}
