//! The upgrade under swingvisors that keep CometBFT connected: no peer, no client and no height is lost.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use serde_json::{Value, json};

use super::visor::{self, BlockTimes, Supervision, VisorReport};
use crate::{
    asking::Asking, binaries::Binaries, genesis::Plan, network::Network, report::Narrator, rpc::number,
    validator::Validator, watch::Watch,
};

/// What was seen.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ZeroReport {
    /// What the upgrade itself gave.
    pub upgrade: VisorReport,
    /// For how long each validator's consensus waited for the first answer of block H, milliseconds.
    pub extra_ms: Vec<u64>,
    /// For how long no node served each CometBFT, milliseconds.
    pub parked_ms: Vec<u64>,
    /// The change of processes of each, as its swingvisor tells it.
    pub swaps: Vec<Value>,
    /// Requests that each validator's one RPC connection answered throughout.
    pub requests: Vec<u64>,
    /// What a client of each validator's REST heard, which was never refused: answers, and times that it was told of the upgrade.
    pub rest: Vec<(u64, u64)>,
}

/// Runs the scenario in `folder` under swingvisors with a front. At its end a CometBFT is killed, and comes back with a handshake.
///
/// # Errors
/// At the first thing that is not as it must be: a lost peer or connection, another CometBFT process, a missed height.
pub fn run(
    plan: Plan,
    folder: &Path,
    binaries: Binaries,
    how: &Supervision,
    tell: &mut Narrator,
) -> Result<ZeroReport> {
    run_watched(plan, folder, binaries, how, tell, &mut |_, _| Ok(()))
}

/// As [`run`], with somebody else who looks too.
///
/// # Errors
/// As [`run`], and the watcher's.
pub fn run_watched(
    plan: Plan,
    folder: &Path,
    binaries: Binaries,
    how: &Supervision,
    tell: &mut Narrator,
    watcher: visor::Watcher<'_>,
) -> Result<ZeroReport> {
    let mut report = ZeroReport::default();
    let mut watched = None;
    let mut asking = Vec::new();
    let mut seen_comets = Vec::new();
    report.upgrade = visor::run_watched(plan, folder, binaries, how, tell, &mut |network, moment| match moment {
        visor::Moment::Begun => {
            seen_comets = comets(network, how)?;
            let peers = u64::try_from(network.validators.len().saturating_sub(1))?;
            wait_for_peers(network, peers)?;
            let watches = network.validators.iter().map(|validator| Watch::start(validator.ports.rpc, peers));
            watched = Some(watches.collect::<Result<Vec<_>>>()?);
            asking = network.validators.iter().map(|validator| Asking::start(validator.ports.api)).collect();
            watcher(network, moment)
        }
        visor::Moment::Scheduled(_) => watcher(network, moment),
        visor::Moment::Upgraded(height) => {
            let watches = watched.take().context("the watches were started")?;
            ensure!(comets(network, how)? == seen_comets, "a CometBFT was started again");
            for (validator, watch) in network.validators.iter().zip(watches) {
                let seen =
                    watch.finish().with_context(|| format!("{}: see {}", validator.name, validator.log().display()))?;
                check_heights(&seen.heights, height).with_context(|| validator.name.clone())?;
                report.requests.push(seen.requests);
                let swap = how.status(validator)?["front"]["last_swap"].clone();
                let of = |name: &str| swap[name].as_u64().with_context(|| format!("no {name} in {swap}"));
                ensure!(of("committed_height")? == height.saturating_sub(1), "{}: {swap}", validator.name);
                report.extra_ms.push(of("extra_ms")?);
                report.parked_ms.push(of("parked_ms")?);
                report.swaps.push(swap);
            }
            for asking in std::mem::take(&mut asking) {
                let heard = asking.finish()?;
                report.rest.push((heard.answers, heard.upgrading));
            }
            watcher(network, moment)?;
            kill_a_comet(network, how, &seen_comets)
        }
    })?;
    tell.say(&format!(
        "extra time at H: {:?} ms; parked for {:?} ms; {}",
        report.extra_ms, report.parked_ms, report.upgrade.blocks
    ));
    Ok(report)
}

/// The most that consensus may wait for block H, in usual blocks: many times what a change of processes takes on a loaded machine, and
/// less than a stop and a start of both processes.
const EXTRA_BLOCKS_MAX: i64 = 4;
/// The rounds that block H may take: with one more than usual its first proposer was late.
const ROUND_MAX: u64 = 1;

