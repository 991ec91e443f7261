//! Consensus parameters: CometBFT's JSON in genesis documents, and the message that ABCI carries.

use serde_json::{Map, Value, json};
use swing_proto::{
    google::protobuf::Duration,
    tendermint::types::{AbciParams, BlockParams, ConsensusParams, EvidenceParams, ValidatorParams, VersionParams},
};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// CometBFT's default consensus parameters, with an app version.
#[must_use]
pub fn default_json(app_version: u64) -> Value {
    json!({
        "block": {"max_bytes": "22020096", "max_gas": "-1"},
        "evidence": {"max_age_num_blocks": "100000", "max_age_duration": "172800000000000", "max_bytes": "1048576"},
        "validator": {"pub_key_types": ["ed25519"]},
        "version": {"app": app_version.to_string()},
        "abci": {"vote_extensions_enable_height": "0"},
    })
}

/// The message of a genesis document's parameters. A group that is missing has CometBFT's defaults.
///
/// # Errors
/// An unknown field, or a value that it cannot have, by its path.
pub fn from_json(params: &Value) -> Result<ConsensusParams, String> {
    let defaults = default_json(0);
    let group = |name: &'static str| Group::new(name, params.get(name), &defaults[name]);
    known("consensus_params", params.as_object(), &["block", "evidence", "validator", "version", "abci"])?;
    let (block, evidence) = (group("block")?, group("evidence")?);
    let (validator, version, abci) = (group("validator")?, group("version")?, group("abci")?);
    let age = evidence.number("max_age_duration")?;
    Ok(ConsensusParams {
        block: Some(BlockParams { max_bytes: block.number("max_bytes")?, max_gas: block.number("max_gas")? }),
        evidence: Some(EvidenceParams {
            max_age_num_blocks: evidence.number("max_age_num_blocks")?,
            max_age_duration: Some(Duration {
                seconds: age / NANOS_PER_SECOND,
                nanos: i32::try_from(age % NANOS_PER_SECOND).unwrap_or_default(),
            }),
            max_bytes: evidence.number("max_bytes")?,
        }),
        validator: Some(ValidatorParams { pub_key_types: validator.texts("pub_key_types")? }),
        version: Some(VersionParams {
            app: u64::try_from(version.number("app")?).map_err(|_| version.wrong("app", "0 or more"))?,
        }),
        abci: Some(AbciParams { vote_extensions_enable_height: abci.number("vote_extensions_enable_height")? }),
    })
}

/// A genesis document's parameters of a message.
#[must_use]
pub fn to_json(params: &ConsensusParams) -> Value {
    let mut json = default_json(params.version.unwrap_or_default().app);
    if let Some(block) = params.block {
        json["block"] = json!({"max_bytes": block.max_bytes.to_string(), "max_gas": block.max_gas.to_string()});
    }
    if let Some(evidence) = params.evidence {
        let age = evidence.max_age_duration.unwrap_or_default();
        let nanos = age.seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(age.nanos.into());
        json["evidence"] = json!({
            "max_age_num_blocks": evidence.max_age_num_blocks.to_string(),
            "max_age_duration": nanos.to_string(),
            "max_bytes": evidence.max_bytes.to_string(),
        });
    }
    if let Some(validator) = &params.validator {
        json["validator"] = json!({"pub_key_types": validator.pub_key_types});
    }
    if let Some(abci) = params.abci {
        json["abci"] = json!({"vote_extensions_enable_height": abci.vote_extensions_enable_height.to_string()});
    }
    json
}

struct Group<'a> {
    name: &'static str,
    fields: &'a Map<String, Value>,
    defaults: &'a Value,
}

impl<'a> Group<'a> {
    fn new(name: &'static str, value: Option<&'a Value>, defaults: &'a Value) -> Result<Self, String> {
        let fields = match value {
            None | Some(Value::Null) => defaults.as_object(),
            Some(value) => value.as_object(),
        };
        let fields = fields.ok_or_else(|| format!("consensus_params.{name}: expected an object"))?;
        let allowed: Vec<_> = defaults.as_object().into_iter().flatten().map(|(field, _)| field.as_str()).collect();
        known(&format!("consensus_params.{name}"), Some(fields), &allowed)?;
        Ok(Group { name, fields, defaults })
    }

    fn get(&self, field: &str) -> &Value {
        self.fields.get(field).unwrap_or(&self.defaults[field])
    }

    fn number(&self, field: &str) -> Result<i64, String> {
        let value = self.get(field);
        let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        number.ok_or_else(|| self.wrong(field, "a number as text"))
    }

    fn texts(&self, field: &str) -> Result<Vec<String>, String> {
        let texts = self
            .get(field)
            .as_array()
            .and_then(|texts| texts.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
        texts.ok_or_else(|| self.wrong(field, "a list of texts"))
    }

    fn wrong(&self, field: &str, expected: &str) -> String {
        format!("consensus_params.{}.{field}: expected {expected}, found {}", self.name, self.get(field))
    }
}

fn known(path: &str, fields: Option<&Map<String, Value>>, allowed: &[&str]) -> Result<(), String> {
    match fields.into_iter().flatten().find(|(name, _)| !allowed.contains(&name.as_str())) {
        Some((name, _)) => Err(format!("{path}: unknown field {name:?} (it has {})", allowed.join(", "))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_go_and_come_back() {
        let json = default_json(3);
        let params = from_json(&json).expect("the defaults");
        assert_eq!(params.version.expect("it is named").app, 3);
        assert_eq!(params.evidence.and_then(|evidence| evidence.max_age_duration).expect("an age").seconds, 172_800);
        assert_eq!(to_json(&params), json);
        assert_eq!(from_json(&json!({})).expect("the defaults"), from_json(&default_json(0)).expect("the defaults"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        #[track_caller]
        fn check(params: Value, expected: &str) {
            assert_eq!(from_json(&params).expect_err("it is wrong"), expected);
        }
        check(
            json!({"blocks": {}}),
            "consensus_params: unknown field \"blocks\" (it has block, evidence, validator, version, abci)",
        );
        check(
            json!({"block": {"max_byte": "1"}}),
            "consensus_params.block: unknown field \"max_byte\" (it has max_bytes, max_gas)",
        );
        check(
            json!({"block": {"max_gas": "x"}}),
            "consensus_params.block.max_gas: expected a number as text, found \"x\"",
        );
        check(json!({"version": {"app": "-1"}}), "consensus_params.version.app: expected 0 or more, found \"-1\"");
        check(json!({"block": 5}), "consensus_params.block: expected an object");
    }
}
