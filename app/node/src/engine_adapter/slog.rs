//! The trace of cranks: an event of target [`TARGET`] for each step, with the types and fields of Agoric's slog where there are such.
//! Numbers, texts and truth values are themselves; what is displayed (`%`) is JSON already.

#![allow(clippy::disallowed_types, reason = "a trace says how long things took; nothing is decided by it")]

use std::time::Instant;

use swingset_abi::{kernel::CrankKind, vat::DeliveryOutcome};
use swingset_host::watch::{CrankEnds, CrankWatcher, DeliveryBegins};

use super::vat_json;

/// The events' target.
pub const TARGET: &str = "slog";

/// Writes the trace. Only a node that has a file for it has one.
#[derive(Debug, Default)]
pub struct Slog {
    crank: Option<Instant>,
    delivery: Option<Instant>,
    syscall: Option<Instant>,
}

/// Microseconds since a moment, which is taken.
fn micros(since: &mut Option<Instant>) -> u64 {
    since.take().map_or(0, |since| u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX))
}

fn kind(kind: CrankKind) -> &'static str {
    match kind {
        CrankKind::Idle {} => "idle",
        CrankKind::Routing {} => "routing",
        CrankKind::Delivery {} => "delivery",
        CrankKind::Empty {} => "empty",
        CrankKind::Cleanup {} => "cleanup",
    }
}

impl CrankWatcher for Slog {
    fn crank_begins(&mut self) {
        *self = Slog { crank: Some(Instant::now()), ..Slog::default() };
    }

    fn delivery_begins(&mut self, begins: &DeliveryBegins<'_>) {
        tracing::info!(
            target: TARGET,
            r#type = "deliver",
            "vatID" = begins.vat,
            "replay" = false,
            "vd" = %vat_json::delivery(begins.delivery),
        );
        self.delivery = Some(Instant::now());
    }

    fn syscall(&mut self, vat: &str, syscall: &[u8]) {
        tracing::info!(target: TARGET, r#type = "syscall", "vatID" = vat, "vsc" = %vat_json::syscall(syscall));
        self.syscall = Some(Instant::now());
    }

    fn syscall_answered(&mut self, vat: &str, reply: &[u8]) {
        let micros = micros(&mut self.syscall);
        tracing::info!(target: TARGET, r#type = "syscall-result", "vatID" = vat, micros, "vsr" = %vat_json::reply(reply));
    }

    fn delivery_ends(&mut self, vat: &str, outcome: &DeliveryOutcome) {
        let micros = micros(&mut self.delivery);
        tracing::info!(target: TARGET, r#type = "deliver-result", "vatID" = vat, micros, "dr" = %vat_json::outcome(outcome));
    }

    fn crank_ends(&mut self, crank: &CrankEnds<'_>) {
        let micros = micros(&mut self.crank);
        let Some(report) = crank.report else {
            tracing::info!(target: TARGET, r#type = "crank-undone", "crankNum" = crank.crank_number, micros);
            return;
        };
        if report.kind == (CrankKind::Idle {}) {
            return;
        }
        tracing::info!(
            target: TARGET,
            r#type = "crank-finish",
            "crankNum" = crank.crank_number,
            "crankType" = kind(report.kind),
            "vatID" = report.vat_id.as_deref(),
            micros,
            "computrons" = report.computrons,
            "aborted" = report.aborted,
            "terminated" = report.terminated.as_deref(),
            "activityhash" = crank.activity_hash,
        );
    }
}
