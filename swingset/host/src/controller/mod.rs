//! The controller: everything that an embedder asks of the engine. Source: SwingSet's controller, its names and its rules.
//!
//! A controller keeps nothing that the environment does not hold once a call has returned: it may be dropped at any such moment and
//! another be built on the same environment, and no hash changes.
//!
//! # Invariants
//! - A crank is kept whole or undone whole: kvStore, vats and bridge effects alike.
//! - Only a normal return of the kernel commits. A kernel's trap stops the engine, in state, until a swap.
//! - Activity: after each crank or command that changed the kvStore, `activityhash` = SHA-256 over the one before and the
//!   SHA-256 of the net writes in key order. The host writes it; the kernel writes `crankNumber`, which is thereby bound too.

mod admin;
mod crank;
mod devices;
mod initialize;
mod inspect;
mod install;
mod migrate;
mod queue;
mod release;
mod run;
mod status;
mod swap;
mod swap_bundles;
mod trial;

use std::sync::Arc;

pub use admin::UpgradeOptions;
pub use initialize::{SwingsetBundles, SwingsetConfig, VatConfig};
pub use inspect::EngineView;
pub use install::{InstallReceipt, admit};
pub use migrate::MigrationBudget;
pub use run::{ComputronBudget, CrankBudget, PolicyVerdict, RunForever, RunPolicy, RunSummary};
pub use status::EngineStatus;
pub use swap::SwapReceipt;
pub use swap_bundles::{BundleSwap, SchemaStep};
pub use trial::try_bundle;

use crate::{
    engine::EngineRuntime,
    env::Environment,
    error::{EngineError, RejectCode},
    kernel::{Desk, KernelInstance},
    keys,
    vats::{LIVE_VATS_DEFAULT, Vats},
    watch::CrankWatcher,
};

type Result<T> = std::result::Result<T, EngineError>;

/// How a controller works on this node. None of it changes a hash.
#[derive(Clone, Copy, Debug)]
pub struct ControllerOptions {
    /// Vat instances kept alive between cranks, at most (`maxVatsOnline`): the one whose last delivery is longest ago goes first. With 0
    /// none outlives its crank.
    pub live_vats_max: usize,
    /// For tests: drops the kernel's instance after every crank.
    pub drop_kernel_each_crank: bool,
}

impl Default for ControllerOptions {
    fn default() -> Self {
        ControllerOptions { live_vats_max: LIVE_VATS_DEFAULT, drop_kernel_each_crank: false }
    }
}

/// The engine on one chain's state.
pub struct Controller {
    runtime: Arc<EngineRuntime>,
    options: ControllerOptions,
    desk: Box<Desk>,
    kernel: Option<KernelInstance>,
    /// The present block's time, in seconds.
    now: u64,
    most_kernel_work: u64,
}

impl std::fmt::Debug for Controller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Controller")
            .field("runtime", &self.runtime)
            .field("live_vats", &self.desk.vats.live_count())
            .finish_non_exhaustive()
    }
}

impl Controller {
    /// A controller for a state that is still to be initialized.
    pub fn new(runtime: Arc<EngineRuntime>, options: ControllerOptions) -> Self {
        let desk = Box::new(Desk { vats: Vats::new(options.live_vats_max), ..Desk::default() });
        Controller { runtime, options, desk, kernel: None, now: 0, most_kernel_work: 0 }
    }

    /// A controller for an initialized state (`build_controller`). Refuses a state of another engine.
    ///
    /// # Errors
    /// `NotInitialized`; Halt when the state is of another engine or another host ABI: this binary must not run it.
    pub fn build(runtime: Arc<EngineRuntime>, env: &dyn Environment, options: ControllerOptions) -> Result<Self> {
        let controller = Controller::new(runtime, options);
        controller.check_engine(env)?;
        Ok(controller)
    }

    /// Whether the state is initialized and of this engine.
    ///
    /// # Errors
    /// As [`Controller::build`].
    pub fn check_engine(&self, env: &dyn Environment) -> Result<()> {
        let text = |name: &str| -> Result<Option<String>> {
            let value = env.get(&keys::host(name))?;
            Ok(value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        };
        let Some(identity) = text(keys::ENGINE)? else {
            return Err(EngineError::rejected(RejectCode::NotInitialized, "the SwingSet state is not initialized"));
        };
        if identity != self.runtime.identity() {
            return Err(EngineError::halt(format!(
                "the state was made by the engine {identity}; this binary is {}: run the release that the chain is on",
                self.runtime.identity()
            )));
        }
        let level = swingset_abi::HOST_ABI_LEVEL.to_string();
        match text(keys::HOST_ABI)? {
            Some(stored) if stored == level => Ok(()),
            stored => Err(EngineError::halt(format!("the state has host ABI {stored:?}; this binary has {level}"))),
        }
    }

    /// A block begins: the kernel is made anew, and each vat's first delivery pays for its memory again. `now` is what the timer takes
    /// for the time, in seconds; it is the same wherever the block is run, and never less than the block's before.
    ///
    /// # Errors
    /// As [`Controller::build`].
    pub fn begin_block(&mut self, env: &dyn Environment, height: u64, now: u64) -> Result<()> {
        self.check_engine(env)?;
        self.now = now;
        self.most_kernel_work = 0;
        self.kernel = None;
        self.desk.kv.forget();
        self.desk.vats.begin_block(height);
        Ok(())
    }

    /// A block ends. All state is in the environment after every call already; this says so once more.
    ///
    /// # Errors
    /// Halt.
    pub fn end_block(&mut self, env: &mut dyn Environment) -> Result<()> {
        self.settle(env)
    }

    /// Stops the workers (`shutdown`): stores what they hold, drops all instances.
    ///
    /// # Errors
    /// Halt.
    pub fn shutdown(&mut self, env: &mut dyn Environment) -> Result<()> {
        self.settle(env)?;
        self.discard();
        Ok(())
    }

    /// Forgets all instances: the environment was rolled back, or another state is at hand. Changes no hash.
    pub fn discard(&mut self) {
        self.kernel = None;
        self.desk.kv.forget();
        self.desk.vats.discard();
    }

    /// Stores one vat's pages and drops its instance. Changes no hash; tests and operators may do it at any time.
    ///
    /// # Errors
    /// Halt.
    pub fn evict_vat(&mut self, env: &mut dyn Environment, vat: &str) -> Result<()> {
        Ok(self.desk.vats.evict(env, &self.runtime, vat)?)
    }

    /// Vats that have an instance now.
    pub fn live_vats(&self) -> usize {
        self.desk.vats.live_count()
    }

    /// Bytes of memory of the vats that have an instance now. Each needs as much again for the comparison with what was stored last.
    pub fn live_vat_memory_bytes(&self) -> u64 {
        self.desk.vats.live_memory_bytes()
    }

    /// The most work of the kernel that one command took since the block began, as it is counted against the cap
    /// (`schedule::KERNEL_WORK_CAP`). Nodes may differ in it: a kernel that was made anew remembers nothing.
    pub fn most_kernel_work(&self) -> u64 {
        self.most_kernel_work
    }

    /// Lets someone look on at all cranks from now on. Changes no hash.
    pub fn watch(&mut self, watcher: Box<dyn CrankWatcher>) {
        self.desk.vats.watchers.add(watcher);
    }

    /// Writes everything that is held here to the environment.
    fn settle(&mut self, env: &mut dyn Environment) -> Result<()> {
        self.desk.kv.flush(env)?;
        Ok(self.desk.vats.flush(env, &self.runtime)?)
    }
}
