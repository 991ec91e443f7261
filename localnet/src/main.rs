//! `localnet`: real validators on one machine, and the upgrade scenario.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};
use swing_localnet::{
    binaries::{Binaries, NEWEST},
    genesis::Plan,
    network::Network,
    report::Narrator,
    scenario::{
        swap::{self, Kernels},
        upgrade,
        visor::{self, Supervision},
        zero,
    },
    validator::Engine,
    wait,
};

/// Runs validators of swingd on this machine.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Starts a network and keeps it running until interrupted.
    Up(Common),
    /// Runs a network of version-1 nodes through the software upgrade to version-2, and tells the story.
    Upgrade {
        #[command(flatten)]
        common: Common,
        /// Write the report as JSON to this file.
        #[arg(long)]
        report: Option<PathBuf>,
        /// Print nothing but errors.
        #[arg(long)]
        quiet: bool,
    },
    /// Replaces the kernel of a running network by a vote, with no new software and no stop, and tells the story.
    Swap(SwapArgs),
    /// Measures the extra time at an upgrade's height under swingvisor: with a restart, and with CometBFT kept connected.
    Handover {
        #[command(flatten)]
        common: Common,
        /// What swingvisor does: restart, front, or one after the other
        #[arg(long, default_value = "both", value_parser = ["restart", "front", "both"])]
        mode: String,
    },
}

#[derive(Args, Debug)]
struct SwapArgs {
    #[command(flatten)]
    common: Common,
    /// Bundle of the kernel to swap in; by default version-2's, from the source tree that this program was built from
    #[arg(long)]
    kernel: Option<PathBuf>,
    /// Bundle of a kernel that stops the engine: it is swapped in first, and replaced by a vote
    #[arg(long)]
    broken_kernel: Option<PathBuf>,
    /// Write the report as JSON to this file.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

#[derive(Args, Debug)]
struct Common {
    /// Number of validators, with CometBFT.
    #[arg(long, default_value_t = 4, conflicts_with = "solo")]
    validators: usize,
    /// One node on the embedded development engine, without CometBFT.
    #[arg(long)]
    solo: bool,
    /// Folder of the node's binaries; by default the one of this program.
    #[arg(long)]
    bin_dir: Option<PathBuf>,
    /// Folder for the homes, which must not exist; by default a new one under the system's temporary folder, removed at the end.
    #[arg(long)]
    folder: Option<PathBuf>,
}

impl Common {
    fn plan(&self) -> Plan {
        if self.solo { Plan::quick(1, Engine::Solo) } else { Plan::quick(self.validators, Engine::CometChild) }
    }
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Verb::Up(common) => with_folder(&common, |folder| up(&common, folder)),
        Verb::Handover { common, mode } => handover(&common, &mode),
        Verb::Swap(arguments) => with_folder(&arguments.common, |folder| swap(&arguments, folder)),
        Verb::Upgrade { common, report, quiet } => with_folder(&common, |folder| {
            let binaries = Binaries::find(common.bin_dir.as_deref())?;
            let mut narrator = Narrator::new(quiet);
            let outcome = upgrade::run(common.plan(), folder, binaries, &mut narrator)?;
            report.map_or(Ok(()), |path| outcome.write(&path).with_context(|| format!("report {}", path.display())))
        }),
    }
}

/// Runs the supervised upgrade once a mode, and prints what the block of the upgrade took.
fn handover(common: &Common, mode: &str) -> Result<()> {
    let mut lines = Vec::new();
    for front in [false, true] {
        if mode == if front { "restart" } else { "front" } {
            continue;
        }
        let binaries = Binaries::find(common.bin_dir.as_deref())?;
        let program = binaries.path("swingvisor");
        with_folder(common, |folder| {
            let mut narrator = Narrator::new(true);
            if front {
                let report = zero::run(common.plan(), folder, binaries, &program, None, &mut narrator)?;
                let upgrade = &report.upgrade;
                lines.push(format!(
                    "front: block H {} ms, block H-1 {} ms, consensus waited {:?} ms, no node for {:?} ms",
                    upgrade.block_ms_at_upgrade, upgrade.block_ms_before, report.extra_ms, report.parked_ms
                ));
            } else {
                let how = Supervision { program, download_info: None, front, delay: None };
                let report = visor::run(common.plan(), folder, binaries, &how, &mut narrator)?;
                let (at, before) = (report.block_ms_at_upgrade, report.block_ms_before);
                lines.push(format!("restart: block H {at} ms, block H-1 {before} ms"));
            }
            Ok(())
        })?;
    }
    lines.iter().for_each(|line| println!("{line}"));
    Ok(())
}

fn swap(arguments: &SwapArgs, folder: &std::path::Path) -> Result<()> {
    let binaries = Binaries::find(arguments.common.bin_dir.as_deref())?;
    let next = arguments.kernel.clone().unwrap_or_else(|| Kernels::version_2().next);
    let kernels = Kernels { next, broken: arguments.broken_kernel.clone() };
    let mut narrator = Narrator::new(arguments.quiet);
    let outcome = swap::run(arguments.common.plan(), folder, binaries, &kernels, &mut narrator)?;
    let write = |path: &PathBuf| outcome.write(path).with_context(|| format!("report {}", path.display()));
    arguments.report.as_ref().map_or(Ok(()), write)
}

/// Runs `work` in the folder for the homes. A folder of our own is removed when all went well, and named when it did not.
fn with_folder(common: &Common, work: impl FnOnce(&std::path::Path) -> Result<()>) -> Result<()> {
    if let Some(folder) = &common.folder {
        ensure!(!folder.exists(), "{} exists: name a new folder", folder.display());
        return work(folder);
    }
    let folder = std::env::temp_dir().join(format!("swingd-localnet-{}", std::process::id()));
    work(&folder).with_context(|| format!("the homes and logs are left in {}", folder.display()))?;
    std::fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))
}

fn up(common: &Common, folder: &std::path::Path) -> Result<()> {
    let binaries = Binaries::find(common.bin_dir.as_deref())?;
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    let mut network = Network::create(common.plan(), folder, binaries, NEWEST)?;
    network.start_all(NEWEST)?;
    network.wait_for_height(1, Duration::from_secs(120))?;
    println!("chain {} runs; stop it with Ctrl-C", network.plan.chain_id);
    for validator in &network.validators {
        println!("  {}  RPC {}  home {}", validator.name, validator.rpc_url(), validator.swingd.home.display());
    }
    let forever = Duration::from_secs(u64::from(u32::MAX));
    wait::until("an interrupt", forever, || {
        for validator in &mut network.validators {
            ensure!(validator.running()?.is_some(), "{} has ended: see {}", validator.name, validator.log().display());
        }
        Ok(interrupted.load(Ordering::SeqCst).then_some(()))
    })?;
    println!("stopping");
    network.stop_all(Duration::from_secs(30))
}
