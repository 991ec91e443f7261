//! The main job: a chain of version-1 nodes votes for version-2, every node stops at the height and refuses to go on, version-2
//! takes the same homes, swaps the kernel in state, and no message is lost.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::vote;
use crate::{
    binaries::{Binaries, NEWEST, VERSION_1},
    genesis::Plan,
    load::{Load, Sent},
    network::Network,
    report::{Narrator, UpgradeReport},
    rpc::number,
    swingd::Swingd,
    validator::{Engine, Validator},
    wait,
};

/// Exit code of a node that stopped for a plan that it cannot handle (the node's `ExitCode::UpgradeNeeded`).
pub const UPGRADE_NEEDED: i32 = 40;

/// The plan's name.
pub const PLAN: &str = "version-2";
const SOON: Duration = Duration::from_secs(120);

/// Runs the scenario in `folder`.
///
/// # Errors
/// At the first thing that is not as it must be, saying what was seen and what was expected.
pub fn run(plan: Plan, folder: &Path, binaries: Binaries, tell: &mut Narrator) -> Result<UpgradeReport> {
    let mut report = UpgradeReport {
        engine: if plan.engine == Engine::Solo { "solo" } else { "cometbft" }.into(),
        validators: plan.validators,
        plan: PLAN.into(),
        ..UpgradeReport::default()
    };
    let mut network = begin(plan, folder, binaries, tell)?;
    let (before, schema) = kernel(&network)?;
    tell.say(&format!("kernel in state: {}, schema {schema}", short(&before[0])));
    (report.bundles_before, report.schema[0]) = (before, schema);

    tell.step("A load of messages to the contract `counter` begins");
    let rpcs = network.validators.iter().map(|validator| validator.rpc()).collect();
    let load = Load::start(network.first()?.swingd.clone(), rpcs, &network.plan.chain_id, "load")?;

    report.upgrade_height = schedule(&network, tell)?;
    stops(&mut network, &mut report, tell)?;
    refuses_again(&mut network, &mut report, tell)?;
    resumes(&mut network, &mut report, tell)?;

    tell.step("The load ends; every message must have been delivered once");
    let sent = load.finish(SOON)?;
    report.messages_accepted = sent.accepted;
    let counted = counted(&network, sent.accepted)?;
    let count = counted.count;
    report.messages_delivered = count;
    counted.check(&sent)?;
    tell.say(&format!(
        "{} sent and accepted, {count} counted by the contract, sums equal: none lost, none twice",
        sent.accepted
    ));

    report.final_height = network.first()?.rpc().height()?;
    let last = report.final_height.saturating_sub(1);
    report.app_hashes.push((last, network.common_app_hash(last)?));
    tell.say(&format!(
        "app hash after {last}, the same on all: {}",
        short(&report.app_hashes.last().context("just pushed")?.1)
    ));
    network.stop_all(Duration::from_secs(30))?;
    tell.step("Done: the chain runs on a new kernel");
    Ok(report)
}

/// Makes a chain of version-1 nodes and waits until it makes blocks.
///
/// # Errors
/// When it does not.
pub fn begin(plan: Plan, folder: &Path, binaries: Binaries, tell: &mut Narrator) -> Result<Network> {
    let engine = match plan.engine {
        Engine::Solo => "the embedded development engine",
        Engine::CometChild | Engine::CometExternal => "CometBFT",
    };
    tell.step(&format!("A new chain of {} version-1 node(s) on {engine}", plan.validators));
    let mut network = Network::create(plan, folder, binaries, VERSION_1)?;
    network.start_all(VERSION_1)?;
    network.wait_for_height(2, SOON)?;
    tell.say(&format!("blocks are made; height {}", network.first()?.rpc().height()?));
    Ok(network)
}

/// Proposes the plan and votes for it; gives its height.
///
/// # Errors
/// When the chain refuses something, or the proposal does not pass.
pub fn schedule(network: &Network, tell: &mut Narrator) -> Result<u64> {
    schedule_with_info(network, "{}", tell)
}

/// As [`schedule`], with this `info` in the plan.
///
/// # Errors
/// As [`schedule`].
pub fn schedule_with_info(network: &Network, info: &str, tell: &mut Narrator) -> Result<u64> {
    schedule_plan(network, PLAN, info, tell)
}

