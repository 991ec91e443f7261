//! The server's life: it is bound, serves, and ends with the value.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, routing::any};
use tokio::{net::TcpListener, runtime::Runtime};

use super::{
    backend::Backend,
    http::{Service, handle},
    listener::BoundedListener,
};

/// Threads that serve sockets; methods run on threads of their own.
const SOCKET_THREADS: usize = 2;
/// How long the end waits for methods that still run.
const END_TIME_MAX: Duration = Duration::from_secs(2);

/// The settings, of section `rpc` in `config.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcConfig {
    /// Where to listen: `tcp://host:port`.
    pub laddr: String,
    /// Connections at once.
    pub connections_max: usize,
    /// Bytes of a request's body.
    pub body_bytes_max: usize,
    /// Calls in one body; 0 for no bound.
    pub batch_max: usize,
    /// How long `broadcast_tx_commit` waits for a block.
    pub timeout_broadcast_tx_commit: Duration,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is not one.
    #[error("rpc.laddr {laddr:?}: expected tcp://host:port")]
    Address {
        /// The setting.
        laddr: String,
    },
    /// The system refused.
    #[error("rpc.laddr {laddr}: {source}")]
    Listen {
        /// The setting.
        laddr: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A serving server; dropping it closes its port and its connections.
#[derive(Debug)]
pub struct RpcServer {
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl RpcServer {
    /// Binds and serves.
    ///
    /// # Errors
    /// The address is not one, or the system refuses.
    pub fn start(backend: Arc<dyn Backend>, config: &RpcConfig) -> Result<Self, ServerError> {
        let laddr = &config.laddr;
        let refused = |source| ServerError::Listen { laddr: laddr.clone(), source };
        let place = laddr
            .strip_prefix("tcp://")
            .filter(|place| place.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()))
            .ok_or_else(|| ServerError::Address { laddr: laddr.clone() })?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(SOCKET_THREADS)
            .thread_name("rpc")
            .enable_all()
            .build()
            .map_err(refused)?;
        let listener = runtime.block_on(TcpListener::bind(place)).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "RPC listens beyond this machine: anybody who reaches it can use it");
        }
        let app = Router::new().fallback(any(handle)).with_state(Arc::new(Service::new(backend, config)));
        let listener = BoundedListener::new(listener, config.connections_max);
        runtime.spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "RPC ended");
            }
        });
        tracing::info!(%address, "RPC listens");
        Ok(RpcServer { address, runtime: Some(runtime) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for RpcServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(END_TIME_MAX);
        }
    }
}
