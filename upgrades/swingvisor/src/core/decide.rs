//! The decision with the node dead: one next step at a time.

use super::{
    Child, EXIT_TOO_EARLY, EXIT_UPGRADE_NEEDED, EXIT_WRONG_RELEASE, Facts, Journal, Plan, Reason, Slot, Stage, Status,
    Upgrade, folder_of_plan,
};

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Point the link at this slot: it points nowhere.
    Link(Slot),
    /// Ask this slot's binary what committed state says.
    Ask(Slot),
    /// Download the plan's binary into this slot.
    Fetch(Plan, Slot),
    /// Write the beginning of a switch into the journal.
    Begin(Box<Upgrade>),
    /// Make the backup of the journal's switch.
    Backup,
    /// Ask the new binary whether it takes over.
    Check,
    /// Point the link at the new binary.
    Switch,
    /// Write the end of the switch into the journal.
    Finish,
    /// Drop the journal's switch: committed state is not what it was begun for.
    Abandon {
        /// Why.
        reason: String,
    },
    /// Start this slot's binary.
    Start(Slot),
    /// Rest, then look at everything anew.
    Rest {
        /// Why nothing better can be done now.
        reason: String,
    },
    /// End with this exit code.
    Leave {
        /// The code.
        code: u8,
        /// Why.
        reason: String,
    },
}

fn rest(reason: impl Into<String>) -> Action {
    Action::Rest { reason: reason.into() }
}

/// Exit codes after which another try of the same command would end the same: a clean end and a wrong command line.
const FINAL_CODES: [u8; 2] = [0, 2];
/// Exit code of swingvisor where a check refused the upgrade.
const EXIT_REFUSED: u8 = 1;

/// What to do next. The node does not run.
pub fn decide(journal: &Journal, facts: &Facts) -> Action {
    if let Some(action) = after_the_end(facts) {
        return action;
    }
    if let Some(reason) = &facts.refused {
        return Action::Leave { code: EXIT_REFUSED, reason: reason.clone() };
    }
    if let Some(upgrade) = &journal.upgrade {
        return go_on(upgrade, facts);
    }
    if facts.just_switched && !facts.policy.restart_after_upgrade {
        return Action::Leave {
            code: 0,
            reason: "DAEMON_RESTART_AFTER_UPGRADE is false: the binary is switched, start swingvisor again".to_owned(),
        };
    }
    let Some(current) = &facts.current else {
        return Action::Link(Slot::Genesis);
    };
    if !facts.installed.contains(current) {
        return rest(format!("{current} has no binary"));
    }
    match facts.asked.get(current) {
        None => Action::Ask(current.clone()),
        Some(Err(reason)) => rest(format!("{current} does not say what committed state is: {reason}")),
        Some(Ok(status)) => on_answer(journal, facts, current, status),
    }
}

/// What the node's end asks for before anything else.
fn after_the_end(facts: &Facts) -> Option<Action> {
    match facts.child {
        Child::NotStarted | Child::Rested => None,
        Child::Stopped { code } => Some(Action::Leave { code, reason: "told to stop".to_owned() }),
        Child::Ended { code } if FINAL_CODES.contains(&code) => {
            Some(Action::Leave { code, reason: format!("the node ended with exit code {code}") })
        }
        // An upgrade has no time to lose, and the state decides whether it is one.
        Child::Ended { code: EXIT_UPGRADE_NEEDED | EXIT_TOO_EARLY | EXIT_WRONG_RELEASE } if facts.crashes <= 1 => None,
        Child::Ended { code } => {
            if facts.policy.restarts_max > 0 && facts.crashes > facts.policy.restarts_max {
                let reason = format!("the node ended {} times in a row, the last time with {code}", facts.crashes);
                return Some(Action::Leave { code, reason });
            }
            Some(rest(match &facts.ended_because {
                Some(reason) => format!("the node was ended: {reason}"),
                None => format!("the node ended with exit code {code}"),
            }))
        }
    }
}

fn on_answer(journal: &Journal, facts: &Facts, current: &Slot, status: &Status) -> Action {
    let Some(stop) = &status.stop else {
        if facts.handler_failed.contains(current) {
            return rest(format!("the handler in {current} failed: put a repaired binary there"));
        }
        return Action::Start(current.clone());
    };
    match (stop.exit_code, &status.plan) {
        (EXIT_UPGRADE_NEEDED, Some(plan)) => {
            if facts.policy.skip_heights.contains(&status.next_height()) {
                return Action::Start(current.clone());
            }
            upgrade(facts, current, status, plan)
        }
        (EXIT_TOO_EARLY | EXIT_WRONG_RELEASE, _) => search(journal, facts, current, status),
        (code, _) => rest(format!("{current} would stop with exit code {code}: {}", stop.lines.join("; "))),
    }
}

