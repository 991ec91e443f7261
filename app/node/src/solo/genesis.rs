//! The first state of a chain: genesis.json, asked of the application by InitChain.

use serde_json::Value;
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::{
        abci::{RequestInitChain, ResponseInitChain, ValidatorUpdate},
        types::ConsensusParams,
    },
};

use super::{
    SoloError,
    hashes::{Hash, sha256},
    params,
    store::GenesisRecord,
    validator::{Validator, proto_key},
};
use crate::config::GenesisDoc;

/// What the engine takes from genesis.json.
#[derive(Clone, Debug)]
pub struct Genesis {
    /// The document.
    pub doc: GenesisDoc,
    /// Its time.
    pub time: Timestamp,
    /// Its consensus parameters.
    pub params: ConsensusParams,
    /// Its hash, whatever the file's white space.
    pub hash: Hash,
    initial_height: i64,
    validators: Vec<ValidatorUpdate>,
}

impl Genesis {
    /// Reads what the engine needs.
    ///
    /// # Errors
    /// A field that is not as it should be.
    pub fn new(doc: GenesisDoc) -> Result<Self, SoloError> {
        let time: prost_types::Timestamp = doc
            .genesis_time
            .parse()
            .map_err(|_| SoloError::Genesis(format!("genesis_time: {:?} is not a time", doc.genesis_time)))?;
        let params = params::updated(&params::from_json(&doc.consensus_params)?, None)?;
        let validators = doc.validators.iter().map(validator).collect::<Result<_, _>>()?;
        let initial_height = i64::try_from(doc.initial_height)
            .map_err(|_| SoloError::Genesis("initial_height is above what a height can be".to_owned()))?;
        let hash = sha256(doc.to_value().to_string().as_bytes());
        Ok(Genesis {
            time: Timestamp { seconds: time.seconds, nanos: time.nanos },
            params,
            hash,
            initial_height,
            validators,
            doc,
        })
    }

    /// ABCI: InitChain.
    ///
    /// # Errors
    /// The application's state cannot be written as JSON.
    pub fn request(&self) -> Result<RequestInitChain, SoloError> {
        let app_state = serde_json::to_vec(&self.doc.app_state)
            .map_err(|error| SoloError::Genesis(format!("app_state: {error}")))?;
        Ok(RequestInitChain {
            time: Some(self.time),
            chain_id: self.doc.chain_id.clone(),
            consensus_params: Some(self.params.clone()),
            validators: self.validators.clone(),
            app_state_bytes: app_state.into(),
            initial_height: self.initial_height,
        })
    }

    /// What the chain begins with, after the application's answer.
    ///
    /// # Errors
    /// The validator set is not this home's validator alone, or the parameters ask for what the engine has not.
    pub fn record(&self, response: ResponseInitChain, validator: &Validator) -> Result<GenesisRecord, SoloError> {
        // CometBFT: the application's validators, where it names any, replace the document's.
        let validators = if response.validators.is_empty() { &self.validators } else { &response.validators };
        Ok(GenesisRecord {
            chain_id: self.doc.chain_id.clone(),
            initial_height: self.initial_height,
            genesis_hash: self.hash.to_vec(),
            power: validator.power_after(0, validators)?,
            params: Some(params::updated(&self.params, response.consensus_params.as_ref())?),
            app_hash: response.app_hash.to_vec(),
        })
    }
}

fn validator(value: &Value) -> Result<ValidatorUpdate, SoloError> {
    use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
    let wrong = |reason: &str| SoloError::Genesis(format!("validators: {reason}: {value}"));
    let key = &value["pub_key"];
    if key["type"] != "tendermint/PubKeyEd25519" {
        return Err(wrong("expected pub_key.type tendermint/PubKeyEd25519"));
    }
    let key: [u8; 32] = key["value"]
        .as_str()
        .and_then(|text| BASE64.decode(text).ok()?.try_into().ok())
        .ok_or_else(|| wrong("pub_key.value is not the base64 of 32 bytes"))?;
    let power = &value["power"];
    let power = power
        .as_str()
        .and_then(|text| text.parse().ok())
        .or_else(|| power.as_i64())
        .filter(|power| *power > 0)
        .ok_or_else(|| wrong("power is not a number above 0"))?;
    Ok(ValidatorUpdate { pub_key: Some(proto_key(&key)), power })
}
