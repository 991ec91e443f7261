//! The server's life: it is bound, serves, and ends with the value.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, routing::any};

use super::{
    backend::Backend,
    http::{Service, handle},
    listener::BoundedListener,
};
use crate::{listening, serving::Serving};

/// How long the end waits for requests that were begun.
const END_TIME_MAX: Duration = Duration::from_secs(1);

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

/// A serving server; dropping it closes its port, answers what was begun and closes its connections.
#[derive(Debug)]
pub struct RpcServer {
    address: SocketAddr,
    serving: Serving,
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
        let listener = listening::listen(listening::RPC, place).map_err(refused)?;
        let app = Router::new().fallback(any(handle)).with_state(Arc::new(Service::new(backend, config)));
        let mut serving = Serving::new("rpc").map_err(refused)?;
        let bounded = |listener, newcomers| BoundedListener::mending(listener, newcomers, config.connections_max);
        let address = serving.add("RPC", listener, bounded, app).map_err(refused)?;
        Ok(RpcServer { address, serving })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for RpcServer {
    fn drop(&mut self) {
        self.serving.end(END_TIME_MAX);
    }
}
