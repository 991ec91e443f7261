//! The end of the process as a port, the production one, and the watch over threads.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use super::StopReason;

/// Hears that the process must end.
pub trait Lifecycle: Send + Sync {
    /// The process must end, for this reason. Returns at once; the caller answers nothing any more.
    fn stop(&self, reason: StopReason);

    /// The commit that is answered next is the last one of this process, for this reason. Told before its reply leaves.
    fn last_commit(&self, _height: i64, _app_hash: &[u8], _reason: &StopReason) {}
}

/// Remembers the first reason; `main` waits on it.
#[derive(Debug, Default)]
pub struct StopSwitch {
    reason: Mutex<Option<StopReason>>,
    set: Condvar,
}

impl StopSwitch {
    /// A switch that nobody has thrown.
    pub fn new() -> Arc<Self> {
        Arc::new(StopSwitch::default())
    }

    /// The first reason, when there is one.
    pub fn reason(&self) -> Option<StopReason> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for the first reason.
    pub fn wait(&self) -> StopReason {
        let mut reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(reason) = reason.as_ref() {
                return reason.clone();
            }
            reason = self.set.wait(reason).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for the first reason, at most this long.
    pub fn wait_at_most(&self, patience: Duration) -> Option<StopReason> {
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.set.wait_timeout_while(reason, patience, |reason| reason.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}

impl Lifecycle for StopSwitch {
    fn stop(&self, reason: StopReason) {
        let mut first = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        match first.as_ref() {
            Some(before) => tracing::debug!(%reason, %before, "one more reason to stop"),
            None => {
                *first = Some(reason);
                self.set.notify_all();
            }
        }
    }
}

/// Ends the process when the thread that holds it panics. The panic goes on; nothing is caught.
pub struct Watched {
    thread: &'static str,
    lifecycle: Arc<dyn Lifecycle>,
}

impl Watched {
    /// Watches the current thread for as long as the value lives.
    pub fn new(thread: &'static str, lifecycle: Arc<dyn Lifecycle>) -> Self {
        Watched { thread, lifecycle }
    }
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("thread", &self.thread).finish_non_exhaustive()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.lifecycle.stop(StopReason::Panicked { thread: self.thread.to_owned() });
        }
    }
}
