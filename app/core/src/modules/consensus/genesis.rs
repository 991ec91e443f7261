//! Genesis of the consensus parameters. They come with InitChain, from the document's `consensus.params`; the module's own
//! section is `null`, as in the SDK.

use serde_json::Value;
use swing_proto::tendermint::types::{ConsensusParams, VersionParams};

use super::state as consensus;
use crate::{
    genesis::GenesisError,
    modules::GenesisContext,
    state::{State, StateRead},
};

/// The section of a new chain.
pub fn default() -> Value {
    Value::Null
}

/// Checks the section; it has nothing to write.
///
/// # Errors
/// A section that is not empty.
pub fn init(_context: &mut GenesisContext<'_, '_>, section: &Value) -> Result<(), GenesisError> {
    match section {
        Value::Null => Ok(()),
        Value::Object(fields) if fields.is_empty() => Ok(()),
        _ => Err(GenesisError::at("consensus", "null expected: the parameters are the document's consensus.params")),
    }
}

/// The section of a state.
///
/// # Errors
/// None.
pub fn export(_state: &dyn StateRead) -> Result<Value, GenesisError> {
    Ok(Value::Null)
}

/// Keeps the parameters that InitChain brought; gives what it answers, which always names the app version.
///
/// # Errors
/// Parameters that cannot be.
pub fn set_initial(state: &mut State<'_>, params: &ConsensusParams) -> Result<ConsensusParams, GenesisError> {
    let mut params = params.clone();
    params.version.get_or_insert(VersionParams { app: 0 });
    consensus::validate(&params)
        .map_err(|refusal| GenesisError::Section { path: "consensus.params".to_owned(), reason: refusal.log })?;
    consensus::set_params(state, &params)?;
    Ok(params)
}
