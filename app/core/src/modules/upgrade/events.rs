//! Events of upgrades. The SDK has none, so that a plan that replaces another goes unseen there.

use crate::{event::Event, ports::upgrade::Plan};

/// A plan was scheduled where none was pending.
pub fn scheduled(plan: &Plan) -> Event {
    named("schedule_upgrade", plan)
}

/// A plan took the place of another.
pub fn replaced(plan: &Plan, before: &Plan) -> Event {
    named("replace_upgrade", plan)
        .with("replaced_name", &before.name)
        .with("replaced_height", before.height.to_string())
}

/// The pending plan was cancelled.
pub fn cancelled(plan: &Plan) -> Event {
    named("cancel_upgrade", plan)
}

/// The operator's flag skipped the plan.
pub fn skipped(plan: &Plan) -> Event {
    named("skip_upgrade", plan)
}

/// The plan was applied in this block.
pub fn applied(plan: &Plan, app_version: u64) -> Event {
    named("apply_upgrade", plan).with("app_version", app_version.to_string())
}

fn named(kind: &str, plan: &Plan) -> Event {
    Event::new(kind).with("name", &plan.name).with("height", plan.height.to_string())
}
