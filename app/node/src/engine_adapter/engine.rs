//! The engine port, bound to the host's controller.

use std::sync::Arc;

use swing_core::{
    block::Time,
    error::Halt,
    ports::engine::{
        BundleId, BundleReceipt, BundleSwap, Engine, EngineFailure, Evaluation, Inbound, ReleaseBundles, RunBudget,
        RunReport, StaticVatConfig, SwapForecast, SwapReport,
    },
    state::State,
};
use swingset_abi::kernel::ResolutionPolicy;
use swingset_host::{
    Controller, ControllerOptions, EngineError, EngineRuntime,
    controller::{ComputronBudget, MigrationBudget, UpgradeOptions},
    watch::CrankWatcher,
};

use super::{StateEnvironment, convert, slog};

/// The chain's SwingSet.
#[derive(Debug)]
pub struct SwingsetEngine {
    controller: Controller,
}

impl SwingsetEngine {
    /// An engine that keeps compiled code in memory.
    ///
    /// # Errors
    /// When this machine cannot run it.
    pub fn new() -> Result<Self, Halt> {
        let runtime = EngineRuntime::new().map_err(|halt| Halt::new(halt.0))?;
        Ok(Self::with_runtime(runtime, ControllerOptions::default()))
    }

    /// An engine on a runtime that others may share.
    pub fn with_runtime(runtime: Arc<EngineRuntime>, options: ControllerOptions) -> Self {
        SwingsetEngine { controller: Controller::new(runtime, options) }
    }

    /// The same, with someone who looks on at its cranks.
    #[must_use]
    pub fn watched(mut self, watcher: Box<dyn CrankWatcher>) -> Self {
        self.controller.watch(watcher);
        self
    }

    /// Calls the controller on the overlay; a call that failed leaves no instance that has seen what was undone.
    fn call<T>(
        &mut self,
        state: &mut State<'_>,
        work: impl FnOnce(&mut Controller, &mut StateEnvironment<'_, '_>) -> Result<T, EngineError>,
    ) -> Result<T, EngineFailure> {
        let mut environment = StateEnvironment::new(state);
        work(&mut self.controller, &mut environment).map_err(|error| {
            self.controller.discard();
            convert::failure(error, environment.out_of_gas())
        })
    }
}

/// Queues what an action brings; gives the result's promise, where there is one.
fn queue(
    controller: &mut Controller,
    env: &mut StateEnvironment<'_, '_>,
    inbound: &Inbound,
) -> Result<Option<String>, EngineError> {
    match inbound {
        Inbound::Message(message) => {
            let arguments = convert::body(&message.args_body);
            // Its rejection is not ours.
            let policy = ResolutionPolicy::Ignore {};
            controller.queue_to_vat_root(env, &message.vat_name, &message.method, arguments, policy)
        }
        Inbound::Mailbox { peer, messages, ack } => {
            controller.mailbox_inbound(env, peer, messages.clone(), *ack).map(|()| None)
        }
        Inbound::Bridge { bridge, value } => controller.bridge_inbound(env, bridge, value).map(|()| None),
        Inbound::UpgradeVat(upgrade) => {
            let options =
                UpgradeOptions { parameters: convert::body(&upgrade.parameters), message: upgrade.message.clone() };
            controller.upgrade_static_vat(env, &upgrade.vat_name, &upgrade.bundle_id, options).map(Some)
        }
        Inbound::Evaluate(evaluation) => {
            let Evaluation { bundle_id, vats, devices } = evaluation.clone();
            controller.evaluate(env, &bundle_id, vats, devices).map(Some)
        }
    }
}

impl Engine for SwingsetEngine {
    fn initialize(
        &mut self,
        state: &mut State<'_>,
        bundles: &ReleaseBundles,
        vats: &[StaticVatConfig],
    ) -> Result<(), EngineFailure> {
        let (config, bundles) = (convert::config(vats), convert::bundles(bundles));
        self.call(state, |controller, env| controller.initialize_swingset(env, &config, &bundles))
    }

