//! Makes checkpoints in a running node.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use swing_core::ports::upgrade::Decision;
use swing_store::{
    Store,
    checkpoint::{CheckpointError, Checkpoints, Label, Manifest},
};

/// The folder of checkpoints in the data folder.
pub const FOLDER: &str = "checkpoints";

/// Checkpoints kept where `app.toml` does not say.
pub const KEEP_DEFAULT: usize = 2;

/// Blocks before an upgrade's at which room is checked and memory is written out, so that the checkpoint has little to copy.
const ARMED_BLOCKS_BEFORE: u64 = 10;

/// No checkpoint is kept.
const NONE: u64 = u64::MAX;

/// Which checkpoints a node keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointPolicy {
    /// Where.
    pub folder: PathBuf,
    /// How many; with 0 none is made.
    pub keep: usize,
}

impl CheckpointPolicy {
    /// The default in a data folder.
    pub fn new(data_folder: &Path) -> Self {
        CheckpointPolicy { folder: data_folder.join(FOLDER), keep: KEEP_DEFAULT }
    }
}

/// The committed state of which a checkpoint is made, as its manifest tells it.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// The committed height.
    pub height: u64,
    /// Its app hash.
    pub app_hash: &'a [u8],
    /// Its app version.
    pub app_version: u64,
    /// The chain's ID.
    pub chain_id: &'a str,
    /// The running release.
    pub release: &'a str,
}

/// Makes checkpoints when they are due.
#[derive(Debug)]
pub struct Keeper {
    checkpoints: Arc<Checkpoints>,
    keep: usize,
    /// Height of the oldest checkpoint, or [`NONE`].
    oldest: AtomicU64,
}

impl Keeper {
    /// With this policy.
    pub fn new(policy: &CheckpointPolicy) -> Self {
        let checkpoints = Arc::new(Checkpoints::new(&policy.folder));
        let keeper = Keeper { checkpoints, keep: policy.keep, oldest: AtomicU64::new(NONE) };
        keeper.note_oldest();
        keeper
    }

    /// The height of the oldest checkpoint: the engine must keep its blocks from the next one on.
    pub fn oldest_height(&self) -> Option<u64> {
        Some(self.oldest.load(Ordering::SeqCst)).filter(|height| *height != NONE)
    }

    /// Called after each commit and at the start, with the decision about the next block: makes the checkpoint when it is due.
    pub fn before(&self, store: &Store, kept: &Kept<'_>, decision: &Decision) {
        if self.keep == 0 || !matches!(decision, Decision::Needed(_) | Decision::Apply(_)) {
            return;
        }
        match self.find(kept) {
            Ok(Some(_)) => return,
            Ok(None) => {}
            Err(error) => return failed(kept.height, &error),
        }
        let label = Label {
            chain_id: kept.chain_id.to_owned(),
            app_version: kept.app_version,
            release: kept.release.to_owned(),
            created_by_height: kept.height.saturating_add(1),
        };
        match store.checkpoint(&self.checkpoints, label) {
            Ok(manifest) => {
                tracing::info!(
                    id = manifest.id,
                    height = manifest.height,
                    app_hash = manifest.app_hash,
                    "checkpoint made and opened once: `swingd rollback --to {}` goes back to it",
                    manifest.id
                );
                self.note_oldest();
                self.after_making(manifest, matches!(decision, Decision::Apply(_)));
            }
            Err(error) => failed(kept.height, &error),
        }
    }

    /// Called after each commit with the height of the pending plan: some blocks before it, sees that a checkpoint can be made.
    pub fn arm(&self, store: &Store, database: &Path, height: u64, plan_height: u64) {
        if self.keep == 0 || plan_height != height.saturating_add(ARMED_BLOCKS_BEFORE) {
            return;
        }
        if let Err(error) = store.flush_ahead() {
            tracing::warn!(%error, "memory was not written out ahead of the checkpoint, which takes longer then");
        }
        match self.checkpoints.check_room(database) {
            Ok(room) if room.free < room.at_most => tracing::warn!(
                free = room.free,
                at_most = room.at_most,
                "a checkpoint can be made, but may come to hold more than is free: watch the disk"
            ),
            Ok(_) => tracing::info!(plan_height, "a checkpoint will be made before the upgrade"),
            Err(error) => {
                tracing::error!(%error, plan_height, "NO CHECKPOINT can be made before the upgrade as things are")
            }
        }
    }

    fn find(&self, kept: &Kept<'_>) -> Result<Option<Manifest>, CheckpointError> {
        let app_hash = hex::encode_upper(kept.app_hash);
        let is_it = |manifest: &Manifest| manifest.height == kept.height && manifest.app_hash == app_hash;
        Ok(self.checkpoints.list()?.into_iter().flatten().find(is_it))
    }

    /// Removes what is too many, and reads the new one wholly where this process goes on. Neither is waited for: a removal that is
    /// cut off is finished by the next checkpoint.
    fn after_making(&self, manifest: Manifest, verify: bool) {
        let (checkpoints, keep) = (Arc::clone(&self.checkpoints), self.keep);
        let work = move || {
            if let Err(error) = checkpoints.prune(keep) {
                tracing::warn!(%error, "an old checkpoint was not removed");
            }
            if !verify {
                return;
            }
            match checkpoints.verify(&manifest.id) {
                Ok(verified) => tracing::info!(id = manifest.id, rows = verified.rows, "the checkpoint is whole"),
                Err(error) => tracing::error!(id = manifest.id, %error, "THE CHECKPOINT IS DAMAGED"),
            }
        };
        if let Err(error) = std::thread::Builder::new().name("checkpoint".to_owned()).spawn(work) {
            tracing::warn!(%error, "no thread for the checkpoint's verification");
        }
    }

    fn note_oldest(&self) {
        let oldest = self.checkpoints.list().into_iter().flatten().flatten().map(|manifest| manifest.height).min();
        self.oldest.store(oldest.unwrap_or(NONE), Ordering::SeqCst);
    }
}

fn failed(height: u64, error: &CheckpointError) {
    tracing::error!(%error, height, "NO CHECKPOINT was made: there is no going back to this height without state sync");
}
