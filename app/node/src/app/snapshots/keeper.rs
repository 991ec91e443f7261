//! Makes snapshots in a running node.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
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
    making: Arc<Mutex<Making>>,
}

/// What is being made.
#[derive(Debug, Default)]
enum Making {
    #[default]
    Nothing,
    /// One is, and after it this version's, which became due meanwhile.
    One { next: Option<View> },
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
        SnapshotKeeper { snapshots, policy: policy.clone(), making: Arc::default() }
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
        let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Making::One { next } = &mut *making {
            if let Some(skipped) = next.replace(view.clone()) {
                let height = skipped.version();
                tracing::warn!(height, "no snapshot: the one before is still being made; is the interval too short?");
            }
            return;
        }
        let (snapshots, keep_recent, view) = (self.snapshots.clone(), self.policy.keep_recent, view.clone());
        let all = Arc::clone(&self.making);
        let work = move || {
            let mut due = Some(view);
            while let Some(view) = due {
                make(&snapshots, &view, keep_recent);
                due = next_due(&all);
            }
        };
        match std::thread::Builder::new().name("snapshot".to_owned()).spawn(work) {
            Ok(_) => *making = Making::One { next: None },
            Err(error) => tracing::warn!(%error, height, "no thread for the snapshot"),
        }
    }
}

/// The version of which a snapshot is made next; none when the thread has done its work.
fn next_due(making: &Mutex<Making>) -> Option<View> {
    let mut making = making.lock().unwrap_or_else(PoisonError::into_inner);
    let next = match &mut *making {
        Making::One { next } => next.take(),
        Making::Nothing => None,
    };
    if next.is_none() {
        *making = Making::Nothing;
    }
    next
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
