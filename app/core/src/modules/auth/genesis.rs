//! Genesis of accounts.

use std::collections::BTreeSet;

use prost::Message;
use serde_json::Value;
use swing_proto::{cosmos::auth::v1beta1::GenesisState, json};

use super::{
    convert, handler, keeper, keys,
    state::{Account, DEFAULT_PARAMS},
};
use crate::{
    address::Address,
    genesis::GenesisError,
    modules::GenesisContext,
    state::{State, StateRead},
};

/// The section of a new chain.
pub fn default() -> Value {
    let state = GenesisState { params: Some(DEFAULT_PARAMS), accounts: Vec::new() };
    json::to_json(&state).unwrap_or(Value::Null)
}

/// Writes parameters and accounts, and makes the fee collector's account. Accounts keep their order: the SDK gives numbers anew
/// where two are the same, which a genesis made by hand with zeros relies on.
///
/// # Errors
/// What is wrong with the section.
pub fn init(context: &mut GenesisContext<'_, '_>, section: &Value) -> Result<(), GenesisError> {
    let section: GenesisState = json::from_json(section).map_err(|error| GenesisError::at("auth", error))?;
    let params = section.params.unwrap_or(DEFAULT_PARAMS);
    handler::validate_params(&params).map_err(|refused| GenesisError::at("auth.params", refused))?;
    context.state.set(keys::PARAMS, params.encode_to_vec())?;
    let mut addresses = BTreeSet::new();
    let mut accounts = Vec::with_capacity(section.accounts.len());
    for (index, any) in section.accounts.iter().enumerate() {
        let at = |reason: String| GenesisError::at(format!("auth.accounts[{index}]"), reason);
        let account = convert::from_any(any).map_err(at)?;
        if !addresses.insert(account.address) {
            return Err(at(format!("{} stands twice", account.address)));
        }
        accounts.push(account);
    }
    write(context.state, accounts)?;
    keeper::ensure_module_account(context.state, keeper::FEE_COLLECTOR)
        .map_err(|failure| GenesisError::of("auth.accounts", failure))?;
    Ok(())
}

/// Source: SDK `SanitizeGenesisAccounts`: in order of the numbers; one that is taken becomes the next free one.
fn write(state: &mut State<'_>, mut accounts: Vec<Account>) -> Result<(), GenesisError> {
    accounts.sort_by_key(|account| account.number);
    let mut taken: Option<u64> = None;
    for mut account in accounts {
        if let Some(last) = taken.filter(|last| account.number <= *last) {
            account.number = last.saturating_add(1);
        }
        taken = Some(account.number);
        keeper::insert(state, &account)?;
    }
    Ok(())
}

/// The section of a state.
///
/// # Errors
/// Storage.
pub fn export(state: &dyn StateRead) -> Result<Value, GenesisError> {
    let mut accounts = Vec::new();
    for entry in state.prefix(keys::ACCOUNTS) {
        let (key, value) = entry?;
        let address = key.strip_prefix(keys::ACCOUNTS).unwrap_or_default();
        let address = Address::from_slice(address).map_err(|error| GenesisError::at("auth.accounts", error))?;
        accounts.push(convert::to_any(&Account::decode(address, &value)?));
    }
    let section = GenesisState { params: Some(keeper::params(state)?), accounts };
    json::to_json(&section).map_err(|error| GenesisError::at("auth", error))
}
