//! Accounts in state. Source: x/auth keeper.

use prost::Message;
use swing_proto::cosmos::auth::v1beta1::Params;

use super::{
    keys,
    state::{Account, DEFAULT_PARAMS, ModuleAccount},
};
use crate::{
    address::{Address, module_address},
    error::Failure,
    sdk_error::SdkError,
    state::{State, StateError, StateRead},
};

/// Collects fees.
pub const FEE_COLLECTOR: &str = "fee_collector";
/// Holds bonded stake.
pub const BONDED_POOL: &str = "bonded_tokens_pool";
/// Holds stake that is not bonded.
pub const NOT_BONDED_POOL: &str = "not_bonded_tokens_pool";
/// Holds deposits; the authority of governance.
pub const GOV: &str = "gov";

/// Every module account of the chain and what it may do.
pub const MODULE_ACCOUNTS: [(&str, &[&str]); 4] = [
    (FEE_COLLECTOR, &[]),
    (BONDED_POOL, &["burner", "staking"]),
    (NOT_BONDED_POOL, &["burner", "staking"]),
    (GOV, &["burner"]),
];

/// The parameters.
///
/// # Errors
/// Storage, out of gas.
pub fn params(state: &dyn StateRead) -> Result<Params, StateError> {
    match state.get(keys::PARAMS)? {
        Some(bytes) => {
            Params::decode(bytes).map_err(|error| StateError::Storage(format!("parameters of auth: {error}")))
        }
        None => Ok(DEFAULT_PARAMS),
    }
}

/// The account at an address.
///
/// # Errors
/// Storage, out of gas.
pub fn account(state: &dyn StateRead, address: &Address) -> Result<Option<Account>, StateError> {
    state.get(&keys::account(address))?.map(|bytes| Account::decode(*address, &bytes)).transpose()
}

/// Writes an account. Its number's entry is written by [`new_account`] and genesis only.
///
/// # Errors
/// Storage, out of gas.
pub fn set_account(state: &mut State<'_>, account: &Account) -> Result<(), StateError> {
    state.set(keys::account(&account.address), account.encode())
}

/// Whether there is an account.
///
/// # Errors
/// Storage, out of gas.
pub fn exists(state: &dyn StateRead, address: &Address) -> Result<bool, StateError> {
    Ok(state.get(&keys::account(address))?.is_some())
}

/// The address of an account number.
///
/// # Errors
/// Storage, out of gas.
pub fn address_by_number(state: &dyn StateRead, number: u64) -> Result<Option<Address>, StateError> {
    let Some(bytes) = state.get(&keys::address_by_number(number))? else { return Ok(None) };
    Address::from_slice(&bytes)
        .map(Some)
        .map_err(|error| StateError::Storage(format!("account number {number}: {error}")))
}

/// The number that the next account gets.
///
/// # Errors
/// Storage, out of gas.
pub fn next_number(state: &dyn StateRead) -> Result<u64, StateError> {
    let Some(bytes) = state.get(keys::NEXT_NUMBER)? else { return Ok(0) };
    let bytes: [u8; 8] =
        bytes.as_ref().try_into().map_err(|_| StateError::Storage("next account number is not 8 bytes".into()))?;
    Ok(u64::from_be_bytes(bytes))
}

/// A new account with the next number, written.
///
/// # Errors
/// Storage, out of gas.
pub fn new_account(state: &mut State<'_>, address: &Address) -> Result<Account, StateError> {
    let account = Account::new(*address, next_number(state)?);
    insert(state, &account)?;
    Ok(account)
}

/// Writes a new account with its own number; later accounts get higher ones.
pub(super) fn insert(state: &mut State<'_>, account: &Account) -> Result<(), StateError> {
    let next = account.number.saturating_add(1).max(next_number(state)?);
    state.set(keys::NEXT_NUMBER, next.to_be_bytes().to_vec())?;
    state.set(keys::address_by_number(account.number), account.address.as_bytes().to_vec())?;
    set_account(state, account)
}

/// Makes an account when there is none, as receiving coins does.
///
/// # Errors
/// Storage, out of gas.
pub fn ensure_account(state: &mut State<'_>, address: &Address) -> Result<(), StateError> {
    if !exists(state, address)? {
        new_account(state, address)?;
    }
    Ok(())
}

/// Makes a module's account when there is none. Each module does this in its genesis.
///
/// # Errors
/// Storage, a name that is not in [`MODULE_ACCOUNTS`].
pub fn ensure_module_account(state: &mut State<'_>, name: &str) -> Result<Address, Failure> {
    let permissions = permissions(name)
        .ok_or_else(|| SdkError::UnknownAddress.wrap(format!("module account {name} does not exist")))?;
    let address = module_address(name);
    if account(state, &address)?.is_none_or(|account| account.module.is_none()) {
        let mut account = match account(state, &address)? {
            Some(account) => account,
            None => new_account(state, &address)?,
        };
        account.module = Some(ModuleAccount {
            name: name.to_owned(),
            permissions: permissions.iter().map(|permission| (*permission).to_owned()).collect(),
        });
        set_account(state, &account)?;
    }
    Ok(address)
}

/// What a module account may do; none when there is no such account.
pub fn permissions(name: &str) -> Option<&'static [&'static str]> {
    MODULE_ACCOUNTS.iter().find(|(own, _)| *own == name).map(|(_, permissions)| *permissions)
}
