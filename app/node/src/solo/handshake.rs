//! What is done before the first new block: the chain is begun, or the application is brought to the store's last block.
//! Source: CometBFT's `consensus/replay.go`.
//!
//! # Invariants
//! - The application's committed height decides what is executed again; nothing is executed that it has committed.

use super::{
    SoloError,
    engine::{Engine, Executed},
    state::ChainState,
    store::GenesisRecord,
};
use crate::{
    abci::{ConsensusApplication, ReadApplication},
    lifecycle::StopReason,
};

/// Where the engine goes on.
#[derive(Debug)]
pub(super) enum Start {
    /// With the block after this state.
    Go(Box<ChainState>),
    /// Nowhere: a block that was executed again was the application's last one.
    Stop(StopReason),
}

/// Brings store and application together.
pub(super) fn handshake(
    engine: &Engine,
    app: &mut dyn ConsensusApplication,
    read: &dyn ReadApplication,
) -> Result<Start, SoloError> {
    let info = read.info(tendermint_proto::v0_38::abci::RequestInfo {
        version: crate::rpc::COMETBFT_VERSION.to_owned(),
        block_version: super::state::BLOCK_PROTOCOL,
        ..Default::default()
    })?;
    let store = &engine.chain.store;
    let app_height = info.last_block_height;
    let begun = store.genesis();
    let store_height = if begun.is_some() { store.last_height() } else { 0 };
    if app_height > store_height {
        return Err(SoloError::AppAhead { app: app_height, store: store_height });
    }
    check_genesis(engine, begun.as_ref())?;
    if app_height == 0 {
        begin(engine, app, begun)?;
    }
    let initial_height = store.initial_height();
    let committed = if app_height == 0 { initial_height.saturating_sub(1) } else { app_height };
    store.publish(committed);
    let mut state = store.state_at(committed, engine.chain.genesis.time)?;
    if app_height > 0 && state.app_hash != info.last_block_app_hash {
        return Err(diverged(committed, &state.app_hash, &info.last_block_app_hash));
    }
    while state.height < store.last_height() {
        let height = state.next_height();
        tracing::info!(height, "a stored block is executed again");
        let decided = store.block(height)?;
        let recorded = store.has_results(height).then(|| store.results(height)).transpose()?;
        match engine.execute(app, &state, &decided, recorded)? {
            Executed { then_stop: Some(reason), .. } => return Ok(Start::Stop(reason)),
            Executed { state: next, .. } => state = next,
        }
    }
    Ok(Start::Go(Box::new(state)))
}

fn check_genesis(engine: &Engine, begun: Option<&GenesisRecord>) -> Result<(), SoloError> {
    match begun {
        Some(record) if record.genesis_hash != engine.chain.genesis.hash => {
            Err(SoloError::GenesisChanged { chain_id: record.chain_id.clone() })
        }
        _ => Ok(()),
    }
}

/// InitChain, of a new chain or of one whose first block was never committed.
fn begin(engine: &Engine, app: &mut dyn ConsensusApplication, begun: Option<GenesisRecord>) -> Result<(), SoloError> {
    let genesis = &engine.chain.genesis;
    let record = genesis.record(app.init_chain(genesis.request()?)?, &engine.validator)?;
    let store = &engine.chain.store;
    match begun {
        Some(before) if before == record => Ok(()),
        Some(before) if store.last_height() >= store.initial_height() => {
            Err(diverged(store.initial_height().saturating_sub(1), &before.app_hash, &record.app_hash))
        }
        _ => Ok(store.save_genesis(record)?),
    }
}

pub(super) fn diverged(height: i64, expected: &[u8], got: &[u8]) -> SoloError {
    SoloError::Diverged { height, what: "app hash", expected: hex::encode_upper(expected), got: hex::encode_upper(got) }
}