/// As [`schedule`], for a plan of another name.
///
/// # Errors
/// As [`schedule`].
pub fn schedule_plan(network: &Network, name: &str, info: &str, tell: &mut Narrator) -> Result<u64> {
    tell.step(&format!("Governance schedules the plan {name}"));
    let margin = if network.validators.len() > 1 { 20 } else { 15 };
    let height = vote::height_after(network, network.plan.voting_period_s, margin)?;
    let id = vote::propose_plan(network, name, height, info, false)?;
    vote::all_vote_yes(network, id)?;
    tell.say(&format!("proposal {id}: {name} at height {height}; all validators voted yes"));
    vote::wait_until_passed(network, id, SOON)?;
    vote::wait_for_plan(network, Some(height), SOON)?;
    tell.say("it passed; the plan is in state");
    Ok(height)
}

/// Every version-1 node commits H−1, says why it goes no further, and exits.
fn stops(network: &mut Network, report: &mut UpgradeReport, tell: &mut Narrator) -> Result<()> {
    let height = report.upgrade_height;
    tell.step(&format!("The nodes come to height {height}"));
    for validator in &mut network.validators {
        let (code, output) = validator.wait_for_exit(SOON)?;
        let committed = expect_refusal(&validator.name, &validator.swingd, code, &output, height)?;
        report.stop_heights.push(committed);
        report.exit_codes.push((code, 0));
        tell.say(&format!("{} stopped after {committed}, exit code {code}: can you handle {PLAN}? no", validator.name));
    }
    Ok(())
}

/// Checks one refusal: exit code, words, and the height that the stopped node itself reports, which it gives.
///
/// # Errors
/// When one of them is not as it must be.
pub fn expect_refusal(name: &str, swingd: &Swingd, code: i32, output: &str, height: u64) -> Result<u64> {
    ensure!(code == UPGRADE_NEEDED, "{name} ended with code {code}, expected {UPGRADE_NEEDED}:\n{output}");
    for line in [format!("can you handle {PLAN}? no"), format!("UPGRADE \"{PLAN}\" NEEDED at height: {height}: {{}}")] {
        ensure!(output.contains(&line), "{name} did not print `{line}`:\n{output}");
    }
    let status = swingd.json(&["status"])?;
    // Supervisors read the plan's height there, once a stop is due; the committed one is the application's own.
    ensure!(
        number(&status["sync_info"]["latest_block_height"])? == height,
        "{name}'s status is {status}, expected the plan's height {height} for supervisors"
    );
    let committed = number(&status["application"]["committed_height"])?;
    ensure!(
        committed == height.saturating_sub(1),
        "{name} stopped with height {committed}, expected {}",
        height.saturating_sub(1)
    );
    Ok(committed)
}

/// The node has a checkpoint of the state before block `height`.
///
/// # Errors
/// When it has not.
pub fn has_checkpoint(validator: &Validator, height: u64) -> Result<()> {
    let list = validator.swingd.json(&["checkpoint", "list"])?;
    let before = height.saturating_sub(1);
    let mut heights = list.as_array().into_iter().flatten().map(|checkpoint| number(&checkpoint["height"]));
    let found = heights.any(|height| height.is_ok_and(|height| height == before));
    ensure!(found, "{} has no checkpoint of {before}: {list}", validator.name);
    Ok(())
}

/// However often version-1 is restarted, it refuses in the same words.
fn refuses_again(network: &mut Network, report: &mut UpgradeReport, tell: &mut Narrator) -> Result<()> {
    tell.step("Version-1 is started again on the same homes");
    let height = report.upgrade_height;
    for (validator, codes) in network.validators.iter_mut().zip(&mut report.exit_codes) {
        validator.start(&network.binaries, VERSION_1, &[])?;
        let (code, output) = validator.wait_for_exit(SOON)?;
        expect_refusal(&validator.name, &validator.swingd, code, &output, height)?;
        codes.1 = code;
        tell.say(&format!("{} refuses again, exit code {code}", validator.name));
    }
    Ok(())
}

