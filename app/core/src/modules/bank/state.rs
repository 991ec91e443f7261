//! Parameters, which denoms may be sent, and what denoms are called.

use prost::Message;
use swing_proto::cosmos::bank::v1beta1::Params;

use super::keys;
use crate::{
    error::{Failure, Rejected},
    math::Coins,
    state::{State, StateError, StateRead},
};

/// The parameters.
///
/// # Errors
/// Storage, out of gas.
pub fn params(state: &dyn StateRead) -> Result<Params, StateError> {
    match state.get(keys::PARAMS)? {
        Some(bytes) => {
            Params::decode(bytes).map_err(|error| StateError::Storage(format!("parameters of bank: {error}")))
        }
        None => Ok(Params { default_send_enabled: true, ..Params::default() }),
    }
}

/// Writes the parameters.
///
/// # Errors
/// Storage, out of gas.
pub fn set_params(state: &mut State<'_>, params: &Params) -> Result<(), StateError> {
    state.set(keys::PARAMS, params.encode_to_vec())
}

/// Whether a denom's own entry, if it has one, lets it be sent.
///
/// # Errors
/// Storage, out of gas.
pub fn send_enabled(state: &dyn StateRead, denom: &str) -> Result<Option<bool>, StateError> {
    Ok(state.get(&keys::send_enabled(denom))?.map(|value| value.as_ref() == [1]))
}

/// Writes or deletes a denom's own entry.
///
/// # Errors
/// Storage, out of gas.
pub fn set_send_enabled(state: &mut State<'_>, denom: &str, enabled: Option<bool>) -> Result<(), StateError> {
    let key = keys::send_enabled(denom);
    match enabled {
        Some(enabled) => state.set(key, vec![u8::from(enabled)]),
        None => state.delete(key),
    }
}

/// Refuses coins of which one may not be sent. Source: SDK `IsSendEnabledCoins`.
///
/// # Errors
/// bank 5; storage, out of gas.
pub fn check_send_enabled(state: &dyn StateRead, coins: &Coins) -> Result<(), Failure> {
    for coin in coins {
        let enabled = match send_enabled(state, &coin.denom)? {
            Some(enabled) => enabled,
            None => params(state)?.default_send_enabled,
        };
        if !enabled {
            let log = format!("{} transfers are currently disabled: send transactions are disabled", coin.denom);
            return Err(Rejected { codespace: "bank", code: 5, log }.into());
        }
    }
    Ok(())
}
