//! Arguments of `start`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::api::ApiFlags;

/// What makes the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineKind {
    /// A CometBFT that the node starts and watches, on the same home
    Cometbft,
    /// Blocks made in this process by this home's one validator: for development, never for a network
    Solo,
    /// A CometBFT that you run yourself, with its proxy_app set to this node's address
    External,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    Plain,
    /// One JSON object a line
    Json,
}

/// Arguments of `start`. What is not given is taken from app.toml and config.toml.
#[derive(Args, Clone, Debug)]
pub struct StartArgs {
    /// What makes the blocks
    #[arg(long, value_enum, default_value = "cometbft")]
    pub engine: EngineKind,
    /// Where the application listens for its engine: unix:///path or tcp://host:port
    #[arg(long, visible_alias = "proxy_app", value_name = "ADDRESS")]
    pub address: Option<String>,
    /// The CometBFT 0.38 program; else $COMETBFT, else the one on the PATH
    #[arg(long, value_name = "PATH")]
    pub cometbft: Option<PathBuf>,
    /// Versions of state to keep: default, nothing, everything or custom
    #[arg(long, value_name = "STRATEGY")]
    pub pruning: Option<String>,
    /// Versions kept under `--pruning custom`
    #[arg(long, value_name = "BLOCKS", default_value_t = 0)]
    pub pruning_keep_recent: u64,
    /// Blocks between removals under `--pruning custom`
    #[arg(long, value_name = "BLOCKS", default_value_t = 0)]
    pub pruning_interval: u64,
    /// Least price of gas for this node's mempool, such as 0.025uswing
    #[arg(long, value_name = "PRICES")]
    pub minimum_gas_prices: Option<String>,
    /// Blocks that the engine keeps at least; 0 keeps all
    #[arg(long, value_name = "BLOCKS", default_value_t = 0)]
    pub min_retain_blocks: u64,
    /// Blocks from one snapshot for state sync to the next; 0 makes none
    #[arg(long = "state-sync.snapshot-interval", value_name = "BLOCKS")]
    pub snapshot_interval: Option<u64>,
    /// Snapshots that are kept; 0 keeps all
    #[arg(long = "state-sync.snapshot-keep-recent", value_name = "COUNT")]
    pub snapshot_keep_recent: Option<u64>,
    /// Heights whose upgrade plans are skipped; every validator must skip the same
    #[arg(long, value_name = "HEIGHTS", value_delimiter = ',')]
    pub unsafe_skip_upgrades: Vec<u64>,
    /// Start the engine although its signing state is older than what this key has signed: it may then sign twice at one height,
    /// which is punished and cannot be taken back
    #[arg(long)]
    pub unsafe_may_double_sign: bool,
    /// Largest ABCI message accepted, bytes
    #[arg(long, value_name = "BYTES", default_value_t = crate::abci::FRAME_BYTES_MAX_DEFAULT)]
    pub abci_frame_bytes_max: usize,
    /// What is served to clients
    #[command(flatten)]
    pub api: ApiFlags,
    /// Form of the log
    #[arg(long, visible_alias = "log_format", value_enum, default_value = "plain")]
    pub log_format: LogFormat,
    /// What is logged: a level, or directives such as info,swing_store=debug
    #[arg(long, visible_alias = "log_level", value_name = "FILTER", default_value = "info")]
    pub log_level: String,
}
