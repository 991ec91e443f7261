//! The parameters in state, and what makes them valid. Source: CometBFT `ConsensusParams.ValidateBasic`.

use prost::Message;
use swing_proto::tendermint::types::{ConsensusParams, VersionParams};

use super::keys;
use crate::{
    error::Rejected,
    sdk_error::SdkError,
    state::{State, StateError, StateRead},
    time,
};

/// Largest block that CometBFT takes: 100 MiB.
const MAX_BLOCK_BYTES: i64 = 104_857_600;

/// The parameters in force. Before genesis there are none.
///
/// # Errors
/// Storage, out of gas.
pub fn params(state: &dyn StateRead) -> Result<ConsensusParams, StateError> {
    let Some(bytes) = state.get(keys::PARAMS)? else {
        return Ok(ConsensusParams::default());
    };
    ConsensusParams::decode(bytes).map_err(|error| StateError::Storage(format!("consensus parameters: {error}")))
}

/// Writes the parameters.
///
/// # Errors
/// Storage, out of gas.
pub fn set_params(state: &mut State<'_>, params: &ConsensusParams) -> Result<(), StateError> {
    state.set(keys::PARAMS, params.encode_to_vec())
}

/// The committed app version: what decides which rules hold.
///
/// # Errors
/// Storage, out of gas.
pub fn app_version(state: &dyn StateRead) -> Result<u64, StateError> {
    Ok(params(state)?.version.map_or(0, |version| version.app))
}

/// Writes the app version, as an applied upgrade does.
///
/// # Errors
/// Storage, out of gas.
pub fn set_app_version(state: &mut State<'_>, app: u64) -> Result<(), StateError> {
    let mut params = params(state)?;
    params.version = Some(VersionParams { app });
    set_params(state, &params)
}

/// Whether CometBFT would take these parameters, and whether this chain can live with them.
///
/// # Errors
/// SDK 18 with the parameter's name.
pub fn validate(params: &ConsensusParams) -> Result<(), Rejected> {
    let (Some(block), Some(evidence), Some(validator)) = (&params.block, &params.evidence, &params.validator) else {
        return Err(refuse("all parameters must be present: block, evidence and validator"));
    };
    if block.max_bytes == 0 || block.max_bytes < -1 || block.max_bytes > MAX_BLOCK_BYTES {
        return Err(refuse(format!(
            "block.max_bytes must be -1 or from 1 to {MAX_BLOCK_BYTES}, got {}",
            block.max_bytes
        )));
    }
    if block.max_gas < -1 {
        return Err(refuse(format!("block.max_gas must be -1 or more, got {}", block.max_gas)));
    }
    if evidence.max_age_num_blocks <= 0 {
        let reason = format!("evidence.max_age_num_blocks must be above 0, got {}", evidence.max_age_num_blocks);
        return Err(refuse(reason));
    }
    if let Err(error) = time::check_positive(evidence.max_age_duration.as_ref()) {
        return Err(refuse(format!("evidence.max_age_duration: {error}")));
    }
    let block_max = if block.max_bytes == -1 { MAX_BLOCK_BYTES } else { block.max_bytes };
    if !(0..=block_max).contains(&evidence.max_bytes) {
        let reason =
            format!("evidence.max_bytes must be from 0 to the block's {block_max}, got {}", evidence.max_bytes);
        return Err(refuse(reason));
    }
    if validator.pub_key_types != ["ed25519"] {
        let reason = format!("validator.pub_key_types must be [ed25519], got {:?}", validator.pub_key_types);
        return Err(refuse(reason));
    }
    if params.abci.as_ref().is_some_and(|abci| abci.vote_extensions_enable_height != 0) {
        return Err(refuse("abci.vote_extensions_enable_height must be 0: this chain has no vote extensions"));
    }
    Ok(())
}

fn refuse(reason: impl std::fmt::Display) -> Rejected {
    SdkError::InvalidRequest.wrap(reason)
}
