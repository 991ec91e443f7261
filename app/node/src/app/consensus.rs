//! The half that executes blocks. One thread owns it.

use std::sync::Arc;

use swing_core::{
    block::Block,
    error::Halt,
    execute::execute_block,
    genesis::{GenesisError, InitChain, init_chain},
    modules::consensus,
    ports::{
        Ports,
        engine::Engine,
        upgrade::{Decision, Plan},
    },
    proposals::{self, Limits},
    state::{Changes, State},
};
use swing_store::{Staged, StoreError};
use swing_upgrades::lines;
use tendermint_proto::v0_38::abci as pb;

use super::{
    announcing::Announcing,
    committed::{Committed, fault},
    convert,
    shared::Shared,
    snapshots::Restoring,
};
use crate::{
    abci::{Committed as CommitReply, ConsensusApplication},
    killpoints::Killpoint,
    lifecycle::{StopReason, note_skipped, refusal_of},
};

/// The half that executes blocks.
pub struct ConsensusApp {
    shared: Arc<Shared>,
    engine: Box<dyn Engine>,
    staged: Option<StagedBlock>,
    restoring: Restoring,
}

/// A block between FinalizeBlock and Commit.
struct StagedBlock {
    staged: Staged,
    app_version: u64,
    /// The plan that it skipped.
    skipped: Option<Plan>,
}

impl std::fmt::Debug for ConsensusApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsensusApp").field("in_progress", &self.staged.is_some()).finish_non_exhaustive()
    }
}

fn stored(error: StoreError) -> Halt {
    Halt::new(error.to_string())
}

impl ConsensusApp {
    pub(super) fn new(shared: Arc<Shared>, engine: Box<dyn Engine>) -> Self {
        ConsensusApp { shared, engine, staged: None, restoring: Restoring::Nothing }
    }

    /// Drops a block that was finalized and not committed: the engine's instances have seen it.
    fn drop_staged(&mut self) {
        if self.staged.take().is_some() {
            self.engine.discard();
        }
    }

    /// The guard: this release may go on to the block after the committed one. Gives what is to be done in it.
    fn guard(&self, committed: &Committed) -> Result<Decision, StopReason> {
        let Some((height, decision)) = self.shared.decide_next(committed)? else {
            return Ok(Decision::Continue);
        };
        match refusal_of(self.shared.options.release, height, decision.clone()) {
            Some(refusal) => Err(StopReason::Upgrade(refusal)),
            None => Ok(decision),
        }
    }

    /// The block must be the one after the committed one.
    fn check_height(&self, committed: &Committed, height: u64) -> Result<(), Halt> {
        if !committed.has_chain() {
            return Err(Halt::new(format!("the engine sent block {height} before InitChain")));
        }
        // The first block's height is genesis's initial height, which the store takes as it comes.
        let expected = committed.height.saturating_add(1);
        if committed.height > 0 && height != expected {
            return Err(Halt::new(format!(
                "the engine sent block {height}, {expected} was expected: is its data folder that of this home?"
            )));
        }
        Ok(())
    }

    fn execute(
        &mut self,
        committed: &Committed,
        block: &Block,
        decision: &Decision,
    ) -> Result<ExecutedBlock, StopReason> {
        let upgrade = match decision {
            Decision::Apply(plan) => Some(plan),
            _ => None,
        };
        for line in lines::of_decision(self.shared.options.release.name(), decision) {
            tracing::info!("{line}");
        }
        let shared = Arc::clone(&self.shared);
        let options = &shared.options;
        if upgrade.is_some() {
            options.killpoints.reach(Killpoint::BeforeUpgrade, block.height);
        }
        let mut state = committed.overlay();
        let mut announced = Announcing::new(self.engine.as_mut(), &*options.killpoints, block.height);
        let mut ports = Ports { engine: &mut announced, signatures: &shared.signatures, release: options.release };
        let output = execute_block(&mut state, block, &mut ports, &options.flags).map_err(|halt| match upgrade {
            Some(plan) => upgrade_failed(plan, block.height, halt),
            None => StopReason::Halt(halt),
        })?;
        if let Some(plan) = upgrade {
            tracing::info!("{}", lines::upgrade_swingset(&plan.name));
            options.killpoints.reach(Killpoint::AfterUpgrade, block.height);
        }
        let app_version = consensus::state::app_version(&state).map_err(fault)?;
        Ok(ExecutedBlock { output, app_version, changes: state.into_changes() })
    }

