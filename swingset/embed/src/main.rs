//! `swingset-embed`: SwingSet on one file, from the command line. Every command opens the file, does one thing and commits it.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use swingset_embed::{Compaction, Machine, Outcome, Progress, View};
use swingset_host::{EngineRuntime, bundle::BUNDLE_BYTES_MAX, engine::CodeCache};

/// SwingSet in one file, with no chain around it.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The file that holds the state.
    file: PathBuf,
    /// Keeps compiled code in this folder, so that the next command does not compile again.
    #[arg(long, value_name = "FOLDER")]
    code_cache: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes the state: the first release's kernel, and a vat named counter.
    Init,
    /// Queues a message to a vat's root object.
    Send {
        /// The vat's name.
        vat: String,
        /// The method.
        method: String,
        /// The arguments: a JSON list in smallcaps, such as [5] or ["text"].
        args: String,
    },
    /// Runs until nothing is left; says before and after each commit where it is.
    Run {
        /// Cranks in one commit.
        #[arg(long, default_value_t = 1_000)]
        cranks_per_commit: u64,
        /// Waits for a line of input after each thing that it says.
        #[arg(long)]
        step: bool,
        /// MiB of transcripts that are kept in the file, for replay.
        #[arg(long, default_value_t = 0)]
        transcript_mib: u32,
    },
    /// Does once more what a vat was delivered since its start, by the transcripts; says the first difference.
    Replay {
        /// The vat's ID, such as v1.
        vat: String,
    },
    /// Shows kernel, schema, cranks and the last message's result.
    Show,
    /// Replaces the kernel of the living state.
    Swap {
        /// The new kernel's bundle.
        bundle: PathBuf,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let cache = arguments.code_cache.as_ref().map(CodeCache::open).transpose()?;
    let runtime = EngineRuntime::with_cache(cache)?;
    let open = |runtime: Arc<EngineRuntime>| Machine::open(&arguments.file, Compaction::default(), runtime);
    match arguments.action {
        Action::Init => {
            let mut machine = Machine::initialize(&arguments.file, Compaction::default(), runtime)?;
            print(&machine.show()?);
        }
        Action::Send { vat, method, args } => println!("queued {}", open(runtime)?.send(&vat, &method, &args)?),
        Action::Run { cranks_per_commit, step, transcript_mib } => {
            let mut machine = open(runtime)?;
            if transcript_mib > 0 {
                machine.keep_transcripts(u64::from(transcript_mib) << 20);
            }
            run(&mut machine, cranks_per_commit, step)?;
        }
        Action::Replay { vat } => {
            let report = open(Arc::clone(&runtime))?.replay(&vat, runtime)?;
            println!("{} deliveries, {} syscalls", report.deliveries, report.syscalls);
            if let Some(divergence) = report.divergence {
                bail!("{divergence}");
            }
        }
        Action::Show => print(&open(runtime)?.show()?),
        Action::Swap { bundle } => {
            let bytes = read_bundle(&bundle).with_context(|| format!("cannot read {}", bundle.display()))?;
            let receipt = open(runtime)?.swap_kernel(&bytes)?;
            println!("kernel {} schema {}", receipt.kernel_before, receipt.schema_before);
            println!("now    {} schema {}", receipt.kernel_after, receipt.schema_after);
        }
    }
    Ok(())
}

/// Reads no more than one byte beyond the largest bundle: the engine refuses that one by its size.
fn read_bundle(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(BUNDLE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn run(machine: &mut Machine, cranks_per_commit: u64, step: bool) -> Result<()> {
    machine.run(cranks_per_commit, &mut |progress| {
        match progress {
            Progress::Committing(crank) => println!("committing crank {crank}"),
            Progress::Committed(crank) => println!("committed crank {crank}"),
        }
        if step {
            // An input that ends or fails lets the run go on: its commits are what counts.
            let _ = std::io::stdin().read_line(&mut String::new());
        }
    })?;
    Ok(())
}

fn print(view: &View) {
    println!("kernel   {}", view.engine.kernel_bundle_id.as_deref().unwrap_or("none"));
    println!("schema   {}", view.engine.schema.unwrap_or_default());
    println!("cranks   {}", view.engine.crank_number);
    println!("activity {}", view.activity_hash);
    println!("file     {} bytes", view.file_bytes);
    if let Some(status) = &view.engine.stopped {
        println!("stopped  {}", status.reason);
    }
    match &view.last {
        None => println!("last     no message yet"),
        Some((kpid, None)) => println!("last     {kpid} unknown while the engine is stopped"),
        Some((kpid, Some(Outcome::Pending))) => println!("last     {kpid} pending"),
        Some((kpid, Some(Outcome::Fulfilled(data)))) => println!("last     {kpid} fulfilled {}", data.body),
        Some((kpid, Some(Outcome::Rejected(data)))) => println!("last     {kpid} rejected {}", data.body),
    }
}
