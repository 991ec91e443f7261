//! Flags that many commands share.

use std::path::PathBuf;

use clap::Args;

use super::{Context, Failure, output::Format};
use crate::client::RpcClient;

/// Where keys are.
#[derive(Args, Clone, Debug, Default)]
pub struct KeyringArgs {
    /// Where keys are kept: only "test", plain files, is available
    #[arg(long, value_name = "BACKEND")]
    pub keyring_backend: Option<String>,
    /// Folder that holds the keyring; the home directory by default
    #[arg(long, value_name = "DIR")]
    pub keyring_dir: Option<PathBuf>,
}

/// The form of answers.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct OutputArgs {
    /// Form of the answer
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

impl OutputArgs {
    /// The form that the flag or `client.toml` names.
    ///
    /// # Errors
    /// `client.toml` is damaged.
    pub fn format(&self, context: &Context) -> Result<Format, Failure> {
        match self.output {
            Some(format) => Ok(format),
            None => Format::parse(&context.client_config()?.output),
        }
    }
}

/// The node to talk to.
#[derive(Args, Clone, Debug, Default)]
pub struct NodeArgs {
    /// RPC address of the node, tcp://host:port
    #[arg(long, value_name = "URL")]
    pub node: Option<String>,
}

impl NodeArgs {
    /// A client of the node that the flag or `client.toml` names.
    ///
    /// # Errors
    /// The address makes no sense.
    pub fn client(&self, context: &Context) -> Result<RpcClient, Failure> {
        let node = match &self.node {
            Some(node) => node.clone(),
            None => context.client_config()?.node,
        };
        Ok(RpcClient::new(&node)?)
    }
}
