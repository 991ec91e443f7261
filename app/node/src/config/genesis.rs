//! `config/genesis.json`: CometBFT 0.38's genesis document. The SDK's own form (`consensus.params`, a number as initial
//! height) is read too; what is written is CometBFT's, which both CometBFT and the SDK read.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};
use swing_core::{
    block::{Time, ValidatorUpdate},
    genesis::InitChain,
};
use swing_proto::{Message, google::protobuf::Timestamp};

use super::{ConfigError, consensus_params, files};

/// The longest chain ID. Source: CometBFT's `MaxChainIDLen`.
pub const CHAIN_ID_BYTES_MAX: usize = 50;
/// The fields that a genesis document may have, in either form.
const FIELDS: [&str; 10] = [
    "app_name",
    "app_version",
    "genesis_time",
    "chain_id",
    "initial_height",
    "consensus_params",
    "consensus",
    "validators",
    "app_hash",
    "app_state",
];

/// A genesis document.
#[derive(Clone, Debug, PartialEq)]
pub struct GenesisDoc {
    /// RFC 3339, in UTC.
    pub genesis_time: String,
    /// The chain's ID.
    pub chain_id: String,
    /// The first block's height.
    pub initial_height: u64,
    /// CometBFT's consensus parameters in its JSON form.
    pub consensus_params: Value,
    /// Validators that the document itself names; empty when the application's state brings them.
    pub validators: Vec<Value>,
    /// The modules' sections by name.
    pub app_state: Map<String, Value>,
}

impl GenesisDoc {
    /// Reads a document.
    ///
    /// # Errors
    /// It is not readable, not JSON, or a field is missing, unknown or wrong; the error names it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let bytes = files::read(path)?;
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|error| ConfigError::content(path, format!("not JSON: {error}")))?;
        Self::from_value(value).map_err(|reason| ConfigError::content(path, reason))
    }

    /// From JSON.
    ///
    /// # Errors
    /// What is wrong in it.
    pub fn from_value(value: Value) -> Result<Self, String> {
        let Value::Object(mut fields) = value else {
            return Err("expected an object".to_owned());
        };
        if let Some(name) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
            return Err(format!("unknown field {name:?}"));
        }
        let chain_id = text(&fields, "chain_id")?;
        check_chain_id(&chain_id)?;
        let consensus = fields.remove("consensus").unwrap_or(Value::Null);
        let either = |name: &str, inner: &str| match fields.get(name) {
            None | Some(Value::Null) => consensus.get(inner).cloned().unwrap_or(Value::Null),
            Some(value) => value.clone(),
        };
        let consensus_params = match either("consensus_params", "params") {
            Value::Null => consensus_params::default_json(0),
            params @ Value::Object(_) => params,
            _ => return Err("consensus_params: expected an object".to_owned()),
        };
        let validators = match either("validators", "validators") {
            Value::Null => Vec::new(),
            Value::Array(validators) => validators,
            _ => return Err("validators: expected a list".to_owned()),
        };
        let app_state = match fields.remove("app_state") {
            Some(Value::Object(sections)) => sections,
            Some(_) => return Err("app_state: expected an object of sections".to_owned()),
            None => return Err("app_state is missing".to_owned()),
        };
        if !matches!(fields.get("app_hash"), None | Some(Value::Null)) && fields["app_hash"] != "" {
            return Err("app_hash: expected none: the application makes it from app_state".to_owned());
        }
        Ok(GenesisDoc {
            genesis_time: text(&fields, "genesis_time")?,
            chain_id,
            initial_height: initial_height(fields.get("initial_height"))?,
            consensus_params,
            validators,
            app_state,
        })
    }

    /// As JSON in CometBFT's form.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut value = json!({
            "genesis_time": self.genesis_time,
            "chain_id": self.chain_id,
            "initial_height": self.initial_height.to_string(),
            "consensus_params": self.consensus_params,
        });
        if !self.validators.is_empty() {
            value["validators"] = Value::Array(self.validators.clone());
        }
        value["app_hash"] = json!("");
        value["app_state"] = Value::Object(self.app_state.clone());
        value
    }

    /// The document as InitChain hands it to the application.
    ///
    /// # Errors
    /// What is wrong in the parts outside of `app_state`.
    pub fn init_chain(&self) -> Result<InitChain, String> {
        let time: Timestamp =
            self.genesis_time.parse().map_err(|_| format!("genesis_time: {:?} is not RFC 3339", self.genesis_time))?;
        Ok(InitChain {
            chain_id: self.chain_id.clone(),
            time: Time::from_proto(&time).map_err(|error| format!("genesis_time: {error}"))?,
            initial_height: self.initial_height,
            consensus_params: consensus_params::from_json(&self.consensus_params)?.encode_to_vec(),
            validators: self.validators.iter().enumerate().map(validator).collect::<Result<_, _>>()?,
            app_state: Value::Object(self.app_state.clone()).to_string().into_bytes(),
        })
    }

    /// Writes it.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn save(&self, path: &Path) -> Result<(), ConfigError> {
        files::write(path, format!("{:#}\n", self.to_value()).as_bytes(), files::MODE_PLAIN)
    }
}

