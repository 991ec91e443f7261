//! Types of the port to types of the host, and back.

use swing_core::{
    error::{Failure, Halt, Rejected},
    ports::engine::{BundleSwap, EngineFailure, ReleaseBundles, RunReport, StaticVatConfig, SwapForecast, SwapReport},
    state::StateError,
};
use swingset_abi::{kernel::VatOptions, vat::CapData};
use swingset_host::{
    EngineError,
    controller::{self, RunSummary, SchemaStep, SwapReceipt, SwingsetBundles, SwingsetConfig, VatConfig},
};

/// Codespace of the engine's refusals.
const CODESPACE: &str = "swingset-engine";

/// The SDK keeps code 1 for internal errors, so the engine's codes begin after it.
const CODE_OFFSET: u32 = 1;

/// A failure of the host, given the overlay's own refusal during the call.
pub(super) fn failure(error: EngineError, out_of_gas: Option<StateError>) -> EngineFailure {
    match (out_of_gas, error) {
        (Some(limit), EngineError::Halt(_)) => match Failure::from(limit) {
            Failure::Rejected(rejected) => EngineFailure::Rejected(rejected),
            Failure::Halt(halt) => EngineFailure::Halt(halt),
        },
        (_, EngineError::Halt(halt)) => EngineFailure::Halt(Halt::new(halt.0)),
        (_, EngineError::Stopped(reason)) => EngineFailure::Stopped(reason),
        (_, EngineError::Rejected(rejection)) => EngineFailure::Rejected(Rejected {
            codespace: CODESPACE,
            code: (rejection.code as u32).saturating_add(CODE_OFFSET),
            log: rejection.problem,
        }),
    }
}

/// A release's bundles, as the host takes them.
pub fn bundles(bundles: &ReleaseBundles) -> SwingsetBundles {
    SwingsetBundles {
        kernel: bundles.kernel.clone(),
        lockdown: bundles.lockdown.clone(),
        supervisor: bundles.supervisor.clone(),
        vats: bundles.vats.clone(),
    }
}

pub(super) fn config(vats: &[StaticVatConfig]) -> SwingsetConfig {
    let vat = |vat: &StaticVatConfig| VatConfig {
        name: vat.name.clone(),
        bundle: vat.bundle.clone(),
        parameters: CapData { body: vat.parameters.clone(), slots: Vec::new() },
        options: VatOptions { critical: vat.critical, raw: vat.raw, ..VatOptions::default() },
    };
    SwingsetConfig { vats: vats.iter().map(vat).collect() }
}

pub(super) fn body(body: &str) -> CapData {
    CapData { body: body.to_owned(), slots: Vec::new() }
}

pub(super) fn run_report(summary: RunSummary, spent: u64) -> RunReport {
    let RunSummary { cranks, computrons, idle, stopped, .. } = summary;
    RunReport { cranks, computrons, spent, idle, stopped }
}

pub(super) fn swap(swap: &BundleSwap) -> controller::BundleSwap {
    let BundleSwap { kernel, lockdown, supervisor } = swap.clone();
    controller::BundleSwap { kernel, lockdown, supervisor }
}

pub(super) fn swap_forecast(step: SchemaStep) -> SwapForecast {
    SwapForecast { schema_before: step.before, schema_after: step.after }
}

pub(super) fn swap_report(receipt: SwapReceipt) -> SwapReport {
    SwapReport {
        kernel_before: receipt.kernel_before,
        kernel_after: receipt.kernel_after,
        lockdown_after: receipt.lockdown_after,
        supervisor_after: receipt.supervisor_after,
        schema_before: receipt.schema_before,
        schema_after: receipt.schema_after,
    }
}
