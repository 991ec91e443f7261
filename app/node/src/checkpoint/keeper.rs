//! Makes checkpoints in a running node.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use swing_files::Files;
use swing_store::{
    Store,
    checkpoint::{CheckpointError, Checkpoints, Label, Manifest, Step},
};

use super::priority;
use crate::{
    config::toml_file::TomlFile,
    killpoints::{Killpoint, Killpoints},
};

/// The folder of checkpoints in the data folder.
pub const FOLDER: &str = "checkpoints";

/// Checkpoints kept where `app.toml` does not say.
const KEEP_DEFAULT: usize = 2;

/// Blocks before the one at hand at which memory is written out, so that the checkpoint has little to copy.
const FLUSH_BLOCKS_BEFORE: u64 = 10;

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

    /// How many are kept, as `app.toml` says.
    ///
    /// # Errors
    /// The setting makes no sense.
    pub fn keep_of(file: Option<&TomlFile>) -> Result<usize, String> {
        let Some(text) = file.and_then(|file| file.get("upgrade.checkpoints")) else {
            return Ok(KEEP_DEFAULT);
        };
        text.parse::<u16>()
            .map(usize::from)
            .map_err(|_| format!("upgrade.checkpoints: {text:?} is not a number of checkpoints"))
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

impl Kept<'_> {
    /// What a checkpoint's manifest says of it.
    pub fn label(&self) -> Label {
        Label {
            chain_id: self.chain_id.to_owned(),
            app_version: self.app_version,
            release: self.release.to_owned(),
            created_by_height: self.height.saturating_add(1),
        }
    }
}

/// Makes checkpoints when they are due.
#[derive(Debug)]
pub struct Keeper {
    kept: Arc<Held>,
    armed: Mutex<Armed>,
    /// Something was made, or is from a run before, that was not looked through yet.
    untidy: AtomicBool,
}

/// What the keeper and its thread in the background share.
#[derive(Debug)]
struct Held {
    checkpoints: Checkpoints,
    keep: usize,
    /// Height of the oldest checkpoint.
    oldest: Mutex<Option<u64>>,
}

/// What was seen to about the next block that needs a checkpoint.
#[derive(Debug, Default)]
struct Armed {
    /// Its height.
    target: Option<u64>,
    /// Memory was written out for it.
    flushed: bool,
}

impl Keeper {
    /// With this policy.
    pub fn new(policy: &CheckpointPolicy, files: &Arc<dyn Files>) -> Self {
        let checkpoints = Checkpoints::through(Arc::clone(files), &policy.folder);
        // It can hold as much as a whole one. Nothing is made or removed yet by this process, which has the database.
        if let Err(error) = checkpoints.remove_unfinished() {
            tracing::warn!(%error, "what is left of a checkpoint that was being made or removed was not removed");
        }
        let kept = Arc::new(Held { checkpoints, keep: policy.keep, oldest: Mutex::default() });
        kept.note_oldest();
        Keeper { kept, armed: Mutex::default(), untidy: AtomicBool::new(true) }
    }

