//! From a version of state to a genesis document that starts a chain with the same accounts, stake and vats.

use prost::Message;
use serde_json::{Map, Value};
use swing_proto::tendermint::types::ConsensusParams;

use super::{GenesisError, gentx};
use crate::{
    address::Address,
    chain,
    modules::{auth, bank, consensus, gov, staking, swingset, upgrade},
    state::{State, StateRead},
};

/// What an export gives, for the document that the caller writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// The chain's ID.
    pub chain_id: String,
    /// The height of the new chain's first block.
    pub initial_height: u64,
    /// `app_state`.
    pub app_state: Value,
    /// The validator set.
    pub validators: Vec<ExportedValidator>,
    /// The consensus parameters.
    pub consensus_params: ConsensusParams,
}

/// A validator of the set, as the document's `consensus.validators` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedValidator {
    /// Its consensus address.
    pub address: Address,
    /// Its ed25519 key.
    pub public_key: Vec<u8>,
    /// Its power.
    pub power: u64,
    /// Its moniker.
    pub name: String,
}

/// Exports committed state. For height zero, what is bound to the old chain's heights (a pending plan, installations that wait
/// for chunks) is left out and the new chain begins at height 1; else it goes on at the next height.
///
/// # Errors
/// Storage; a module's migration that is under way.
pub fn export(state: &dyn StateRead, for_zero_height: bool) -> Result<Exported, GenesisError> {
    let mut overlay = State::new(state);
    if for_zero_height {
        let height = chain::last_block(&overlay)?.height;
        upgrade::plans::for_zero_height(&mut overlay, height)?;
        upgrade::state::clear_plan(&mut overlay)?;
        swingset::genesis::for_zero_height(&mut overlay)?;
    }
    let state: &dyn StateRead = &overlay;
    let last = chain::last_block(state)?;
    let sections = [
        ("auth", auth::genesis::export(state)?),
        ("bank", bank::genesis::export(state)?),
        ("consensus", consensus::genesis::export(state)?),
        ("genutil", gentx::default()),
        ("gov", gov::genesis::export(state)?),
        ("staking", staking::genesis::export(state)?),
        ("swingset", swingset::genesis::export(state)?),
        ("upgrade", upgrade::genesis::export(state)?),
    ];
    Ok(Exported {
        chain_id: last.chain_id,
        initial_height: if for_zero_height { 1 } else { last.height.saturating_add(1) },
        app_state: Value::Object(Map::from_iter(sections.map(|(name, section)| (name.to_owned(), section)))),
        validators: validators(state)?,
        consensus_params: consensus::state::params(state)?,
    })
}

fn validators(state: &dyn StateRead) -> Result<Vec<ExportedValidator>, GenesisError> {
    let mut validators = Vec::new();
    for (operator, power) in staking::validator_set::last_powers(state)? {
        let Some(validator) = staking::state::validator(state, &operator)? else { continue };
        let public_key = validator.consensus_key.to_vec();
        validators.push(ExportedValidator {
            address: Address::of_ed25519(&public_key),
            public_key,
            power,
            name: validator.description.moniker.clone(),
        });
    }
    Ok(validators)
}

impl Exported {
    /// The consensus parameters, encoded as InitChain takes them.
    pub fn consensus_params_bytes(&self) -> Vec<u8> {
        self.consensus_params.encode_to_vec()
    }
}
