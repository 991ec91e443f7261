//! What the server drives, in two halves: one that any connection may call at any time over committed state, and one that a
//! single thread owns.
//!
//! `tendermint-abci`'s `Application` is not used: its methods cannot fail, so a local fault would have to be answered, and an
//! answer is a vote.

use tendermint_proto::v0_38::abci as pb;

use crate::lifecycle::StopReason;

/// The half that reads committed state. Never waits for a block that is being executed.
///
/// An `Err` ends the process; nothing is answered. A refusal for the caller is a response with a code.
pub trait ReadApplication: Send + Sync + 'static {
    /// ABCI: Info.
    ///
    /// # Errors
    /// A local fault.
    fn info(&self, request: pb::RequestInfo) -> Result<pb::ResponseInfo, StopReason>;

    /// ABCI: Query.
    ///
    /// # Errors
    /// A local fault.
    fn query(&self, request: pb::RequestQuery) -> Result<pb::ResponseQuery, StopReason>;

    /// ABCI: CheckTx.
    ///
    /// # Errors
    /// A local fault.
    fn check_tx(&self, request: pb::RequestCheckTx) -> Result<pb::ResponseCheckTx, StopReason>;

    /// Told of a transaction whose CheckTx comes soon, from another thread than the one that will check it. May only do what
    /// changes no answer.
    fn foresee(&self, _tx: &bytes::Bytes) {}

    /// ABCI: ListSnapshots.
    ///
    /// # Errors
    /// A local fault.
    fn list_snapshots(&self) -> Result<pb::ResponseListSnapshots, StopReason>;

    /// ABCI: LoadSnapshotChunk.
    ///
    /// # Errors
    /// A local fault.
    fn load_snapshot_chunk(
        &self,
        request: pb::RequestLoadSnapshotChunk,
    ) -> Result<pb::ResponseLoadSnapshotChunk, StopReason>;
}

/// A commit, and whether it was the last one of this process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Committed {
    /// The reply, which goes out before anything else happens.
    pub response: pb::ResponseCommit,
    /// Why the process must end once the reply is out.
    pub then_stop: Option<StopReason>,
}

/// The half that changes state, owned by one thread.
///
/// An `Err` ends the process; nothing is answered.
pub trait ConsensusApplication: 'static {
    /// ABCI: InitChain.
    ///
    /// # Errors
    /// A local fault, or a genesis that cannot be used.
    fn init_chain(&mut self, request: pb::RequestInitChain) -> Result<pb::ResponseInitChain, StopReason>;

    /// ABCI: PrepareProposal.
    ///
    /// # Errors
    /// A local fault, or the upgrade guard.
    fn prepare_proposal(
        &mut self,
        request: pb::RequestPrepareProposal,
    ) -> Result<pb::ResponsePrepareProposal, StopReason>;

    /// ABCI: ProcessProposal.
    ///
    /// # Errors
    /// A local fault, or the upgrade guard.
    fn process_proposal(
        &mut self,
        request: pb::RequestProcessProposal,
    ) -> Result<pb::ResponseProcessProposal, StopReason>;

    /// ABCI: FinalizeBlock. Executes and stages; nothing is persisted.
    ///
    /// # Errors
    /// A local fault, or the upgrade guard.
    fn finalize_block(&mut self, request: pb::RequestFinalizeBlock) -> Result<pb::ResponseFinalizeBlock, StopReason>;

    /// ABCI: Commit. Persists what FinalizeBlock staged.
    ///
    /// # Errors
    /// A local fault.
    fn commit(&mut self) -> Result<Committed, StopReason>;

    /// ABCI: OfferSnapshot.
    ///
    /// # Errors
    /// A local fault.
    fn offer_snapshot(&mut self, request: pb::RequestOfferSnapshot) -> Result<pb::ResponseOfferSnapshot, StopReason>;

    /// ABCI: ApplySnapshotChunk.
    ///
    /// # Errors
    /// A local fault.
    fn apply_snapshot_chunk(
        &mut self,
        request: pb::RequestApplySnapshotChunk,
    ) -> Result<pb::ResponseApplySnapshotChunk, StopReason>;

    /// A block is finalized and not yet committed: a clean stop waits for its Commit.
    fn block_in_progress(&self) -> bool;
}
