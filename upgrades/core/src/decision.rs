//! What to do about the upgrade plan before a block. Source: x/upgrade's PreBlocker, in its order, and three changes: an early
//! install is normal where the release runs the rules in force, a downgrade is told by version number instead of by a handler
//! that a later binary may have dropped, and a release never runs an app version that it does not list.

use std::collections::BTreeSet;

use swing_core::ports::upgrade::{Decision, DecisionInput, Plan};

/// What a release can do, as far as the decision needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The app version that its own upgrade writes.
    pub app_version: u64,
    /// Names of the plans that its handlers apply.
    pub plans: BTreeSet<String>,
    /// App versions whose rules it runs, its own among them.
    pub runs: BTreeSet<u64>,
}

impl Capabilities {
    /// Can this release apply the plan?
    pub fn can_handle(&self, plan_name: &str) -> bool {
        self.plans.contains(plan_name)
    }
}

/// The decision before block `input.height`. The input is committed state, so a plan that block H−1 made, replaced or cancelled
/// counts at H, and a plan whose height passed unapplied is still due.
pub fn decide(input: &DecisionInput, release: &Capabilities) -> Decision {
    let due = input.plan.as_ref().filter(|plan| is_due(plan, input.height));
    let Some(plan) = due else {
        return not_due(input, release);
    };
    if input.skip_heights.contains(&input.height) {
        return match refusal(input, release) {
            Some(refusal) => refusal,
            None => Decision::Skip(plan.clone()),
        };
    }
    if !release.can_handle(&plan.name) {
        return Decision::Needed(plan.clone());
    }
    // An upgrade only goes up: a release that would write a lower version than the committed one was built for another chain.
    if input.app_version > release.app_version {
        return older_than_state(input);
    }
    Decision::Apply(plan.clone())
}

/// A plan is due at its height and, when that height was missed, at every later one.
fn is_due(plan: &Plan, height: u64) -> bool {
    plan.height <= height
}

fn not_due(input: &DecisionInput, release: &Capabilities) -> Decision {
    if input.app_version > release.app_version {
        return older_than_state(input);
    }
    let runs = release.runs.contains(&input.app_version);
    match &input.plan {
        Some(plan) if release.can_handle(&plan.name) && !runs => Decision::TooEarly(plan.clone()),
        _ if !runs => Decision::UnsupportedAppVersion { app_version: input.app_version },
        _ => Decision::Continue,
    }
}

/// Why this release may not run a block under the rules in force, if it may not.
fn refusal(input: &DecisionInput, release: &Capabilities) -> Option<Decision> {
    if input.app_version > release.app_version {
        return Some(older_than_state(input));
    }
    (!release.runs.contains(&input.app_version))
        .then_some(Decision::UnsupportedAppVersion { app_version: input.app_version })
}

/// State is ahead of this release: by an upgrade where one was applied, by genesis otherwise.
fn older_than_state(input: &DecisionInput) -> Decision {
    match &input.last_applied {
        Some((name, _)) => Decision::MissingHandler { last_applied: name.clone(), app_version: input.app_version },
        None => Decision::UnsupportedAppVersion { app_version: input.app_version },
    }
}