    fn begin_block(&mut self, state: &mut State<'_>, height: u64, time: Time) -> Result<(), EngineFailure> {
        tracing::trace!(
            target: slog::TARGET,
            r#type = "cosmic-swingset-begin-block",
            "blockHeight" = height,
            "blockTime" = time.seconds,
        );
        // The timer knows no time before 1970.
        let now = u64::try_from(time.seconds).unwrap_or_default();
        self.call(state, |controller, env| controller.begin_block(env, height, now))
    }

    fn install_bundle(&mut self, state: &mut State<'_>, bytes: &[u8]) -> Result<BundleReceipt, EngineFailure> {
        let receipt = self.call(state, |controller, env| controller.validate_and_install_bundle(env, bytes, None))?;
        Ok(BundleReceipt {
            id: receipt.id,
            kind: receipt.kind.name().to_owned(),
            already_installed: receipt.already_installed,
            held_again: receipt.held_again,
        })
    }

    fn release_bundle(&mut self, state: &mut State<'_>, id: &str) -> Result<(), EngineFailure> {
        self.call(state, |controller, env| controller.release_bundle(env, id))
    }

    fn free_bundles(&mut self, state: &mut State<'_>) -> Result<Vec<BundleId>, EngineFailure> {
        self.call(state, |controller, env| controller.free_bundles(env))
    }

    fn deliver_inbound(&mut self, state: &mut State<'_>, inbound: &Inbound) -> Result<Option<String>, EngineFailure> {
        self.call(state, |controller, env| {
            let promise = queue(controller, env, inbound)?;
            // Someone may ask for the result later, and nobody here is told of it: it is kept.
            if let Some(kpid) = &promise {
                controller.kp_register_interest(env, kpid)?;
            }
            Ok(promise)
        })
    }

    fn forget_result(&mut self, state: &mut State<'_>, kpid: &str) -> Result<(), EngineFailure> {
        self.call(state, |controller, env| controller.kp_release_interest(env, kpid))
    }

    fn poll_timer(&mut self, state: &mut State<'_>) -> Result<bool, EngineFailure> {
        self.call(state, |controller, env| controller.poll_timer(env))
    }

    fn run(&mut self, state: &mut State<'_>, budget: RunBudget) -> Result<RunReport, EngineFailure> {
        let mut policy = ComputronBudget::new(budget.computrons);
        if !budget.cleanup {
            policy = policy.without_cleanup();
        }
        let summary = self.call(state, |controller, env| controller.run(env, &mut policy))?;
        Ok(convert::run_report(summary, budget.computrons.saturating_sub(policy.left())))
    }

    fn check_vat_bundle(&mut self, state: &mut State<'_>, id: &str) -> Result<(), EngineFailure> {
        // It only reads: a refusal leaves nothing to forget.
        let environment = StateEnvironment::new(state);
        let checked = self.controller.check_vat_record(&environment, id);
        checked.map(drop).map_err(|error| convert::failure(error, environment.out_of_gas()))
    }

    fn reinitialize(&mut self, state: &mut State<'_>, bundles: &ReleaseBundles) -> Result<SwapReport, EngineFailure> {
        let bundles = convert::bundles(bundles);
        self.call(state, |controller, env| controller.reinitialize_swingset(env, &bundles, MigrationBudget::UPGRADE))
            .map(convert::swap_report)
    }

    fn check_swap(&mut self, state: &mut State<'_>, swap: &BundleSwap) -> Result<SwapForecast, EngineFailure> {
        // It only reads: a refusal leaves nothing to forget.
        let environment = StateEnvironment::new(state);
        let checked = self.controller.check_bundle_swap(&environment, &convert::swap(swap));
        checked.map(convert::swap_forecast).map_err(|error| convert::failure(error, environment.out_of_gas()))
    }

    fn swap(&mut self, state: &mut State<'_>, swap: &BundleSwap) -> Result<SwapReport, EngineFailure> {
        let swap = convert::swap(swap);
        self.call(state, |controller, env| controller.swap_bundles(env, &swap)).map(convert::swap_report)
    }

    fn end_block(&mut self, state: &mut State<'_>) -> Result<(), EngineFailure> {
        tracing::trace!(target: slog::TARGET, r#type = "cosmic-swingset-end-block-finish");
        self.call(state, |controller, env| controller.end_block(env))
    }

    fn discard(&mut self) {
        self.controller.discard();
    }
}
