//! HTTP servers on threads of their own, and their end, which loses nothing that was begun.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use axum::{Router, serve::Listener};
use tokio::{runtime::Runtime, sync::watch, task::JoinHandle, time::timeout};

/// Threads that serve sockets; what may block runs on others.
const SOCKET_THREADS: usize = 2;

/// How long an end waits for the first bytes of connections that were accepted before it.
const FIRST_BYTES_TIME_MAX: Duration = Duration::from_secs(1);

/// What a listener knows of its server's end. A connection without its first bytes would be closed unheard by a graceful end, although its
/// client has been accepted: so a listener accepts nothing once the end is told, and the end waits for the first bytes of the others.
#[derive(Clone, Debug)]
pub(crate) struct Newcomers {
    stop: watch::Receiver<bool>,
    silent: watch::Sender<usize>,
}

/// A connection of which nothing was read yet.
#[derive(Debug)]
pub(crate) struct Newcomer(watch::Sender<usize>);

impl Newcomers {
    fn new(stop: watch::Receiver<bool>) -> Self {
        Newcomers { stop, silent: watch::channel(0).0 }
    }

    /// Returns when no more connections are to be accepted.
    pub async fn stopped(&mut self) {
        // An error means that the sender is gone, which is an end too.
        let _ = self.stop.wait_for(|stop| *stop).await;
    }

    /// A connection was accepted; dropped when its first bytes are read, or with it.
    pub fn add(&self) -> Newcomer {
        self.silent.send_modify(|count| *count = count.saturating_add(1));
        Newcomer(self.silent.clone())
    }

    /// Returns when the server may end what is open.
    async fn heard(mut self) {
        self.stopped().await;
        let mut silent = self.silent.subscribe();
        let _ = timeout(FIRST_BYTES_TIME_MAX, silent.wait_for(|count| *count == 0)).await;
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// Serving servers. Dropped without [`Serving::end`] they are cut off.
#[derive(Debug)]
pub(crate) struct Serving {
    runtime: Option<Runtime>,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
}

impl Serving {
    /// Threads of this name, that serve nothing yet.
    ///
    /// # Errors
    /// The system's.
    pub fn new(threads: &str) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(SOCKET_THREADS)
            .thread_name(threads)
            .enable_all()
            .build()?;
        let (stop, _) = watch::channel(false);
        Ok(Serving { runtime: Some(runtime), stop, servers: Vec::new() })
    }

    /// Serves at a socket, which `bounded` bounds; gives its address. `name` is for people.
    ///
    /// # Errors
    /// The system's.
    pub fn add<L: Listener<Addr = SocketAddr>>(
        &mut self,
        name: &'static str,
        listener: TcpListener,
        bounded: impl FnOnce(tokio::net::TcpListener, Newcomers) -> L,
        app: Router,
    ) -> io::Result<SocketAddr> {
        let Some(runtime) = &self.runtime else { return Err(io::Error::other("the server has ended")) };
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "{name} listens beyond this machine: anybody who reaches it can use it");
        }
        let newcomers = Newcomers::new(self.stop.subscribe());
        let told = newcomers.clone().heard();
        let listener = runtime.block_on(async { tokio::net::TcpListener::from_std(listener) })?;
        let listener = bounded(listener, newcomers);
        self.servers.push(runtime.spawn(async move {
            if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(told).await {
                tracing::error!(%error, "{name} ended");
            }
        }));
        tracing::info!(%address, "{name} listens");
        Ok(address)
    }

    /// Takes no more connections. Those that are there are served to their ends.
    pub fn stop_accepting(&self) {
        self.stop.send_replace(true);
    }

    /// Waits for what was begun, at most this long, and ends.
    pub fn end(&mut self, patience: Duration) {
        self.stop_accepting();
        let Some(runtime) = self.runtime.take() else { return };
        let servers = std::mem::take(&mut self.servers);
        let all = async {
            for server in servers {
                // Its end is what is waited for, whatever it was.
                let _ = server.await;
            }
        };
        if runtime.block_on(async { timeout(patience, all).await }).is_err() {
            tracing::warn!("requests of clients were still going on and are cut off");
        }
        runtime.shutdown_background();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };

    use super::*;
    use crate::rpc::listener::BoundedListener;

    #[test]
    fn a_client_that_was_accepted_and_has_said_nothing_yet_is_heard_although_the_end_is_told() {
        let mut serving = Serving::new("test").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let mut silent = None;
        let bounded = |listener, newcomers: Newcomers| {
            silent = Some(newcomers.silent.subscribe());
            BoundedListener::new(listener, newcomers, 4)
        };
        let app = Router::new().fallback(|| async { "heard" });
        let address = serving.add("test", listener, bounded, app).unwrap();
        let mut client = TcpStream::connect(address).unwrap();
        let mut silent = silent.unwrap();
        let accepted = async { timeout(Duration::from_secs(10), silent.wait_for(|count| *count == 1)).await.is_ok() };
        assert!(serving.runtime.as_ref().unwrap().block_on(accepted));
        serving.stop_accepting();
        // It is not closed, for as long as a test can wait to see it.
        client.set_read_timeout(Some(FIRST_BYTES_TIME_MAX / 4)).unwrap();
        let open = client.read(&mut [0]).map_err(|error| error.kind());
        assert!(matches!(open, Err(io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)), "{open:?}");
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(client, "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("heard"), "{answer}");
        serving.end(Duration::from_secs(5));
    }
}
