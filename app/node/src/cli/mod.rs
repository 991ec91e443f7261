//! The command line: the Cosmos SDK's verbs, flags and JSON shapes.
//!
//! # Invariants
//! - Answers go to standard output, everything else to standard error; a failure is one line `Error: …` there.
//! - Exit codes: 0 done, 1 failed (a transaction with a code other than 0 among them), 2 wrong usage. `start` has its own
//!   besides, and so has `pre-upgrade`.
//! - A command that fails leaves files as they were.

mod bundle;
mod checkpoint;
mod comet;
mod config;
mod context;
mod engine;
mod export;
mod failure;
mod flags;
mod genesis;
mod init;
mod keys;
mod output;
mod pre_upgrade;
mod precompile;
mod query;
mod rollback;
mod smallcaps;
mod snapshots;
mod status;
mod tx;
mod upgrade;
mod version;
mod yaml;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, error::ErrorKind};

pub use context::Context;
pub use failure::Failure;

use crate::{
    Binary,
    config::{Home, home},
    start,
};

/// Exit code of a command that failed.
pub const EXIT_FAILED: u8 = 1;
/// Exit code of a command line that makes no sense.
pub const EXIT_USAGE: u8 = 2;

#[derive(Debug, Parser)]
#[command(
    name = "swingd",
    about = "A validator's node whose contract engine can be replaced on a live chain",
    disable_version_flag = true
)]
struct Cli {
    /// Home directory of the node
    #[arg(long, global = true, env = home::HOME_VARIABLE, value_name = "DIR")]
    home: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the node
    Start(Box<start::StartArgs>),
    /// Say where the node stands, whether it runs or not
    Status(status::StatusArgs),
    /// Say by the exit code whether this binary can take over this home: 0 yes, 30 no, 31 ask again
    PreUpgrade,
    /// Compile this binary's bundles into the home's cache, before they are needed; the node may run
    Precompile,
    /// Make the configuration, key and genesis files of a new node
    Init(init::InitArgs),
    /// Manage the keys of accounts
    #[command(subcommand)]
    Keys(Box<keys::KeysCommand>),
    /// Work on the genesis file
    #[command(subcommand)]
    Genesis(Box<genesis::GenesisCommand>),
    /// Build, sign and send transactions
    Tx(Box<tx::TxCommand>),
    /// Ask a running node
    #[command(visible_alias = "q")]
    Query(Box<query::QueryCommand>),
    /// Read and change client.toml
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// What CometBFT knows of this node
    #[command(subcommand, visible_alias = "tendermint")]
    Comet(comet::CometCommand),
    /// What the node can be rolled back to
    #[command(subcommand)]
    Checkpoint(checkpoint::CheckpointCommand),
    /// Put application state back to a checkpoint; the node must be stopped
    Rollback(rollback::RollbackArgs),
    /// Rehearse an upgrade before its height
    #[command(subcommand)]
    Upgrade(upgrade::UpgradeCommand),
    /// What other nodes can begin from
    #[command(subcommand)]
    Snapshots(snapshots::SnapshotsCommand),
    /// Look at the contract engine, replay its vats, try another kernel on a copy
    #[command(subcommand)]
    Engine(engine::EngineCommand),
    /// Make bundles and look at them; needs no node and no home
    #[command(subcommand)]
    Bundle(bundle::BundleCommand),
    /// Print committed state as a genesis document; the node must be stopped
    Export(export::ExportArgs),
    /// Show the version
    Version(version::VersionArgs),
}

/// Runs one command of this binary. `arguments` begin with the program's name.
pub fn run(binary: Binary, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let home = Home::new(cli.home.unwrap_or_else(Home::default_root)).through(binary.files);
    let context = Context::new(binary.release, home);
    let result = match cli.command {
        Command::Start(arguments) => start::run(&context.home, &arguments, binary.release, binary.killpoints),
        Command::PreUpgrade => return pre_upgrade::run(&context),
        Command::Precompile => precompile::run(&context),
        Command::Status(arguments) => status::run(&context, &arguments),
        Command::Init(arguments) => init::run(&context, &arguments),
        Command::Keys(command) => keys::run(&context, &command),
        Command::Genesis(command) => genesis::run(&context, &command),
        Command::Tx(command) => tx::run(&context, *command),
        Command::Query(command) => query::run(&context, &command),
        Command::Config(command) => config::run(&context, &command),
        Command::Comet(command) => comet::run(&context, &command),
        Command::Checkpoint(command) => checkpoint::run(&context, &command),
        Command::Rollback(arguments) => rollback::run(&context, &arguments),
        Command::Upgrade(command) => upgrade::run(&context, &command),
        Command::Snapshots(command) => snapshots::run(&context, &command),
        Command::Engine(command) => engine::run(&context, &command),
        Command::Bundle(command) => bundle::run(&context, &command),
        Command::Export(arguments) => export::run(&context, &arguments),
        Command::Version(arguments) => version::run(&context, &arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Help is an answer; anything else that clap says is a failure.
fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match output::line(text.trim_end()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(),
        };
    }
    // What is missing stands on lines of its own there, and here on the line that says so.
    let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
    let (said, help) = text.split_once("\n\n").unwrap_or((text, ""));
    let said = said.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    Failure::Usage(format!("{said}\n\n{help}").trim_end().to_owned()).report()
}
