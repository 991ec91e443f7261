//! The in-band swap: a chain of version-1 nodes installs another kernel by signed transactions, votes for it, and goes on with it: no
//! new software, no stop, no process restarted, no message lost. With a broken kernel it also shows the repair: the engine stops, the
//! chain does not, and a vote puts the good kernel back.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;

use super::{
    upgrade::{begin, counted, kernel, short},
    visor::BlockTimes,
};
use crate::{
    binaries::Binaries, genesis::Plan, load::Load, network::Network, report::Narrator, rpc::number, swingd::text,
    validator::Engine, wait,
};

const SOON: Duration = Duration::from_secs(120);
/// Bytes of a chunk: small, so that an installation is several transactions.
const CHUNK: &str = "16384";

/// What the scenario swaps.
#[derive(Clone, Debug)]
pub struct Kernels {
    /// The bundle of the kernel that the chain ends with.
    pub next: PathBuf,
    /// The bundle of a kernel that stops the engine and is replaced first.
    pub broken: Option<PathBuf>,
}

impl Kernels {
    /// The kernel of version-2 in the source tree that this program was built from.
    pub fn version_2() -> Self {
        Kernels { next: bundle("version-2/kernel"), broken: None }
    }
}

/// A bundle of the source tree.
pub fn bundle(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../swingset/bundles").join(name).with_extension("bundle")
}

/// The outcome of the scenario.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SwapReport {
    /// What made the blocks.
    pub engine: String,
    /// How many validators.
    pub validators: usize,
    /// The block that began with the swap.
    pub swap_height: u64,
    /// Kernel bundle before and after.
    pub kernel: [String; 2],
    /// Kernel schema before and after.
    pub schema: [u64; 2],
    /// Why the engine stood still under the broken kernel, if there was one.
    pub engine_stopped: Option<String>,
    /// App hash, common to all validators, after the block before the swap, the swap's, and the last one looked at.
    pub app_hashes: Vec<(u64, String)>,
    /// The times of the blocks around the swap's.
    pub blocks: BlockTimes,
    /// Process IDs of the nodes, from the first block to the last.
    pub processes: Vec<u32>,
    /// Messages that the chain accepted while all this happened.
    pub messages_accepted: u64,
    /// Messages that the contract counted.
    pub messages_delivered: u64,
    /// Final height.
    pub final_height: u64,
}

/// Runs the scenario in `folder`.
///
/// # Errors
/// At the first thing that is not as it must be, saying what was seen and what was expected.
pub fn run(
    plan: Plan,
    folder: &Path,
    binaries: Binaries,
    kernels: &Kernels,
    tell: &mut Narrator,
) -> Result<SwapReport> {
    let mut report = SwapReport {
        engine: if plan.engine == Engine::Solo { "solo" } else { "cometbft" }.into(),
        validators: plan.validators,
        ..SwapReport::default()
    };
    let mut network = begin(plan, folder, binaries, tell)?;
    report.processes = processes(&mut network)?;
    let ([before, ..], schema) = kernel(&network)?;
    tell.say(&format!("kernel in state: {}, schema {schema}; processes {:?}", short(&before), report.processes));
    (report.kernel[0], report.schema[0]) = (before.clone(), schema);

    tell.step("A load of messages to the contract `counter` begins");
    let rpcs = network.validators.iter().map(|validator| validator.rpc()).collect();
    let load = Load::start(network.first()?.swingd.clone(), rpcs, &network.plan.chain_id, "load")?;

    let mut votes = Votes { proposals: 0 };
    if let Some(broken) = &kernels.broken {
        report.engine_stopped = Some(breaks_and_is_repaired(&mut network, &mut votes, broken, &before, tell)?);
    }
    let next = install(&network, &kernels.next, tell)?;
    report.swap_height = votes.decide(&network, &next, tell)?;
    swaps(&mut network, &mut report, &next, tell)?;

    tell.step("The load ends; every message must have been delivered once");
    let sent = load.finish(SOON)?;
    report.messages_accepted = sent.accepted;
    let counted = counted(&network, sent.accepted)?;
    let count = counted.count;
    report.messages_delivered = count;
    counted.check(&sent)?;
    tell.say(&format!("{} sent and accepted, {count} counted by the contract: none lost, none twice", sent.accepted));
    finish(&mut network, &mut report, tell)?;
    Ok(report)
}

