//! The servers' life: bound before the node is ready, served when it is, and ended without losing what was begun.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::{Router, routing::any};
use tokio::{sync::Semaphore, time::timeout};

use super::{
    ClientsConfig, Code, Failure, Services,
    grpc::{self, Grpc},
    rest::{self, Rest},
};
use crate::{listening, rpc::listener::BoundedListener, serving::Serving};

/// Methods that run at once, of both interfaces; others wait.
const CALLS_MAX: usize = 64;
/// How long a call over gRPC may take.
const GRPC_CALL_TIME_MAX: Duration = Duration::from_secs(30);
/// gRPC's connections at once; each carries many calls.
const GRPC_CONNECTIONS_MAX: usize = 1000;

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ClientsError {
    /// The system refused an address.
    #[error("{section}.address {address}: {source}: choose another one in app.toml, or set {section}.enable to false")]
    Listen {
        /// `api` or `grpc`.
        section: &'static str,
        /// The setting.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The system makes no threads.
    #[error("serving clients: {0}")]
    System(#[from] io::Error),
}

/// The listening sockets. Who connects now waits until the node serves.
#[derive(Debug, Default)]
pub struct Listening {
    api: Option<TcpListener>,
    grpc: Option<TcpListener>,
}

impl Listening {
    /// Takes the sockets over from a supervisor, or opens them.
    ///
    /// # Errors
    /// An address that cannot be had.
    pub fn bind(config: &ClientsConfig) -> Result<Self, ClientsError> {
        let bind = |section, address: Option<&String>| {
            let Some(address) = address else { return Ok(None) };
            let listener = listening::listen(section, address).map_err(|source| ClientsError::Listen {
                section,
                address: address.clone(),
                source,
            })?;
            Ok::<_, ClientsError>(Some(listener))
        };
        Ok(Listening {
            api: bind(listening::API, config.api.as_ref().map(|api| &api.address))?,
            grpc: bind(listening::GRPC, config.grpc.as_ref().map(|grpc| &grpc.address))?,
        })
    }
}

/// The methods, so many at once and each for so long.
#[derive(Clone, Debug)]
pub(super) struct Bounded {
    services: Arc<Services>,
    permits: Arc<Semaphore>,
    time_max: Duration,
}

impl Bounded {
    /// Runs what calls methods, on a thread that may block.
    ///
    /// # Errors
    /// The work's, or that it got no turn or took too long.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Services) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let busy = || Failure::new(Code::ResourceExhausted, "the node has too many requests to answer: try again");
        let permit = timeout(self.time_max, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit.ok().and_then(Result::ok).ok_or_else(busy)?;
        let services = Arc::clone(&self.services);
        let run = tokio::task::spawn_blocking(move || {
            // Held for as long as the work runs, even when nobody waits for it any more.
            let _permit = permit;
            work(&services)
        });
        match timeout(self.time_max, run).await {
            Err(_) => Err(Failure::new(Code::DeadlineExceeded, "it took too long")),
            Ok(Err(_)) => Err(Failure::internal("it was interrupted")),
            Ok(Ok(outcome)) => outcome,
        }
    }
}

/// Serving servers.
#[derive(Debug)]
pub struct Clients {
    serving: Option<Serving>,
    api: Option<SocketAddr>,
    grpc: Option<SocketAddr>,
}

impl Clients {
    /// Serves on these sockets.
    ///
    /// # Errors
    /// The system's.
    pub fn start(listening: Listening, config: &ClientsConfig, services: Services) -> Result<Self, ClientsError> {
        let mut clients = Clients { serving: None, api: None, grpc: None };
        if listening.api.is_none() && listening.grpc.is_none() {
            return Ok(clients);
        }
        let mut serving = Serving::new("clients")?;
        let services = Arc::new(services);
        let permits = Arc::new(Semaphore::new(CALLS_MAX));
        let bounded = |time_max| Bounded { services: Arc::clone(&services), permits: Arc::clone(&permits), time_max };
        if let (Some(listener), Some(config)) = (listening.api, &config.api) {
            let rest = Rest::new(bounded(config.call_time_max), config);
            let app = Router::new().fallback(any(rest::handle)).with_state(Arc::new(rest));
            let at_most = |listener, newcomers| BoundedListener::new(listener, newcomers, config.connections_max);
            clients.api = Some(serving.add("REST", listener, at_most, app)?);
        }
        if let (Some(listener), Some(config)) = (listening.grpc, &config.grpc) {
            let app = grpc::router(Grpc::new(bounded(GRPC_CALL_TIME_MAX), config)).map_err(io::Error::other)?;
            let at_most = |listener, newcomers| BoundedListener::new(listener, newcomers, GRPC_CONNECTIONS_MAX);
            clients.grpc = Some(serving.add("gRPC", listener, at_most, app)?);
        }
        clients.serving = Some(serving);
        Ok(clients)
    }

    /// Where REST is served.
    pub fn api(&self) -> Option<SocketAddr> {
        self.api
    }

    /// Where gRPC is served.
    pub fn grpc(&self) -> Option<SocketAddr> {
        self.grpc
    }

    /// Takes no more connections. Those that are there are served to their ends.
    pub fn stop_accepting(&self) {
        if let Some(serving) = &self.serving {
            serving.stop_accepting();
        }
    }

    /// Waits for what was begun, at most this long, and ends.
    pub fn end(self, patience: Duration) {
        if let Some(mut serving) = self.serving {
            serving.end(patience);
        }
    }
}
