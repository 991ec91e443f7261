//! `engine`: the contract engine's state, looked at from beside the node; its vats, done once more; another kernel, tried on a copy.
//!
//! # Invariants
//! - Nothing of the home is written but compiled code in its cache. What must write (another kernel) does so in a folder of its own.

mod dump;
mod kernel_state;
mod rekernelize;
mod replay;
mod slog_summary;
mod state;
mod vats;

use clap::Subcommand;

use super::{Context, Failure};

/// Commands of `engine`.
#[derive(Debug, Subcommand)]
pub enum EngineCommand {
    /// Print the kernel's state: vats, objects, promises, queues; the node may run
    KernelDump(dump::KernelDumpArgs),
    /// Look at vats; the node may run
    #[command(subcommand)]
    Vat(vats::VatCommand),
    /// Deliver once more what a vat was delivered, by the transcript, and report the first syscall that differs; the node may run
    ReplayVat(replay::ReplayVatArgs),
    /// Put another kernel into a copy of this home's state, in a block of its own; the node must be stopped, or name a checkpoint
    Rekernelize(rekernelize::RekernelizeArgs),
    /// Sum up a trace of cranks (app.toml, slogfile): time by vat and by delivery, and the longest cranks
    SlogSummary(slog_summary::SlogSummaryArgs),
}

/// Runs one.
pub fn run(context: &Context, command: &EngineCommand) -> Result<(), Failure> {
    match command {
        EngineCommand::KernelDump(arguments) => dump::run(context, arguments),
        EngineCommand::Vat(command) => vats::run(context, command),
        EngineCommand::ReplayVat(arguments) => replay::run(context, arguments),
        EngineCommand::Rekernelize(arguments) => rekernelize::run(context, arguments),
        EngineCommand::SlogSummary(arguments) => slog_summary::run(arguments),
    }
}

fn failed(error: impl Into<anyhow::Error>) -> Failure {
    Failure::Failed(error.into())
}
