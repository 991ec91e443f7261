//! What an operator is told: one report, as JSON, as text for Prometheus, and in words.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    core::{Answer, Done, Pending, Policy, Readiness, Slot, Upgrade, folder_of_plan},
    front::View,
    probe::Identity,
};

/// Everything that is told.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// swingvisor's version.
    pub swingvisor: String,
    /// Whether a swingvisor works on this home.
    pub supervised: bool,
    /// How a binary takes over: restart, or front.
    pub mode: String,
    /// The node's process ID, while it runs.
    pub pid: Option<u32>,
    /// Process ID of the plan's binary, while it stands by for its height.
    pub standby_pid: Option<u32>,
    /// CometBFT's process ID, while it runs as swingvisor's child.
    pub comet_pid: Option<u32>,
    /// The ABCI front: what of CometBFT is parked, and the last change of processes under it.
    pub front: Option<View>,
    /// How often the node was started.
    pub starts: u64,
    /// How often it ended without being told to.
    pub crashes: u64,
    /// Where the link points.
    pub current: Option<String>,
    /// SHA-256 of the binary there.
    pub sha256: Option<String>,
    /// Its release, as it says.
    pub release: Option<String>,
    /// The committed height.
    pub committed_height: Option<u64>,
    /// Why committed state is not known.
    pub state_unknown: Option<String>,
    /// The plan in committed state; the nearest, where there are several.
    pub plan: Option<PlanReport>,
    /// All pending plans, the nearest first. The binary of the nearest alone is asked.
    pub plans: Vec<PlanReport>,
    /// The switch under way.
    pub switch: Option<Upgrade>,
    /// The last finished switch.
    pub last_switch: Option<Done>,
    /// What swingvisor does next.
    pub next_action: String,
    /// What would make that fail.
    pub risks: Vec<String>,
}

/// A plan, and how ready this node is.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PlanReport {
    /// Its number; none under rules that number no plans.
    pub id: Option<u64>,
    /// Its name.
    pub name: String,
    /// Its height.
    pub height: u64,
    /// Blocks until then.
    pub blocks_left: u64,
    /// Estimated seconds until then; none before enough blocks were seen.
    pub seconds_left: Option<u64>,
    /// The slot of its binary.
    pub slot: String,
    /// Whether a binary is there.
    pub installed: bool,
    /// Power that attested that it is ready, where the plan asks for that.
    pub readiness: Option<Readiness>,
    /// Who it is, once it was asked and found fit.
    pub armed: Option<ArmedReport>,
    /// Why it is not ready.
    pub problem: Option<String>,
}

/// A binary that is ready.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ArmedReport {
    /// Its release, as it says.
    pub release: String,
    /// Its version, as it says.
    pub version: String,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// What a report is made from beside the journal.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// The linked binary's answer, if it was asked.
    pub answer: Option<&'a Answer>,
    /// Slots with a binary.
    pub installed: &'a std::collections::BTreeSet<Slot>,
    /// Where the link points.
    pub current: Option<&'a Slot>,
    /// Who the linked binary is.
    pub own: Option<&'a Identity>,
    /// The plan's binary, if it was found fit.
    pub armed: Option<&'a (Slot, Identity)>,
    /// Why the plan's binary is not ready.
    pub problem: Option<&'a str>,
    /// Milliseconds a block.
    pub block_ms: Option<u64>,
    /// What else would hinder an upgrade.
    pub troubles: &'a [String],
}

impl Report {
    /// Takes in what was seen of binaries and state.
    pub fn see(&mut self, seen: &Seen<'_>, policy: &Policy) {
        self.current = seen.current.map(ToString::to_string);
        if let Some(own) = seen.own {
            (self.sha256, self.release) = (Some(own.sha256.clone()), Some(own.release.clone()));
        }
        match seen.answer {
            None => {}
            Some(Err(reason)) => self.state_unknown = Some(reason.clone()),
            Some(Ok(status)) => {
                self.state_unknown = None;
                self.committed_height = Some(status.committed_height);
                let report = |pending: &Pending| plan_report(pending, status.committed_height, seen, policy);
                self.plans = status.plans.iter().map(report).collect();
                self.plan = status.nearest().as_ref().map(report);
                if let Some(plan) = &mut self.plan {
                    plan.problem = plan.problem.take().or(seen.problem.map(str::to_owned));
                }
            }
        }
        self.risks = self.risks(seen, policy);
    }

    fn risks(&self, seen: &Seen<'_>, policy: &Policy) -> Vec<String> {
        let mut risks = Vec::new();
        if let Some(reason) = &self.state_unknown {
            risks.push(format!("committed state cannot be asked for: {reason}"));
        }
        if let Some(plan) = &self.plan {
            let early = seen.current.map(ToString::to_string).as_ref() == Some(&plan.slot);
            match (&plan.problem, plan.installed) {
                (Some(problem), _) => risks.push(problem.clone()),
                (None, _) if early => {}
                (None, false) if policy.download => {
                    risks.push(format!("{} has no binary yet: it will be downloaded", plan.slot))
                }
                (None, false) => {
                    risks.push(format!("{} has no binary: swingvisor add-upgrade {} FILE", plan.slot, plan.name))
                }
                (None, true) if plan.armed.is_none() => {
                    risks.push(format!("the binary in {} was not asked yet", plan.slot))
                }
                (None, true) => {}
            }
        }
        if let Some(plan) = &self.plan {
            risks.extend(plan_risks(plan, policy));
        }
        let status = seen.answer.and_then(|answer| answer.as_ref().ok());
        if let Some(reason) = status.and_then(|status| status.checkpoint_problem.as_ref()) {
            risks.push(format!("no checkpoint can be made before an upgrade: {reason}"));
        }
        risks.extend(seen.troubles.iter().cloned());
        risks
    }

