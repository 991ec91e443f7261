//! Looks while the node runs: a CometBFT that has found out stops making blocks and keeps running.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use super::find;
use crate::{
    app::ReadApp,
    lifecycle::{Lifecycle, StopReason, Watched},
};

/// How often it is looked whether blocks come. A look at the log is taken only when none came since the last time.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// The thread that looks.
#[derive(Debug)]
pub struct DivergenceWatch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl DivergenceWatch {
    /// Starts it. A divergence that is proven ends the process.
    ///
    /// # Errors
    /// The system makes no thread.
    pub fn start(data_folder: PathBuf, read: Arc<ReadApp>, lifecycle: Arc<dyn Lifecycle>) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("divergence".to_owned()).spawn(move || {
            let _watched = Watched::new("divergence", Arc::clone(&lifecycle));
            let mut height_before = 0;
            while !asked.load(Ordering::SeqCst) {
                let committed = read.committed();
                if committed.height > 0 && committed.height == height_before {
                    match find(&data_folder, committed.state(), committed.height, &committed.app_hash) {
                        Ok(None) => {}
                        Ok(Some(divergence)) => return lifecycle.stop(StopReason::Diverged(divergence)),
                        Err(error) => tracing::debug!(%error, "not looked whether this node has diverged"),
                    }
                }
                height_before = committed.height;
                std::thread::park_timeout(LOOK_EVERY);
            }
        })?;
        Ok(DivergenceWatch { stop, thread })
    }

    /// Ends the thread.
    pub fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.thread().unpark();
        if self.thread.join().is_err() {
            tracing::error!("the thread that looks for a divergence panicked");
        }
    }
}
