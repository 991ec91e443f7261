//! Has the mark follow the signing state while an engine runs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use super::{HighWater, Signed, SigningError};
use crate::config::Home;

/// How often the signing state is looked at. A mark that lags by as much still tells yesterday's state from today's.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The thread that raises the mark.
#[derive(Debug)]
pub struct SigningWatch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl SigningWatch {
    /// Starts it. None where this home has no key of its own.
    ///
    /// # Errors
    /// The files cannot be read, or the system makes no thread.
    pub fn start(home: &Home) -> Result<Option<Self>, SigningError> {
        let Some(mut high_water) = HighWater::of_home(home)? else { return Ok(None) };
        let stop = Arc::new(AtomicBool::new(false));
        let (asked, home) = (Arc::clone(&stop), home.clone());
        let path = home.priv_validator_high_water();
        let work = move || {
            loop {
                // The last look is after the engine has ended.
                let last = asked.load(Ordering::SeqCst);
                if let Err(error) = look(&home, &mut high_water) {
                    tracing::warn!(%error, "the high-water mark of signing does not follow");
                }
                if last {
                    return;
                }
                std::thread::park_timeout(LOOK_EVERY);
            }
        };
        let thread = std::thread::Builder::new().name("signing-mark".to_owned()).spawn(work);
        Ok(Some(SigningWatch { stop, thread: thread.map_err(|source| SigningError::Io { path, source })? }))
    }

    /// Takes the last look and ends the thread. The engine has stopped.
    pub fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.thread().unpark();
        if self.thread.join().is_err() {
            tracing::error!("the thread of the high-water mark panicked");
        }
    }
}

fn look(home: &Home, high_water: &mut HighWater) -> Result<(), SigningError> {
    match Signed::of_home(home)? {
        Some(signed) => high_water.raise(signed),
        None => Ok(()),
    }
}
