//! Flags that all `tx` commands share, in the SDK's names.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::{
    cli::{
        Context, Failure,
        flags::{KeyringArgs, NodeArgs, OutputArgs},
        output::Format,
    },
    client::{RpcClient, sign},
};

/// When to return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BroadcastMode {
    /// After CheckTx
    Sync,
    /// At once
    Async,
}

/// What is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SignModeFlag {
    /// The encoded transaction
    #[default]
    Direct,
    /// Amino JSON
    AminoJson,
}

impl From<SignModeFlag> for sign::SignMode {
    fn from(flag: SignModeFlag) -> Self {
        match flag {
            SignModeFlag::Direct => sign::SignMode::Direct,
            SignModeFlag::AminoJson => sign::SignMode::AminoJson,
        }
    }
}

/// A gas limit, or the wish to have it simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gas {
    /// Simulate, then multiply.
    Auto,
    /// This much.
    Limit(u64),
}

fn parse_gas(text: &str) -> Result<Gas, String> {
    match text {
        "auto" => Ok(Gas::Auto),
        text => text.parse().map(Gas::Limit).map_err(|_| "expected a number or \"auto\"".to_owned()),
    }
}

/// The flags.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Transaction")]
pub struct TxFlags {
    /// Name or address of the key that signs
    #[arg(long, global = true)]
    pub from: Option<String>,
    /// The chain's ID
    #[arg(long, global = true)]
    pub chain_id: Option<String>,
    /// RPC address of the node, tcp://host:port
    #[arg(long, global = true, value_name = "URL")]
    pub node: Option<String>,
    /// Gas limit, or "auto" to simulate
    #[arg(long, global = true, default_value = "200000", value_parser = parse_gas)]
    pub gas: Gas,
    /// What a simulation's gas is multiplied with
    #[arg(long, global = true, default_value = "1.3")]
    pub gas_adjustment: String,
    /// Price of a unit of gas, such as 0.025uswing
    #[arg(long, global = true, conflicts_with = "fees")]
    pub gas_prices: Option<String>,
    /// The fee, such as 5000uswing
    #[arg(long, global = true)]
    pub fees: Option<String>,
    /// When to return
    #[arg(short, long, global = true, value_enum)]
    pub broadcast_mode: Option<BroadcastMode>,
    /// What is signed
    #[arg(long, global = true, value_enum, default_value = "direct")]
    pub sign_mode: SignModeFlag,
    /// Print the unsigned transaction and send nothing
    #[arg(long, global = true)]
    pub generate_only: bool,
    /// Print the gas that it would use and send nothing
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Ask no node: --account-number and --sequence are needed
    #[arg(long, global = true)]
    pub offline: bool,
    /// The signer's account number; asked of the node by default
    #[arg(short, long, global = true)]
    pub account_number: Option<u64>,
    /// The signer's sequence; asked of the node by default
    #[arg(short, long, global = true)]
    pub sequence: Option<u64>,
    /// The last height at which it may be included
    #[arg(long, global = true, default_value_t = 0)]
    pub timeout_height: u64,
    /// Memo
    #[arg(long, global = true, alias = "memo", default_value = "")]
    pub note: String,
    /// Do not ask
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// Where keys are kept: only "test", plain files, is available
    #[arg(long, global = true, value_name = "BACKEND")]
    pub keyring_backend: Option<String>,
    /// Folder that holds the keyring; the home directory by default
    #[arg(long, global = true, value_name = "DIR")]
    pub keyring_dir: Option<PathBuf>,
    /// Form of the answer
    #[arg(short, long, global = true, value_enum)]
    pub output: Option<Format>,
}

impl TxFlags {
    /// Where keys are.
    pub fn keyring(&self) -> KeyringArgs {
        KeyringArgs { keyring_backend: self.keyring_backend.clone(), keyring_dir: self.keyring_dir.clone() }
    }

    /// The form of the answer.
    pub fn format(&self, context: &Context) -> Result<Format, Failure> {
        OutputArgs { output: self.output }.format(context)
    }

    /// A client of the node.
    pub fn client(&self, context: &Context) -> Result<RpcClient, Failure> {
        NodeArgs { node: self.node.clone() }.client(context)
    }

    /// The chain's ID.
    pub fn chain_id(&self, context: &Context) -> Result<String, Failure> {
        let chain_id = match &self.chain_id {
            Some(chain_id) => chain_id.clone(),
            None => context.client_config()?.chain_id,
        };
        if chain_id.is_empty() {
            return Err(Failure::new(
                "the chain ID is needed: pass --chain-id, or set it with `swingd config set client chain-id ID`",
            ));
        }
        Ok(chain_id)
    }

    /// When to return.
    pub fn mode(&self, context: &Context) -> Result<BroadcastMode, Failure> {
        match self.broadcast_mode {
            Some(mode) => Ok(mode),
            None => match context.client_config()?.broadcast_mode.as_str() {
                "sync" => Ok(BroadcastMode::Sync),
                "async" => Ok(BroadcastMode::Async),
                other => Err(Failure::new(format!("broadcast-mode {other:?} is not allowed: expected sync or async"))),
            },
        }
    }
}
