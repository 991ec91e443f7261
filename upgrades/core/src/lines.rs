//! The lines that operators read and supervisors search for. Those of the Cosmos SDK are kept to the letter.

use swing_core::ports::upgrade::{Decision, Plan};

/// The SDK's line of a binary that cannot handle a due plan; supervisors act on it.
pub fn needed(plan: &Plan) -> String {
    format!("UPGRADE \"{}\" NEEDED at height: {}: {}", plan.name, plan.height, plan.info)
}

/// The SDK's line of a plan that the operator's flag skips.
pub fn skipped(plan: &Plan) -> String {
    format!("UPGRADE \"{}\" SKIPPED at {}: {}", plan.name, plan.height, plan.info)
}

/// The SDK's line when a plan's handler runs.
pub fn applying(plan: &Plan) -> String {
    format!("applying upgrade \"{}\" at height: {}", plan.name, plan.height)
}

/// The SDK's line of a binary that has the handler of a plan whose height is not reached.
pub fn too_early(plan: &Plan) -> String {
    format!(
        "BINARY UPDATED BEFORE TRIGGER! UPGRADE \"{}\" - in binary but not executed on chain. Downgrade your binary",
        plan.name
    )
}

/// The SDK's line of a binary that is older than state.
pub fn missing_handler(last_applied: &str, app_version: u64) -> String {
    format!("wrong app version {app_version}, upgrade handler is missing for {last_applied} upgrade plan")
}

/// A binary that runs none of the rules that state asks for.
pub fn unsupported_app_version(release: &str, app_version: u64) -> String {
    format!("wrong app version {app_version}, {release} does not run its rules: start the binary that does")
}

/// The question that a release is asked when a plan is due, with its answer.
pub fn can_you_handle(plan_name: &str, answer: bool) -> String {
    format!("can you handle {plan_name}? {}", if answer { "yes" } else { "no" })
}

/// The action that a handler takes to replace the kernel.
pub fn upgrade_swingset(upgrade_name: &str) -> String {
    format!("UPGRADE_SWINGSET {upgrade_name}")
}

/// All lines of a decision, in the order in which they are written; none when the block just goes on.
pub fn of_decision(release: &str, decision: &Decision) -> Vec<String> {
    match decision {
        Decision::Continue => Vec::new(),
        Decision::Apply(plan) => vec![can_you_handle(&plan.name, true), applying(plan)],
        Decision::Skip(plan) => vec![skipped(plan)],
        Decision::Needed(plan) => vec![can_you_handle(&plan.name, false), needed(plan)],
        Decision::TooEarly(plan) => vec![too_early(plan)],
        Decision::MissingHandler { last_applied, app_version } => vec![missing_handler(last_applied, *app_version)],
        Decision::UnsupportedAppVersion { app_version } => vec![unsupported_app_version(release, *app_version)],
    }
}
