//! Events of the chain side.

use swing_proto::swing::swingset::v1::PendingSwap;

use crate::{
    address::Address,
    error::Rejected,
    event::Event,
    ports::engine::{BundleReceipt, RunReport, SwapReport},
};

/// A bundle is installed, now or before.
pub fn bundle_installed(receipt: &BundleReceipt, submitter: &str) -> Event {
    Event::new("swingset_bundle")
        .with("bundle_id", receipt.id.as_str())
        .with("kind", receipt.kind.as_str())
        .with("already_installed", receipt.already_installed.to_string())
        .with("submitter", submitter)
}

/// Nobody holds a bundle any more.
pub fn bundle_released(id: &str, submitter: &str) -> Event {
    Event::new("swingset_bundle_released").with("bundle_id", id).with("submitter", submitter)
}

/// A bundle was deleted: it was released, and nothing names it.
pub fn bundle_freed(id: &str) -> Event {
    Event::new("swingset_bundle_freed").with("bundle_id", id)
}

/// A chunked installation began.
pub fn installation_begun(artifact: u64, submitter: &Address) -> Event {
    Event::new("swingset_installation_begun")
        .with("chunked_artifact_id", artifact.to_string())
        .with("submitter", submitter.to_string())
}

/// A chunked installation missed its deadline.
pub fn installation_expired(artifact: u64) -> Event {
    Event::new("swingset_installation_expired").with("chunked_artifact_id", artifact.to_string())
}

/// An action was queued.
pub fn action_queued(number: u64, target: &str, method: &str, sender: &str) -> Event {
    Event::new("swingset_inbound")
        .with("action_number", number.to_string())
        .with("target", target)
        .with("method", method)
        .with("sender", sender)
}

/// Governance decided that a static vat gets other code.
pub fn vat_upgrade_queued(number: u64, vat: &str, bundle: &str) -> Event {
    Event::new("swingset_vat_upgrade_queued")
        .with("governed_number", number.to_string())
        .with("vat", vat)
        .with("bundle_id", bundle)
}

/// Governance decided that a bundle is run as a vat.
pub fn core_eval_queued(number: u64, bundle: &str) -> Event {
    Event::new("swingset_core_eval_queued").with("governed_number", number.to_string()).with("bundle_id", bundle)
}

/// The kernel took an action of governance; the promise tells what becomes of it.
pub fn governed_delivered(number: u64, kpid: &str) -> Event {
    Event::new("swingset_governed").with("governed_number", number.to_string()).with("kpid", kpid)
}

/// The kernel refused an action of governance.
pub fn governed_refused(number: u64, reason: &str) -> Event {
    Event::new("swingset_governed_refused").with("governed_number", number.to_string()).with("reason", reason)
}

/// Bytes of a result that an event has.
const RESULT_MAX: usize = 300;

/// A result as far as an event has it.
pub fn shortened(body: &str) -> &str {
    body.get(..body.floor_char_boundary(RESULT_MAX)).unwrap_or_default()
}

/// What governance decided was settled in the same block; a rejected one has the reason.
pub fn governed_settled(number: u64, kpid: &str, standing: &str, body: &str) -> Event {
    Event::new("swingset_governed_result")
        .with("governed_number", number.to_string())
        .with("kpid", kpid)
        .with("state", standing)
        .with("body", body)
}

/// The kernel took an action.
pub fn action_delivered(number: u64, kpid: &str) -> Event {
    Event::new("swingset_delivered").with("action_number", number.to_string()).with("kpid", kpid)
}

/// The kernel refused an action: its vat is gone.
pub fn action_refused(number: u64, reason: &str) -> Event {
    Event::new("swingset_refused").with("action_number", number.to_string()).with("reason", reason)
}

/// A delivered action's promise was settled in the same block.
pub fn action_settled(number: u64, kpid: &str, standing: &str) -> Event {
    Event::new("swingset_result").with("action_number", number.to_string()).with("kpid", kpid).with("state", standing)
}

/// What the block's cranks came to.
pub fn cranks(report: &RunReport, queued: u64) -> Event {
    Event::new("swingset_cranks")
        .with("cranks", report.cranks.to_string())
        .with("computrons", report.computrons.to_string())
        .with("idle", report.idle.to_string())
        .with("queued", queued.to_string())
}

/// A slice of the migration of the kernel's schema was done; cranks wait until it has ended.
pub fn migration_progress(ended: bool) -> Event {
    Event::new("swingset_migration").with("ended", ended.to_string())
}

/// The engine stopped: a guest's own fault. Queues are kept; a kernel swap or upgrade clears it.
pub fn engine_stopped(reason: &str) -> Event {
    Event::new("swingset_engine_stopped").with("reason", reason)
}

/// The engine runs again.
pub fn engine_running() -> Event {
    Event::new("swingset_engine_running")
}

/// Governance decided a swap.
pub fn swap_scheduled(swap: &PendingSwap) -> Event {
    named_swap("swingset_swap_scheduled", swap)
}

/// Governance decided another swap before this one was made.
pub fn swap_replaced(swap: &PendingSwap) -> Event {
    named_swap("swingset_swap_replaced", swap)
}

/// Governance took a swap back.
pub fn swap_cancelled(swap: &PendingSwap) -> Event {
    named_swap("swingset_swap_cancelled", swap)
}

/// A swap was made.
pub fn swap_done(swap: &PendingSwap, report: &SwapReport) -> Event {
    named_swap("swingset_swap_done", swap)
        .with("kernel_bundle_id_before", report.kernel_before.as_str())
        .with("kernel_bundle_id_after", report.kernel_after.as_str())
        .with("schema_before", report.schema_before.to_string())
        .with("schema", report.schema_after.to_string())
}

/// A swap failed; the engine is made of what it was made of before.
pub fn swap_failed(swap: &PendingSwap, refused: &Rejected) -> Event {
    named_swap("swingset_swap_failed", swap)
        .with("codespace", refused.codespace)
        .with("code", refused.code.to_string())
        .with("reason", refused.log.as_str())
}

fn named_swap(kind: &str, swap: &PendingSwap) -> Event {
    Event::new(kind)
        .with("kernel_bundle_id", swap.kernel_bundle_id.as_str())
        .with("lockdown_bundle_id", swap.lockdown_bundle_id.as_str())
        .with("supervisor_bundle_id", swap.supervisor_bundle_id.as_str())
        .with("height", swap.height.to_string())
}
