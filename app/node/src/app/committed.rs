//! The committed version that all read paths look at.

use swing_core::{
    error::Halt,
    modules::{consensus, upgrade::mark},
    state::{Changes, State, StateError, StateRead},
};
use swing_store::{Store, View};

/// A committed version; before the first commit, the genesis that was not committed yet.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The height of the last committed block; 0 before the first.
    pub height: u64,
    /// The app hash after it.
    pub app_hash: Vec<u8>,
    /// The committed `ConsensusParams.version.app`.
    pub app_version: u64,
    /// The app version in the header of the next block, as CometBFT was told: another one where a plan is due there and says so.
    pub header_app_version: u64,
    /// The version in the store.
    pub(super) view: View,
    /// What InitChain wrote, until the first block is committed with it.
    pub(super) genesis: Option<Changes>,
}

impl Committed {
    /// The store's committed version.
    pub(super) fn load(store: &Store) -> Result<Self, Halt> {
        let view = store.latest();
        let app_version = consensus::state::app_version(&view).map_err(fault)?;
        let height = view.version();
        let header_app_version = mark::header_app_version(&view, height.saturating_add(1)).map_err(fault)?;
        let app_hash = view.root_hash().to_vec();
        Ok(Committed { height, app_hash, app_version, header_app_version, view, genesis: None })
    }

    /// Whether there is a chain: a committed block, or a genesis.
    pub fn has_chain(&self) -> bool {
        self.height > 0 || self.genesis.is_some()
    }

    /// The committed version, to read.
    pub fn state(&self) -> &dyn StateRead {
        &self.view
    }

    /// An overlay on the version, for the next block or for checks.
    pub(super) fn overlay(&self) -> State<'_> {
        State::resume(&self.view, self.genesis.clone().unwrap_or_default())
    }
}

/// Storage failed: a local fault.
pub(super) fn fault(error: StateError) -> Halt {
    Halt::new(error.to_string())
}
