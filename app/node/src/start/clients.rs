//! REST and gRPC beside the engine.

use std::{sync::Arc, time::Duration};

use crate::{
    api::{Clients, ClientsConfig, ClientsError, Listening, NodeSettings, Services},
    app::ReadApp,
    client::{ClientError, RpcClient},
    config::{ConfigError, Home, cometbft::CometConfig},
    lifecycle::{Lifecycle, StopReason},
};

/// How long requests that were begun may take when an operator stops the node.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);
/// The same when the next block waits for another process.
const DRAIN_TIME_MAX_AT_UPGRADE: Duration = Duration::from_secs(1);

/// Why clients are not served.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Clients(#[from] ClientsError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(
        "rpc.laddr: {0}: REST and gRPC ask CometBFT's RPC for blocks; set api.enable and grpc.enable to false without it"
    )]
    Rpc(#[from] ClientError),
}

/// Sockets that are open, for a node that does not serve yet.
#[derive(Debug)]
pub(super) struct Waiting {
    sockets: Listening,
    config: ClientsConfig,
    settings: NodeSettings,
    read: ReadApp,
    engine: Option<RpcClient>,
}

impl Waiting {
    /// Opens the sockets, or takes them over. `comet` is the home of an engine in another process.
    ///
    /// # Errors
    /// An address that cannot be had, or one of CometBFT's RPC that cannot be asked.
    pub fn open(
        config: ClientsConfig,
        settings: NodeSettings,
        read: ReadApp,
        comet: Option<&Home>,
    ) -> Result<Self, Error> {
        let comet = comet.filter(|_| config != ClientsConfig::default());
        let engine = comet.map(|home| Ok::<_, Error>(RpcClient::new(&reachable(&CometConfig::load(home)?.rpc_laddr))?));
        Ok(Waiting { engine: engine.transpose()?, sockets: Listening::bind(&config)?, config, settings, read })
    }

    /// Serves, with an engine of this process where there is one. Without any nothing is served.
    ///
    /// # Errors
    /// The system's.
    pub fn serve(self, own: Option<RpcClient>, lifecycle: &Arc<dyn Lifecycle>) -> Result<Option<Clients>, Error> {
        let Some(engine) = own.or(self.engine) else { return Ok(None) };
        let services = Services::new(self.read, engine, self.settings, Arc::clone(lifecycle));
        Ok(Some(Clients::start(self.sockets, &self.config, services)?))
    }
}

/// Where a server that listens at every address of this machine is asked.
fn reachable(laddr: &str) -> String {
    laddr.replacen("://0.0.0.0:", "://127.0.0.1:", 1).replacen("://:", "://127.0.0.1:", 1).replacen(
        "://[::]:",
        "://[::1]:",
        1,
    )
}

/// Serves what was begun, and ends.
pub(super) fn end(clients: Option<Clients>, reason: &StopReason) {
    let patience = match reason {
        StopReason::Signal { .. } => DRAIN_TIME_MAX,
        _ => DRAIN_TIME_MAX_AT_UPGRADE,
    };
    if let Some(clients) = clients {
        clients.end(patience);
    }
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn a_server_at_every_address_is_asked_at_loopback() {
        for (laddr, expected) in [
            ("tcp://0.0.0.0:26657", "tcp://127.0.0.1:26657"),
            ("tcp://:26657", "tcp://127.0.0.1:26657"),
            ("tcp://[::]:26657", "tcp://[::1]:26657"),
            ("tcp://10.0.0.7:26657", "tcp://10.0.0.7:26657"),
        ] {
            assert_eq!(reachable(laddr), expected);
        }
    }
}
