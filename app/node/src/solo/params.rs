//! Consensus parameters: from genesis, with a block's updates, and what follows from them for a block's size.

use serde_json::Value;
use tendermint_proto::{
    google::protobuf::Duration,
    v0_38::types::{AbciParams, BlockParams, ConsensusParams, EvidenceParams, ValidatorParams, VersionParams},
};

use super::SoloError;

/// The most that a block may take where the chain sets no limit. Source: CometBFT's `MaxBlockSizeBytes`.
const BLOCK_SIZE_BYTES_MAX: i64 = 104_857_600;
/// Source: CometBFT's `MaxOverheadForBlock`.
const BLOCK_OVERHEAD_BYTES: i64 = 11;
/// Source: CometBFT's `MaxHeaderBytes`.
const HEADER_BYTES_MAX: i64 = 626;
/// Source: CometBFT's `MaxCommitBytes(1)`: its overhead, and one signature with its framing.
const COMMIT_BYTES_MAX: i64 = 94 + 109 + 2;

/// Reads CometBFT's JSON form.
///
/// # Errors
/// The field that is not as it should be.
pub fn from_json(value: &Value) -> Result<ConsensusParams, SoloError> {
    let seconds_and_nanos = |nanos: i64| {
        Some(Duration {
            seconds: nanos / 1_000_000_000,
            nanos: i32::try_from(nanos % 1_000_000_000).unwrap_or_default(),
        })
    };
    let types = match &value["validator"]["pub_key_types"] {
        Value::Null => vec!["ed25519".to_owned()],
        types => serde_json::from_value(types.clone()).map_err(|_| {
            SoloError::Genesis("consensus_params.validator.pub_key_types: expected a list of texts".to_owned())
        })?,
    };
    Ok(ConsensusParams {
        block: Some(BlockParams {
            max_bytes: number(value, "block", "max_bytes", 22_020_096)?,
            max_gas: number(value, "block", "max_gas", -1)?,
        }),
        evidence: Some(EvidenceParams {
            max_age_num_blocks: number(value, "evidence", "max_age_num_blocks", 100_000)?,
            max_age_duration: seconds_and_nanos(number(value, "evidence", "max_age_duration", 172_800_000_000_000)?),
            max_bytes: number(value, "evidence", "max_bytes", 1_048_576)?,
        }),
        validator: Some(ValidatorParams { pub_key_types: types }),
        version: Some(VersionParams {
            app: u64::try_from(number(value, "version", "app", 0)?)
                .map_err(|_| SoloError::Genesis("consensus_params.version.app: expected 0 or more".to_owned()))?,
        }),
        abci: Some(AbciParams {
            vote_extensions_enable_height: number(value, "abci", "vote_extensions_enable_height", 0)?,
        }),
    })
}

fn number(value: &Value, section: &str, name: &str, default: i64) -> Result<i64, SoloError> {
    let field = &value[section][name];
    match field {
        Value::Null => Some(default),
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
    .ok_or_else(|| SoloError::Genesis(format!("consensus_params.{section}.{name}: {field} is not a number")))
}

/// The parameters after a block's updates: a section that is there replaces the old one. Source: CometBFT's `Update`.
///
/// # Errors
/// Vote extensions are switched on, which one validator's engine does not have.
pub fn updated(old: &ConsensusParams, updates: Option<&ConsensusParams>) -> Result<ConsensusParams, SoloError> {
    let Some(updates) = updates.cloned() else { return Ok(old.clone()) };
    let old = old.clone();
    let params = ConsensusParams {
        block: updates.block.or(old.block),
        evidence: updates.evidence.or(old.evidence),
        validator: updates.validator.or(old.validator),
        version: updates.version.or(old.version),
        abci: updates.abci.or(old.abci),
    };
    if params.abci.is_some_and(|abci| abci.vote_extensions_enable_height != 0) {
        return Err(SoloError::Unsupported("vote extensions"));
    }
    Ok(params)
}

/// The protocol version that headers name.
pub fn app_version(params: &ConsensusParams) -> u64 {
    params.version.unwrap_or_default().app
}

/// The most that a block's transactions may take, as encoded in it. Source: CometBFT's `MaxDataBytes`.
pub fn data_bytes_max(params: &ConsensusParams) -> i64 {
    let block = match params.block.unwrap_or_default().max_bytes {
        -1 => BLOCK_SIZE_BYTES_MAX,
        bytes => bytes,
    };
    block.saturating_sub(BLOCK_OVERHEAD_BYTES + HEADER_BYTES_MAX + COMMIT_BYTES_MAX).max(0)
}

/// The most gas that a block's transactions may want; none for no limit.
pub fn gas_max(params: &ConsensusParams) -> Option<i64> {
    Some(params.block.unwrap_or_default().max_gas).filter(|gas| *gas >= 0)
}
