//! The main job under a supervisor: nobody touches a node between the vote and the blocks after the upgrade.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;

use super::{
    times,
    upgrade::{self, PLAN},
};
use crate::{
    binaries::{Binaries, NEWEST, VERSION_1},
    genesis::Plan,
    load::Load,
    network::Network,
    report::Narrator,
    rpc::{Rpc, number},
    swingd::text,
    validator::Validator,
};

/// How long anything is waited for.
pub const SOON: Duration = Duration::from_secs(180);
/// Blocks of which the usual time between two is told.
const USUAL_BLOCKS: u64 = 12;
/// File name of the node under a supervisor.
const DAEMON: &str = "swingd";

/// The supervisor, and how it comes to the new binary.
#[derive(Clone, Debug)]
pub struct Supervision {
    /// The program: swingvisor, or a cosmovisor.
    pub program: PathBuf,
    /// Text of the plan's info where the supervisor downloads the binary by it; none where the operator adds it beforehand.
    pub download_info: Option<String>,
    /// swingvisor keeps CometBFT connected.
    pub front: bool,
    /// In that mode: it has the next binary stand by.
    pub standby: bool,
    /// Rest between the old binary's end and the switch, as swingvisor's environment has it.
    pub delay: Option<String>,
    /// How often committed state, or cosmovisor's file, is looked at, as the environment has it.
    pub poll: &'static str,
    /// The newest release is installed from the first block on, and goes through its height in one process.
    pub early: bool,
    /// More of the environment.
    pub environment: &'static [(&'static str, &'static str)],
}

/// A moment at which a watcher may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Blocks are made, no plan is made yet.
    Begun,
    /// The plan of this height is in state.
    Scheduled(u64),
    /// Some blocks after the plan of this height.
    Upgraded(u64),
}

/// Looks at a network at a moment.
pub type Watcher<'a> = &'a mut dyn FnMut(&Network, Moment) -> Result<()>;

/// A release that operators have put in place before its height.
pub type Staged<'a> = (&'a str, &'a str);

/// What was seen.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VisorReport {
    /// The plan's height.
    pub upgrade_height: u64,
    /// Kernel bundle IDs before and after.
    pub kernels: [String; 2],
    /// App hashes, common to all validators, after H−1, H and H+1.
    pub app_hashes: Vec<String>,
    /// Messages that the chain accepted while all this happened; as many were delivered.
    pub messages: u64,
    /// The times of the blocks around the plan's.
    pub blocks: BlockTimes,
}

/// Milliseconds between the headers of blocks around an upgrade's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BlockTimes {
    /// From H to H+1: the change of processes lies in it.
    pub handover: i64,
    /// From H+1 to H+2: executing the upgrade lies in it.
    pub upgrade: i64,
    /// The median of the blocks before.
    pub usual: i64,
}

impl BlockTimes {
    /// Of the blocks around `height`.
    ///
    /// # Errors
    /// When one of them is not there.
    pub fn around(rpc: &Rpc, height: u64) -> Result<Self> {
        let from = height.saturating_sub(USUAL_BLOCKS).max(1);
        let mut between = times::intervals(rpc, from, height.saturating_add(2))?;
        let upgrade = between.pop().context("blocks after the upgrade")?;
        let handover = between.pop().context("blocks after the upgrade")?;
        Ok(BlockTimes { handover, upgrade, usual: times::median(between)? })
    }

    /// The block as a multiple of the usual one, of both intervals that an upgrade lies in together: 2 where it costs no time.
    #[must_use]
    pub fn in_usual_ones(&self) -> String {
        let hundredths = self.handover.saturating_add(self.upgrade).saturating_mul(100) / self.usual.max(1);
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

impl std::fmt::Display for BlockTimes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let BlockTimes { handover, upgrade, usual } = self;
        write!(
            f,
            "from H to H+1 {handover} ms, to H+2 {upgrade} ms, usual {usual} ms: both are {} usual ones",
            self.in_usual_ones()
        )
    }
}

impl Supervision {
    /// swingvisor between CometBFT and the node, with all that it does by default.
    pub fn front(program: &Path) -> Self {
        // A question is a process, and several supervisors share this machine with the blocks.
        Supervision {
            program: program.to_owned(),
            download_info: None,
            front: true,
            standby: true,
            delay: None,
            poll: "1s",
            early: false,
            environment: &[],
        }
    }

