//! Consensus parameters, in the two forms that CometBFT has of them.

use serde_json::{Map, Value, json};
use tendermint_proto::{google::protobuf::Duration, v0_38::types::ConsensusParams};

use super::{int, put_unless_empty};

fn nanos(duration: Option<Duration>) -> i128 {
    let duration = duration.unwrap_or_default();
    i128::from(duration.seconds).saturating_mul(1_000_000_000).saturating_add(i128::from(duration.nanos))
}

/// The parameters of a block.
pub fn consensus_params(params: &ConsensusParams) -> Value {
    let block = params.block.unwrap_or_default();
    let evidence = params.evidence.unwrap_or_default();
    json!({
        "block": {"max_bytes": int(block.max_bytes), "max_gas": int(block.max_gas)},
        "evidence": {
            "max_age_num_blocks": int(evidence.max_age_num_blocks),
            "max_age_duration": int(nanos(evidence.max_age_duration)),
            "max_bytes": int(evidence.max_bytes),
        },
        "validator": {"pub_key_types": params.validator.clone().unwrap_or_default().pub_key_types},
        "version": {"app": int(params.version.unwrap_or_default().app)},
        "abci": {"vote_extensions_enable_height": int(params.abci.unwrap_or_default().vote_extensions_enable_height)},
    })
}

/// A block's updates: null where there are none; sections and fields that are not set are left out.
pub fn param_updates(updates: Option<&ConsensusParams>) -> Value {
    let Some(updates) = updates else { return Value::Null };
    let mut sections = Map::new();
    let mut section = |name: &str, fields: &[(&str, Value)]| {
        let mut object = Map::new();
        for (field, value) in fields {
            put_unless_empty(&mut object, field, value.clone());
        }
        sections.insert(name.to_owned(), Value::Object(object));
    };
    if let Some(block) = &updates.block {
        section("block", &[("max_bytes", int(block.max_bytes)), ("max_gas", int(block.max_gas))]);
    }
    if let Some(evidence) = &updates.evidence {
        let age = int(nanos(evidence.max_age_duration));
        section(
            "evidence",
            &[
                ("max_age_num_blocks", int(evidence.max_age_num_blocks)),
                ("max_age_duration", age),
                ("max_bytes", int(evidence.max_bytes)),
            ],
        );
    }
    if let Some(validator) = &updates.validator {
        section("validator", &[("pub_key_types", json!(validator.pub_key_types))]);
    }
    if let Some(version) = &updates.version {
        section("version", &[("app", int(version.app))]);
    }
    if let Some(abci) = &updates.abci {
        section("abci", &[("vote_extensions_enable_height", int(abci.vote_extensions_enable_height))]);
    }
    Value::Object(sections)
}
