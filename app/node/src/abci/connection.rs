//! One connection: a thread that reads frames ahead, one that serves them in order, one that writes the replies.
//!
//! # Invariants
//! - Replies leave in the order of their requests.
//! - The reply to the last commit is on the wire before the lifecycle hears of the stop, and a supervisor hears of it before that. After it the connections stay open, so
//!   that CometBFT saves the block and hands its commit to slower validators, until it asks for the next block, which is not
//!   answered, or until the patience is over.
//! - A request that cannot be served is not answered: the connection ends.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel},
    },
    time::Duration,
};

use tendermint_proto::v0_38::abci::{Request, RequestInfo, Response, request, response};

use super::{
    application::ReadApplication,
    dispatch::{self, ConsensusRequest, Route},
    error::ConnectionError,
    frame::{FrameReader, write_frame},
    net::Stream,
    owner::ConsensusHandle,
};
use crate::lifecycle::{Lifecycle, StopReason, Watched};

/// Requests read ahead of the one being served.
const REQUESTS_AHEAD_MAX: usize = 256;

/// Replies waiting to be written.
const REPLIES_MAX: usize = 256;

/// Bytes of replies put together before they are written.
const WRITE_BYTES: usize = 64 * 1024;

/// What all connections share.
pub(super) struct Shared {
    pub read: Arc<dyn ReadApplication>,
    pub consensus: ConsensusHandle,
    pub lifecycle: Arc<dyn Lifecycle>,
    pub frame_bytes_max: usize,
    pub patience_after_last_commit: Duration,
    /// A consensus connection is open.
    pub consensus_open: AtomicBool,
}

/// How a connection ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// It carried consensus.
    pub was_consensus: bool,
    /// The peer closed it between two frames, or what went wrong.
    pub result: Result<(), ConnectionError>,
}

/// Serves a connection until it ends.
pub(super) fn serve(shared: &Arc<Shared>, stream: &Stream) -> std::io::Result<Ended> {
    let requests = spawn_reader(shared, stream.try_clone()?)?;
    let (replies, writer) = spawn_writer(shared, stream.try_clone()?)?;
    let mut connection = Connection { shared, replies, is_consensus: false, last: None };
    let end = connection.run(&requests);
    let was_consensus = connection.is_consensus;
    let last = connection.last.take();
    drop(connection);
    // The writer ends once the queue is empty and flushed. Its panic is reported by its watch.
    let written = writer.join().unwrap_or(Ok(()));
    if let Some(Last { reason, .. }) = last {
        shared.lifecycle.stop(reason.clone());
        return Ok(Ended { was_consensus, result: Err(ConnectionError::Stopped(reason)) });
    }
    let result = match end {
        End::Closed => written.map_err(ConnectionError::Write),
        End::Failed(error) => Err(error),
    };
    Ok(Ended { was_consensus, result })
}

/// Why no more requests of a connection are served.
enum End {
    Closed,
    Failed(ConnectionError),
}

/// The last commit was answered: nothing more of consensus is. Dropped, it ends the wait.
struct Last {
    reason: StopReason,
    _waiting: Sender<()>,
}

impl Last {
    /// Has the process stop once the patience is over, if nothing else stops it before.
    fn begin(shared: &Arc<Shared>, reason: StopReason) -> std::io::Result<Self> {
        let (waiting, over) = channel::<()>();
        let (lifecycle, told) = (Arc::clone(&shared.lifecycle), reason.clone());
        let patience = shared.patience_after_last_commit;
        std::thread::Builder::new().name("abci-last".to_owned()).spawn(move || {
            // Nothing is ever sent: the wait ends with the time, or with the connection, which tells the reason itself.
            let _ = over.recv_timeout(patience);
            lifecycle.stop(told);
        })?;
        Ok(Last { reason, _waiting: waiting })
    }
}

struct Connection<'a> {
    shared: &'a Arc<Shared>,
    replies: SyncSender<response::Value>,
    is_consensus: bool,
    last: Option<Last>,
}

