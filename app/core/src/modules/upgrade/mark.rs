//! The mark in a block's header: where the plan says so, CometBFT is told the plan's app version in the block before the plan's
//! height, so that the header of that height carries it. It is for whoever looks at headers (block sync, state sync, light clients,
//! explorers) and guards nothing: which rules hold is decided by the committed app version, which the upgrade itself writes.
//!
//! # Invariants
//! - The mark is a function of committed state and stored nowhere: a plan that is skipped, moved or taken back takes it along.
//! - What CometBFT was told last, the next header and `Info` are always one number: a state sync compares the two
//!   (held by a test over each height around a plan).

use prost::Message;
use swing_proto::tendermint::types::{ConsensusParams, VersionParams};

use super::{info, plans, state as upgrades};
use crate::{
    modules::consensus,
    state::{StateError, StateRead},
};

/// The parameters around a block: those in state, and those that CometBFT knows of.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    stored: ConsensusParams,
    told: ConsensusParams,
}

impl Told {
    /// What holds for block `height`; `state` is the one committed before it.
    ///
    /// # Errors
    /// Storage.
    pub fn before(state: &dyn StateRead, height: u64) -> Result<Self, StateError> {
        let stored = consensus::state::params(state)?;
        let mut told = stored.clone();
        if let Some(app) = marked(state, height)? {
            told.version = Some(VersionParams { app });
        }
        Ok(Told { stored, told })
    }

    /// What CometBFT must be told for block `next`, after a block that began with this; none where nothing changed. `state` is the
    /// one that the block leaves.
    ///
    /// # Errors
    /// Storage.
    pub fn update(&self, state: &dyn StateRead, next: u64) -> Result<Option<Vec<u8>>, StateError> {
        let now = Told::before(state, next)?;
        // An applied upgrade says its version again: a chain that begins at a plan's height was told of no mark before it.
        Ok((now != *self).then(|| now.told.encode_to_vec()))
    }
}

/// The app version in the header of block `height`, after which `Info` is asked too; `state` is the one committed before it.
///
/// # Errors
/// Storage.
pub fn header_app_version(state: &dyn StateRead, height: u64) -> Result<u64, StateError> {
    Ok(Told::before(state, height)?.told.version.map_or(0, |version| version.app))
}

/// The app version of the plan that is due in block `height`, where the plan says that the header is to carry it.
fn marked(state: &dyn StateRead, height: u64) -> Result<Option<u64>, StateError> {
    if !plans::enabled(state)? {
        return Ok(None);
    }
    let due = upgrades::plan(state)?.filter(|plan| plan.height <= height);
    Ok(due.and_then(|plan| info::stored(&plan.info).app_version))
}
