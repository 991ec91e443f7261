//! The ABCI server: listens, serves connections, and tells the lifecycle when consensus is lost.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{
    application::ReadApplication,
    connection::{self, Ended, Shared},
    error::BindError,
    frame::FRAME_BYTES_MAX_DEFAULT,
    net::{Address, Listener, Stream},
    owner::ConsensusHandle,
};
use crate::lifecycle::{Halt, Lifecycle, StopReason, Watched};

/// The default of [`ServerConfig::patience_after_last_commit`]: CometBFT's rounds last three to five seconds by default.
const PATIENCE_AFTER_LAST_COMMIT: Duration = Duration::from_secs(10);

/// Limits of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Largest frame accepted, bytes.
    pub frame_bytes_max: usize,
    /// How long the connections stay open after the reply to the last commit before an upgrade, when the engine does not ask
    /// for the next block before. CometBFT needs it to save that block, and slower validators to get its commit from here.
    pub patience_after_last_commit: Duration,
    /// Connections at a time; CometBFT opens four.
    pub connections_max: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig {
            frame_bytes_max: FRAME_BYTES_MAX_DEFAULT,
            patience_after_last_commit: PATIENCE_AFTER_LAST_COMMIT,
            connections_max: 32,
        }
    }
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: Address,
    open: Arc<OpenConnections>,
    consensus: ConsensusHandle,
    closing: Arc<AtomicBool>,
}

impl Server {
    /// Listens at `address` and serves from threads of its own.
    ///
    /// # Errors
    /// [`BindError`].
    pub fn start(
        address: &Address,
        config: ServerConfig,
        read: Arc<dyn ReadApplication>,
        consensus: ConsensusHandle,
        lifecycle: Arc<dyn Lifecycle>,
    ) -> Result<Self, BindError> {
        let failed = |source| BindError::Io { address: address.to_string(), source };
        let listener = Listener::bind(address)?;
        let bound = listener.address().map_err(failed)?;
        let open = Arc::new(OpenConnections { max: config.connections_max, ..OpenConnections::default() });
        let closing = Arc::new(AtomicBool::new(false));
        let shared = Arc::new(Shared {
            read,
            consensus: consensus.clone(),
            lifecycle,
            frame_bytes_max: config.frame_bytes_max,
            patience_after_last_commit: config.patience_after_last_commit,
            consensus_open: AtomicBool::new(false),
        });
        let acceptor = Acceptor { shared, open: Arc::clone(&open), closing: Arc::clone(&closing) };
        std::thread::Builder::new()
            .name("abci-accept".to_owned())
            .spawn(move || acceptor.run(&listener))
            .map_err(failed)?;
        Ok(Server { address: bound, open, consensus, closing })
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Clean stop: the block in progress is finished, replies that are due are written, connections are closed. False when that
    /// took longer than `patience` and the rest was cut off.
    pub fn drain(&self, patience: Duration) -> bool {
        let drained = self.consensus.drain(patience);
        self.close(patience) && drained
    }

    /// Accepts and reads nothing more; replies that are due are written, connections are closed. False when that took longer than
    /// `patience` and the rest was cut off.
    pub fn close(&self, patience: Duration) -> bool {
        self.closing.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then drops its listener.
        drop(Stream::connect(&self.address));
        let finished = self.open.finish(patience);
        if !finished {
            self.open.cut();
        }
        finished
    }
}

struct Acceptor {
    shared: Arc<Shared>,
    open: Arc<OpenConnections>,
    closing: Arc<AtomicBool>,
}

impl Acceptor {
    fn run(&self, listener: &Listener) {
        let _watched = Watched::new("abci-accept", Arc::clone(&self.shared.lifecycle));
        loop {
            let stream = match listener.accept() {
                _ if self.closing.load(Ordering::SeqCst) => return,
                Ok(stream) => stream,
                Err(error) if is_passing(&error) => {
                    tracing::warn!(%error, "accepting an ABCI connection");
                    continue;
                }
                Err(error) => {
                    let reason = format!("accepting ABCI connections: {error}");
                    return self.shared.lifecycle.stop(StopReason::Halt(Halt::new(reason)));
                }
            };
            if let Err(error) = self.spawn(stream) {
                let reason = format!("serving an ABCI connection: {error}");
                return self.shared.lifecycle.stop(StopReason::Halt(Halt::new(reason)));
            }
        }
    }

    fn spawn(&self, stream: Stream) -> std::io::Result<()> {
        let Some(id) = self.open.add(stream.try_clone()?) else {
            tracing::warn!(max = self.open.max, "an ABCI connection was refused: too many are open");
            return Ok(());
        };
        let (shared, open) = (Arc::clone(&self.shared), Arc::clone(&self.open));
        std::thread::Builder::new().name("abci-serve".to_owned()).spawn(move || {
            let _watched = Watched::new("abci-serve", Arc::clone(&shared.lifecycle));
            let _slot = Slot { open, id };
            let ended = connection::serve(&shared, &stream);
            stream.close();
            report(&shared, ended);
        })?;
        Ok(())
    }
}

/// Errors of one connection attempt that say nothing of the listener.
fn is_passing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

fn report(shared: &Shared, ended: std::io::Result<Ended>) {
    match ended {
        Err(error) => {
            let reason = format!("serving an ABCI connection: {error}");
            shared.lifecycle.stop(StopReason::Halt(Halt::new(reason)));
        }
        Ok(Ended { was_consensus: true, result }) => {
            let detail = result.err().map_or_else(|| "the engine closed it".to_owned(), |error| error.to_string());
            // Last, so that a stop that is due for another reason comes first.
            shared.lifecycle.stop(StopReason::ConsensusLost { detail });
        }
        Ok(Ended { result: Err(error), .. }) => tracing::warn!(%error, "an ABCI connection was closed"),
        Ok(Ended { result: Ok(()), .. }) => tracing::debug!("an ABCI connection ended"),
    }
}

/// The open connections, for closing them.
#[derive(Debug, Default)]
struct OpenConnections {
    max: usize,
    streams: Mutex<Streams>,
    fewer: Condvar,
}

#[derive(Debug, Default)]
struct Streams {
    next: u64,
    open: BTreeMap<u64, Stream>,
}

impl OpenConnections {
    fn add(&self, stream: Stream) -> Option<u64> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if streams.open.len() >= self.max {
            return None;
        }
        let id = streams.next;
        streams.next = id.saturating_add(1);
        streams.open.insert(id, stream);
        Some(id)
    }

    /// Ends reading on all connections and waits until they have written what is due.
    fn finish(&self, patience: Duration) -> bool {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.open.values().for_each(Stream::close_reading);
        let waited = self.fewer.wait_timeout_while(streams, patience, |streams| !streams.open.is_empty());
        waited.unwrap_or_else(PoisonError::into_inner).0.open.is_empty()
    }

    fn cut(&self) {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).open.values().for_each(Stream::close);
    }
}

/// A connection's place among the open ones.
struct Slot {
    open: Arc<OpenConnections>,
    id: u64,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.open.streams.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&self.id);
        self.open.fewer.notify_all();
    }
}