impl Connection<'_> {
    fn run(&mut self, requests: &Receiver<Result<Request, ConnectionError>>) -> End {
        loop {
            let request = match requests.recv() {
                Ok(Ok(request)) => request,
                Ok(Err(error)) => return End::Failed(error),
                Err(_) => return End::Closed,
            };
            let served = match dispatch::route(request) {
                Ok(Route::Read(request)) => self.read(request),
                Ok(Route::Consensus(request)) => self.consensus(request),
                Err(error) => Err(End::Failed(error)),
            };
            if let Err(end) = served {
                return end;
            }
        }
    }

    fn read(&self, request: dispatch::ReadRequest) -> Result<(), End> {
        match dispatch::read(self.shared.read.as_ref(), request) {
            Ok(value) => self.reply(value),
            Err(reason) => {
                self.shared.lifecycle.stop(reason.clone());
                Err(End::Failed(ConnectionError::Stopped(reason)))
            }
        }
    }

    fn consensus(&mut self, request: ConsensusRequest) -> Result<(), End> {
        if self.last.is_some() {
            return Err(End::Closed);
        }
        if request.marks_consensus_connection() && !self.is_consensus {
            if self.shared.consensus_open.swap(true, Ordering::SeqCst) {
                return Err(End::Failed(ConnectionError::SecondConsensus));
            }
            self.is_consensus = true;
        }
        // The owner has told the lifecycle why it ended.
        let answer = self.shared.consensus.call(request).map_err(|_| End::Failed(ConnectionError::OwnerEnded))?;
        if let Some(reason) = &answer.then_stop {
            self.announce_last(reason)?;
        }
        self.reply(answer.value)?;
        if let Some(reason) = answer.then_stop {
            let last = Last::begin(self.shared, reason.clone());
            self.last = Some(last.map_err(|_| End::Failed(ConnectionError::Stopped(reason)))?);
        }
        Ok(())
    }

    /// Tells a supervisor which commit is the last one, before its reply: it must not ask this process for the next block.
    fn announce_last(&self, reason: &StopReason) -> Result<(), End> {
        let info = self.shared.read.info(RequestInfo::default());
        let info = info.map_err(|reason| End::Failed(ConnectionError::Stopped(reason)))?;
        self.shared.lifecycle.last_commit(info.last_block_height, &info.last_block_app_hash, reason);
        Ok(())
    }

    fn reply(&self, value: response::Value) -> Result<(), End> {
        // The writer ends early only when the stream failed; joining it tells how.
        self.replies.send(value).map_err(|_| End::Closed)
    }
}

fn spawn_reader(shared: &Arc<Shared>, stream: Stream) -> std::io::Result<Receiver<Result<Request, ConnectionError>>> {
    let (requests, queue) = sync_channel(REQUESTS_AHEAD_MAX);
    let shared = Arc::clone(shared);
    std::thread::Builder::new().name("abci-read".to_owned()).spawn(move || {
        let _watched = Watched::new("abci-read", Arc::clone(&shared.lifecycle));
        let mut frames = FrameReader::new(stream, shared.frame_bytes_max);
        loop {
            let request = match frames.read::<Request>() {
                Ok(None) => return,
                Ok(Some(request)) => Ok(request),
                Err(error) => Err(ConnectionError::from(error)),
            };
            if let Ok(Request { value: Some(request::Value::CheckTx(check)) }) = &request {
                shared.read.foresee(&check.tx);
            }
            let failed = request.is_err();
            // The receiver is gone when the connection ended for another reason.
            if requests.send(request).is_err() || failed {
                return;
            }
        }
    })?;
    Ok(queue)
}

type Writer = (SyncSender<response::Value>, std::thread::JoinHandle<std::io::Result<()>>);

fn spawn_writer(shared: &Arc<Shared>, stream: Stream) -> std::io::Result<Writer> {
    let (replies, queue) = sync_channel(REPLIES_MAX);
    let lifecycle = Arc::clone(&shared.lifecycle);
    let thread = std::thread::Builder::new().name("abci-write".to_owned()).spawn(move || {
        let _watched = Watched::new("abci-write", lifecycle);
        let result = write_replies(&queue, &stream);
        if result.is_err() {
            // Wakes the reader, so that the connection ends as a whole.
            stream.close();
        }
        result
    })?;
    Ok((replies, thread))
}

/// Writes replies until the queue is closed; what is there together goes out together, and nothing waits for later replies.
fn write_replies(queue: &Receiver<response::Value>, mut stream: &Stream) -> std::io::Result<()> {
    let mut buffer = Vec::with_capacity(WRITE_BYTES);
    while let Ok(first) = queue.recv() {
        write_frame(&Response { value: Some(first) }, &mut buffer);
        while buffer.len() < WRITE_BYTES {
            match queue.try_recv() {
                Ok(next) => write_frame(&Response { value: Some(next) }, &mut buffer),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        stream.write_all(&buffer)?;
        buffer.clear();
        buffer.shrink_to(WRITE_BYTES);
    }
    stream.flush()
}
