//! The command line: cosmovisor's commands, and `status`.

mod add;
mod install;
mod run;
mod show;
mod status;
mod values;

use std::{ffi::OsString, io::IsTerminal as _, path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Args, Parser, Subcommand};

use crate::{
    command::Told,
    config::Config,
    fetch::{Installer, Planned, Transfer},
    files::{Disk, Files},
    log::LogTime,
    probe::Prober,
    run as running,
};

#[derive(Debug, Parser)]
#[command(
    name = "swingvisor",
    about = "Runs a node, and the right binary of it: a drop-in for cosmovisor that decides from committed state",
    disable_version_flag = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the layout, with this binary as the one that the chain begins with
    Init {
        /// The node's binary
        executable: PathBuf,
    },
    /// Run the node with these arguments; `run start …` supervises it, another command is run once
    #[command(disable_help_flag = true)]
    Run {
        /// The node's arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Print swingvisor's version and the node's
    Version(show::VersionArgs),
    /// Print the configuration that the environment gives
    Config,
    /// Install the binary of a plan
    AddUpgrade(add::AddArgs),
    /// Install the binaries of several plans
    AddBatchUpgrade(add::BatchArgs),
    /// Download and check the binary of the plan that committed state has
    PrepareUpgrade,
    /// Print data/upgrade-info.json, which advises and decides nothing
    ShowUpgradeInfo,
    /// Say where the node stands, what happens next, and what would make it fail
    Status(status::StatusArgs),
}

/// The form of an answer.
#[derive(Args, Debug)]
struct OutputArgs {
    /// text or json
    #[arg(short, long, default_value = "text", value_parser = ["text", "json"])]
    output: String,
}

/// Runs one command. `arguments` begin with the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match perform(cli.command) {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(command: Command) -> anyhow::Result<u8> {
    let config = Config::from_environment()?;
    start_log(&config);
    match command {
        Command::Init { executable } => install::init(&config, &executable)?,
        Command::Run { arguments } => return run::run(config, arguments),
        Command::Version(arguments) => return show::version(&config, &arguments),
        Command::Config => show::config(&config),
        Command::AddUpgrade(arguments) => add::one(&config, &arguments)?,
        Command::AddBatchUpgrade(arguments) => add::batch(&config, &arguments)?,
        Command::PrepareUpgrade => install::prepare(&config)?,
        Command::ShowUpgradeInfo => show::upgrade_info(&config)?,
        Command::Status(arguments) => status::run(&config, &arguments)?,
    }
    Ok(0)
}

/// The log goes to standard error, so that the node's own output stays its own.
fn start_log(config: &Config) {
    let filter = if config.disable_logs { "off" } else { "info" };
    let filter = tracing_subscriber::EnvFilter::try_from_env("SWINGVISOR_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(filter));
    let colours = config.color_logs.unwrap_or_else(|| std::io::stderr().is_terminal());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_target(false);
    match config.log_time {
        LogTime::None => log.without_time().init(),
        time => log.with_timer(time).init(),
    }
}

/// The parts of an installer that commands use.
struct Tools {
    prober: Prober,
    planned: Planned,
    transfer: Transfer,
}

impl Tools {
    fn new(config: &Config) -> Self {
        let told = Told::new();
        Tools {
            prober: running::prober(config, &[], &told),
            planned: running::planned(config, &(Arc::new(Disk) as Arc<dyn Files>)),
            transfer: running::transfer(config, &told),
        }
    }

    fn installer<'a>(&'a self, config: &'a Config) -> Installer<'a> {
        Installer { files: &Disk, layout: &config.layout, prober: &self.prober, transfer: &self.transfer }
    }
}
