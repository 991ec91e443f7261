//! The engine as the process runs it: opened on a home, serving RPC, making blocks until it is told to stop.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    SoloConfig, SoloError,
    chain::Chain,
    config::Pace,
    engine::{Engine, Executed},
    genesis::Genesis,
    handshake::{Start, handshake},
    mempool::Mempool,
    params,
    state::ChainState,
    store::{self, BlockStore},
    validator::Validator,
};
use crate::{
    abci::{ConsensusApplication, ReadApplication},
    client::RpcClient,
    config::{GenesisDoc, Home, files, node_keys::NodeKey},
    lifecycle::{StopReason, StopSwitch},
    rpc::{LocalRpc, NodeDescription, RpcServer},
};

/// How often a proposer without work looks whether there is some.
const IDLE_LOOK: Duration = Duration::from_millis(20);

/// Runs the engine until the switch is thrown, the application stops after a commit, or something fails. Blocks the thread, which
/// is the one that owns the application's consensus half.
///
/// # Errors
/// The engine does not start or go on. A reason of the application's or the switch's is no error.
pub fn run(
    app: &mut dyn ConsensusApplication,
    read: Arc<dyn ReadApplication>,
    home: &Home,
    switch: &Arc<StopSwitch>,
) -> Result<StopReason, SoloError> {
    let outcome = Solo::start(app, read, home, switch).and_then(|started| match started {
        Started::Serving(solo) => solo.run(app),
        Started::Stopped(reason) => Ok(reason),
    });
    match outcome {
        Err(SoloError::App(reason)) => Ok(reason),
        outcome => outcome,
    }
}

/// A started engine.
#[derive(Debug)]
pub struct Solo {
    engine: Engine,
    pace: Pace,
    state: ChainState,
    rpc: RpcServer,
    switch: Arc<StopSwitch>,
}

/// How a start ended.
#[derive(Debug)]
pub enum Started {
    /// RPC serves; [`Solo::run`] makes blocks.
    Serving(Box<Solo>),
    /// A stored block that was executed again was the application's last one. No port was opened.
    Stopped(StopReason),
}

impl Solo {
    /// Opens the home, brings application and store together, and starts RPC.
    ///
    /// # Errors
    /// The home or the application is not one that this engine can run.
    pub fn start(
        app: &mut dyn ConsensusApplication,
        read: Arc<dyn ReadApplication>,
        home: &Home,
        switch: &Arc<StopSwitch>,
    ) -> Result<Started, SoloError> {
        let config = SoloConfig::load(home)?;
        let key = NodeKey::load(&home.priv_validator_key())?;
        check_key_is_fresh(home)?;
        let genesis = Genesis::new(GenesisDoc::load(&home.genesis())?)?;
        let folder = home.data_folder().join(store::FOLDER);
        files::create_folder(&folder)?;
        let store = BlockStore::open(&folder)?;
        let validator = Validator::new(key.signing_key().clone());
        tracing::warn!(
            validator = hex::encode_upper(validator.address()),
            "the solo engine makes this chain's blocks alone: for development, never for a network"
        );
        let node = NodeDescription {
            id: NodeKey::load(&home.node_key())?.id(),
            moniker: config.moniker,
            network: genesis.doc.chain_id.clone(),
            p2p_laddr: config.p2p_laddr,
            validator_key: validator.public_key(),
        };
        let mempool = Mempool::new(config.mempool);
        let chain = Chain::new(store, genesis, Arc::clone(&read), node, mempool, Arc::clone(switch) as _);
        let engine = Engine { chain: Arc::new(chain), validator };
        let state = match handshake(&engine, app, read.as_ref())? {
            Start::Go(state) => *state,
            Start::Stop(reason) => return Ok(Started::Stopped(reason)),
        };
        let rpc = RpcServer::start(Arc::clone(&engine.chain) as _, &config.rpc)?;
        Ok(Started::Serving(Box::new(Solo { engine, pace: config.pace, state, rpc, switch: Arc::clone(switch) })))
    }

    /// Where RPC listens.
    pub fn rpc_address(&self) -> SocketAddr {
        self.rpc.address()
    }

    /// A client of its RPC for this process, which needs no socket.
    pub fn client(&self) -> RpcClient {
        let address = format!("tcp://{}", self.rpc.address());
        RpcClient::over(Arc::new(LocalRpc::new(Arc::clone(&self.engine.chain) as _, address)))
    }

    /// Makes blocks until the switch is thrown or the application stops after a commit; RPC is closed then.
    ///
    /// # Errors
    /// The engine cannot go on.
    pub fn run(self, app: &mut dyn ConsensusApplication) -> Result<StopReason, SoloError> {
        let Solo { engine, pace, mut state, rpc, switch } = self;
        tracing::info!(height = state.next_height(), app_version = params::app_version(&state.params), "making blocks");
        // CometBFT: the first block, and one after transactions for their app hash, are made whatever the settings.
        let mut must_propose = true;
        let reason = loop {
            if let Some(reason) = wait(&engine, &pace, must_propose, &switch) {
                break reason;
            }
            let Executed { state: next, then_stop, had_txs } = engine.make_block(app, &state)?;
            if let Some(reason) = then_stop {
                break reason;
            }
            state = next;
            must_propose = had_txs;
            if let Some(reason) = switch.wait_at_most(pace.timeout_commit) {
                break reason;
            }
        };
        drop(rpc);
        Ok(reason)
    }
}

/// Waits until a block is to be made; gives the reason to stop if there is one before.
fn wait(engine: &Engine, pace: &Pace, must_propose: bool, switch: &StopSwitch) -> Option<StopReason> {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(reason) = switch.reason() {
            return Some(reason);
        }
        let interval = pace.create_empty_blocks_interval;
        let due = !interval.is_zero() && waited >= interval;
        if pace.create_empty_blocks || must_propose || due || !engine.chain.mempool().is_empty() {
            return None;
        }
        if let Some(reason) = switch.wait_at_most(IDLE_LOOK) {
            return Some(reason);
        }
        waited = waited.saturating_add(IDLE_LOOK);
    }
}

/// Refuses a key that has signed with CometBFT: the solo engine does not share its protection against double signatures.
fn check_key_is_fresh(home: &Home) -> Result<(), SoloError> {
    let path = home.priv_validator_state();
    if !path.exists() {
        return Ok(());
    }
    let wrong = |reason: &str| crate::config::ConfigError::content(&path, reason);
    let state: Value = serde_json::from_slice(&files::read(&path)?).map_err(|_| wrong("not JSON"))?;
    let height = match &state["height"] {
        Value::Null => 0,
        Value::String(text) => text.parse().map_err(|_| wrong("height is not a number"))?,
        number => number.as_i64().ok_or_else(|| wrong("height is not a number"))?,
    };
    if height > 0 {
        return Err(SoloError::KeyHasSigned { path, height });
    }
    Ok(())
}
