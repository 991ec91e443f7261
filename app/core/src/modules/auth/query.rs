//! Queries `cosmos.auth.v1beta1.Query`.

use prost::Message;
use swing_proto::cosmos::auth::v1beta1::{
    AddressBytesToStringRequest, AddressBytesToStringResponse, AddressStringToBytesRequest,
    AddressStringToBytesResponse, Bech32PrefixResponse, QueryAccountAddressByIdRequest,
    QueryAccountAddressByIdResponse, QueryAccountInfoRequest, QueryAccountInfoResponse, QueryAccountRequest,
    QueryAccountResponse, QueryAccountsRequest, QueryAccountsResponse, QueryModuleAccountByNameRequest,
    QueryModuleAccountByNameResponse, QueryModuleAccountsResponse, QueryParamsResponse,
};

use super::{convert, keeper, keys, state::Account};
use crate::{
    address::{ACCOUNT_PREFIX, Address, module_address},
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
    let Some(method) = path.strip_prefix("/cosmos.auth.v1beta1.Query/") else {
        return Err(QueryError::unimplemented(path));
    };
    match method {
        "Params" => Ok(QueryParamsResponse { params: Some(keeper::params(state)?) }.encode_to_vec()),
        "Account" => Ok(account(state, &QueryAccountRequest::decode(data)?)?.encode_to_vec()),
        "AccountInfo" => Ok(account_info(state, &QueryAccountInfoRequest::decode(data)?)?.encode_to_vec()),
        "Accounts" => Ok(accounts(state, &QueryAccountsRequest::decode(data)?)?.encode_to_vec()),
        "AccountAddressByID" => {
            Ok(address_by_id(state, &QueryAccountAddressByIdRequest::decode(data)?)?.encode_to_vec())
        }
        "ModuleAccounts" => Ok(module_accounts(state)?.encode_to_vec()),
        "ModuleAccountByName" => {
            Ok(module_account(state, &QueryModuleAccountByNameRequest::decode(data)?)?.encode_to_vec())
        }
        "Bech32Prefix" => Ok(Bech32PrefixResponse { bech32_prefix: ACCOUNT_PREFIX.to_owned() }.encode_to_vec()),
        "AddressBytesToString" => {
            let request = AddressBytesToStringRequest::decode(data)?;
            let address = Address::from_slice(&request.address_bytes).map_err(invalid)?;
            Ok(AddressBytesToStringResponse { address_string: address.to_string() }.encode_to_vec())
        }
        "AddressStringToBytes" => {
            let request = AddressStringToBytesRequest::decode(data)?;
            let address = Address::parse(&request.address_string).map_err(invalid)?;
            Ok(AddressStringToBytesResponse { address_bytes: address.as_bytes().to_vec() }.encode_to_vec())
        }
        _ => Err(QueryError::unimplemented(path)),
    }
}

fn invalid(error: impl std::fmt::Display) -> QueryError {
    QueryError::invalid(error.to_string())
}

/// The account that a request asks for, in the SDK's words when there is none.
fn find(state: &dyn StateRead, text: &str) -> Result<Account, QueryError> {
    if text.is_empty() {
        return Err(QueryError::invalid("Address cannot be empty"));
    }
    let address = Address::parse(text).map_err(invalid)?;
    keeper::account(state, &address)?.ok_or_else(|| QueryError::not_found(format!("account {text} not found")))
}

fn account(state: &dyn StateRead, request: &QueryAccountRequest) -> Result<QueryAccountResponse, QueryError> {
    Ok(QueryAccountResponse { account: Some(convert::to_any(&find(state, &request.address)?)) })
}

fn account_info(
    state: &dyn StateRead,
    request: &QueryAccountInfoRequest,
) -> Result<QueryAccountInfoResponse, QueryError> {
    Ok(QueryAccountInfoResponse { info: Some(convert::base(&find(state, &request.address)?)) })
}

fn accounts(state: &dyn StateRead, request: &QueryAccountsRequest) -> Result<QueryAccountsResponse, QueryError> {
    let (accounts, pagination) = page(state, keys::ACCOUNTS, request.pagination.as_ref(), |address, value| {
        let account = Account::decode(Address::from_slice(address).map_err(invalid)?, value)?;
        Ok(Some(convert::to_any(&account)))
    })?;
    Ok(QueryAccountsResponse { accounts, pagination: Some(pagination) })
}

fn address_by_id(
    state: &dyn StateRead,
    request: &QueryAccountAddressByIdRequest,
) -> Result<QueryAccountAddressByIdResponse, QueryError> {
    if request.id != 0 {
        return Err(QueryError::invalid("requesting with id isn't supported, try to request using account-id"));
    }
    let number = request.account_id;
    match keeper::address_by_number(state, number)? {
        Some(address) => Ok(QueryAccountAddressByIdResponse { account_address: address.to_string() }),
        None => Err(QueryError::not_found(format!("account address not found with account number {number}"))),
    }
}

fn module_accounts(state: &dyn StateRead) -> Result<QueryModuleAccountsResponse, QueryError> {
    let mut names: Vec<_> = keeper::MODULE_ACCOUNTS.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let mut accounts = Vec::new();
    for name in names {
        if let Some(account) = keeper::account(state, &module_address(name))? {
            accounts.push(convert::to_any(&account));
        }
    }
    Ok(QueryModuleAccountsResponse { accounts })
}

fn module_account(
    state: &dyn StateRead,
    request: &QueryModuleAccountByNameRequest,
) -> Result<QueryModuleAccountByNameResponse, QueryError> {
    let found = match keeper::permissions(&request.name) {
        Some(_) => keeper::account(state, &module_address(&request.name))?,
        None => None,
    };
    match found {
        Some(account) => Ok(QueryModuleAccountByNameResponse { account: Some(convert::to_any(&account)) }),
        None => Err(QueryError::not_found(format!("account {} not found", request.name))),
    }
}
