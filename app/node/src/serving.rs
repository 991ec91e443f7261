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
        bounded: impl FnOnce(tokio::net::TcpListener) -> L,
        app: Router,
    ) -> io::Result<SocketAddr> {
        let Some(runtime) = &self.runtime else { return Err(io::Error::other("the server has ended")) };
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "{name} listens beyond this machine: anybody who reaches it can use it");
        }
        let listener = bounded(runtime.block_on(async { tokio::net::TcpListener::from_std(listener) })?);
        let mut stopped = self.stop.subscribe();
        let told = async move {
            // An error means that the sender is gone, which is an end too.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
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