/// The linked binary cannot handle the plan for the next block.
fn upgrade(facts: &Facts, current: &Slot, status: &Status, plan: &Plan) -> Action {
    if plan.height > status.next_height() {
        return rest(format!(
            "{current} wants to stop at height {} for a plan of height {}: that is a contradiction",
            status.committed_height, plan.height
        ));
    }
    let to = match folder_of_plan(&plan.name, facts.policy.keep_case) {
        Ok(folder) => Slot::Upgrade(folder),
        Err(error) => return rest(error.to_string()),
    };
    if to == *current {
        return rest(format!("the binary in {to} cannot handle {:?}: it is not the right one", plan.name));
    }
    if !facts.installed.contains(&to) {
        return match (&facts.fetch_failed, facts.policy.download) {
            (None, true) => Action::Fetch(plan.clone(), to),
            (Some(reason), _) => rest(format!("{to} has no binary, and the download failed: {reason}")),
            (None, false) => {
                rest(format!("{to} has no binary: add it with `swingvisor add-upgrade {} FILE`", plan.name))
            }
        };
    }
    // Before it is executed to ask it anything.
    if let Some(reason) = facts.not_planned.get(&to) {
        return rest(format!("{to} is not the right binary: {reason}"));
    }
    match facts.asked.get(&to) {
        None => Action::Ask(to),
        Some(Err(reason)) => rest(format!("{to} does not say what committed state is: {reason}")),
        Some(Ok(new)) => match disagreement(status, new) {
            Some(reason) => rest(format!("{to} is not the right binary: {reason}")),
            None => begin(Reason::Plan(plan.clone()), current, &to, status),
        },
    }
}

/// Why the new binary's answer forbids the switch, if it does.
fn disagreement(old: &Status, new: &Status) -> Option<String> {
    if let Some(stop) = &new.stop {
        return Some(format!("it would stop with exit code {}: {}", stop.exit_code, stop.lines.join("; ")));
    }
    if (new.committed_height, &new.plan) != (old.committed_height, &old.plan) {
        return Some(format!(
            "it reads height {} and plan {:?} where the present one reads height {} and plan {:?}",
            new.committed_height, new.plan, old.committed_height, old.plan
        ));
    }
    None
}

fn begin(reason: Reason, from: &Slot, to: &Slot, status: &Status) -> Action {
    Action::Begin(Box::new(Upgrade {
        reason,
        committed_height: status.committed_height,
        app_hash: status.app_hash.clone(),
        from: from.clone(),
        to: to.clone(),
        stage: Stage::Begun,
    }))
}

/// The linked binary does not fit committed state: look for one that does, the one that ran before first.
fn search(journal: &Journal, facts: &Facts, current: &Slot, status: &Status) -> Action {
    let previous = journal.previous().filter(|slot| facts.installed.contains(slot));
    let mut failed = None;
    for slot in previous.into_iter().chain(&facts.installed).filter(|slot| *slot != current) {
        match facts.asked.get(slot) {
            None => return Action::Ask(slot.clone()),
            Some(Ok(other)) if disagreement(status, other).is_none() => {
                let said = status.stop.iter().flat_map(|stop| stop.lines.clone()).collect::<Vec<_>>().join("; ");
                return begin(Reason::Repair { said }, current, slot, status);
            }
            Some(Ok(_)) => {}
            Some(Err(reason)) => failed = Some(format!("; {slot} does not answer: {reason}")),
        }
    }
    let said = status.stop.iter().flat_map(|stop| stop.lines.clone()).collect::<Vec<_>>().join("; ");
    rest(format!(
        "{current} does not fit committed state ({said}), and no other binary does{}",
        failed.unwrap_or_default()
    ))
}

/// The next step of a switch under way. Committed state is asked for again: it may have been replaced since.
fn go_on(upgrade: &Upgrade, facts: &Facts) -> Action {
    if let Stage::Switched { .. } = upgrade.stage {
        // What state says now is the next decision's affair.
        return if facts.current.as_ref() == Some(&upgrade.to) { Action::Finish } else { Action::Switch };
    }
    if !facts.installed.contains(&upgrade.to) {
        return Action::Abandon { reason: format!("{} has no binary any more", upgrade.to) };
    }
    if let Some(reason) = facts.not_planned.get(&upgrade.to) {
        return rest(format!("{} is not the right binary: {reason}", upgrade.to));
    }
    let status = match facts.asked.get(&upgrade.to) {
        None => return Action::Ask(upgrade.to.clone()),
        Some(Err(reason)) => return rest(format!("{} does not say what committed state is: {reason}", upgrade.to)),
        Some(Ok(status)) => status,
    };
    let same_state = status.committed_height == upgrade.committed_height
        && status.app_hash == upgrade.app_hash
        && upgrade.plan().is_none_or(|plan| status.plan.as_ref() == Some(plan));
    if !same_state || status.stop.is_some() {
        return Action::Abandon {
            reason: format!("committed state is at height {} now: the switch is decided anew", status.committed_height),
        };
    }
    match &upgrade.stage {
        Stage::Begun => Action::Backup,
        Stage::BackedUp { .. } => Action::Check,
        Stage::Checked { .. } | Stage::Switched { .. } => Action::Switch,
    }
}