    /// The metrics, in Prometheus's text form.
    pub fn to_prometheus(&self) -> String {
        let mut text = String::new();
        let mut gauge = |name: &str, help: &str, value: Option<u64>| {
            if let Some(value) = value {
                let _ = write!(
                    text,
                    "# HELP swingvisor_{name} {help}\n# TYPE swingvisor_{name} gauge\nswingvisor_{name} {value}\n"
                );
            }
        };
        let plan = self.plan.as_ref();
        gauge("node_up", "Whether the node runs.", Some(self.pid.is_some().into()));
        gauge("node_starts", "How often the node was started.", Some(self.starts));
        gauge("node_crashes", "How often the node ended without being told to.", Some(self.crashes));
        gauge("committed_height", "The committed height.", self.committed_height);
        gauge("state_known", "Whether committed state can be asked for.", Some(self.state_unknown.is_none().into()));
        gauge("plan_pending", "Whether committed state has an upgrade plan.", Some(plan.is_some().into()));
        gauge("plans_pending", "How many upgrade plans committed state has.", u64::try_from(self.plans.len()).ok());
        gauge("plan_height", "The plan's height.", plan.map(|plan| plan.height));
        gauge("plan_blocks_left", "Blocks until the plan's height.", plan.map(|plan| plan.blocks_left));
        gauge(
            "plan_seconds_left",
            "Estimated seconds until the plan's height.",
            plan.and_then(|plan| plan.seconds_left),
        );
        gauge("plan_armed", "Whether the plan's binary was found fit.", plan.map(|plan| plan.armed.is_some().into()));
        gauge(
            "switch_under_way",
            "Whether a switch was begun and is not finished.",
            Some(self.switch.is_some().into()),
        );
        let front = self.front.as_ref();
        let waiting = |front: &View| front.connections.iter().map(|line| line.waiting).sum::<usize>();
        let parked = |front: &View| u64::from(front.parked_ms.is_some());
        gauge("front_parked", "Whether CometBFT is parked.", front.map(parked));
        gauge("front_parked_ms", "For how long it has been.", front.and_then(|front| front.parked_ms));
        gauge(
            "front_waiting",
            "Requests of CometBFT's that wait for a node.",
            front.and_then(|front| u64::try_from(waiting(front)).ok()),
        );
        gauge("front_late", "Whether it has been parked for too long.", front.map(|front| front.late.into()));
        gauge(
            "front_extra_ms",
            "For how long consensus waited at the last change of processes.",
            front.and_then(|front| Some(front.last_swap?.extra_ms)),
        );
        gauge("risks", "Number of things that would make the next action fail.", u64::try_from(self.risks.len()).ok());
        text
    }
}

/// What is against a plan that no binary can help.
fn plan_risks(plan: &PlanReport, policy: &Policy) -> Vec<String> {
    let mut risks = Vec::new();
    let PlanReport { name, height, .. } = plan;
    if policy.skip_heights.contains(height) {
        risks.push(format!(
            "this node skips {name} at height {height}: alone, it comes to another state than the others"
        ));
    }
    if let Some(Readiness { agreeing_power, required_power, total_power }) = plan.readiness
        && agreeing_power < required_power
    {
        risks.push(format!(
            "{agreeing_power} of {total_power} power has attested the same for {name}, {required_power} is asked for: it is postponed"
        ));
    }
    risks
}

fn plan_report(pending: &Pending, committed_height: u64, seen: &Seen<'_>, policy: &Policy) -> PlanReport {
    let plan = &pending.plan;
    let blocks_left = plan.height.saturating_sub(committed_height);
    let slot = folder_of_plan(&plan.name, policy.keep_case).map(Slot::Upgrade);
    let armed = seen.armed.filter(|(armed, _)| slot.as_ref().is_ok_and(|slot| slot == armed));
    PlanReport {
        id: pending.id,
        name: plan.name.clone(),
        height: plan.height,
        blocks_left,
        seconds_left: seen.block_ms.map(|block_ms| blocks_left.saturating_mul(block_ms) / 1_000),
        slot: slot.as_ref().map(ToString::to_string).unwrap_or_default(),
        installed: slot.as_ref().is_ok_and(|slot| seen.installed.contains(slot)),
        readiness: pending.readiness,
        armed: armed.map(|(_, identity)| ArmedReport {
            release: identity.release.clone(),
            version: identity.version.clone(),
            sha256: identity.sha256.clone(),
        }),
        problem: slot.err().map(|error| error.to_string()),
    }
}
