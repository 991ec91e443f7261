//! Replacing what governance names of the three bundles, with no release: the rules that such a swap must keep, and the swap.
//!
//! # Invariants
//! - The check reads records alone: no bundle's bytes, no guest, no compiler.
//! - A refusal's words are made of the state and of fixed words, never of an engine's text: embedders keep them in consensus state.

use swingset_abi::HOST_ABI_LEVEL;

use super::{Controller, MigrationBudget, Result, SwapReceipt, initialize::InstalledRelease, swap::refuse};
use crate::{
    bundle::{BundleKind, BundleRecord, is_bundle_id},
    env::Environment,
    error::{EngineError, RejectCode},
    installed, keys,
};

/// Bundles to swap in; what is none stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BundleSwap {
    /// The kernel. Naming the present one again clears a stopped engine, and nothing else.
    pub kernel: Option<String>,
    /// The lockdown policy of vats to come.
    pub lockdown: Option<String>,
    /// The supervisor of vats to come.
    pub supervisor: Option<String>,
}

/// What the manifests say that a swap would do to the kernel's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaStep {
    /// Schema now.
    pub before: u32,
    /// Schema after the swap.
    pub after: u32,
}

impl Controller {
    /// Between two blocks: shutdown, the new IDs, start, with the whole migration of the schema or nothing of the swap; one that the
    /// present kernel stopped in goes on in the next runs. A named kernel clears a stopped engine; without one, it stays stopped.
    ///
    /// # Errors
    /// As [`Controller::check_bundle_swap`]; `Migration`, for a kernel that does not start or does not end its migration in one
    /// call; `Compatibility`, for one that describes itself otherwise than its manifest; Halt. Nothing is changed then.
    pub fn swap_bundles(&mut self, env: &mut dyn Environment, swap: &BundleSwap) -> Result<SwapReceipt> {
        self.shutdown(env)?;
        self.within_mark(env, |controller, env| {
            controller.check_bundle_swap(env, swap)?;
            let bundles = controller.after(env, swap)?;
            let status = keys::host(keys::STATUS);
            let stopped = if swap.kernel.is_none() { env.get(&status)? } else { None };
            let receipt = controller.swap(env, &bundles, MigrationBudget::IN_BAND)?;
            if let Some(stopped) = stopped {
                env.set(&status, stopped)?;
            }
            Ok(receipt)
        })
    }

    /// Whether [`Controller::swap_bundles`] would accept these bundles, the kernel's start and its migration aside. Changes nothing.
    ///
    /// # Errors
    /// `Argument` when nothing is named; `NotInitialized`, `Migrating`; `BundleId`, `BundleUnknown`, `BundleKind`, `Compatibility`.
    pub fn check_bundle_swap(&self, env: &dyn Environment, swap: &BundleSwap) -> Result<SchemaStep> {
        if *swap == BundleSwap::default() {
            return refuse(RejectCode::Argument, "a swap names at least one of kernel, lockdown and supervisor");
        }
        let bundles = self.after(env, swap)?;
        for (named, name) in [
            (&swap.kernel, keys::KERNEL_BUNDLE_ID),
            (&swap.lockdown, keys::LOCKDOWN_BUNDLE_ID),
            (&swap.supervisor, keys::SUPERVISOR_BUNDLE_ID),
        ] {
            let Some(id) = named else { continue };
            // It may be gone before the swap is made.
            if env.get(&keys::bundle_released(id))?.is_some() && self.host_text(env, name)?.as_deref() != Some(id) {
                let problem = format!("bundle {id} was released by who installed it; install it again first");
                return refuse(RejectCode::BundleUnknown, problem);
            }
        }
        self.takes_migration_on(env, &bundles.kernel)?;
        let (kernel, before) = self.compatible_kernel(env, &bundles.kernel)?;
        if let Some(id) = &swap.lockdown {
            installed_as(env, id, BundleKind::Lockdown {})?;
        }
        // The supervisor of vats to come must be one that the kernel drives, whichever of the two is new.
        let supervisor = installed_as(env, &bundles.supervisor, BundleKind::Supervisor {})?;
        match supervisor.supervisor_abis.iter().find(|level| !kernel.supervisor_abis.contains(level)) {
            Some(level) => refuse(
                RejectCode::Compatibility,
                format!(
                    "supervisor {} is of ABI {level}; the kernel drives {:?}",
                    bundles.supervisor, kernel.supervisor_abis
                ),
            ),
            None => Ok(SchemaStep { before, after: kernel.schema_to }),
        }
    }

    /// The three IDs after a swap.
    fn after(&self, env: &dyn Environment, swap: &BundleSwap) -> Result<InstalledRelease> {
        let or_present = |named: &Option<String>, name: &str| match named {
            Some(id) => Ok(id.clone()),
            None => self.host_text(env, name)?.ok_or_else(|| {
                EngineError::rejected(RejectCode::NotInitialized, "the SwingSet state is not initialized")
            }),
        };
        Ok(InstalledRelease {
            kernel: or_present(&swap.kernel, keys::KERNEL_BUNDLE_ID)?,
            lockdown: or_present(&swap.lockdown, keys::LOCKDOWN_BUNDLE_ID)?,
            supervisor: or_present(&swap.supervisor, keys::SUPERVISOR_BUNDLE_ID)?,
            vats: Vec::new(),
        })
    }
}

/// The record of an installed bundle of a kind, built for this state's host ABI.
fn installed_as(env: &dyn Environment, id: &str, kind: BundleKind) -> Result<BundleRecord> {
    if !is_bundle_id(id) {
        return refuse(
            RejectCode::BundleId,
            format!("{id:?} is no bundle ID: it must be b1- and 128 lower-case hex digits"),
        );
    }
    let Some(record) = installed::record(env, id)? else {
        return refuse(RejectCode::BundleUnknown, format!("bundle {id} is not installed; install it first"));
    };
    if record.kind != kind {
        let problem = format!("bundle {id} is a {} bundle, not a {} bundle", record.kind.name(), kind.name());
        return refuse(RejectCode::BundleKind, problem);
    }
    if record.host_abi != HOST_ABI_LEVEL {
        let problem = format!("bundle {id} needs host ABI {}; the state has {HOST_ABI_LEVEL}", record.host_abi);
        return refuse(RejectCode::Compatibility, problem);
    }
    Ok(record)
}