/// Version-2 takes over: handler, new bundles, block H, same hashes everywhere.
fn resumes(network: &mut Network, report: &mut UpgradeReport, tell: &mut Narrator) -> Result<()> {
    tell.step("Version-2 is started on the same homes");
    let height = report.upgrade_height;
    // A clock is right here: it measures the pause for the report and decides nothing.
    #[allow(clippy::disallowed_types)]
    let start = std::time::Instant::now();
    network.start_all(NEWEST)?;
    network.wait_for_height(height, SOON)?;
    report.pause_ms = u64::try_from(start.elapsed().as_millis())?;
    for validator in &mut network.validators {
        let node = validator.node().context("started above")?;
        for line in [format!("can you handle {PLAN}? yes"), format!("UPGRADE_SWINGSET {PLAN}")] {
            node.wait_for_output(&line, SOON)?;
        }
    }
    tell.say(&format!("can you handle {PLAN}? yes — block {height} is made {} ms after the start", report.pause_ms));
    network.wait_for_height(height.saturating_add(3), SOON)?;
    let (after, schema) = kernel(network)?;
    ensure!(after[0] != report.bundles_before[0], "the kernel bundle is still {}", after[0]);
    tell.say(&format!("kernel in state: {} → {}", short(&report.bundles_before[0]), short(&after[0])));
    tell.say(&format!("schema {} → {schema}", report.schema[0]));
    (report.bundles_after, report.schema[1]) = (after, schema);
    let first = network.first()?;
    let applied = first.swingd.query(&first.rpc_url(), &["upgrade", "applied", PLAN])?;
    ensure!(
        number(&applied["height"])? == height,
        "the chain says that {PLAN} was applied at {applied}, expected {height}"
    );
    for at in [height.saturating_sub(1), height] {
        let hash = network.common_app_hash(at)?;
        tell.say(&format!("app hash after {at}, the same on all: {}", short(&hash)));
        report.app_hashes.push((at, hash));
    }
    Ok(())
}

/// Kernel, lockdown and supervisor bundle IDs, the same on all validators, and the kernel's schema.
///
/// # Errors
/// When a node does not answer, or two differ.
pub fn kernel(network: &Network) -> Result<([String; 3], u64)> {
    let mut common: Option<Value> = None;
    for validator in &network.validators {
        let mut state = validator.swingd.query(&validator.rpc_url(), &["swingset", "kernel"])?;
        // These move with every block; the rest must be one.
        for moving in ["crank_number", "activityhash", "activity_hash"] {
            state.as_object_mut().context("not an object")?.remove(moving);
        }
        if let Some(other) = &common {
            ensure!(*other == state, "{} has {state}, others {other}", validator.name);
        }
        common = Some(state);
    }
    let state = common.context("the network has no validators")?;
    let id = |name: &str| state[name].as_str().map(str::to_owned).with_context(|| format!("no {name} in {state}"));
    let ids = [id("kernel_bundle_id")?, id("lockdown_bundle_id")?, id("supervisor_bundle_id")?];
    Ok((ids, number(&state["schema_version"])?))
}

/// What the contract counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Messages.
    pub count: u64,
    /// Different ones.
    pub distinct: u64,
    /// Sum of their hashes.
    pub sum: u64,
}

impl Counted {
    /// Every message that the chain accepted was delivered, once.
    ///
    /// # Errors
    /// When it was not, with the figures.
    pub fn check(&self, sent: &Sent) -> Result<()> {
        let Counted { count, distinct, sum } = *self;
        ensure!(
            (count, distinct, sum) == (sent.accepted, sent.accepted, sent.sum),
            "the contract counted {count} messages, {distinct} different, sum {sum}; the chain accepted {} with sum {}",
            sent.accepted,
            sent.sum
        );
        Ok(())
    }
}

/// Asks the contract what it counted, once it has caught up with `expected`.
///
/// # Errors
/// When it does not answer in time.
pub fn counted(network: &Network, expected: u64) -> Result<Counted> {
    let first = network.first()?;
    let (swingd, url) = (&first.swingd, first.rpc_url());
    wait::until("the contract to catch up", SOON, || {
        let done =
            swingd.tx(&url, &network.plan.chain_id, "operator", &["swingset", "deliver", "counter", "read", "[]"])?;
        let answer = result_of(swingd, &url, &done)?;
        let (count, distinct, sum) = (number(&answer["count"])?, number(&answer["distinct"])?, number(&answer["sum"])?);
        Ok((count >= expected).then_some(Counted { count, distinct, sum }))
    })
}

/// The value that a delivered message's result promise was fulfilled with. `included` names the message's `txhash`.
///
/// # Errors
/// When it is not fulfilled in time.
pub fn result_of(swingd: &Swingd, url: &str, included: &Value) -> Result<Value> {
    let hash = included["txhash"].as_str().context("no txhash")?;
    wait::until_ok("the message's result", SOON, || {
        let result = swingd.query(url, &["swingset", "result", hash])?;
        Ok((result["state"].as_str() == Some("fulfilled")).then(|| result["value"].clone()))
    })
}

pub(super) fn short(id: &str) -> String {
    if id.len() > 20 { format!("{}…", id.get(..20).unwrap_or(id)) } else { id.to_owned() }
}
