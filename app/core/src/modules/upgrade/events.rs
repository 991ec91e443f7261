//! Events of upgrades. The SDK has none, so that a plan that replaces another goes unseen there. Plans with numbers say them first.

use swing_proto::swing::upgrade::v1::{Attestation, Migration, PlanRecord, PlanStatus};

use super::plans::Moved;
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

fn numbered(kind: &str, record: &PlanRecord) -> Event {
    Event::new(kind)
        .with("id", record.id.to_string())
        .with("name", &record.name)
        .with("height", record.height.to_string())
}

/// Governance decided a numbered plan, in place of another where there is one.
pub fn decided(record: &PlanRecord, before: Option<&PlanRecord>) -> Event {
    match before {
        None => numbered("schedule_upgrade", record),
        Some(before) => numbered("replace_upgrade", record)
            .with("replaced_id", before.id.to_string())
            .with("replaced_name", &before.name)
            .with("replaced_height", before.height.to_string()),
    }
}

/// A numbered plan ended in another way than by being applied or replaced.
pub fn ended(kind: &str, record: &PlanRecord) -> Event {
    let event = numbered(kind, record);
    if record.reason.is_empty() { event } else { event.with("reason", &record.reason) }
}

/// A numbered plan was applied in this block.
pub fn done(record: &PlanRecord) -> Event {
    let done = record.done.clone().unwrap_or_default();
    numbered("apply_upgrade", record)
        .with("app_version", done.app_version.to_string())
        .with("handler_digest", &done.handler_digest)
        .with("bundles_digest", &done.bundles_digest)
        .with("changes_digest", &done.changes_digest)
}

/// The chain itself moved a plan to a later height.
pub fn postponed(moved: &Moved) -> Event {
    let reason = moved.record.postponements.last().map(|last| last.reason.clone()).unwrap_or_default();
    numbered("postpone_upgrade", &moved.record)
        .with("from_height", moved.from_height.to_string())
        .with("reason", reason)
}

/// Enough power has attested.
pub fn ready(record: &PlanRecord, agreeing: u64, required: u64, total: u64) -> Event {
    numbered("upgrade_attested", record)
        .with("agreeing_power", agreeing.to_string())
        .with("required_power", required.to_string())
        .with("total_power", total.to_string())
}

/// A validator attested.
pub fn attested(record: &PlanRecord, attestation: &Attestation) -> Event {
    numbered("attest_upgrade", record)
        .with("validator", &attestation.validator)
        .with("binary_sha256", &attestation.binary_sha256)
        .with("digest", &attestation.digest)
        .with("platform", &attestation.platform)
}

/// Validators attested different digests: an alarm.
pub fn conflict(record: &PlanRecord, digests: &str) -> Event {
    numbered("upgrade_attestation_conflict", record).with("digests", digests)
}

/// Attestations for a plan count no more.
pub fn voided(record: &PlanRecord, count: usize, reason: &str) -> Event {
    numbered("void_upgrade_attestations", record)
        .with("count", count.to_string())
        .with("rehearsal_height", record.rehearsal_height.to_string())
        .with("reason", reason)
}

/// A slice of a migration was done.
pub fn migration_progress(migration: &Migration, ended: bool) -> Event {
    Event::new("migration_progress")
        .with("plan", &migration.plan_name)
        .with("module", &migration.module)
        .with("from_version", migration.from_version.to_string())
        .with("to_version", migration.to_version.to_string())
        .with("slices", migration.slices.to_string())
        .with("ended", ended.to_string())
}

/// A plan's status for people.
pub const fn word(status: PlanStatus) -> &'static str {
    match status {
        PlanStatus::Unspecified => "unknown",
        PlanStatus::Pending => "pending",
        PlanStatus::Applied => "applied",
        PlanStatus::Skipped => "skipped",
        PlanStatus::Cancelled => "cancelled",
        PlanStatus::Replaced => "replaced",
        PlanStatus::Lapsed => "lapsed",
    }
}
