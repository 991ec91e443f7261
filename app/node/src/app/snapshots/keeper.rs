//! Makes snapshots in a running node.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use swing_core::{chain, modules::consensus, state::StateError};
use swing_files::Files;
use swing_store::{
    View,
    snapshot::{About, Snapshots},
};

use crate::releases;

/// The folder of snapshots in the data folder.
pub const FOLDER: &str = "snapshots";

/// Snapshots kept where `app.toml` does not say, as in the SDK.
pub const KEEP_RECENT_DEFAULT: usize = 2;

/// Which snapshots a node makes and keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotPolicy {
    /// Where.
    pub folder: PathBuf,
    /// Blocks from one to the next: one is made at each height that this divides. With 0 none is made.
    pub interval: u64,
    /// How many are kept; with 0 all.
    pub keep_recent: usize,
}

impl SnapshotPolicy {
    /// The default in a data folder: none is made.
    pub fn new(data_folder: &Path) -> Self {
        SnapshotPolicy { folder: data_folder.join(FOLDER), interval: 0, keep_recent: KEEP_RECENT_DEFAULT }
    }
}

/// What a snapshot's metadata says of a version, from that version alone: it is the same on every node.
///
/// # Errors
/// Storage.
pub fn about(view: &View) -> Result<About, StateError> {
    let app_version = consensus::state::app_version(view)?;
    let release = releases::name_of(app_version).unwrap_or_default().to_owned();
    Ok(About { chain_id: chain::id(view)?, app_version, release })
}

/// Makes snapshots when they are due, one at a time.
#[derive(Debug)]
pub struct SnapshotKeeper {
    snapshots: Snapshots,
    policy: SnapshotPolicy,
    busy: Arc<AtomicBool>,
}

impl SnapshotKeeper {
    /// With this policy, on a committed height. Snapshots from above it are of a state that was taken back: whoever was offered one
    /// would find it wrong, and its sender with it.
    pub fn new(policy: &SnapshotPolicy, files: &Arc<dyn Files>, height: u64) -> Self {
        let snapshots = Snapshots::through(Arc::clone(files), &policy.folder);
        // A home whose database was removed has snapshots to be restored from.
        if height > 0 {
            match snapshots.delete_above(height) {
                Ok(gone) if gone.is_empty() => {}
                Ok(gone) => tracing::info!(heights = ?gone, "snapshots from above the committed height are removed"),
                Err(error) => tracing::error!(%error, "a snapshot from above the committed height was not removed"),
            }
        }
        SnapshotKeeper { snapshots, policy: policy.clone(), busy: Arc::new(AtomicBool::new(false)) }
    }

    /// The folder of snapshots.
    pub fn snapshots(&self) -> &Snapshots {
        &self.snapshots
    }

    /// Called after each commit: begins a snapshot of the version where one is due, and does not wait for it. While the view is
    /// read its version is not pruned.
    pub fn after_commit(&self, view: &View) {
        let height = view.version();
        if self.policy.interval == 0 || !height.is_multiple_of(self.policy.interval) {
            return;
        }
        if self.busy.swap(true, Ordering::SeqCst) {
            return tracing::warn!(
                height,
                "no snapshot: the one before is still being made; is the interval too short?"
            );
        }
        let (snapshots, keep_recent, view) = (self.snapshots.clone(), self.policy.keep_recent, view.clone());
        let busy = Busy(Arc::clone(&self.busy));
        let work = move || {
            let _busy = busy;
            make(&snapshots, &view, keep_recent);
        };
        if let Err(error) = std::thread::Builder::new().name("snapshot".to_owned()).spawn(work) {
            tracing::warn!(%error, height, "no thread for the snapshot");
        }
    }
}

/// Says, when it is dropped, that the next one can be made.
struct Busy(Arc<AtomicBool>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

fn make(snapshots: &Snapshots, view: &View, keep_recent: usize) {
    let height = view.version();
    let made = about(view).map_err(Into::into).and_then(|about| snapshots.make(view, about));
    match made {
        Ok(metadata) => tracing::info!(height, chunks = metadata.chunks(), "snapshot made"),
        Err(error) => return tracing::error!(%error, height, "NO SNAPSHOT was made"),
    }
    if let Err(error) = snapshots.prune(keep_recent) {
        tracing::warn!(%error, "an old snapshot was not removed");
    }
}
