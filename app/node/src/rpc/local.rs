//! The methods for callers in this process: no socket, the same arguments and answers.

use std::{fmt, sync::Arc};

use serde_json::Value;

use super::{
    args::Args,
    backend::Backend,
    envelope::RpcError,
    methods::{self, Context, Reply},
};
use crate::client::{ClientError, Transport, rpc::rpc_error};

/// Calls an engine of this process.
pub struct LocalRpc {
    backend: Arc<dyn Backend>,
    address: String,
}

impl LocalRpc {
    /// Calls this engine, whose RPC is told to be at `address`.
    pub fn new(backend: Arc<dyn Backend>, address: impl Into<String>) -> Self {
        LocalRpc { backend, address: address.into() }
    }

    fn run(&self, name: &str, params: Value) -> Result<Value, RpcError> {
        let method = methods::find(name).ok_or(RpcError::MethodNotFound)?;
        let args = Args::from_json(params, method.params)?;
        let context = Context { backend: self.backend.as_ref(), rpc_address: &self.address };
        match (method.run)(context, &args)? {
            Reply::Now(result) => Ok(result),
            Reply::WhenCommitted { .. } => Err(RpcError::Internal(format!("{name} waits for a block: ask over HTTP"))),
        }
    }
}

impl fmt::Debug for LocalRpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalRpc").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Transport for LocalRpc {
    fn call(&self, method: &str, params: Value) -> Result<Value, ClientError> {
        self.run(method, params).map_err(|error| rpc_error(method, &error.to_value()))
    }

    fn url(&self) -> &str {
        &self.address
    }
}