fn finish(network: &mut Network, report: &mut SwapReport, tell: &mut Narrator) -> Result<()> {
    report.final_height = network.first()?.rpc().height()?;
    let last = report.final_height.saturating_sub(1);
    report.app_hashes.push((last, network.common_app_hash(last)?));
    ensure!(
        processes(network)? == report.processes,
        "the nodes' processes are {:?}, at the start they were {:?}",
        processes(network)?,
        report.processes
    );
    tell.say(&format!("the same processes run as at the start: {:?}", report.processes));
    network.stop_all(Duration::from_secs(30))?;
    tell.step("Done: the chain runs on another kernel, and no node was stopped for it");
    Ok(())
}

fn processes(network: &mut Network) -> Result<Vec<u32>> {
    let mut ids = Vec::new();
    for validator in &mut network.validators {
        ids.push(validator.running()?.with_context(|| format!("{} has ended", validator.name))?);
    }
    Ok(ids)
}

/// Installs a bundle by signed transactions, one a chunk; gives its ID.
fn install(network: &Network, file: &Path, tell: &mut Narrator) -> Result<String> {
    tell.step(&format!("{} is installed by signed transactions", file.file_name().unwrap_or_default().display()));
    let first = network.first()?;
    let known = kernels_in_state(network)?;
    let included = first.swingd.json(&[
        "tx",
        "swingset",
        "install-bundle",
        text(file)?,
        "--compress",
        "--chunk-size",
        CHUNK,
        "--from",
        "operator",
        "--chain-id",
        &network.plan.chain_id,
        "--node",
        &first.rpc_url(),
        "--keyring-backend",
        "test",
        "--gas",
        "60000000",
        "--fees",
        "600000uswing",
        "--yes",
    ])?;
    ensure!(included["code"].as_u64() == Some(0), "the installation was refused: {included}");
    let id = wait::until_ok("the bundle to be in state", SOON, || {
        Ok(kernels_in_state(network)?.into_iter().find(|id| !known.contains(id)))
    })?;
    tell.say(&format!("kernel {} is in state, in block {}", short(&id), included["height"].as_str().unwrap_or("?")));
    Ok(id)
}

/// IDs of the kernel bundles that were installed by transactions.
fn kernels_in_state(network: &Network) -> Result<Vec<String>> {
    let first = network.first()?;
    let answer = first.swingd.query(&first.rpc_url(), &["swingset", "bundles"])?;
    let bundles = answer["bundles"].as_array().context("no bundles")?;
    let kernels = bundles.iter().filter(|bundle| bundle["kind"] == "kernel");
    kernels.map(|bundle| bundle["bundle_id"].as_str().map(str::to_owned).context("no bundle_id")).collect()
}

/// The proposals so far: they are numbered in order.
struct Votes {
    proposals: u64,
}

impl Votes {
    /// Proposes a kernel, votes for it, and sees it pending; gives the height of the swap.
    fn decide(&mut self, network: &Network, id: &str, tell: &mut Narrator) -> Result<u64> {
        self.proposals = self.proposals.saturating_add(1);
        let number_text = self.proposals.to_string();
        tell.step(&format!("Governance decides on kernel {}", short(id)));
        let first = network.first()?;
        let (swingd, url, chain_id) = (&first.swingd, first.rpc_url(), &network.plan.chain_id);
        let blocks = network.plan.voting_period_s.saturating_mul(1000) / network.plan.block_interval_ms.max(1);
        let margin = if network.validators.len() > 1 { 20 } else { 15 };
        let height = first.rpc().height()?.saturating_add(blocks).saturating_add(margin);
        let height_text = height.to_string();
        let command = ["swingset", "set-kernel", "--kernel", id, "--height", &height_text];
        let proposal =
            ["--title", "another kernel", "--summary", "with no new software", "--deposit", "10000000uswing"];
        swingd.tx(&url, chain_id, "operator", &[command.as_slice(), proposal.as_slice()].concat())?;
        for validator in &network.validators {
            validator.swingd.tx(&url, chain_id, "operator", &["gov", "vote", &number_text, "yes"])?;
        }
        tell.say(&format!("proposal {number_text}: swap at height {height}; all validators voted yes"));
        wait::until_ok("the swap to be pending", SOON, || {
            let pending = swingd.query(&url, &["swingset", "pending-swap"])?;
            Ok((pending["swap"]["kernel_bundle_id"].as_str() == Some(id)).then_some(()))
        })?;
        tell.say("it passed; the swap is pending in state");
        Ok(height)
    }
}

