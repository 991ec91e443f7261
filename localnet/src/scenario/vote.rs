//! Proposals about upgrades: made by the first validator, voted for by all, and seen to pass.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{genesis::expedited_period_s, network::Network, rpc::number, swingd::Swingd, wait};

/// Deposit of an ordinary proposal.
const DEPOSIT: &str = "10000000uswing";
/// Deposit of an expedited one.
const EXPEDITED_DEPOSIT: &str = "50000000uswing";

/// A proposal that is voted on.
#[derive(Clone, Copy, Debug)]
// A clock is right here: a vote has a time, and who acts within it must know what is left. It decides nothing.
#[allow(clippy::disallowed_types)]
pub struct Ballot {
    /// The proposal's number.
    pub id: u64,
    seen: std::time::Instant,
    period: Duration,
}

impl Ballot {
    /// Proposes by an expedited vote, which lasts as long as genesis says; all validators vote yes.
    ///
    /// # Errors
    /// When the chain refuses something.
    #[allow(clippy::disallowed_types)]
    pub fn expedited(network: &Network, arguments: &[&str]) -> Result<Self> {
        let id = propose(network, arguments, true)?;
        // Its time began with the block that it is in, before this moment.
        let period = Duration::from_secs(expedited_period_s(network.plan.voting_period_s));
        let ballot = Ballot { id, seen: std::time::Instant::now(), period };
        all_vote_yes(network, id)?;
        Ok(ballot)
    }

    /// At most so much of its time is left; it may be over.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.period.saturating_sub(self.seen.elapsed())
    }
}

/// Proposes what `swingd tx upgrade ARGUMENTS` proposes; gives the proposal's number once it is in a block.
///
/// # Errors
/// When the chain refuses it.
pub fn propose(network: &Network, arguments: &[&str], expedited: bool) -> Result<u64> {
    let first = network.first()?;
    let mut all = vec!["upgrade"];
    all.extend(arguments);
    all.extend(["--title", "an upgrade", "--summary", "of a network on one machine", "--deposit"]);
    all.push(if expedited { EXPEDITED_DEPOSIT } else { DEPOSIT });
    if expedited {
        all.push("--expedited");
    }
    first.swingd.tx(&first.rpc_url(), &network.plan.chain_id, "operator", &all)?;
    let answer = first.swingd.query(&first.rpc_url(), &["gov", "proposals"])?;
    let ids = answer["proposals"].as_array().into_iter().flatten().map(|proposal| number(&proposal["id"]));
    ids.collect::<Result<Vec<_>>>()?.into_iter().max().with_context(|| format!("no proposal in {answer}"))
}

/// Proposes a plan, as a plain message of the SDK.
///
/// # Errors
/// As [`propose`].
pub fn propose_plan(network: &Network, name: &str, height: u64, info: &str, expedited: bool) -> Result<u64> {
    let height = height.to_string();
    let arguments = ["software-upgrade", name, "--upgrade-height", &height, "--upgrade-info", info, "--no-validate"];
    propose(network, &arguments, expedited)
}

/// All validators vote yes, at the same time: each from its own account.
///
/// # Errors
/// When the chain refuses a vote.
pub fn all_vote_yes(network: &Network, id: u64) -> Result<()> {
    let (url, chain_id, id) = (network.first()?.rpc_url(), &network.plan.chain_id, id.to_string());
    let vote = |swingd: &Swingd| swingd.tx(&url, chain_id, "operator", &["gov", "vote", &id, "yes"]).map(drop);
    std::thread::scope(|scope| {
        let votes: Vec<_> =
            network.validators.iter().map(|validator| scope.spawn(|| vote(&validator.swingd))).collect();
        votes.into_iter().try_for_each(|vote| vote.join().map_err(|_| anyhow::anyhow!("a vote's thread panicked"))?)
    })
}

/// The proposal.
///
/// # Errors
/// When the node does not answer.
pub fn proposal(network: &Network, id: u64) -> Result<Value> {
    let first = network.first()?;
    let answer = first.swingd.query(&first.rpc_url(), &["gov", "proposal", &id.to_string()])?;
    Ok(if answer["proposal"].is_object() { answer["proposal"].clone() } else { answer })
}

/// Waits until the proposal has passed.
///
/// # Errors
/// When it has not by then, or ended otherwise.
pub fn wait_until_passed(network: &Network, id: u64, limit: Duration) -> Result<()> {
    wait::until_ok("the proposal to pass", limit, || {
        let proposal = proposal(network, id)?;
        let status = proposal["status"].as_str().unwrap_or_default();
        Ok(match status {
            "PROPOSAL_STATUS_PASSED" => Some(Ok(())),
            "PROPOSAL_STATUS_REJECTED" | "PROPOSAL_STATUS_FAILED" => Some(Err(format!("it ended: {proposal}"))),
            _ => None,
        })
    })?
    .map_err(anyhow::Error::msg)
}

/// Waits until `height` is the pending plan's, or until none is pending.
///
/// # Errors
/// At the deadline.
pub fn wait_for_plan(network: &Network, height: Option<u64>, limit: Duration) -> Result<()> {
    let first = network.first()?;
    wait::until_ok("the plan in state", limit, || {
        let plan = first.swingd.query(&first.rpc_url(), &["upgrade", "plan"])?;
        let pending = &plan["plan"]["height"];
        let found = if pending.is_null() { None } else { Some(number(pending)?) };
        Ok((found == height).then_some(()))
    })
}

/// The height of a plan that is proposed now: far enough for the vote's period, the blocks that carry proposal and votes, and
/// `margin`.
///
/// # Errors
/// When the node does not answer.
pub fn height_after(network: &Network, voting_period_s: u64, margin: u64) -> Result<u64> {
    let blocks = voting_period_s.saturating_mul(1000) / network.plan.block_interval_ms.max(1);
    ensure!(network.plan.block_interval_ms > 0, "blocks need an interval");
    Ok(network.first()?.rpc().height()?.saturating_add(blocks).saturating_add(margin))
}