    /// A supervisor that stops and starts the node, whose next binary is added before.
    pub fn restart(program: &Path) -> Self {
        Supervision { front: false, standby: false, poll: "300ms", ..Supervision::front(program) }
    }

    /// swingvisor with nothing to do at the height: the newest release is there from the first block on.
    pub fn early(program: &Path) -> Self {
        Supervision { early: true, poll: "1s", ..Supervision::restart(program) }
    }

    /// The supervisor's command for one home, in the environment that an operator would give it.
    fn command(&self, validator: &Validator, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        let home = &validator.swingd.home;
        // cosmovisor asks `status` with no arguments: the node's own variable then names the home.
        command.args(arguments).env("DAEMON_HOME", home).env("DAEMON_NAME", DAEMON).env("SWINGD_HOME", home);
        command.env("DAEMON_POLL_INTERVAL", self.poll);
        if self.download_info.is_some() {
            command.env("DAEMON_ALLOW_DOWNLOAD_BINARIES", "true");
        }
        if let Some(delay) = &self.delay {
            command.env("DAEMON_RESTART_DELAY", delay);
        }
        if self.front || self.early {
            command.env("SWINGVISOR_LISTEN", format!("127.0.0.1:{}", validator.ports.pages));
        }
        if self.front {
            command.env("SWINGVISOR_MODE", "front");
            command.env("SWINGVISOR_STANDBY", if self.standby { "true" } else { "false" });
        }
        command.envs(self.environment.iter().copied());
        command
    }

    /// What swingvisor says of one home.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn status(&self, validator: &Validator) -> Result<Value> {
        let output = self.command(validator, &["status", "-o", "json"]).output().context("running the supervisor")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "`status` ended with {}: {said}", output.status);
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Puts a binary into the place of a plan's on one home, as its operator does.
    ///
    /// # Errors
    /// What the supervisor says against it.
    pub fn add(&self, validator: &Validator, plan: &str, binary: &Path, force: bool) -> Result<()> {
        let arguments = ["add-upgrade", plan, text(binary)?, "--force"];
        self.run(validator, arguments.get(..if force { 4 } else { 3 }).unwrap_or_default())
    }

    fn run(&self, validator: &Validator, arguments: &[&str]) -> Result<()> {
        let output = self.command(validator, arguments).output().context("running the supervisor")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "`{}` ended with {}: {said}", arguments.join(" "), output.status);
        Ok(())
    }
}

/// Runs the scenario in `folder`.
///
/// # Errors
/// At the first thing that is not as it must be.
pub fn run(
    plan: Plan,
    folder: &Path,
    binaries: Binaries,
    how: &Supervision,
    tell: &mut Narrator,
) -> Result<VisorReport> {
    run_watched(plan, folder, binaries, how, tell, &mut |_, _| Ok(()))
}

