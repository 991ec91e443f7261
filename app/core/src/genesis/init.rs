//! From a genesis document to the first version of state.

use std::collections::BTreeMap;

use prost::Message;
use serde_json::{Map, Value};
use swing_proto::tendermint::types::ConsensusParams;

use super::{GenesisError, gentx};
use crate::{
    block::{Block, Time, ValidatorUpdate},
    chain,
    modules::{BlockContext, GenesisContext, auth, bank, consensus, gov, staking, swingset, upgrade},
    ports::Ports,
    state::State,
};

/// Sections of `app_state`, in the order in which they are written.
const SECTIONS: [&str; 8] = ["auth", "bank", "consensus", "staking", "gov", "upgrade", "swingset", "genutil"];

/// A genesis as CometBFT hands it over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InitChain {
    /// The chain's ID.
    pub chain_id: String,
    /// The genesis time.
    pub time: Time,
    /// The height of the first block.
    pub initial_height: u64,
    /// `tendermint.types.ConsensusParams`, encoded.
    pub consensus_params: Vec<u8>,
    /// Validators that the document itself names; usually none.
    pub validators: Vec<ValidatorUpdate>,
    /// `app_state`, JSON.
    pub app_state: Vec<u8>,
}

/// What InitChain answers, beside the app hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitOutput {
    /// The validator set.
    pub validator_updates: Vec<ValidatorUpdate>,
    /// The consensus parameters, with the app version always named.
    pub consensus_params: Vec<u8>,
}

/// `app_state` of a new chain: every section, with its defaults.
pub fn default_app_state() -> Value {
    let sections = SECTIONS.iter().map(|name| ((*name).to_owned(), default_section(name)));
    let mut sections: Vec<_> = sections.collect();
    sections.sort_by(|one, other| one.0.cmp(&other.0));
    Value::Object(Map::from_iter(sections))
}

fn default_section(name: &str) -> Value {
    match name {
        "auth" => auth::genesis::default(),
        "bank" => bank::genesis::default(),
        "staking" => staking::genesis::default(),
        "gov" => gov::genesis::default(),
        "upgrade" => upgrade::genesis::default(),
        "swingset" => swingset::genesis::default(),
        "genutil" => gentx::default(),
        _ => consensus::genesis::default(),
    }
}

/// Writes a genesis into `state`, an overlay on nothing.
///
/// # Errors
/// What is wrong with the document, with its path; a fault of this node.
pub fn init_chain(
    state: &mut State<'_>,
    request: &InitChain,
    ports: &mut Ports<'_>,
) -> Result<InitOutput, GenesisError> {
    let start = state.mark();
    let mut sections = sections(&request.app_state)?;
    let params = ConsensusParams::decode(request.consensus_params.as_slice())
        .map_err(|error| GenesisError::Section { path: "consensus.params".to_owned(), reason: error.to_string() })?;
    let params = consensus::genesis::set_initial(state, &params)?;
    let before_first =
        Block { height: request.initial_height.max(1).saturating_sub(1), time: request.time, ..Block::default() };
    chain::set_id(state, &request.chain_id)?;
    chain::record_block(state, &before_first)?;
    let block = BlockContext {
        chain_id: request.chain_id.clone(),
        height: before_first.height,
        time: request.time,
        proposer: Vec::new(),
        app_version: params.version.map_or(0, |version| version.app),
    };
    let mut updates = BTreeMap::new();
    for name in SECTIONS {
        let section = sections.remove(name).unwrap_or_else(|| default_section(name));
        let new = init_section(name, &section, state, &block, ports)?;
        updates.extend(new.into_iter().map(|update| (update.public_key, update.power)));
    }
    // Nobody hears events of a genesis.
    drop(state.take_events(start));
    let validator_updates = validator_set(updates, &request.validators)?;
    Ok(InitOutput { validator_updates, consensus_params: params.encode_to_vec() })
}

fn sections(app_state: &[u8]) -> Result<Map<String, Value>, GenesisError> {
    let malformed = |reason: String| GenesisError::Section { path: "app_state".to_owned(), reason };
    let sections: Map<String, Value> =
        serde_json::from_slice(app_state).map_err(|error| malformed(format!("a JSON object expected: {error}")))?;
    for section in sections.keys() {
        if !SECTIONS.contains(&section.as_str()) {
            let mut known = SECTIONS;
            known.sort_unstable();
            return Err(GenesisError::UnknownSection { section: section.clone(), known: known.join(", ") });
        }
    }
    Ok(sections)
}

fn init_section(
    name: &str,
    section: &Value,
    state: &mut State<'_>,
    block: &BlockContext,
    ports: &mut Ports<'_>,
) -> Result<Vec<ValidatorUpdate>, GenesisError> {
    if name == "genutil" {
        return gentx::init(state, block, ports, section);
    }
    let mut context = GenesisContext { state, block, engine: &mut *ports.engine, release: ports.release };
    match name {
        "auth" => auth::genesis::init(&mut context, section)?,
        "bank" => bank::genesis::init(&mut context, section)?,
        "staking" => return staking::genesis::init(&mut context, section),
        "gov" => gov::genesis::init(&mut context, section)?,
        "upgrade" => upgrade::genesis::init(&mut context, section)?,
        "swingset" => swingset::genesis::init(&mut context, section)?,
        _ => consensus::genesis::init(&mut context, section)?,
    }
    Ok(Vec::new())
}

/// The set that the application answers. One that the document names itself must be the same. Source: SDK `InitChainer`.
fn validator_set(
    updates: BTreeMap<Vec<u8>, u64>,
    named: &[ValidatorUpdate],
) -> Result<Vec<ValidatorUpdate>, GenesisError> {
    let set: Vec<_> = updates
        .into_iter()
        .filter(|(_, power)| *power > 0)
        .map(|(public_key, power)| ValidatorUpdate { public_key, power })
        .collect();
    let refuse = |reason: &str| Err(GenesisError::Section { path: "validators".to_owned(), reason: reason.to_owned() });
    if set.is_empty() {
        return refuse(
            "validator set is empty after InitGenesis: add a genesis transaction of a validator with at least 1000000uswing",
        );
    }
    let mut named = named.to_vec();
    named.sort_by(|one, other| one.public_key.cmp(&other.public_key));
    if !named.is_empty() && named != set {
        return refuse("the document's validators are not those that app_state gives: leave them out");
    }
    Ok(set)
}
