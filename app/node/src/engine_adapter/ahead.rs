//! Code that a coming block will run is compiled in the background while blocks go on. Without it the block at that height compiles a
//! kernel, on every validator at the same time.
//!
//! # Invariants
//! - It decides nothing: the block compiles the same code when it is not there, and finds what is wrong with it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use swing_core::{
    ports::upgrade::Release,
    state::{StateError, StateRead},
};
use swingset_host::{EngineRuntime, Halt, keys};

use super::precompile;

/// What was begun, each once in a process.
#[derive(Debug, Default)]
pub struct Ahead {
    runtime: Option<Arc<EngineRuntime>>,
    begun: Mutex<BTreeSet<String>>,
}

impl Ahead {
    /// For the engine of this runtime; without one nothing is done.
    pub fn new(runtime: Option<Arc<EngineRuntime>>) -> Self {
        Ahead { runtime, begun: Mutex::default() }
    }

    /// Compiles an installed kernel or supervisor that the engine is to be made of.
    ///
    /// # Errors
    /// Storage.
    pub fn compile_installed(&self, state: &dyn StateRead, id: &str) -> Result<(), StateError> {
        if id.is_empty() || self.runtime.is_none() || !self.begins(id) {
            return Ok(());
        }
        if let Some(bytes) = state.get(&keys::bundle_bytes(id))? {
            // Neither kernels nor supervisors may use floats.
            self.spawn(format!("bundle {id}"), move |runtime| runtime.precompile(&bytes, false).map(drop));
        }
        Ok(())
    }

    /// Compiles what a release's upgrade installs.
    pub fn compile_release(&self, release: &'static dyn Release) {
        if self.runtime.is_none() || !self.begins(release.name()) {
            return;
        }
        self.spawn(format!("release {}", release.name()), |runtime| match release.bundles(release.app_version()) {
            Some(bundles) => precompile(runtime, &bundles).map(drop),
            None => Ok(()),
        });
    }

    fn begins(&self, what: &str) -> bool {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).insert(what.to_owned())
    }

    /// At the usual priority: the compiler's threads are the ones that a block's own compilation uses later.
    fn spawn(&self, what: String, work: impl FnOnce(&EngineRuntime) -> Result<(), Halt> + Send + 'static) {
        let Some(runtime) = self.runtime.clone() else { return };
        let run = move || match work(&runtime) {
            Ok(()) => tracing::info!(what, "compiled ahead of its height"),
            Err(Halt(reason)) => {
                tracing::warn!(what, reason, "not compiled ahead: the block at its height takes longer")
            }
        };
        if let Err(error) = thread::Builder::new().name("compile-ahead".to_owned()).spawn(run) {
            tracing::warn!(%error, "nothing is compiled ahead: the block at its height takes longer");
        }
    }
}
