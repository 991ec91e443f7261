//! Genesis of balances.

use std::collections::BTreeMap;

use prost::Message;
use serde_json::Value;
use swing_proto::{
    cosmos::{
        bank::v1beta1::{Balance, GenesisState, Metadata, Params, SendEnabled},
        base::v1beta1::Coin as CoinProto,
    },
    json,
};

use super::{keeper, keys, state as params};
use crate::{
    address::Address,
    genesis::GenesisError,
    math::{Coins, Int, validate_denom},
    modules::GenesisContext,
    state::StateRead,
};

/// The section of a new chain.
pub fn default() -> Value {
    let params = Params { default_send_enabled: true, ..Params::default() };
    let state = GenesisState { params: Some(params), ..GenesisState::default() };
    json::to_json(&state).unwrap_or(Value::Null)
}

/// Writes parameters, balances, the supply that follows from them, and what is known of denoms.
///
/// # Errors
/// What is wrong with the section; a supply that is not the sum of the balances.
pub fn init(context: &mut GenesisContext<'_, '_>, section: &Value) -> Result<(), GenesisError> {
    let section: GenesisState = json::from_json(section).map_err(|error| GenesisError::at("bank", error))?;
    params::set_params(context.state, &section.params.clone().unwrap_or_default())?;
    let mut supply = Coins::EMPTY;
    let mut seen = std::collections::BTreeSet::new();
    for (index, balance) in section.balances.iter().enumerate() {
        let at = |reason: String| GenesisError::at(format!("bank.balances[{index}]"), reason);
        let address = Address::parse(&balance.address).map_err(|error| at(error.to_string()))?;
        if !seen.insert(address) {
            return Err(at(format!("{address} stands twice")));
        }
        let coins = Coins::from_proto(&balance.coins).map_err(|error| at(error.to_string()))?;
        supply = supply.add(&coins).map_err(|error| at(error.to_string()))?;
        for coin in &coins {
            keeper::set_balance(context.state, &address, coin)?;
        }
    }
    check_supply(&section.supply, &supply)?;
    for coin in &supply {
        keeper::set_supply(context.state, coin)?;
    }
    write_denoms(context, &section.denom_metadata, &section.send_enabled)
}

/// As in the SDK, a genesis may leave the supply out; one that names it must name the sum.
fn check_supply(named: &[CoinProto], sum: &Coins) -> Result<(), GenesisError> {
    if named.is_empty() {
        return Ok(());
    }
    let named = Coins::from_proto(named).map_err(|error| GenesisError::at("bank.supply", error))?;
    if named == *sum {
        return Ok(());
    }
    let reason = format!("genesis supply is incorrect, expected {sum} (the sum of the balances), got {named}");
    Err(GenesisError::at("bank.supply", reason))
}

fn write_denoms(
    context: &mut GenesisContext<'_, '_>,
    metadata: &[Metadata],
    send_enabled: &[SendEnabled],
) -> Result<(), GenesisError> {
    for (index, entry) in metadata.iter().enumerate() {
        validate_denom(&entry.base)
            .map_err(|error| GenesisError::at(format!("bank.denom_metadata[{index}].base"), error))?;
        context.state.set(keys::metadata(&entry.base), entry.encode_to_vec())?;
    }
    for (index, entry) in send_enabled.iter().enumerate() {
        validate_denom(&entry.denom)
            .map_err(|error| GenesisError::at(format!("bank.send_enabled[{index}].denom"), error))?;
        params::set_send_enabled(context.state, &entry.denom, Some(entry.enabled))?;
    }
    Ok(())
}

/// The section of a state.
///
/// # Errors
/// Storage.
pub fn export(state: &dyn StateRead) -> Result<Value, GenesisError> {
    let mut by_address: BTreeMap<Address, Vec<CoinProto>> = BTreeMap::new();
    for entry in state.prefix(keys::BALANCES) {
        let (key, value) = entry?;
        let broken = || GenesisError::at("bank.balances", format!("entry {} cannot be read", hex::encode(&key)));
        let (address, denom) = keys::parse_balance(&key).ok_or_else(broken)?;
        let amount = Int::from_be_bytes(&value).map_err(|_| broken())?.to_string();
        by_address.entry(address).or_default().push(CoinProto { denom: denom.to_owned(), amount });
    }
    let balances =
        by_address.into_iter().map(|(address, coins)| Balance { address: address.to_string(), coins }).collect();
    let mut denom_metadata = Vec::new();
    for entry in state.prefix(keys::METADATA) {
        let metadata = Metadata::decode(entry?.1).map_err(|error| GenesisError::at("bank.denom_metadata", error))?;
        denom_metadata.push(metadata);
    }
    let mut send_enabled = Vec::new();
    for entry in state.prefix(keys::SEND_ENABLED) {
        let (key, value) = entry?;
        let denom = String::from_utf8_lossy(key.strip_prefix(keys::SEND_ENABLED).unwrap_or_default()).into_owned();
        send_enabled.push(SendEnabled { denom, enabled: value.as_ref() == [1] });
    }
    let section = GenesisState {
        params: Some(params::params(state)?),
        balances,
        supply: keeper::total_supply(state)?.to_proto(),
        denom_metadata,
        send_enabled,
    };
    json::to_json(&section).map_err(|error| GenesisError::at("bank", error))
}
