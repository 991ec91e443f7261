//! The engine of a simulation: transactions may queue and install, at the price of what they would write, and nothing runs.

use sha2::{Digest, Sha256};

use crate::{
    block::Time,
    error::{Failure, Halt},
    ports::engine::{
        BundleId, BundleReceipt, BundleSwap, Engine, EngineFailure, Inbound, ReleaseBundles, RunBudget, RunReport,
        StaticVatConfig, SwapForecast, SwapReport,
    },
    state::{State, StateError, StateRead},
};

use super::{keys, view};

/// An engine that enters no guest and no compiler.
#[derive(Clone, Copy, Debug)]
pub struct SimulatedEngine;

fn never<T>(call: &str) -> Result<T, EngineFailure> {
    Err(EngineFailure::Halt(Halt::new(format!("a simulation asked the engine to {call}: only blocks do that"))))
}

fn failed(error: StateError) -> EngineFailure {
    match Failure::from(error) {
        Failure::Rejected(refused) => EngineFailure::Rejected(refused),
        Failure::Halt(halt) => EngineFailure::Halt(halt),
    }
}

/// Reads what the check of a swap reads, so that it costs the same: the named bundles' records, and each vat's supervisor.
fn read_as_a_check(state: &State<'_>, swap: &BundleSwap) -> Result<(), StateError> {
    for id in [&swap.kernel, &swap.lockdown, &swap.supervisor].into_iter().flatten() {
        state.get(&keys::host(&format!("bundle/{id}")))?;
    }
    for number in 1..view::number(state, "vat.nextID")? {
        if state.get(&keys::kernel(&format!("v{number}.options")))?.is_none() {
            continue;
        }
        let source = state.get(&keys::kernel(&format!("v{number}.source")))?;
        if let Some([_, supervisor, _]) = source.and_then(|bytes| view::leading_texts(&bytes)) {
            state.get(&keys::host(&format!("bundle/{supervisor}")))?;
        }
    }
    Ok(())
}

/// Reads what the check of a vat's bundle reads: its record, and the default supervisor's.
fn read_as_a_vat_check(state: &State<'_>, id: &str) -> Result<(), StateError> {
    state.get(&keys::host(&format!("bundle/{id}")))?;
    if let Some(supervisor) = view::text(state, &keys::host("supervisorBundleID"))? {
        state.get(&keys::host(&format!("bundle/{supervisor}")))?;
    }
    Ok(())
}

impl Engine for SimulatedEngine {
    fn initialize(
        &mut self,
        _: &mut State<'_>,
        _: &ReleaseBundles,
        _: &[StaticVatConfig],
    ) -> Result<(), EngineFailure> {
        never("initialize")
    }

    fn begin_block(&mut self, _: &mut State<'_>, _: u64, _: Time) -> Result<(), EngineFailure> {
        never("begin a block")
    }

    fn install_bundle(&mut self, state: &mut State<'_>, bytes: &[u8]) -> Result<BundleReceipt, EngineFailure> {
        let id = format!("b1-{}", hex::encode(Sha256::digest(bytes)));
        let written = state.set(format!("~swingset/simulated/{id}"), bytes.to_vec());
        written.map_err(failed)?;
        Ok(BundleReceipt { id, kind: "unknown".to_owned(), already_installed: false, held_again: false })
    }

    fn release_bundle(&mut self, state: &mut State<'_>, id: &str) -> Result<(), EngineFailure> {
        state.get(&keys::host(&format!("bundle/{id}"))).map_err(failed)?;
        state.set(keys::host(&format!("released/{id}")), b"1".to_vec()).map_err(failed)
    }

    fn free_bundles(&mut self, _: &mut State<'_>) -> Result<Vec<BundleId>, EngineFailure> {
        never("free bundles")
    }

    fn deliver_inbound(&mut self, _: &mut State<'_>, _: &Inbound) -> Result<Option<String>, EngineFailure> {
        never("deliver")
    }

    fn forget_result(&mut self, _: &mut State<'_>, _: &str) -> Result<(), EngineFailure> {
        never("forget a result")
    }

    fn poll_timer(&mut self, _: &mut State<'_>) -> Result<bool, EngineFailure> {
        never("poll the timer")
    }

    fn run(&mut self, _: &mut State<'_>, _: RunBudget) -> Result<RunReport, EngineFailure> {
        never("run cranks")
    }

    fn check_vat_bundle(&mut self, state: &mut State<'_>, id: &str) -> Result<(), EngineFailure> {
        read_as_a_vat_check(state, id).map_err(failed)
    }

    fn reinitialize(&mut self, _: &mut State<'_>, _: &ReleaseBundles) -> Result<SwapReport, EngineFailure> {
        never("reinitialize")
    }

    fn check_swap(&mut self, state: &mut State<'_>, swap: &BundleSwap) -> Result<SwapForecast, EngineFailure> {
        read_as_a_check(state, swap).map_err(failed)?;
        Ok(SwapForecast::default())
    }

    fn swap(&mut self, _: &mut State<'_>, _: &BundleSwap) -> Result<SwapReport, EngineFailure> {
        never("swap bundles")
    }

    fn end_block(&mut self, _: &mut State<'_>) -> Result<(), EngineFailure> {
        never("end a block")
    }

    fn discard(&mut self) {}
}
