//! Who is not taken by any node.

use std::{
    io,
    net::TcpStream,
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Held, answer};
use crate::clock::Moment;

/// How often a queue that somebody waits in is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long clients may take to read their answers.
const LINGER: Duration = Duration::from_millis(200);
/// Connections that are answered at once; the others are next.
const BATCH_MAX: usize = 256;

/// The thread that looks. It ends when dropped.
#[derive(Debug)]
pub(super) struct Watch {
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
    answered: Arc<AtomicU64>,
}

impl Watch {
    /// Starts looking.
    ///
    /// # Errors
    /// The system's.
    pub fn start(held: Arc<Vec<Held>>, wait_ms: u64) -> io::Result<Self> {
        let (stop, stopped) = UnixStream::pair()?;
        let answered = Arc::new(AtomicU64::new(0));
        let eye = Eye { waiting: vec![None; held.len()], held, stopped, wait_ms, answered: Arc::clone(&answered) };
        let thread = std::thread::Builder::new().name("sockets".to_owned()).spawn(move || {
            if let Err(error) = eye.run() {
                tracing::error!(%error, "clients that wait for a node are not answered any more");
            }
        })?;
        Ok(Watch { stop: Some(stop), thread: Some(thread), answered })
    }

    /// Connections that were answered.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that looks at waiting clients panicked");
        }
    }
}

struct Eye {
    held: Arc<Vec<Held>>,
    /// Since when somebody waits at each, as far as was seen at every look.
    waiting: Vec<Option<Moment>>,
    stopped: UnixStream,
    wait_ms: u64,
    answered: Arc<AtomicU64>,
}

impl Eye {
    fn run(mut self) -> io::Result<()> {
        loop {
            let patience = self.waiting.iter().any(Option::is_some).then_some(Duration::ZERO);
            let ready = self.look(patience)?;
            let Some(ready) = ready else { return Ok(()) };
            for ((held, since), ready) in self.held.iter().zip(&mut self.waiting).zip(ready) {
                // A queue that was empty once was emptied by a node.
                let began = ready.then(|| since.unwrap_or_else(Moment::now));
                *since = began;
                if began.is_some_and(|began| began.elapsed_ms() >= self.wait_ms) {
                    *since = None;
                    answer_all(held, &self.answered);
                }
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
    }

    /// Whether somebody waits at each; none when the supervisor is gone.
    fn look(&self, patience: Option<Duration>) -> io::Result<Option<Vec<bool>>> {
        let mut fds = vec![PollFd::new(&self.stopped, PollFlags::IN)];
        fds.extend(self.held.iter().map(|held| PollFd::new(&held.listener, PollFlags::IN)));
        let none = Timespec { tv_sec: 0, tv_nsec: 0 };
        match poll(&mut fds, patience.map(|_| &none)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
        let stopped = ready.next() == Some(true);
        Ok((!stopped).then(|| ready.collect()))
    }
}

/// Answers whoever waits.
fn answer_all(held: &Held, answered: &AtomicU64) {
    let mut told: Vec<TcpStream> = Vec::new();
    while told.len() < BATCH_MAX
        && let Ok((stream, _)) = held.listener.accept()
    {
        // Before the answer, so that whoever has it finds it counted.
        answered.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = answer::tell(&stream) {
            tracing::debug!(%error, "a client was gone");
        }
        told.push(stream);
    }
    tracing::debug!(name = held.name, count = told.len(), "clients were told to try again");
    // What a client still sends is read, so that the system does not take back the answer with a reset.
    std::thread::park_timeout(LINGER);
    told.iter().for_each(answer::drain);
}