    fn commit_staged(&mut self) -> Result<Committed, Halt> {
        let shared = &self.shared;
        let block = self.staged.take().ok_or_else(|| Halt::new("the engine sent Commit without FinalizeBlock"))?;
        let height = block.staged.version();
        if let Some(plan) = &block.skipped {
            // First: once the block is committed, nothing tells a process that is started again that it was skipped here.
            note_skipped(shared.options.files.as_ref(), &shared.options.data_folder, plan, height)?;
        }
        shared.options.killpoints.reach(Killpoint::BeforeCommit, height);
        shared.store.commit(block.staged).map_err(stored)?;
        shared.options.killpoints.reach(Killpoint::AfterCommit, height);
        let committed = Committed::load(&shared.store)?;
        if (committed.height, committed.app_version) != (height, block.app_version) {
            return Err(Halt::new(format!(
                "block {height} with app version {} was committed, {} with {} is in the store",
                block.app_version, committed.height, committed.app_version
            )));
        }
        shared.publish(committed.clone());
        Ok(committed)
    }

    /// Goes on from the version that was restored, as from a committed one. Whether this release may execute the block after it is
    /// asked when that block comes, as for every other.
    fn take_restored(&mut self) -> Result<(), Halt> {
        self.engine.discard();
        let committed = Committed::load(&self.shared.store)?;
        tracing::info!(
            height = committed.height,
            app_version = committed.app_version,
            app_hash = hex::encode_upper(&committed.app_hash),
            "the snapshot is restored and verified"
        );
        self.shared.publish(committed.clone());
        if let Some((_, decision)) = self.shared.decide_next(&committed)? {
            self.shared.keep_checkpoint(&committed, &decision)?;
        }
        Ok(())
    }

    /// From which height the engine must keep blocks; 0 for all.
    fn retain_height(&self, committed: &Committed) -> Result<i64, Halt> {
        let keep = self.shared.options.min_retain_blocks;
        if keep == 0 {
            return Ok(0);
        }
        let params = consensus::state::params(&committed.view).map_err(fault)?;
        // Evidence of misbehaviour needs the blocks that it is about. Source: SDK `GetBlockRetentionHeight`.
        let evidence =
            params.evidence.and_then(|evidence| u64::try_from(evidence.max_age_num_blocks).ok()).unwrap_or(0);
        let retain = committed.height.saturating_sub(keep.max(evidence));
        // After a rollback the engine gives the blocks above the checkpoint again.
        let oldest = self.shared.keeper.oldest_height().map_or(u64::MAX, |height| height.saturating_add(1));
        convert::to_height(retain.min(oldest))
    }
}

/// What executing a block gave.
struct ExecutedBlock {
    output: swing_core::block::BlockOutput,
    app_version: u64,
    changes: Changes,
}

fn upgrade_failed(plan: &Plan, height: u64, halt: Halt) -> StopReason {
    StopReason::UpgradeFailed { plan: plan.clone(), height, reason: halt.reason }
}

impl ConsensusApplication for ConsensusApp {
    fn init_chain(&mut self, request: pb::RequestInitChain) -> Result<pb::ResponseInitChain, StopReason> {
        let committed = self.shared.committed();
        if committed.height > 0 {
            let reason = format!("the engine sent InitChain, but block {} is committed here", committed.height);
            return Err(Halt::new(reason).into());
        }
        // A second InitChain in one process (the engine was restarted before block 1) begins anew.
        self.engine.discard();
        let initial_height = convert::height(request.initial_height)?.max(1);
        let request: InitChain = convert::init_chain(request)?;
        let mut state = State::new(&committed.view);
        let options = &self.shared.options;
        let mut ports =
            Ports { engine: self.engine.as_mut(), signatures: &self.shared.signatures, release: options.release };
        let output = init_chain(&mut state, &request, &mut ports).map_err(genesis_refused)?;
        let app_version = consensus::state::app_version(&state).map_err(fault)?;
        let genesis = state.into_changes();
        let app_hash = self.shared.store.stage(initial_height, genesis.clone()).map_err(stored)?.root_hash().to_vec();
        let committed = Committed { app_version, genesis: Some(genesis), ..Committed::clone(&committed) };
        // A chain that this release cannot run is refused before its first block.
        self.guard(&committed)?;
        self.shared.publish(committed);
        Ok(pb::ResponseInitChain {
            consensus_params: Some(convert::consensus_params(&output.consensus_params)?),
            validators: convert::validator_updates(output.validator_updates)?,
            app_hash: app_hash.into(),
        })
    }

