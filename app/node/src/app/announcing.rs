//! The engine during one block, with the killpoint inside an upgrade's handler.

use swing_core::{
    block::Time,
    ports::engine::{
        BundleId, BundleReceipt, BundleSwap, Engine, EngineFailure, Inbound, ReleaseBundles, RunBudget, RunReport,
        StaticVatConfig, SwapForecast, SwapReport,
    },
    state::State,
};

use crate::killpoints::{Killpoint, Killpoints};

/// Passes everything on, and says when a handler is about to swap the kernel.
pub(super) struct Announcing<'a> {
    engine: &'a mut dyn Engine,
    killpoints: &'a dyn Killpoints,
    height: u64,
}

impl<'a> Announcing<'a> {
    pub(super) fn new(engine: &'a mut dyn Engine, killpoints: &'a dyn Killpoints, height: u64) -> Self {
        Announcing { engine, killpoints, height }
    }
}

impl Engine for Announcing<'_> {
    fn initialize(
        &mut self,
        state: &mut State<'_>,
        bundles: &ReleaseBundles,
        vats: &[StaticVatConfig],
    ) -> Result<(), EngineFailure> {
        self.engine.initialize(state, bundles, vats)
    }

    fn begin_block(&mut self, state: &mut State<'_>, height: u64, time: Time) -> Result<(), EngineFailure> {
        self.engine.begin_block(state, height, time)
    }

    fn install_bundle(&mut self, state: &mut State<'_>, bytes: &[u8]) -> Result<BundleReceipt, EngineFailure> {
        self.engine.install_bundle(state, bytes)
    }

    fn release_bundle(&mut self, state: &mut State<'_>, id: &str) -> Result<(), EngineFailure> {
        self.engine.release_bundle(state, id)
    }

    fn free_bundles(&mut self, state: &mut State<'_>) -> Result<Vec<BundleId>, EngineFailure> {
        self.engine.free_bundles(state)
    }

    fn deliver_inbound(&mut self, state: &mut State<'_>, inbound: &Inbound) -> Result<Option<String>, EngineFailure> {
        self.engine.deliver_inbound(state, inbound)
    }

    fn forget_result(&mut self, state: &mut State<'_>, kpid: &str) -> Result<(), EngineFailure> {
        self.engine.forget_result(state, kpid)
    }

    fn poll_timer(&mut self, state: &mut State<'_>) -> Result<bool, EngineFailure> {
        self.engine.poll_timer(state)
    }

    fn run(&mut self, state: &mut State<'_>, budget: RunBudget) -> Result<RunReport, EngineFailure> {
        self.engine.run(state, budget)
    }

    fn check_vat_bundle(&mut self, state: &mut State<'_>, id: &str) -> Result<(), EngineFailure> {
        self.engine.check_vat_bundle(state, id)
    }

    fn reinitialize(&mut self, state: &mut State<'_>, bundles: &ReleaseBundles) -> Result<SwapReport, EngineFailure> {
        self.killpoints.reach(Killpoint::InsideHandler, self.height);
        self.engine.reinitialize(state, bundles)
    }

    fn check_swap(&mut self, state: &mut State<'_>, swap: &BundleSwap) -> Result<SwapForecast, EngineFailure> {
        self.engine.check_swap(state, swap)
    }

    fn swap(&mut self, state: &mut State<'_>, swap: &BundleSwap) -> Result<SwapReport, EngineFailure> {
        self.engine.swap(state, swap)
    }

    fn end_block(&mut self, state: &mut State<'_>) -> Result<(), EngineFailure> {
        self.engine.end_block(state)
    }

    fn discard(&mut self) {
        self.engine.discard();
    }
}
