//! Which half of the application serves which request.

use tendermint_proto::v0_38::abci::{
    Request, RequestApplySnapshotChunk, RequestCheckTx, RequestEcho, RequestFinalizeBlock, RequestInfo,
    RequestInitChain, RequestLoadSnapshotChunk, RequestOfferSnapshot, RequestPrepareProposal, RequestProcessProposal,
    RequestQuery, ResponseEcho, ResponseFlush, request, response,
};

use super::{
    application::{ConsensusApplication, ReadApplication},
    error::ConnectionError,
};
use crate::lifecycle::StopReason;

/// A request for the thread that owns consensus.
#[derive(Clone, Debug, PartialEq)]
pub enum ConsensusRequest {
    /// ABCI: InitChain.
    InitChain(RequestInitChain),
    /// ABCI: PrepareProposal.
    PrepareProposal(RequestPrepareProposal),
    /// ABCI: ProcessProposal.
    ProcessProposal(RequestProcessProposal),
    /// ABCI: FinalizeBlock.
    FinalizeBlock(RequestFinalizeBlock),
    /// ABCI: Commit.
    Commit,
    /// ABCI: OfferSnapshot.
    OfferSnapshot(RequestOfferSnapshot),
    /// ABCI: ApplySnapshotChunk.
    ApplySnapshotChunk(RequestApplySnapshotChunk),
}

impl ConsensusRequest {
    /// It comes on the consensus connection; snapshots are restored over their own.
    pub fn marks_consensus_connection(&self) -> bool {
        !matches!(self, ConsensusRequest::OfferSnapshot(_) | ConsensusRequest::ApplySnapshotChunk(_))
    }
}

/// A request for committed state.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadRequest {
    /// ABCI: Echo.
    Echo(RequestEcho),
    /// ABCI: Flush.
    Flush,
    /// ABCI: Info.
    Info(RequestInfo),
    /// ABCI: Query.
    Query(RequestQuery),
    /// ABCI: CheckTx.
    CheckTx(RequestCheckTx),
    /// ABCI: ListSnapshots.
    ListSnapshots,
    /// ABCI: LoadSnapshotChunk.
    LoadSnapshotChunk(RequestLoadSnapshotChunk),
}

/// A request and who serves it.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// The thread that owns consensus.
    Consensus(ConsensusRequest),
    /// The connection's own thread.
    Read(ReadRequest),
}

/// Routes a request.
///
/// # Errors
/// [`ConnectionError::UnknownRequest`] for a request with no method of ABCI 0.38; [`ConnectionError::VoteExtensions`], since the
/// consensus parameters never enable them.
pub fn route(request: Request) -> Result<Route, ConnectionError> {
    use request::Value;
    let consensus = match request.value.ok_or(ConnectionError::UnknownRequest)? {
        Value::InitChain(request) => ConsensusRequest::InitChain(request),
        Value::PrepareProposal(request) => ConsensusRequest::PrepareProposal(request),
        Value::ProcessProposal(request) => ConsensusRequest::ProcessProposal(request),
        Value::FinalizeBlock(request) => ConsensusRequest::FinalizeBlock(request),
        Value::Commit(_) => ConsensusRequest::Commit,
        Value::OfferSnapshot(request) => ConsensusRequest::OfferSnapshot(request),
        Value::ApplySnapshotChunk(request) => ConsensusRequest::ApplySnapshotChunk(request),
        Value::ExtendVote(_) | Value::VerifyVoteExtension(_) => return Err(ConnectionError::VoteExtensions),
        Value::Echo(request) => return Ok(Route::Read(ReadRequest::Echo(request))),
        Value::Flush(_) => return Ok(Route::Read(ReadRequest::Flush)),
        Value::Info(request) => return Ok(Route::Read(ReadRequest::Info(request))),
        Value::Query(request) => return Ok(Route::Read(ReadRequest::Query(request))),
        Value::CheckTx(request) => return Ok(Route::Read(ReadRequest::CheckTx(request))),
        Value::ListSnapshots(_) => return Ok(Route::Read(ReadRequest::ListSnapshots)),
        Value::LoadSnapshotChunk(request) => return Ok(Route::Read(ReadRequest::LoadSnapshotChunk(request))),
    };
    Ok(Route::Consensus(consensus))
}

/// Serves a request of committed state.
///
/// # Errors
/// A local fault: the process ends, nothing is answered.
pub fn read(application: &dyn ReadApplication, request: ReadRequest) -> Result<response::Value, StopReason> {
    Ok(match request {
        ReadRequest::Echo(request) => response::Value::Echo(ResponseEcho { message: request.message }),
        ReadRequest::Flush => response::Value::Flush(ResponseFlush {}),
        ReadRequest::Info(request) => response::Value::Info(application.info(request)?),
        ReadRequest::Query(request) => response::Value::Query(application.query(request)?),
        ReadRequest::CheckTx(request) => response::Value::CheckTx(application.check_tx(request)?),
        ReadRequest::ListSnapshots => response::Value::ListSnapshots(application.list_snapshots()?),
        ReadRequest::LoadSnapshotChunk(request) => {
            response::Value::LoadSnapshotChunk(application.load_snapshot_chunk(request)?)
        }
    })
}

/// Serves a request of consensus. The second part says why the process must end once the reply is out.
///
/// # Errors
/// A local fault or the upgrade guard: the process ends, nothing is answered.
pub fn consensus(application: &mut dyn ConsensusApplication, request: ConsensusRequest) -> Result<Answer, StopReason> {
    let value = match request {
        ConsensusRequest::InitChain(request) => response::Value::InitChain(application.init_chain(request)?),
        ConsensusRequest::PrepareProposal(request) => {
            response::Value::PrepareProposal(application.prepare_proposal(request)?)
        }
        ConsensusRequest::ProcessProposal(request) => {
            response::Value::ProcessProposal(application.process_proposal(request)?)
        }
        ConsensusRequest::FinalizeBlock(request) => {
            response::Value::FinalizeBlock(application.finalize_block(request)?)
        }
        ConsensusRequest::Commit => {
            let committed = application.commit()?;
            return Ok(Answer { value: response::Value::Commit(committed.response), then_stop: committed.then_stop });
        }
        ConsensusRequest::OfferSnapshot(request) => {
            response::Value::OfferSnapshot(application.offer_snapshot(request)?)
        }
        ConsensusRequest::ApplySnapshotChunk(request) => {
            response::Value::ApplySnapshotChunk(application.apply_snapshot_chunk(request)?)
        }
    };
    Ok(Answer { value, then_stop: None })
}

/// The reply to a consensus request.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What to write.
    pub value: response::Value,
    /// Why the process must end once it is written.
    pub then_stop: Option<StopReason>,
}
