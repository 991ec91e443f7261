//! Checkpoints that someone asked for, of the state that a coming block will commit.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use swing_files::Files;
use swing_store::{
    Store,
    checkpoint::{CheckpointError, Checkpoints, Manifest},
};

use super::Kept;

/// What becomes of a request.
pub type Made = Result<Manifest, String>;

/// Those that wait for their height.
#[derive(Debug, Default)]
pub struct Requests {
    waiting: Mutex<Vec<Request>>,
}

#[derive(Debug)]
struct Request {
    height: u64,
    folder: PathBuf,
    made: SyncSender<Made>,
}

impl Requests {
    /// Asks for a checkpoint of the state committed at `height`, in `folder`; with the committed height. None where that height is
    /// not to come, as `committed` tells; no commit passes between its answer and the request's being there.
    pub fn add(&self, height: u64, folder: PathBuf, committed: impl FnOnce() -> u64) -> Option<(u64, Receiver<Made>)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let now = committed();
        if now >= height {
            return None;
        }
        let (made, receiver) = sync_channel(1);
        waiting.push(Request { height, folder, made });
        Some((now, receiver))
    }

    /// Makes those of the state just committed. Called after each commit, before the next block begins.
    pub fn serve(&self, store: &Store, files: &Arc<dyn Files>, kept: &Kept<'_>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let due = waiting.extract_if(.., |request| request.height <= kept.height);
        for request in due {
            let made = if request.height == kept.height {
                let folder = Checkpoints::through(Arc::clone(files), &request.folder);
                store.checkpoint(&folder, kept.label()).map_err(words)
            } else {
                Err(format!("height {} is past, {} is committed", request.height, kept.height))
            };
            // Who asked may have gone.
            let _ = request.made.send(made);
        }
    }
}

/// A failure in words.
pub fn words(error: CheckpointError) -> String {
    error.to_string()
}