/// Checks a chain ID.
///
/// # Errors
/// It is empty, too long or has white space or control characters.
pub fn check_chain_id(chain_id: &str) -> Result<(), String> {
    if chain_id.is_empty() || chain_id.len() > CHAIN_ID_BYTES_MAX {
        return Err(format!("chain_id {chain_id:?}: expected 1 to {CHAIN_ID_BYTES_MAX} bytes"));
    }
    if chain_id.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(format!("chain_id {chain_id:?}: white space and control characters are not allowed"));
    }
    Ok(())
}

fn validator((index, value): (usize, &Value)) -> Result<ValidatorUpdate, String> {
    let wrong = |field: &str, expected: &str| format!("validators[{index}].{field}: expected {expected}");
    if value["pub_key"]["type"] != "tendermint/PubKeyEd25519" {
        return Err(wrong("pub_key.type", "tendermint/PubKeyEd25519"));
    }
    let key = value["pub_key"]["value"].as_str().and_then(|text| BASE64.decode(text).ok());
    let power = &value["power"];
    Ok(ValidatorUpdate {
        public_key: key
            .filter(|key| key.len() == 32)
            .ok_or_else(|| wrong("pub_key.value", "the base64 of 32 bytes"))?,
        power: power
            .as_u64()
            .or_else(|| power.as_str()?.parse().ok())
            .ok_or_else(|| wrong("power", "a number of 0 or more"))?,
    })
}

fn text(fields: &Map<String, Value>, name: &str) -> Result<String, String> {
    match fields.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("{name}: expected a text")),
        None => Err(format!("{name} is missing")),
    }
}

fn initial_height(value: Option<&Value>) -> Result<u64, String> {
    let height = match value {
        None => Some(1),
        Some(value) => value.as_u64().or_else(|| value.as_str()?.parse().ok()),
    };
    // CometBFT: 0 means 1.
    match height.map(|height| height.max(1)) {
        Some(height) if i64::try_from(height).is_ok() => Ok(height),
        _ => Err("initial_height: expected a height of 1 or more".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = include_str!("../../../../tests/vectors/genesis.json");

    #[test]
    fn the_sdk_form_is_read_and_cometbfts_written() {
        let doc = GenesisDoc::from_value(serde_json::from_str(RECORDED).expect("JSON")).expect("a genesis");
        assert_eq!((doc.chain_id.as_str(), doc.initial_height), ("vectors-1", 1));
        let written = doc.to_value();
        assert_eq!(written["initial_height"], "1");
        assert_eq!(written["consensus_params"]["block"]["max_bytes"], "22020096");
        assert_eq!(GenesisDoc::from_value(written).expect("its own form"), doc);
    }

    #[test]
    fn what_is_wrong_is_named() {
        #[track_caller]
        fn check(change: impl FnOnce(&mut Value), expected: &str) {
            let mut value = json!({"genesis_time": "2026-01-01T00:00:00Z", "chain_id": "c", "app_state": {}});
            change(&mut value);
            assert_eq!(GenesisDoc::from_value(value).expect_err("it is wrong"), expected);
        }
        check(|value| *value = json!([]), "expected an object");
        check(|value| value["chian_id"] = json!("x"), "unknown field \"chian_id\"");
        check(|value| value["chain_id"] = json!(""), "chain_id \"\": expected 1 to 50 bytes");
        check(
            |value| value["chain_id"] = json!("a b"),
            "chain_id \"a b\": white space and control characters are not allowed",
        );
        check(|value| value["chain_id"] = json!(1), "chain_id: expected a text");
        check(|value| value["initial_height"] = json!(-1), "initial_height: expected a height of 1 or more");
        check(|value| value["app_state"] = json!(null), "app_state: expected an object of sections");
        check(
            |value| value["app_hash"] = json!("AB"),
            "app_hash: expected none: the application makes it from app_state",
        );
    }
}