/// As [`run`], with somebody who looks.
///
/// # Errors
/// As [`run`], and the watcher's.
pub fn run_watched(
    plan: Plan,
    folder: &Path,
    binaries: Binaries,
    how: &Supervision,
    tell: &mut Narrator,
    watcher: Watcher<'_>,
) -> Result<VisorReport> {
    let mut report = VisorReport::default();
    let is_staged = how.download_info.is_none() && !how.early;
    let staged: &[Staged<'_>] = if is_staged { &[(PLAN, NEWEST)] } else { &[] };
    let mut network = begin(plan, folder, binaries, how, staged, tell)?;
    let early = if how.early { pids(&network, how)? } else { Vec::new() };
    report.kernels[0] = upgrade::kernel(&network)?.0[0].clone();

    watcher(&network, Moment::Begun)?;

    let load = load(&network, tell)?;
    let info = how.download_info.as_deref().unwrap_or("{}");
    let height = upgrade::schedule_with_info(&network, info, tell)?;
    report.upgrade_height = height;
    watcher(&network, Moment::Scheduled(height))?;

    tell.step(&format!("Nobody touches a node while height {height} comes"));
    network.wait_for_height(height.saturating_add(3), SOON)?;
    watcher(&network, Moment::Upgraded(height))?;
    if how.early {
        stayed(&network, how, &early, height)?;
    } else {
        upgraded_to(&mut network, PLAN, NEWEST)?;
    }
    let first = network.first()?;
    let applied = first.swingd.query(&first.rpc_url(), &["upgrade", "applied", PLAN])?;
    ensure!(number(&applied["height"])? == height, "{PLAN} was applied at {applied}, expected {height}");
    report.kernels[1] = upgrade::kernel(&network)?.0[0].clone();
    ensure!(report.kernels[0] != report.kernels[1], "the kernel bundle is still {}", report.kernels[0]);
    for at in height.saturating_sub(1)..=height.saturating_add(1) {
        report.app_hashes.push(network.common_app_hash(at)?);
    }
    report.blocks = BlockTimes::around(&first.rpc(), height)?;
    tell.say(&format!("all went through {height}: {}", report.blocks));

    tell.step("The load ends; every message must have been delivered once");
    let sent = load.finish(SOON)?;
    upgrade::counted(&network, sent.accepted)?.check(&sent)?;
    report.messages = sent.accepted;
    tell.say(&format!("{} messages, none lost, none twice", sent.accepted));
    network.stop_all(SOON)?;
    Ok(report)
}

/// Starts a load of messages to the contract `counter`, through all nodes in turn.
///
/// # Errors
/// When its account is not on the chain.
pub fn load(network: &Network, tell: &mut Narrator) -> Result<Load> {
    tell.step("A load of messages to the contract `counter` begins");
    load_through(network, &network.validators)
}

/// The same through these nodes alone.
///
/// # Errors
/// As [`load`].
pub fn load_through(network: &Network, nodes: &[Validator]) -> Result<Load> {
    let rpcs = nodes.iter().map(Validator::rpc).collect();
    Load::start(network.first()?.swingd.clone(), rpcs, &network.plan.chain_id, "load")
}

/// Every validator's link leads to the binary of this plan; what is asked from now on is asked with `program`.
///
/// # Errors
/// When one leads elsewhere.
pub fn upgraded_to(network: &mut Network, plan: &str, program: &str) -> Result<()> {
    for validator in &mut network.validators {
        validator.swingd.program = network.binaries.path(program);
        let link = std::fs::read_link(validator.swingd.home.join("cosmovisor/current"))?;
        ensure!(link.ends_with(Path::new("upgrades").join(plan)), "{} runs {}", validator.name, link.display());
    }
    Ok(())
}

/// Process IDs of the nodes.
fn pids(network: &Network, how: &Supervision) -> Result<Vec<Value>> {
    network.validators.iter().map(|validator| Ok(how.status(validator)?["pid"].clone())).collect()
}

/// Every node went through `height` in the process that it had before, and kept the state before it.
fn stayed(network: &Network, how: &Supervision, before: &[Value], height: u64) -> Result<()> {
    ensure!(pids(network, how)? == before, "the nodes' processes were {before:?}, now {:?}", pids(network, how)?);
    for validator in &network.validators {
        let status = how.status(validator)?;
        let counted = (&status["starts"], &status["crashes"], &status["last_switch"]);
        ensure!(counted == (&1.into(), &0.into(), &Value::Null), "{}: {status}", validator.name);
        upgrade::has_checkpoint(validator, height)?;
    }
    Ok(())
}

/// Makes the homes with the supervisor's layout, `staged` in place, and starts the supervisors.
///
/// # Errors
/// When they do not come to make blocks.
pub fn begin(
    plan: Plan,
    folder: &Path,
    binaries: Binaries,
    how: &Supervision,
    staged: &[Staged<'_>],
    tell: &mut Narrator,
) -> Result<Network> {
    tell.step(&format!("A new chain of {} node(s) of version-1's rules, each under its supervisor", plan.validators));
    let mut network = Network::create(plan, folder, binaries, VERSION_1)?;
    for validator in &mut network.validators {
        let first = if how.early { NEWEST } else { VERSION_1 };
        how.run(validator, &["init", text(&network.binaries.path(first))?])?;
        for (plan, program) in staged {
            how.run(validator, &["add-upgrade", plan, text(&network.binaries.path(program))?])?;
        }
        let home = text(&validator.swingd.home)?.to_owned();
        let mut command =
            how.command(validator, &["run", "start", "--engine", validator.engine_name(), "--home", &home]);
        validator.start_supervised(&mut command)?;
    }
    network.wait_for_height(2, SOON)?;
    tell.say(&format!("blocks are made; height {}", network.first()?.rpc().height()?));
    Ok(network)
}
