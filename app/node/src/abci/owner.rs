//! The thread that owns consensus, and the handle by which others reach it.
//!
//! # Invariants
//! - One thread executes all consensus requests, in the order of their arrival.
//! - After a failure, or after the reply to the last commit, it serves nothing more.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use super::{
    application::ConsensusApplication,
    dispatch::{self, Answer, ConsensusRequest},
};
use crate::lifecycle::{Halt, Lifecycle, StopReason, Watched};

/// Requests that wait for the owner; CometBFT never has more than one.
const JOBS_MAX: usize = 4;

/// Longest wait for a thread that is ending.
const UNWINDING_TIME_MAX: Duration = Duration::from_secs(10);

enum Job {
    Request(Box<ConsensusRequest>, SyncSender<Answer>),
    Drain,
}

/// Reaches the owner thread. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ConsensusHandle {
    jobs: SyncSender<Job>,
    ended: Arc<Ended>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Job::Request(..) => f.write_str("Request"),
            Job::Drain => f.write_str("Drain"),
        }
    }
}

/// The owner serves nothing more: it failed, stopped, or was drained. The reason is with the [`Lifecycle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the thread that owns consensus has ended")]
pub struct OwnerEnded;

impl ConsensusHandle {
    /// Has a request executed and waits for the answer.
    ///
    /// # Errors
    /// [`OwnerEnded`]: there is no answer and there will be none.
    pub fn call(&self, request: ConsensusRequest) -> Result<Answer, OwnerEnded> {
        let (reply, answer) = sync_channel(1);
        let sent = self.jobs.send(Job::Request(Box::new(request), reply)).is_ok();
        match answer.recv() {
            Ok(answer) if sent => Ok(answer),
            _ => {
                // A thread that panics drops the reply before it reports the panic, and the report must come first.
                self.ended.wait(UNWINDING_TIME_MAX);
                Err(OwnerEnded)
            }
        }
    }

    /// Has the owner finish the block in progress (its Commit included) and end. True when it ended within `patience`.
    pub fn drain(&self, patience: Duration) -> bool {
        // An error means that it has ended.
        let _ = self.jobs.try_send(Job::Drain);
        self.ended.wait(patience)
    }
}

#[derive(Debug, Default)]
struct Ended {
    flag: Mutex<bool>,
    changed: Condvar,
}

impl Ended {
    fn set(&self) {
        *self.flag.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn wait(&self, patience: Duration) -> bool {
        let flag = self.flag.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(flag, patience, |ended| !*ended);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Starts the owner thread. `build` makes the application on it, since an application may be bound to its thread.
///
/// # Errors
/// The system's, when no thread can be made.
pub fn spawn<A, F>(build: F, lifecycle: Arc<dyn Lifecycle>) -> std::io::Result<(ConsensusHandle, JoinHandle<()>)>
where
    A: ConsensusApplication,
    F: FnOnce() -> Result<A, StopReason> + Send + 'static,
{
    let (jobs, queue) = sync_channel(JOBS_MAX);
    let ended = Arc::new(Ended::default());
    let handle = ConsensusHandle { jobs, ended: Arc::clone(&ended) };
    let thread = std::thread::Builder::new().name("consensus".to_owned()).spawn(move || {
        let _ended = SetOnDrop(ended);
        let _watched = Watched::new("consensus", Arc::clone(&lifecycle));
        match build() {
            Ok(mut application) => serve(&mut application, &queue, lifecycle.as_ref()),
            Err(reason) => lifecycle.stop(reason),
        }
    })?;
    Ok((handle, thread))
}

struct SetOnDrop(Arc<Ended>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

fn serve(application: &mut dyn ConsensusApplication, queue: &Receiver<Job>, lifecycle: &dyn Lifecycle) {
    let mut draining = false;
    while !draining || application.block_in_progress() {
        // All handles are gone: nothing can come any more.
        let Ok(job) = queue.recv() else { return };
        let (request, reply) = match job {
            Job::Drain => {
                draining = true;
                continue;
            }
            Job::Request(request, reply) => (request, reply),
        };
        match dispatch::consensus(application, *request) {
            Ok(answer) => {
                let last = answer.then_stop.is_some();
                if reply.send(answer).is_err() {
                    lifecycle.stop(StopReason::Halt(Halt::new("nobody waits for the answer of a consensus request")));
                    return;
                }
                if last {
                    return;
                }
            }
            Err(reason) => {
                lifecycle.stop(reason);
                return;
            }
        }
    }
}