    fn prepare_proposal(
        &mut self,
        request: pb::RequestPrepareProposal,
    ) -> Result<pb::ResponsePrepareProposal, StopReason> {
        let committed = self.shared.committed();
        self.check_height(&committed, convert::height(request.height)?)?;
        self.guard(&committed)?;
        let bytes_max = u64::try_from(request.max_tx_bytes).ok();
        let limits = Limits::of(&committed.overlay(), bytes_max).map_err(fault)?;
        let txs = proposals::prepare(convert::txs(&request.txs), limits);
        Ok(pb::ResponsePrepareProposal { txs: txs.into_iter().map(Into::into).collect() })
    }

    fn process_proposal(
        &mut self,
        request: pb::RequestProcessProposal,
    ) -> Result<pb::ResponseProcessProposal, StopReason> {
        use pb::response_process_proposal::ProposalStatus;
        let committed = self.shared.committed();
        self.check_height(&committed, convert::height(request.height)?)?;
        self.guard(&committed)?;
        let limits = Limits::of(&committed.overlay(), None).map_err(fault)?;
        let status = match proposals::process(&convert::txs(&request.txs), limits) {
            Ok(()) => ProposalStatus::Accept,
            Err(error) => {
                tracing::warn!(height = request.height, %error, "a proposal is refused");
                ProposalStatus::Reject
            }
        };
        Ok(pb::ResponseProcessProposal { status: status.into() })
    }

    fn finalize_block(&mut self, request: pb::RequestFinalizeBlock) -> Result<pb::ResponseFinalizeBlock, StopReason> {
        self.drop_staged();
        let committed = self.shared.committed();
        let txs = request.txs.clone();
        let block = convert::block(request)?;
        self.check_height(&committed, block.height)?;
        let decision = self.guard(&committed)?;
        txs.iter().for_each(|tx| self.shared.foresee(tx));
        let transcripts = self.shared.options.transcripts.clone();
        if let Some(recorder) = &transcripts {
            recorder.clear();
        }
        let executed = self.execute(&committed, &block, &decision)?;
        let mut staged = self.shared.store.stage(block.height, executed.changes).map_err(stored)?;
        if let Some(transcript) = transcripts.and_then(|recorder| recorder.take()) {
            staged.put_transcript(transcript);
        }
        let app_hash = staged.root_hash().to_vec();
        let skipped = match decision {
            Decision::Skip(plan) => Some(plan),
            _ => None,
        };
        self.staged = Some(StagedBlock { staged, app_version: executed.app_version, skipped });
        self.shared.options.killpoints.reach(Killpoint::AfterFinalize, block.height);
        Ok(convert::block_output(executed.output, app_hash)?)
    }

    fn commit(&mut self) -> Result<CommitReply, StopReason> {
        let committed = self.commit_staged()?;
        let next = self.shared.decide_next(&committed)?;
        if let Some((_, decision)) = &next {
            self.shared.keep_checkpoint(&committed, decision)?;
        }
        self.shared.snapshots.after_commit(&committed.view);
        let response = pb::ResponseCommit { retain_height: self.retain_height(&committed)? };
        let release = self.shared.options.release;
        let refusal = next.and_then(|(height, decision)| refusal_of(release, height, decision));
        if refusal.is_none() {
            self.shared.keeper.tidy();
        }
        Ok(CommitReply { response, then_stop: refusal.map(StopReason::Upgrade) })
    }

    fn offer_snapshot(&mut self, request: pb::RequestOfferSnapshot) -> Result<pb::ResponseOfferSnapshot, StopReason> {
        let shared = &self.shared;
        let result = self.restoring.offer(&shared.store, &shared.committed(), shared.options.release, &request)?;
        Ok(pb::ResponseOfferSnapshot { result: result.into() })
    }

    fn apply_snapshot_chunk(
        &mut self,
        request: pb::RequestApplySnapshotChunk,
    ) -> Result<pb::ResponseApplySnapshotChunk, StopReason> {
        let answer = self.restoring.apply(&request)?;
        if answer.restored {
            self.take_restored()?;
        }
        Ok(answer.response)
    }

    fn block_in_progress(&self) -> bool {
        self.staged.is_some()
    }
}

fn genesis_refused(error: GenesisError) -> StopReason {
    match error {
        GenesisError::Halt(halt) => StopReason::Halt(halt),
        refused => StopReason::GenesisRefused { reason: refused.to_string() },
    }
}
