//! `localnet`: real validators on one machine, and the upgrade scenario.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};
use swing_localnet::{
    binaries::{Binaries, NEWEST},
    genesis::Plan,
    network::Network,
    report::Narrator,
    scenario::{
        rehearsal::{self as overhead, Course},
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
    /// Measures the extra time at an upgrade's height under swingvisor: with a restart, with CometBFT kept connected, and installed early.
    Handover {
        #[command(flatten)]
        common: Common,
        /// What swingvisor does; all of it, one after the other, by default
        #[arg(long, value_enum)]
        mode: Option<HandoverMode>,
        /// How often each mode is run
        #[arg(long, default_value_t = 1)]
        runs: u32,
    },
    /// Measures what a rehearsal of version-2 costs the blocks of a node that it runs beside.
    Rehearsal(RehearsalArgs),
}

/// How a binary takes over.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum HandoverMode {
    /// Node and CometBFT are stopped and started
    Restart,
    /// CometBFT stays connected; the next binary is asked and started when the one before has ended
    Unprepared,
    /// The same, with the next binary standing by
    Front,
    /// The next binary runs from the first block on, and goes through the height in one process
    Early,
}

impl HandoverMode {
    fn supervision(self, program: &Path) -> Supervision {
        match self {
            HandoverMode::Restart => Supervision { poll: "1s", ..Supervision::restart(program) },
            HandoverMode::Unprepared => Supervision { standby: false, ..Supervision::front(program) },
            HandoverMode::Front => Supervision::front(program),
            HandoverMode::Early => Supervision::early(program),
        }
    }
}

#[derive(Args, Debug)]
struct RehearsalArgs {
    #[command(flatten)]
    common: Common,
    /// Rounds, each of some blocks with no rehearsal and as many with one
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// Blocks of each half of a round
    #[arg(long, default_value_t = 40)]
    blocks: u64,
    /// CometBFT's timeout_commit in milliseconds: short, so that it hides little
    #[arg(long, default_value_t = 100)]
    interval_ms: u64,
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
        Verb::Handover { common, mode, runs } => handover(&common, mode, runs),
        Verb::Rehearsal(arguments) => rehearsal(&arguments),
        Verb::Swap(arguments) => with_folder(&arguments.common, |folder| swap(&arguments, folder)),
        Verb::Upgrade { common, report, quiet } => with_folder(&common, |folder| {
            let binaries = Binaries::find(common.bin_dir.as_deref())?;
            let mut narrator = Narrator::new(quiet);
            let outcome = upgrade::run(common.plan(), folder, binaries, &mut narrator)?;
            report.map_or(Ok(()), |path| outcome.write(&path).with_context(|| format!("report {}", path.display())))
        }),
    }
}

/// Runs the supervised upgrade in each mode, as often as asked, and prints what the block of the upgrade took.
fn handover(common: &Common, mode: Option<HandoverMode>, runs: u32) -> Result<()> {
    let modes = mode.map_or_else(|| HandoverMode::value_variants().to_vec(), |mode| vec![mode]);
    for run in 1..=runs {
        for mode in &modes {
            let binaries = Binaries::find(common.bin_dir.as_deref())?;
            let how = mode.supervision(&binaries.path("swingvisor"));
            with_folder(common, |folder| {
                let mut narrator = Narrator::new(true);
                if !how.front {
                    let report = visor::run(common.plan(), folder, binaries, &how, &mut narrator)?;
                    println!("{mode:?}, run {run}: {}", report.blocks);
                    return Ok(());
                }
                let report = zero::run(common.plan(), folder, binaries, &how, &mut narrator)?;
                println!("{mode:?}, run {run}: {}", report.upgrade.blocks);
                println!("  consensus waited {:?} ms", report.extra_ms);
                report.swaps.iter().for_each(|swap| println!("  {swap}"));
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Measures blocks without and with a rehearsal beside them.
fn rehearsal(arguments: &RehearsalArgs) -> Result<()> {
    let common = &arguments.common;
    let engine = if common.solo { Engine::Solo } else { Engine::CometChild };
    let validators = if common.solo { 1 } else { arguments.common.validators };
    let plan = Plan { block_interval_ms: arguments.interval_ms, ..Plan::quick(validators, engine) };
    with_folder(common, |folder| {
        let binaries = Binaries::find(common.bin_dir.as_deref())?;
        let course = Course { rounds: arguments.rounds, blocks: arguments.blocks };
        let report = overhead::run(plan, folder, binaries, course, &mut Narrator::new(false))?;
        println!("{report}");
        Ok(())
    })
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
