//! Replacing the kernel of a living state: by a release (`reinitialize_swingset`) or by one bundle (`set_kernel_bundle_id`), with the
//! migration of the kernel's schema (`migrate`). All in the caller's overlay; what fails leaves everything as it was.

use std::collections::BTreeMap;

use swingset_abi::{
    HOST_ABI_LEVEL,
    kernel::{Command, Reply, VatOptions, VatSource},
    wire::Wire,
};

use super::{
    Controller, MigrationBudget, Result, SwingsetBundles,
    crank::unexpected,
    initialize::{InstalledRelease, write_release_ids},
};
use crate::{
    bundle::{BundleKind, BundleRecord, is_bundle_id},
    env::{Environment, for_each_entry},
    error::{EngineError, RejectCode},
    installed, keys,
};

/// What a swap did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SwapReceipt {
    /// Kernel bundle before.
    pub kernel_before: String,
    /// Kernel bundle now.
    pub kernel_after: String,
    /// Lockdown bundle now.
    pub lockdown_after: String,
    /// Supervisor bundle now.
    pub supervisor_after: String,
    /// Schema before.
    pub schema_before: u32,
    /// Schema now; the one that the migration leads to while it is under way.
    pub schema_after: u32,
    /// The migration goes on in later blocks.
    pub migrating: bool,
}

pub(super) fn refuse<T>(code: RejectCode, problem: impl Into<String>) -> Result<T> {
    Err(EngineError::rejected(code, problem))
}

impl Controller {
    /// Installs a release's bundles, swaps the three IDs, migrates the schema (`reinitialize_swingset`). May be repeated. Clears a
    /// stopped engine.
    ///
    /// # Errors
    /// As installing; `NotInitialized`, `Compatibility`, `Migrating`, `Migration`; Halt. Nothing is changed then.
    pub fn reinitialize_swingset(
        &mut self,
        env: &mut dyn Environment,
        bundles: &SwingsetBundles,
        budget: MigrationBudget,
    ) -> Result<SwapReceipt> {
        self.within_mark(env, |controller, env| {
            let release = controller.install_release(env, bundles)?;
            controller.swap(env, &release, budget)
        })
    }

    /// Makes an installed kernel the chain's (`set_kernel_bundle_id`). Clears a stopped engine.
    ///
    /// # Errors
    /// `NotInitialized`; `BundleId`, `BundleUnknown`, `BundleKind`, `Compatibility` (host ABI, schema, a living vat's supervisor, a kernel
    /// that describes itself otherwise than its manifest); `Migrating`, `Migration`; Halt. Nothing is changed then.
    pub fn set_kernel_bundle_id(
        &mut self,
        env: &mut dyn Environment,
        id: &str,
        budget: MigrationBudget,
    ) -> Result<SwapReceipt> {
        self.within_mark(env, |controller, env| {
            let named = |name: &str| -> Result<String> {
                let id = controller.host_text(env, name)?;
                id.ok_or_else(|| {
                    EngineError::rejected(RejectCode::NotInitialized, "the SwingSet state is not initialized")
                })
            };
            let (lockdown, supervisor) = (named(keys::LOCKDOWN_BUNDLE_ID)?, named(keys::SUPERVISOR_BUNDLE_ID)?);
            let release = InstalledRelease { kernel: id.to_owned(), lockdown, supervisor, vats: Vec::new() };
            controller.swap(env, &release, budget)
        })
    }

    /// Whether [`Controller::set_kernel_bundle_id`] would accept this kernel, its start, its migration and one that is under way aside.
    /// Changes nothing, and is served by a stopped engine too.
    ///
    /// # Errors
    /// The reason why not: `BundleId`, `BundleUnknown`, `BundleKind`, `Compatibility`; `NotInitialized`; Halt.
    pub fn check_kernel_bundle(&self, env: &dyn Environment, id: &str) -> Result<()> {
        self.compatible_kernel(env, id).map(|_| ())
    }

    pub(super) fn within_mark<T>(
        &mut self,
        env: &mut dyn Environment,
        work: impl FnOnce(&mut Self, &mut dyn Environment) -> Result<T>,
    ) -> Result<T> {
        self.settle(env)?;
        let mark = env.mark();
        let result = work(self, env);
        let result = self.settle_after(env, result);
        match &result {
            Ok(_) => env.release(mark)?,
            Err(EngineError::Halt(_)) => {}
            Err(_) => {
                self.discard();
                env.rollback(mark)?;
            }
        }
        result
    }

    pub(super) fn swap(
        &mut self,
        env: &mut dyn Environment,
        release: &InstalledRelease,
        budget: MigrationBudget,
    ) -> Result<SwapReceipt> {
        self.check_engine(env)?;
        let resuming = self.takes_migration_on(env, &release.kernel)?;
        let (record, schema_before) = self.compatible_kernel(env, &release.kernel)?;
        let kernel_before = self.host_text(env, keys::KERNEL_BUNDLE_ID)?.unwrap_or_default();
        write_release_ids(env, release)?;
        env.delete(&keys::host(keys::STATUS))?;
        self.kernel = None;
        self.desk.kv.forget();
        self.check_description(env, &record)?;
        let migrating = resuming || (record.schema_to != schema_before && self.migrate(env, &record, budget)?);
        Ok(SwapReceipt {
            kernel_before,
            kernel_after: release.kernel.clone(),
            lockdown_after: release.lockdown.clone(),
            supervisor_after: release.supervisor.clone(),
            schema_before,
            schema_after: record.schema_to,
            migrating,
        })
    }

