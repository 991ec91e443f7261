//! ListSnapshots and LoadSnapshotChunk: what other nodes ask for. A snapshot that cannot be read is not served, and ends nothing.

use swing_store::snapshot::{Listed, Snapshots};
use tendermint_proto::v0_38::abci as pb;

/// Snapshots that are offered at once. CometBFT asks its peers for ten.
const OFFERED_MAX: usize = 10;

/// ABCI: ListSnapshots.
pub fn list(snapshots: &Snapshots) -> pb::ResponseListSnapshots {
    let listed = snapshots.list().unwrap_or_else(|error| {
        tracing::error!(%error, "the folder of snapshots");
        Vec::new()
    });
    let whole = listed
        .into_iter()
        .rev()
        .filter_map(|found| found.inspect_err(|error| tracing::error!(%error, "a snapshot is not offered")).ok());
    pb::ResponseListSnapshots { snapshots: whole.take(OFFERED_MAX).map(to_proto).collect() }
}

fn to_proto(Listed { height, format, metadata }: Listed) -> pb::Snapshot {
    pb::Snapshot {
        height,
        format,
        chunks: metadata.chunks(),
        hash: metadata.hash().to_vec().into(),
        metadata: metadata.encode().into(),
    }
}

/// ABCI: LoadSnapshotChunk. An empty chunk says that there is none.
pub fn load(snapshots: &Snapshots, request: &pb::RequestLoadSnapshotChunk) -> pb::ResponseLoadSnapshotChunk {
    let chunk = snapshots.chunk(request.height, request.format, request.chunk).unwrap_or_else(|error| {
        tracing::error!(%error, height = request.height, chunk = request.chunk, "a chunk is not served");
        None
    });
    pb::ResponseLoadSnapshotChunk { chunk: chunk.unwrap_or_default().into() }
}
