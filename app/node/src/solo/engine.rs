//! Making a block and executing it.
//!
//! # Invariants
//! - The order is CometBFT's: PrepareProposal, ProcessProposal, the block is saved, FinalizeBlock, the results are saved, Commit.
//!   A crash between any two of them loses nothing that was committed and executes nothing twice.
//! - CheckTx waits while a block is committed and the mempool checked again.

use std::sync::Arc;

use prost::Message;
use tendermint_proto::v0_38::{
    abci::{ResponseFinalizeBlock, response_process_proposal::ProposalStatus},
    types::Data,
};

use super::{
    SoloError,
    chain::Chain,
    handshake::diverged,
    params,
    state::{ChainState, DecidedBlock},
    store::Outcome,
    validator::Validator,
};
use crate::{abci::ConsensusApplication, lifecycle::StopReason};

/// Makes and executes blocks.
#[derive(Debug)]
pub(super) struct Engine {
    pub chain: Arc<Chain>,
    pub validator: Validator,
}

/// A committed block.
#[derive(Debug)]
pub(super) struct Executed {
    /// After it.
    pub state: ChainState,
    /// Why it was the last one.
    pub then_stop: Option<StopReason>,
    /// Whether it had transactions.
    pub had_txs: bool,
}

impl Engine {
    /// Makes, decides and executes the next block.
    pub(super) fn make_block(
        &self,
        app: &mut dyn ConsensusApplication,
        state: &ChainState,
    ) -> Result<Executed, SoloError> {
        let decided = self.decide(app, state)?;
        self.chain.store.save_block(decided.clone())?;
        self.execute(app, state, &decided, None)
    }

    fn decide(&self, app: &mut dyn ConsensusApplication, state: &ChainState) -> Result<DecidedBlock, SoloError> {
        let height = state.next_height();
        let bytes_max = params::data_bytes_max(&state.params);
        let waiting = self.chain.mempool().reap(bytes_max, params::gas_max(&state.params));
        let prepared = app.prepare_proposal(state.prepare_request(&self.validator, waiting))?;
        let txs: Vec<Vec<u8>> = prepared.txs.iter().map(|tx| tx.to_vec()).collect();
        let size = Data { txs: txs.clone() }.encoded_len();
        if i64::try_from(size).unwrap_or(i64::MAX) > bytes_max {
            let reason = format!("its transactions take {size} bytes, {bytes_max} is the most");
            return Err(SoloError::Proposal { height, reason });
        }
        let (block, id) = state.next_block(&self.validator, txs);
        let status = app.process_proposal(state.process_request(&self.validator, &block, &id))?.status;
        if status != i32::from(ProposalStatus::Accept) {
            let reason = "its own ProcessProposal refuses it".to_owned();
            return Err(SoloError::Proposal { height, reason });
        }
        let commit = state.commit_of(&self.validator, height, &id);
        Ok(DecidedBlock { block, commit })
    }

    /// Executes and commits a stored block. `recorded` is what it gave before, where it was executed already.
    pub(super) fn execute(
        &self,
        app: &mut dyn ConsensusApplication,
        state: &ChainState,
        decided: &DecidedBlock,
        recorded: Option<ResponseFinalizeBlock>,
    ) -> Result<Executed, SoloError> {
        let height = state.next_height();
        let store = &self.chain.store;
        let response = app.finalize_block(state.finalize_request(&self.validator, &decided.block, &decided.id()))?;
        if response.tx_results.len() != decided.txs().len() {
            let reason = format!("{} results for {} transactions", response.tx_results.len(), decided.txs().len());
            return Err(SoloError::Proposal { height, reason });
        }
        match recorded {
            Some(recorded) if recorded == response => {}
            // A block that others have built on cannot change any more.
            Some(recorded) if height < store.last_height() => {
                return Err(diverged(height, &recorded.app_hash, &response.app_hash));
            }
            recorded => {
                if recorded.is_some() {
                    tracing::warn!(
                        height,
                        "the block was executed before, never committed, and gives something else now"
                    );
                }
                store.save_results(height, self.outcome(state, &response)?)?;
            }
        }
        let mut mempool = self.chain.mempool();
        let committed = app.commit()?;
        store.publish(height);
        let next = store.state_at(height, self.chain.genesis.time)?;
        if committed.then_stop.is_none() {
            mempool.update(decided.txs(), &response.tx_results, self.chain.app.as_ref())?;
        }
        drop(mempool);
        self.chain.announce(height);
        tracing::info!(
            height,
            txs = decided.txs().len(),
            hash = hex::encode_upper(&decided.id().hash),
            app_hash = hex::encode_upper(&response.app_hash),
            "committed block"
        );
        Ok(Executed { state: next, then_stop: committed.then_stop, had_txs: !decided.txs().is_empty() })
    }

    fn outcome(&self, state: &ChainState, response: &ResponseFinalizeBlock) -> Result<Outcome, SoloError> {
        let power_after = self.validator.power_after(state.next_power, &response.validator_updates)?;
        let params = params::updated(&state.params, response.consensus_param_updates.as_ref())?;
        let params_after = (params != state.params).then_some(params);
        Ok(Outcome { response: response.clone(), power_after, params_after })
    }
}