    /// The height of the oldest checkpoint: the engine must keep its blocks from the next one on.
    pub fn oldest_height(&self) -> Option<u64> {
        *self.kept.oldest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a checkpoint of the committed state, unless there is one. Called when the next block replaces something that cannot
    /// be replaced back; returns when it is made, so that nothing of that block is written before.
    pub fn make(&self, store: &Store, kept: &Kept<'_>, killpoints: &dyn Killpoints) {
        if self.kept.keep == 0 {
            return;
        }
        match self.kept.find(kept) {
            Ok(Some(_)) => return,
            Ok(None) => {}
            Err(error) => return failed(kept.height, &error),
        }
        let mut on_step = |step| killpoints.reach(killpoint(step), kept.height);
        match store.checkpoint_in_steps(&self.kept.checkpoints, kept.label(), &mut on_step) {
            Ok(manifest) => {
                tracing::info!(
                    id = manifest.id,
                    height = manifest.height,
                    app_hash = manifest.app_hash,
                    "checkpoint made and opened once: `swingd rollback --to {}` goes back to it",
                    manifest.id
                );
                self.kept.note_oldest();
                self.untidy.store(true, Ordering::SeqCst);
            }
            Err(error) => failed(kept.height, &error),
        }
    }

    /// Called after each commit with the height of the next block that a checkpoint will be made before: sees at once, and again
    /// some blocks before it, that one can be made.
    pub fn arm(&self, store: &Store, database: &Path, height: u64, target: u64) {
        if self.kept.keep == 0 {
            return;
        }
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = armed.target != Some(target);
        if is_new {
            *armed = Armed { target: Some(target), flushed: false };
        }
        let flush = !armed.flushed && target <= height.saturating_add(FLUSH_BLOCKS_BEFORE);
        if flush {
            armed.flushed = true;
            if let Err(error) = store.flush_ahead() {
                tracing::warn!(%error, "memory was not written out ahead of the checkpoint, which takes longer then");
            }
        }
        if !is_new && !flush {
            return;
        }
        match self.kept.checkpoints.check_room(database) {
            Ok(room) if room.free < room.at_most => tracing::warn!(
                target,
                free = room.free,
                at_most = room.at_most,
                "a checkpoint can be made, but may come to hold more than is free: watch the disk"
            ),
            Ok(_) => tracing::info!(target, "a checkpoint will be made before this block"),
            Err(error) => tracing::error!(%error, target, "NO CHECKPOINT can be made before this block as things are"),
        }
    }

    /// Removes the checkpoints that are too many, and reads each one wholly that was not read yet. Not waited for: what is cut off
    /// is done at the next start.
    pub fn tidy(&self) {
        if !self.untidy.swap(false, Ordering::SeqCst) || self.kept.is_tidy() {
            return;
        }
        let kept = Arc::clone(&self.kept);
        let work = move || {
            priority::lower();
            kept.tidy();
        };
        if let Err(error) = std::thread::Builder::new().name("checkpoint".to_owned()).spawn(work) {
            tracing::warn!(%error, "no thread for the checkpoints' verification");
        }
    }
}

impl Held {
    fn find(&self, kept: &Kept<'_>) -> Result<Option<Manifest>, CheckpointError> {
        let app_hash = hex::encode_upper(kept.app_hash);
        let is_it = |manifest: &Manifest| manifest.height == kept.height && manifest.app_hash == app_hash;
        Ok(self.checkpoints.list()?.into_iter().flatten().find(is_it))
    }

    /// The checkpoints whose manifests can be read.
    fn readable(&self) -> Vec<Manifest> {
        self.checkpoints.list().into_iter().flatten().flatten().collect()
    }

    fn is_tidy(&self) -> bool {
        let all = self.readable();
        all.len() <= self.keep && all.iter().all(|manifest| self.checkpoints.is_verified(manifest))
    }

    fn tidy(&self) {
        if self.keep > 0 {
            if let Err(error) = self.checkpoints.prune(self.keep) {
                tracing::warn!(%error, "an old checkpoint was not removed");
            }
            self.note_oldest();
        }
        for manifest in self.readable() {
            if self.checkpoints.is_verified(&manifest) {
                continue;
            }
            match self.checkpoints.verify(&manifest.id) {
                Ok(verified) => tracing::info!(id = manifest.id, rows = verified.rows, "the checkpoint is whole"),
                Err(error) => {
                    tracing::error!(id = manifest.id, %error, "THE CHECKPOINT IS DAMAGED");
                    continue;
                }
            }
            if let Err(error) = self.checkpoints.note_verified(&manifest.id) {
                tracing::warn!(id = manifest.id, %error, "that it is whole was not noted: it is read again at the next start");
            }
        }
    }

    fn note_oldest(&self) {
        // Held while the folder is read: who looked first must not write last.
        let mut oldest = self.oldest.lock().unwrap_or_else(PoisonError::into_inner);
        *oldest = self.readable().iter().map(|manifest| manifest.height).min();
    }
}

fn killpoint(step: Step) -> Killpoint {
    match step {
        Step::Begun => Killpoint::BeforeCheckpoint,
        Step::Linked => Killpoint::CheckpointLinked,
        Step::Described => Killpoint::CheckpointDescribed,
        Step::Placed => Killpoint::AfterCheckpoint,
    }
}

fn failed(height: u64, error: &CheckpointError) {
    tracing::error!(%error, height, "NO CHECKPOINT was made: there is no going back to this height without state sync");
}
