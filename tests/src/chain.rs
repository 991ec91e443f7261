//! Drives the real application through a scripted chain, block after block.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result, anyhow};
use swing_core::ports::upgrade::Release;
use swing_node::{
    abci::Committed,
    app::{AppOptions, NodeApp, OpenError},
    engine_adapter::SwingsetEngine,
    killpoints::Killpoints,
    lifecycle::{Refusal, StopReason},
};
use swingset_host::{ControllerOptions, EngineRuntime};
use tendermint_proto::{
    google::protobuf::{Duration, Timestamp},
    v0_38::{
        abci::{RequestFinalizeBlock, RequestInitChain, RequestQuery, ResponseFinalizeBlock, ResponseQuery},
        types::{BlockParams, ConsensusParams, EvidenceParams, ValidatorParams},
    },
};

use crate::script::{self, ScriptedBlock};

/// The application on a home, at a height.
#[derive(Debug)]
pub struct Chain {
    app: NodeApp,
}

/// What a block came to.
#[derive(Debug)]
pub struct Executed {
    /// FinalizeBlock's answer.
    pub answer: ResponseFinalizeBlock,
    /// The refusal that followed the commit, if one did.
    pub then: Option<StopReason>,
}

impl Chain {
    /// Opens the application on `data`; makes the script's genesis where there is no chain yet.
    ///
    /// # Errors
    /// The refusal ([`refusal_in`] finds it), the database's, or the genesis's.
    pub fn open(data: &Path, release: &'static dyn Release, killpoints: Arc<dyn Killpoints>) -> Result<Self> {
        Self::open_with(data, release, killpoints, script::app_state())
    }

    /// The same on an engine of another making.
    ///
    /// # Errors
    /// As [`Chain::open`].
    pub fn open_on(data: &Path, release: &'static dyn Release, engine: SwingsetEngine) -> Result<Self> {
        begin(NodeApp::open(AppOptions::new(data, release), Box::new(engine))?, script::app_state())
    }

    /// The same with another genesis `app_state`.
    ///
    /// # Errors
    /// As [`Chain::open`].
    pub fn open_with(
        data: &Path,
        release: &'static dyn Release,
        killpoints: Arc<dyn Killpoints>,
        app_state: Vec<u8>,
    ) -> Result<Self> {
        Self::begin(AppOptions { killpoints, ..AppOptions::new(data, release) }, app_state)
    }

    /// The same with options of the test's own.
    ///
    /// # Errors
    /// As [`Chain::open`].
    pub fn begin(options: AppOptions, app_state: Vec<u8>) -> Result<Self> {
        begin(open(options)?, app_state)
    }

    /// Opens a home as it is, without making a genesis: for a state that comes from elsewhere, or a node with other options.
    ///
    /// # Errors
    /// As [`Chain::open`].
    pub fn open_as_it_is(options: AppOptions) -> Result<Self> {
        Ok(Chain { app: open(options)? })
    }

    /// The application itself.
    pub fn app(&mut self) -> &mut NodeApp {
        &mut self.app
    }

    /// The committed height.
    ///
    /// # Errors
    /// A local fault.
    pub fn height(&self) -> Result<u64> {
        let info = self.app.info().map_err(|stop| anyhow!(stop))?;
        Ok(u64::try_from(info.last_block_height)?)
    }

    /// The committed app hash.
    ///
    /// # Errors
    /// A local fault.
    pub fn app_hash(&self) -> Result<String> {
        Ok(hex::encode(self.app.info().map_err(|stop| anyhow!(stop))?.last_block_app_hash))
    }

    /// FinalizeBlock and Commit.
    ///
    /// # Errors
    /// Whatever ends the node.
    pub fn execute(&mut self, block: &ScriptedBlock) -> Result<Executed, StopReason> {
        let answer = self.finalize(block)?;
        let Committed { then_stop, .. } = self.app.commit()?;
        Ok(Executed { answer, then: then_stop })
    }

    /// FinalizeBlock alone: nothing of the block is kept when the process ends now.
    ///
    /// # Errors
    /// Whatever ends the node.
    pub fn finalize(&mut self, block: &ScriptedBlock) -> Result<ResponseFinalizeBlock, StopReason> {
        self.app.finalize_block(finalize_request(block))
    }

    /// A query by path.
    ///
    /// # Errors
    /// A local fault, or an answer with another code than 0.
    pub fn query(&self, path: &str, data: Vec<u8>) -> Result<ResponseQuery> {
        let answer = self
            .app
            .query(RequestQuery { path: path.into(), data: data.into(), ..RequestQuery::default() })
            .map_err(|stop| anyhow!(stop))?;
        anyhow::ensure!(answer.code == 0, "{path}: code {}: {}", answer.code, answer.log);
        Ok(answer)
    }
}

fn begin(mut app: NodeApp, app_state: Vec<u8>) -> Result<Chain> {
    if app.info().map_err(|stop| anyhow!(stop))?.last_block_height == 0 {
        app.init_chain(genesis(app_state)).map_err(|stop| anyhow!(stop)).context("InitChain")?;
    }
    Ok(Chain { app })
}

/// FinalizeBlock of a block of the script.
pub fn finalize_request(block: &ScriptedBlock) -> RequestFinalizeBlock {
    RequestFinalizeBlock {
        txs: block.txs.iter().cloned().map(Into::into).collect(),
        height: i64::try_from(block.height).unwrap_or(i64::MAX),
        time: Some(Timestamp { seconds: block.seconds, nanos: 0 }),
        hash: vec![7; 32].into(),
        proposer_address: vec![9; 20].into(),
        ..RequestFinalizeBlock::default()
    }
}

fn open(options: AppOptions) -> Result<NodeApp> {
    let runtime = options.runtime.clone().map_or_else(EngineRuntime::new, Ok).map_err(|halt| anyhow!(halt.0))?;
    let engine = SwingsetEngine::with_runtime(runtime, ControllerOptions::default());
    Ok(NodeApp::open(options, Box::new(engine))?)
}

/// The refusal in an error of [`Chain::open`], if that is what it is.
pub fn refusal_in(error: &anyhow::Error) -> Option<&Refusal> {
    match error.downcast_ref::<OpenError>() {
        Some(OpenError::Refused(refusal)) => Some(refusal),
        _ => None,
    }
}

/// InitChain of the script's chain.
pub fn genesis(app_state: Vec<u8>) -> RequestInitChain {
    RequestInitChain {
        time: Some(Timestamp { seconds: script::seconds_of(0), nanos: 0 }),
        chain_id: script::CHAIN_ID.into(),
        initial_height: 1,
        app_state_bytes: app_state.into(),
        consensus_params: Some(ConsensusParams {
            block: Some(BlockParams { max_bytes: 22_020_096, max_gas: -1 }),
            evidence: Some(EvidenceParams {
                max_age_num_blocks: 100_000,
                max_age_duration: Some(Duration { seconds: 172_800, nanos: 0 }),
                max_bytes: 1_048_576,
            }),
            validator: Some(ValidatorParams { pub_key_types: vec!["ed25519".into()] }),
            version: None,
            abci: None,
        }),
        ..RequestInitChain::default()
    }
}
