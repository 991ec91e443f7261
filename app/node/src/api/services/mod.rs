//! The methods: modules' queries on committed state, and the services that the SDK's node itself has.

mod blocks;
mod comet;
mod node;
mod page;
mod tx;

use std::sync::Arc;

use swing_proto::{Message, Name, json};

use super::{Code, Failure};
use crate::{
    app::{ReadApp, ServiceError},
    client::RpcClient,
    lifecycle::{Lifecycle, StopReason},
};

pub use node::NodeSettings;

/// A method's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The encoded response.
    pub response: Vec<u8>,
    /// The committed height that it is about.
    pub height: u64,
}

/// All methods, by gRPC path.
#[derive(Clone)]
pub struct Services {
    read: ReadApp,
    /// The engine: its blocks, its mempool, its peers.
    engine: RpcClient,
    settings: NodeSettings,
    lifecycle: Arc<dyn Lifecycle>,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services")
            .field("engine", &self.engine)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Services {
    /// The methods of a node whose engine is at the other end of `engine`.
    pub fn new(read: ReadApp, engine: RpcClient, settings: NodeSettings, lifecycle: Arc<dyn Lifecycle>) -> Self {
        Services { read, engine, settings, lifecycle }
    }

    /// Answers the method at a gRPC path such as `/cosmos.bank.v1beta1.Query/Balance`. Height 0 asks for the newest state; methods
    /// about blocks do not look at it. Blocks the thread.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn call(&self, path: &str, request: &[u8], height: u64) -> Result<Answer, Failure> {
        let (service, method) = path.strip_prefix('/').and_then(|path| path.split_once('/')).unwrap_or_default();
        let response = match service {
            tx::SERVICE if method != tx::SIMULATE => tx::call(self, method, request)?,
            comet::SERVICE => comet::call(self, method, request)?,
            node::SERVICE => node::call(self, method)?,
            _ => return self.on_state(path, request, height),
        };
        Ok(Answer { response, height: self.read.committed().height })
    }

    fn on_state(&self, path: &str, request: &[u8], height: u64) -> Result<Answer, Failure> {
        match self.read.service(path, request, height) {
            Ok((response, height)) => Ok(Answer { response, height }),
            Err(ServiceError::Query(error)) => Err(error.into()),
            Err(ServiceError::Halt(halt)) => Err(self.fault(halt.into())),
        }
    }

    /// Tells the process of a fault, and the caller that there was one.
    fn fault(&self, reason: StopReason) -> Failure {
        let failure = Failure::internal(format!("the node stops: {reason}"));
        self.lifecycle.stop(reason);
        failure
    }
}

/// There is no such method.
fn unimplemented(service: &str, method: &str) -> Failure {
    Failure::new(Code::Unimplemented, format!("unknown method {method} for service {service}"))
}

/// A message from its JSON, which was made here.
fn message<M: Message + Name + Default>(value: &serde_json::Value) -> Result<M, Failure> {
    Ok(json::from_json(value)?)
}
