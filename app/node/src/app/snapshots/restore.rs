//! OfferSnapshot and ApplySnapshotChunk: a snapshot of another node becomes this one's state.

use swing_core::{
    error::Halt,
    ports::upgrade::{Decision, DecisionInput, Release},
};
use swing_store::{
    Store,
    snapshot::{FORMAT, Metadata, MetadataError, Restore, RestoreError},
};
use tendermint_proto::v0_38::abci::{
    self as pb, response_apply_snapshot_chunk::Result as Applied, response_offer_snapshot::Result as Offered,
};

use super::verify;
use crate::app::committed::Committed;

/// What is being restored.
#[derive(Debug, Default)]
pub enum Restoring {
    /// Nothing.
    #[default]
    Nothing,
    /// A snapshot was accepted and its chunks come.
    Chunks {
        /// What has come.
        restore: Box<Restore>,
        /// The app hash that CometBFT's light client has verified.
        trusted: Vec<u8>,
    },
    /// The snapshot that is offered is the state that is here already: CometBFT was ended before it had saved that.
    Here,
}

/// An answer to ApplySnapshotChunk, and whether the store has a new version now.
pub struct Answer {
    /// The answer.
    pub response: pb::ResponseApplySnapshotChunk,
    /// All is restored.
    pub restored: bool,
}

fn fault(error: impl std::fmt::Display) -> Halt {
    Halt::new(error.to_string())
}

impl Restoring {
    /// ABCI: OfferSnapshot. A snapshot that was accepted before and is not restored yet is given up.
    pub fn offer(
        &mut self,
        store: &Store,
        committed: &Committed,
        release: &dyn Release,
        request: &pb::RequestOfferSnapshot,
    ) -> Result<Offered, Halt> {
        if let Restoring::Chunks { restore, .. } = std::mem::take(self) {
            restore.abandon().map_err(fault)?;
        }
        let metadata = match examine(request, release) {
            Ok(metadata) => metadata,
            Err((result, why)) => {
                tracing::warn!(result = result.as_str_name(), "a snapshot is refused: {why}");
                return Ok(result);
            }
        };
        let (height, release, chunks) = (metadata.height, metadata.about.release.clone(), metadata.chunks());
        if (committed.height, committed.app_hash.as_slice()) == (height, &metadata.app_hash) {
            tracing::info!(height, "the snapshot's state is here already");
            *self = Restoring::Here;
            return Ok(Offered::Accept);
        }
        if committed.has_chain() {
            tracing::error!(
                height = committed.height,
                "state sync needs a home without state: stop the node and remove data/application.db"
            );
            return Ok(Offered::Reject);
        }
        let restore = store.restore(metadata).map_err(fault)?;
        tracing::info!(height, release, chunks, "a snapshot is being restored");
        *self = Restoring::Chunks { restore: Box::new(restore), trusted: request.app_hash.to_vec() };
        Ok(Offered::Accept)
    }

    /// ABCI: ApplySnapshotChunk.
    pub fn apply(&mut self, request: &pb::RequestApplySnapshotChunk) -> Result<Answer, Halt> {
        let (mut restore, trusted) = match std::mem::take(self) {
            // None was accepted, so none is being restored.
            Restoring::Nothing => return Ok(answer(Applied::Abort, false)),
            Restoring::Here => {
                *self = Restoring::Here;
                return Ok(answer(Applied::Accept, false));
            }
            Restoring::Chunks { restore, trusted } => (restore, trusted),
        };
        if let Err(error) = restore.apply(request.index, &request.chunk) {
            if let RestoreError::DamagedChunk { .. } = error {
                *self = Restoring::Chunks { restore, trusted };
            } else if !matches!(error, RestoreError::Store(_)) {
                restore.abandon().map_err(fault)?;
            }
            return refused(error, request);
        }
        if !restore.is_whole() {
            *self = Restoring::Chunks { restore, trusted };
            return Ok(answer(Applied::Accept, false));
        }
        let metadata = restore.metadata().clone();
        match restore.finish(&trusted, |view| verify(view, &metadata)) {
            Ok(()) => Ok(answer(Applied::Accept, true)),
            Err(error) => refused(error, request),
        }
    }
}

/// What can be said of a snapshot before any of it is fetched: its metadata, or the result and the reason.
fn examine(request: &pb::RequestOfferSnapshot, release: &dyn Release) -> Result<Metadata, (Offered, String)> {
    let Some(snapshot) = &request.snapshot else {
        return Err((Offered::Reject, "there is none in the offer".to_owned()));
    };
    if snapshot.format != FORMAT {
        return Err((Offered::RejectFormat, format!("format {}, this release restores {FORMAT}", snapshot.format)));
    }
    // Whoever offers one that contradicts itself has made it up, and may have made up others.
    let lie = |why: &str| (Offered::RejectSender, why.to_owned());
    let metadata =
        Metadata::decode(&snapshot.metadata).map_err(|error: MetadataError| lie(&format!("its metadata: {error}")))?;
    if (metadata.height, metadata.chunks()) != (snapshot.height, snapshot.chunks) {
        return Err(lie("its metadata is of another height or number of chunks"));
    }
    if metadata.hash() != *snapshot.hash {
        return Err(lie("its hash is not that of its metadata"));
    }
    if metadata.app_hash != *request.app_hash {
        return Err(lie("its app hash is not that of the chain's header"));
    }
    can_run(release, &metadata)?;
    Ok(metadata)
}

/// This release runs the rules of the snapshot's state. What the state itself says is looked at once it is here.
fn can_run(release: &dyn Release, metadata: &Metadata) -> Result<(), (Offered, String)> {
    let input = DecisionInput {
        height: metadata.height.saturating_add(1),
        app_version: metadata.about.app_version,
        ..DecisionInput::default()
    };
    match release.decide(&input) {
        Decision::Continue => Ok(()),
        _ => {
            let (name, version) = (release.name(), metadata.about.app_version);
            let needed = &metadata.about.release;
            Err((
                Offered::Reject,
                format!("{name} does not run app version {version}: start {needed} or a later release"),
            ))
        }
    }
}

fn answer(result: Applied, restored: bool) -> Answer {
    let response =
        pb::ResponseApplySnapshotChunk { result: result.into(), ..pb::ResponseApplySnapshotChunk::default() };
    Answer { response, restored }
}

/// What CometBFT is to do about a chunk that was not taken, or a whole that was not.
fn refused(error: RestoreError, request: &pb::RequestApplySnapshotChunk) -> Result<Answer, Halt> {
    tracing::warn!(index = request.index, sender = request.sender, "{error}");
    let (result, refetch, sender_is_wrong) = match error {
        RestoreError::Store(error) => return Err(fault(error)),
        RestoreError::DamagedChunk { index } => (Applied::Retry, vec![index], true),
        RestoreError::OutOfTurn { .. } => (Applied::RetrySnapshot, Vec::new(), false),
        RestoreError::NotEmpty { .. } => (Applied::Abort, Vec::new(), false),
        // The chunk is what the metadata named, so that all who offer this snapshot offer the same.
        RestoreError::Malformed { .. } | RestoreError::WrongAppHash { .. } | RestoreError::Unbound { .. } => {
            (Applied::RejectSnapshot, Vec::new(), true)
        }
    };
    let senders = if sender_is_wrong && !request.sender.is_empty() { vec![request.sender.clone()] } else { Vec::new() };
    let response =
        pb::ResponseApplySnapshotChunk { result: result.into(), refetch_chunks: refetch, reject_senders: senders };
    Ok(Answer { response, restored: false })
}
