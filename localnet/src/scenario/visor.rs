//! The main job under a supervisor: nobody touches a node between the vote and the blocks after the upgrade.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::upgrade::{self, Counted, PLAN};
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
    /// Rest between the old binary's end and the switch, as swingvisor's environment has it.
    pub delay: Option<String>,
}

/// A moment at which a watcher may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Blocks are made, no plan is made yet.
    Begun,
    /// Some blocks after the plan of this height.
    Upgraded(u64),
}

/// Looks at a network at a moment.
pub type Watcher<'a> = &'a mut dyn FnMut(&Network, Moment) -> Result<()>;

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
    /// Header times of H−1 and H lie so far apart, milliseconds.
    pub block_ms_at_upgrade: u64,
    /// The same for the two blocks before, for comparison.
    pub block_ms_before: u64,
}

impl Supervision {
    /// The supervisor's command for one home, in the environment that an operator would give it.
    fn command(&self, validator: &Validator, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        let home = &validator.swingd.home;
        // cosmovisor asks `status` with no arguments: the node's own variable then names the home.
        command.args(arguments).env("DAEMON_HOME", home).env("DAEMON_NAME", DAEMON).env("SWINGD_HOME", home);
        command.env("DAEMON_POLL_INTERVAL", "300ms");
        if self.download_info.is_some() {
            command.env("DAEMON_ALLOW_DOWNLOAD_BINARIES", "true");
        }
        if let Some(delay) = &self.delay {
            command.env("DAEMON_RESTART_DELAY", delay);
        }
        if self.front {
            let pages = format!("127.0.0.1:{}", validator.ports.pages);
            command.env("SWINGVISOR_MODE", "front").env("SWINGVISOR_LISTEN", pages);
        }
        command
    }

    /// What swingvisor says of one home.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn status(&self, validator: &Validator) -> Result<serde_json::Value> {
        let output = self.command(validator, &["status", "-o", "json"]).output().context("running the supervisor")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "`status` ended with {}: {said}", output.status);
        Ok(serde_json::from_slice(&output.stdout)?)
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
    let mut network = begin(plan, folder, binaries, how, tell)?;
    report.kernels[0] = upgrade::kernel(&network)?.0[0].clone();

    watcher(&network, Moment::Begun)?;

    tell.step("A load of messages to the contract `counter` begins");
    let rpcs: Vec<Rpc> = network.validators.iter().map(Validator::rpc).collect();
    let load = Load::start(network.first()?.swingd.clone(), rpcs, &network.plan.chain_id, "load")?;
    let info = how.download_info.as_deref().unwrap_or("{}");
    let height = upgrade::schedule_with_info(&network, info, tell)?;
    report.upgrade_height = height;

    tell.step(&format!("Nobody touches a node while height {height} comes"));
    network.wait_for_height(height.saturating_add(3), SOON)?;
    watcher(&network, Moment::Upgraded(height))?;
    for validator in &mut network.validators {
        validator.swingd.program = network.binaries.path(NEWEST);
        let link = std::fs::read_link(validator.swingd.home.join("cosmovisor/current"))?;
        ensure!(link.ends_with(Path::new("upgrades").join(PLAN)), "{} runs {}", validator.name, link.display());
    }
    let first = network.first()?;
    let applied = first.swingd.query(&first.rpc_url(), &["upgrade", "applied", PLAN])?;
    ensure!(number(&applied["height"])? == height, "{PLAN} was applied at {applied}, expected {height}");
    report.kernels[1] = upgrade::kernel(&network)?.0[0].clone();
    ensure!(report.kernels[0] != report.kernels[1], "the kernel bundle is still {}", report.kernels[0]);
    for at in height.saturating_sub(1)..=height.saturating_add(1) {
        report.app_hashes.push(network.common_app_hash(at)?);
    }
    measure(&first.rpc(), &mut report)?;
    tell.say(&format!(
        "all went through {height}: the block took {} ms, the one before {} ms",
        report.block_ms_at_upgrade, report.block_ms_before
    ));

    tell.step("The load ends; every message must have been delivered once");
    let sent = load.finish(SOON)?;
    let Counted { count, distinct, sum } = upgrade::counted(&network, sent.accepted)?;
    ensure!(
        (count, distinct, sum) == (sent.accepted, sent.accepted, sent.sum),
        "the contract counted {count} messages, {distinct} different, sum {sum}; the chain accepted {} with sum {}",
        sent.accepted,
        sent.sum
    );
    report.messages = sent.accepted;
    tell.say(&format!("{count} messages, none lost, none twice"));
    network.stop_all(SOON)?;
    Ok(report)
}

/// Makes the homes with the supervisor's layout, and starts the supervisors.
fn begin(plan: Plan, folder: &Path, binaries: Binaries, how: &Supervision, tell: &mut Narrator) -> Result<Network> {
    tell.step(&format!("A new chain of {} version-1 node(s), each under its supervisor", plan.validators));
    let mut network = Network::create(plan, folder, binaries, VERSION_1)?;
    for validator in &mut network.validators {
        how.run(validator, &["init", text(&network.binaries.path(VERSION_1))?])?;
        if how.download_info.is_none() {
            how.run(validator, &["add-upgrade", PLAN, text(&network.binaries.path(NEWEST))?])?;
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

fn measure(rpc: &Rpc, report: &mut VisorReport) -> Result<()> {
    let at = |back: u64| millis(&rpc.block_time(report.upgrade_height.saturating_sub(back))?);
    // A block's header has the time at which the block before was signed: the pause before H shows in H+1's.
    let after = millis(&rpc.block_time(report.upgrade_height.saturating_add(1))?)?;
    let (upgrade, before) = (at(0)?, at(1)?);
    report.block_ms_at_upgrade = after.max(upgrade).saturating_sub(before.min(upgrade));
    report.block_ms_before = before.saturating_sub(at(2)?);
    Ok(())
}

/// Milliseconds of a day in an RFC 3339 time; the day is left out.
fn millis(time: &str) -> Result<u64> {
    let (_, clock) = time.split_once('T').context("no time of day")?;
    let clock = clock.trim_end_matches('Z');
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut total: u64 = 0;
    for part in seconds.split(':') {
        total = total.saturating_mul(60).saturating_add(part.parse().with_context(|| format!("no time: {time}"))?);
    }
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    Ok(total.saturating_mul(1_000).saturating_add(fraction.parse().with_context(|| format!("no time: {time}"))?))
}