/// The last swap that ended; it must have been made.
fn last_swap(network: &Network) -> Result<Value> {
    let first = network.first()?;
    let answer = first.swingd.query(&first.rpc_url(), &["swingset", "swap-history"])?;
    let last = answer["swaps"].as_array().and_then(|swaps| swaps.last()).context("no swap has ended")?.clone();
    ensure!(last["outcome"] == "SWAP_OUTCOME_DONE", "the swap ended as {last}");
    Ok(last)
}

/// A broken kernel is swapped in, stops the engine, and is replaced by the one before; gives why the engine stopped.
fn breaks_and_is_repaired(
    network: &mut Network,
    votes: &mut Votes,
    broken: &Path,
    good: &str,
    tell: &mut Narrator,
) -> Result<String> {
    let id = install(network, broken, tell)?;
    let height = votes.decide(network, &id, tell)?;
    // A block's height is told when it is stored, a moment before it is executed: the next one's shows that it was.
    network.wait_for_height(height.saturating_add(1), SOON)?;
    last_swap(network)?;
    let first = network.first()?;
    let (swingd, url) = (first.swingd.clone(), first.rpc_url());
    let state = || swingd.query(&url, &["swingset", "kernel"]);
    let stopped = wait::until_ok("the broken kernel to stop the engine", SOON, || {
        Ok(Some(state()?).filter(|kernel| kernel["engine_status"] == "ENGINE_STATUS_STOPPED"))
    })?;
    let reason = stopped["engine_reason"].as_str().unwrap_or_default().to_owned();
    let at = first.rpc().height()?;
    tell.say(&format!("the engine stopped ({reason}); the chain is at {at} and goes on"));
    network.wait_for_height(at.saturating_add(3), SOON)?;
    let queue = network.first()?.swingd.query(&url, &["swingset", "queue"])?;
    tell.say(&format!("{} messages wait in the queue", number(&queue["length"])?));
    let height = votes.decide(network, good, tell)?;
    network.wait_for_height(height.saturating_add(1), SOON)?;
    last_swap(network)?;
    wait::until_ok("the engine to run again", SOON, || {
        Ok(Some(state()?).filter(|kernel| kernel["engine_status"] == "ENGINE_STATUS_RUNNING"))
    })?;
    tell.say(&format!("kernel {} is back at {height}; the engine runs", short(good)));
    Ok(reason)
}

/// The swap's block comes and goes; all nodes have the new kernel and the same hashes.
fn swaps(network: &mut Network, report: &mut SwapReport, id: &str, tell: &mut Narrator) -> Result<()> {
    let height = report.swap_height;
    tell.step(&format!("The nodes come to height {height}, and go on"));
    network.wait_for_height(height.saturating_add(3), SOON)?;
    let swap = last_swap(network)?;
    ensure!(number(&swap["height"])? == height, "the swap was made at {swap}, expected {height}");
    let ([after, ..], schema) = kernel(network)?;
    ensure!(after == id, "the kernel bundle is {after}, expected {id}");
    tell.say(&format!("kernel in state: {} → {}", short(&report.kernel[0]), short(&after)));
    tell.say(&format!("schema {} → {schema}", report.schema[0]));
    (report.kernel[1], report.schema[1]) = (after, schema);
    for at in [height.saturating_sub(1), height] {
        let hash = network.common_app_hash(at)?;
        tell.say(&format!("app hash after {at}, the same on all: {}", short(&hash)));
        report.app_hashes.push((at, hash));
    }
    report.blocks = BlockTimes::around(&network.first()?.rpc(), height)?;
    tell.say(&format!("the blocks around the swap: {}", report.blocks));
    Ok(())
}

impl SwapReport {
    /// Writes it as JSON.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        std::fs::write(path, serde_json::to_vec_pretty(self)?)?;
        Ok(())
    }
}