    /// The rules of ENGINE.md, "Bundles, IDs, compatibility"; gives the kernel's record and the present schema.
    pub(super) fn compatible_kernel(&self, env: &dyn Environment, id: &str) -> Result<(BundleRecord, u32)> {
        if !is_bundle_id(id) {
            return refuse(
                RejectCode::BundleId,
                format!("{id:?} is no bundle ID: it must be b1- and 128 lower-case hex digits"),
            );
        }
        let Some(record) = installed::record(env, id)? else {
            return refuse(RejectCode::BundleUnknown, format!("bundle {id} is not installed; install it first"));
        };
        if record.kind != (BundleKind::Kernel {}) {
            return refuse(
                RejectCode::BundleKind,
                format!("bundle {id} is a {} bundle, not a kernel", record.kind.name()),
            );
        }
        if record.host_abi != HOST_ABI_LEVEL {
            let problem = format!("kernel {id} needs host ABI {}; the state has {HOST_ABI_LEVEL}", record.host_abi);
            return refuse(RejectCode::Compatibility, problem);
        }
        let Some(schema) = self.view(env)?.schema else {
            return refuse(RejectCode::NotInitialized, "the kernel's state has no schema");
        };
        if schema < record.schema_from || schema > record.schema_to {
            let problem = format!(
                "kernel {id} starts from the schemas {} to {}; the state has {schema}",
                record.schema_from, record.schema_to
            );
            return refuse(RejectCode::Compatibility, problem);
        }
        self.check_vats(env, id, &record)?;
        Ok((record, schema))
    }

    /// Every supervisor that a living vat runs under must speak a level that the kernel drives; a raw vat runs under none. Vats are looked at
    /// only when a supervisor that is not driven is installed at all; of several the one with the least number is named.
    fn check_vats(&self, env: &dyn Environment, id: &str, kernel: &BundleRecord) -> Result<()> {
        let unfit = supervisors_beyond(env, kernel)?;
        if unfit.is_empty() {
            return Ok(());
        }
        let mut least: Option<(u64, u32)> = None;
        for vat in living_vats(env)? {
            let number = vat.strip_prefix('v').and_then(|number| number.parse().ok()).unwrap_or(u64::MAX);
            if least.is_none_or(|(least, _)| number < least)
                && let Some(level) = supervisor_of(env, &vat)?.and_then(|id| unfit.get(&id))
            {
                least = Some((number, *level));
            }
        }
        let Some((number, level)) = least else { return Ok(()) };
        let drives = &kernel.supervisor_abis;
        let problem = format!("vat v{number} runs under a supervisor of ABI {level}; kernel {id} drives {drives:?}");
        refuse(RejectCode::Compatibility, problem)
    }

    /// A kernel must say of itself what its manifest says.
    pub(super) fn check_description(&mut self, env: &mut dyn Environment, record: &BundleRecord) -> Result<()> {
        match self.try_command(env, &Command::Describe {})? {
            Reply::Described { schema, schema_from_min, host_abi, .. } => {
                if (schema, schema_from_min, host_abi) == (record.schema_to, record.schema_from, record.host_abi) {
                    return Ok(());
                }
                refuse(RejectCode::Compatibility, "the kernel describes itself otherwise than its manifest does")
            }
            other => Err(unexpected(&other)),
        }
    }
}

/// The installed supervisors that speak a level which the kernel does not drive, with that level.
fn supervisors_beyond(env: &dyn Environment, kernel: &BundleRecord) -> Result<BTreeMap<String, u32>> {
    let mut found = BTreeMap::new();
    for_each_entry(env, &keys::bundle_record(""), |id, record| {
        let id = String::from_utf8_lossy(id).into_owned();
        let record = installed::parsed(&id, &record)?;
        let level = record.supervisor_abis.iter().find(|abi| !kernel.supervisor_abis.contains(abi));
        if let Some(level) = level.filter(|_| record.kind == BundleKind::Supervisor {}) {
            found.insert(id, *level);
        }
        Ok::<_, EngineError>(())
    })?;
    Ok(found)
}

/// The IDs of the vats that live, by what the kernel keeps of them: names of static ones, of which some may have ended, and a key for each
/// dynamic one. How many have ended since the chain began takes no time.
fn living_vats(env: &dyn Environment) -> Result<Vec<String>> {
    let names = kernel_text(env, keys::KERNEL_VAT_NAMES)?.unwrap_or_default();
    let mut vats = Vec::new();
    for name in names.split(',').filter(|name| !name.is_empty()) {
        vats.extend(kernel_text(env, &format!("{}{name}", keys::KERNEL_VAT_NAME_PREFIX))?);
    }
    for_each_entry(env, &keys::kernel(keys::KERNEL_DYNAMIC_VAT_PREFIX.as_bytes()), |vat, _| {
        vats.push(String::from_utf8_lossy(vat).into_owned());
        Ok::<_, EngineError>(())
    })?;
    Ok(vats)
}

fn kernel_text(env: &dyn Environment, name: &str) -> Result<Option<String>> {
    let value = env.get(&keys::kernel(name.as_bytes()))?;
    Ok(value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The bundle of the supervisor that a vat runs under; none for one that ended, and for a raw vat.
fn supervisor_of(env: &dyn Environment, vat: &str) -> Result<Option<String>> {
    let read = |part: &str| env.get(&keys::kernel(format!("{vat}.{part}").as_bytes()));
    let (Some(options), Some(source)) = (read("options")?, read("source")?) else { return Ok(None) };
    let raw = VatOptions::from_bytes(&options).is_ok_and(|options| options.raw);
    match VatSource::from_bytes(&source) {
        Ok(source) if !raw => Ok(Some(source.supervisor_bundle_id)),
        _ => Ok(None),
    }
}
