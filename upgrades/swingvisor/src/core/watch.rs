//! The decision while the node runs: make ready for the plan that committed state has, and end a node that does not end itself.

use super::{Answer, Facts, Plan, Slot, Status, folder_of_plan};

/// A binary stands by when so few blocks are left: it takes memory, and nothing else.
const STANDBY_BLOCKS: u64 = 10;

/// What is known while the node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The answer of the running binary, on its latest look.
    pub answer: Answer,
    /// For how long committed state has said that the node must stop, milliseconds; none when it does not.
    pub stop_due_ms: Option<u64>,
    /// Slots whose binary was asked and fits, since it was last changed.
    pub armed: Vec<Slot>,
}

/// What to do beside the running node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchAction {
    /// Nothing.
    Wait,
    /// Download the plan's binary.
    Fetch(Plan, Slot),
    /// Ask the plan's binary whether it could take over.
    Arm(Plan, Slot),
    /// End the node: it was to stop, and did not.
    End {
        /// Why.
        reason: String,
    },
}

/// What to do beside the running node.
pub fn watch(running: &Running, facts: &Facts) -> WatchAction {
    let Ok(status) = &running.answer else { return WatchAction::Wait };
    if let Some(since_ms) = running.stop_due_ms
        && since_ms >= facts.policy.stop_grace_ms
        && !facts.policy.skip_heights.contains(&status.next_height())
    {
        let said = status.stop.iter().flat_map(|stop| stop.lines.clone()).collect::<Vec<_>>().join("; ");
        return WatchAction::End { reason: format!("the node was to stop {since_ms} ms ago and still runs: {said}") };
    }
    let Some(plan) = &status.plan else { return WatchAction::Wait };
    let Ok(folder) = folder_of_plan(&plan.name, facts.policy.keep_case) else { return WatchAction::Wait };
    let slot = Slot::Upgrade(folder);
    if facts.current.as_ref() == Some(&slot) || running.armed.contains(&slot) {
        return WatchAction::Wait;
    }
    if facts.installed.contains(&slot) {
        return WatchAction::Arm(plan.clone(), slot);
    }
    if facts.policy.download && facts.fetch_failed.is_none() {
        return WatchAction::Fetch(plan.clone(), slot);
    }
    WatchAction::Wait
}

/// Whether the binary in `slot`, which was asked and fits, is to stand by for the nearest plan.
pub fn stands_by(status: &Status, slot: &Slot, facts: &Facts) -> bool {
    let Some(plan) = &status.plan else { return false };
    let is_its = folder_of_plan(&plan.name, facts.policy.keep_case).is_ok_and(|folder| Slot::Upgrade(folder) == *slot);
    is_its
        && facts.current.as_ref() != Some(slot)
        && plan.height.saturating_sub(status.committed_height) <= STANDBY_BLOCKS
        && !facts.policy.skip_heights.contains(&plan.height)
}
