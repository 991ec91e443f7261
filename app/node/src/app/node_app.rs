//! The application as a whole: opened on a home, split in its two halves.

use std::sync::Arc;

use swing_core::ports::engine::Engine;
use swing_store::Store;
use tendermint_proto::v0_38::abci as pb;

use super::{AppOptions, ConsensusApp, DATABASE_FOLDER, OpenError, ReadApp, shared::Shared};
use crate::{
    abci::{Committed, ConsensusApplication, ReadApplication},
    control::CopyMaker,
    lifecycle::{StopReason, refusal_of},
};

/// The application with no socket: for the embedded engine and for tests. One thread drives it; [`NodeApp::read`] goes anywhere.
#[derive(Debug)]
pub struct NodeApp {
    shared: Arc<Shared>,
    consensus: ConsensusApp,
}

/// An application that was opened and decided that it may go on; its engine is not made yet.
#[derive(Debug)]
pub struct OpenedApp {
    shared: Arc<Shared>,
}

impl OpenedApp {
    /// Opens the database and asks the upgrade decision. Opens no port.
    ///
    /// # Errors
    /// The database's, or the refusal.
    pub fn open(options: AppOptions) -> Result<Self, OpenError> {
        let store =
            Store::open_through(options.files.as_ref(), options.data_folder.join(DATABASE_FOLDER), options.store)?;
        let shared = Shared::new(options, store)?;
        let committed = shared.committed();
        if let Some((height, decision)) = shared.decide_next(&committed)? {
            shared.keep_checkpoint(&committed, &decision)?;
            if let Some(refusal) = refusal_of(shared.options.release, height, decision) {
                return Err(OpenError::Refused(refusal));
            }
        }
        shared.keeper.tidy();
        Ok(OpenedApp { shared: Arc::new(shared) })
    }

    /// The reading half.
    pub fn read(&self) -> ReadApp {
        ReadApp::new(Arc::clone(&self.shared))
    }

    /// What makes copies for rehearsals.
    pub fn copy_maker(&self) -> Arc<dyn CopyMaker> {
        Arc::clone(&self.shared) as _
    }

    /// The consensus half, with the engine that executes blocks. Made on the thread that will own it.
    pub fn consensus(self, engine: Box<dyn Engine>) -> ConsensusApp {
        ConsensusApp::new(self.shared, engine)
    }
}

impl NodeApp {
    /// Opens the application with an engine.
    ///
    /// # Errors
    /// The database's, or the refusal of the upgrade decision.
    pub fn open(options: AppOptions, engine: Box<dyn Engine>) -> Result<Self, OpenError> {
        let opened = OpenedApp::open(options)?;
        let shared = Arc::clone(&opened.shared);
        Ok(NodeApp { shared, consensus: opened.consensus(engine) })
    }

    /// The reading half.
    pub fn read(&self) -> ReadApp {
        ReadApp::new(Arc::clone(&self.shared))
    }

    /// ABCI: Info.
    ///
    /// # Errors
    /// A local fault.
    pub fn info(&self) -> Result<pb::ResponseInfo, StopReason> {
        self.read().info(pb::RequestInfo::default())
    }

    /// ABCI: Query.
    ///
    /// # Errors
    /// A local fault.
    pub fn query(&self, request: pb::RequestQuery) -> Result<pb::ResponseQuery, StopReason> {
        self.read().query(request)
    }

    /// ABCI: CheckTx.
    ///
    /// # Errors
    /// A local fault.
    pub fn check_tx(&self, request: pb::RequestCheckTx) -> Result<pb::ResponseCheckTx, StopReason> {
        self.read().check_tx(request)
    }

    /// ABCI: InitChain.
    ///
    /// # Errors
    /// A local fault, or a genesis that cannot be used.
    pub fn init_chain(&mut self, request: pb::RequestInitChain) -> Result<pb::ResponseInitChain, StopReason> {
        self.consensus.init_chain(request)
    }

    /// ABCI: PrepareProposal.
    ///
    /// # Errors
    /// A local fault, or the upgrade guard.
    pub fn prepare_proposal(
        &mut self,
        request: pb::RequestPrepareProposal,
    ) -> Result<pb::ResponsePrepareProposal, StopReason> {
        self.consensus.prepare_proposal(request)
    }

    /// ABCI: ProcessProposal.
    ///
    /// # Errors
    /// A local fault, or the upgrade guard.
    pub fn process_proposal(
        &mut self,
        request: pb::RequestProcessProposal,
    ) -> Result<pb::ResponseProcessProposal, StopReason> {
        self.consensus.process_proposal(request)
    }

    /// ABCI: FinalizeBlock.
    ///
    /// # Errors
    /// A local fault, the upgrade guard, or an upgrade that failed.
    pub fn finalize_block(
        &mut self,
        request: pb::RequestFinalizeBlock,
    ) -> Result<pb::ResponseFinalizeBlock, StopReason> {
        self.consensus.finalize_block(request)
    }

    /// ABCI: Commit.
    ///
    /// # Errors
    /// A local fault.
    pub fn commit(&mut self) -> Result<Committed, StopReason> {
        self.consensus.commit()
    }

    /// ABCI: OfferSnapshot.
    ///
    /// # Errors
    /// A local fault.
    pub fn offer_snapshot(
        &mut self,
        request: pb::RequestOfferSnapshot,
    ) -> Result<pb::ResponseOfferSnapshot, StopReason> {
        self.consensus.offer_snapshot(request)
    }

    /// ABCI: ApplySnapshotChunk.
    ///
    /// # Errors
    /// A local fault.
    pub fn apply_snapshot_chunk(
        &mut self,
        request: pb::RequestApplySnapshotChunk,
    ) -> Result<pb::ResponseApplySnapshotChunk, StopReason> {
        self.consensus.apply_snapshot_chunk(request)
    }
}