/// What the change of processes before block `height` took, which was the last one of every validator: its parts are told and add up,
/// consensus waited for no longer than CometBFT was parked, within bounds, and CometBFT's own blocks say the same.
///
/// # Errors
/// When one of them is not as it must be, with the figures.
pub fn check_extra_time(network: &Network, how: &Supervision, height: u64, tell: &mut Narrator) -> Result<()> {
    let rpc = network.first()?.rpc();
    let blocks = BlockTimes::around(&rpc, height)?;
    let commit = rpc.call("commit", json!({ "height": height.to_string() }))?;
    let round = number(&commit["signed_header"]["commit"]["round"])?;
    let mut longest_ms = 0;
    for validator in &network.validators {
        let swap = how.status(validator)?["front"]["last_swap"].clone();
        tell.say(&format!("{}: {swap}", validator.name));
        let of = |name: &str| swap[name].as_i64().with_context(|| format!("{}: no {name} in {swap}", validator.name));
        ensure!(of("committed_height")? == i64::try_from(height)? - 1, "{}: {swap}", validator.name);
        let (parked_ms, extra_ms) = (of("parked_ms")?, of("extra_ms")?);
        let parts_ms = of("exit_ms")? + of("switch_ms")? + of("start_ms")?;
        ensure!(parked_ms > 0 && parked_ms == parts_ms && extra_ms <= parked_ms, "{}: {swap}", validator.name);
        longest_ms = longest_ms.max(extra_ms);
    }
    tell.say(&format!("extra time at {height}: {longest_ms} ms, round {round}; {blocks}"));
    let most_ms = blocks.usual * EXTRA_BLOCKS_MAX;
    ensure!(longest_ms <= most_ms, "consensus waited {longest_ms} ms for block {height}: {blocks}");
    ensure!(round <= ROUND_MAX, "block {height} was decided in round {round}");
    ensure!(blocks.handover <= longest_ms + most_ms, "block {height} came late, and nobody waited for it: {blocks}");
    Ok(())
}

/// Kills the first validator's CometBFT: it is started again, and the validator goes on.
fn kill_a_comet(network: &Network, how: &Supervision, comets: &[u64]) -> Result<()> {
    let (first, id) = (network.first()?, comets.first().copied().context("a network has a validator")?);
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw).context("a process ID out of range")?;
    kill_process(pid, Signal::KILL).context("killing CometBFT")?;
    crate::wait::until_ok("another CometBFT", visor::SOON, || {
        let now = how.status(first)?["comet_pid"].as_u64();
        Ok(now.filter(|now| *now != id).map(drop))
    })?;
    let height = network.validators.last().context("a network has a validator")?.rpc().height()?;
    crate::wait::until_ok("its next blocks", visor::SOON, || {
        Ok((first.rpc().height()? > height.saturating_add(1)).then_some(()))
    })
}

/// Process IDs of the CometBFTs.
///
/// # Errors
/// When a swingvisor does not answer, or has none.
pub fn comets(network: &Network, how: &Supervision) -> Result<Vec<u64>> {
    let of = |validator: &Validator| -> Result<u64> {
        let status: Value = how.status(validator)?;
        status["comet_pid"].as_u64().with_context(|| format!("{}: no CometBFT in {status}", validator.name))
    };
    network.validators.iter().map(of).collect()
}

/// Waits until every validator has so many peers.
///
/// # Errors
/// When one does not come to them.
pub fn wait_for_peers(network: &Network, peers: u64) -> Result<()> {
    for validator in &network.validators {
        let what = format!("the peers of {}", validator.name);
        crate::wait::until_ok(&what, visor::SOON, || Ok((validator.rpc().peers()? == peers).then_some(())))?;
    }
    Ok(())
}

/// One websocket heard of every block, through the upgrade and beyond.
///
/// # Errors
/// When it missed one.
pub fn check_heights(heights: &[u64], upgrade: u64) -> Result<()> {
    for pair in heights.windows(2) {
        ensure!(pair.first().map(|height| height.saturating_add(1)) == pair.get(1).copied(), "a gap in {heights:?}");
    }
    ensure!(
        heights.contains(&upgrade.saturating_sub(1)) && heights.contains(&upgrade.saturating_add(1)),
        "block {upgrade} is not within {heights:?}"
    );
    Ok(())
}
