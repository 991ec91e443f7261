//! What an operator or a release's handler asks of vats and kernel as a whole.

use swingset_abi::{
    kernel::{Command, KernelOptions, Reply},
    vat::CapData,
};

use super::{Controller, Result, crank::unexpected};
use crate::{
    admission::{self, ModuleRole},
    bundle::{BundleKind, is_bundle_id},
    env::Environment,
    error::{EngineError, RejectCode},
    installed, keys,
};

/// How a static vat is upgraded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeOptions {
    /// The new incarnation's parameters; slots are krefs.
    pub parameters: CapData,
    /// Why, for those whose promises are disconnected.
    pub message: String,
}

impl Default for UpgradeOptions {
    fn default() -> Self {
        let parameters = CapData { body: "#{}".to_owned(), slots: Vec::new() };
        UpgradeOptions { parameters, message: String::new() }
    }
}

impl Controller {
    /// Queues the upgrade of a static vat to another code bundle, in one atomic crank. Gives the promise of `{incarnationNumber}`; it is
    /// rejected when the upgrade fails, and the vat goes on as it was. The bundle is checked before anything is queued.
    ///
    /// # Errors
    /// `BundleId`, `BundleUnknown`, `BundleKind`, `Compatibility`, `Admission` for a bundle that cannot run here; `Kernel` (no such
    /// vat, parameters that name nothing); `NotInitialized`, `Migrating`; Stopped; Halt. Nothing is queued then.
    pub fn upgrade_static_vat(
        &mut self,
        env: &mut dyn Environment,
        vat_name: &str,
        bundle_id: &str,
        options: UpgradeOptions,
    ) -> Result<String> {
        self.check_vat_bundle(env, bundle_id)?;
        let command = Command::UpgradeStaticVat {
            vat_name: vat_name.to_owned(),
            bundle_id: bundle_id.to_owned(),
            parameters: options.parameters,
            message: options.message,
        };
        match self.public_command(env, &command)? {
            Reply::Queued { kpid: Some(kpid) } => Ok(kpid),
            other => Err(unexpected(&other)),
        }
    }

    /// Queues the making of a dynamic vat from an installed bundle, with the powers that are named as its parameters: `{vats, devices}`,
    /// static vats' roots and devices by name; `vatAdmin` among the vats is vat administration's root. Gives the promise of
    /// `{adminNode, root}`. The bundle is checked before anything is queued.
    ///
    /// # Errors
    /// As [`Controller::upgrade_static_vat`].
    pub fn evaluate(
        &mut self,
        env: &mut dyn Environment,
        bundle_id: &str,
        vats: Vec<String>,
        devices: Vec<String>,
    ) -> Result<String> {
        self.check_vat_bundle(env, bundle_id)?;
        let command = Command::Evaluate { bundle_id: bundle_id.to_owned(), vats, devices };
        match self.public_command(env, &command)? {
            Reply::Queued { kpid: Some(kpid) } => Ok(kpid),
            other => Err(unexpected(&other)),
        }
    }

    /// Whether a bundle is installed and may be a vat's code under the default lockdown policy and supervisor. Changes nothing.
    ///
    /// # Errors
    /// The reason why not: `BundleId`, `BundleUnknown`, `BundleKind`, `Compatibility`, `Admission`; Halt.
    pub fn check_vat_bundle(&self, env: &dyn Environment, id: &str) -> Result<()> {
        self.check_vat_record(env, id)?;
        let bundle = installed::read(env, id)?.ok_or_else(|| unknown_bundle(id))?;
        let floats = self.default_policy(env)?.floats;
        admission::judge(bundle.content(), ModuleRole::Vat, floats)
            .map(|_| ())
            .map_err(|error| EngineError::rejected(RejectCode::Admission, error.to_string()))
    }

    /// As [`Controller::check_vat_bundle`], as far as the bundle's record tells; the bundle itself is not read.
    ///
    /// # Errors
    /// The reason why not: `BundleId`, `BundleUnknown`, `BundleKind`, `Compatibility`; Halt.
    pub fn check_vat_record(&self, env: &dyn Environment, id: &str) -> Result<()> {
        let refuse = |code: RejectCode, problem: String| Err(EngineError::rejected(code, problem));
        if !is_bundle_id(id) {
            return refuse(
                RejectCode::BundleId,
                format!("{id:?} is no bundle ID: it must be b1- and 128 lower-case hex digits"),
            );
        }
        let record = installed::record(env, id)?.ok_or_else(|| unknown_bundle(id))?;
        if record.kind != (BundleKind::Vat {}) {
            let problem = format!("bundle {id} is a {} bundle, not a vat's", record.kind.name());
            return refuse(RejectCode::BundleKind, problem);
        }
        let supervisor = match self.host_text(env, keys::SUPERVISOR_BUNDLE_ID)? {
            Some(supervisor) => installed::record(env, &supervisor)?,
            None => None,
        };
        let driven = supervisor.map(|supervisor| supervisor.supervisor_abis).unwrap_or_default();
        if let Some(level) = record.supervisor_abis.iter().find(|level| !driven.contains(level)) {
            let problem = format!("bundle {id} needs a supervisor of ABI {level}; the default one drives {driven:?}");
            return refuse(RejectCode::Compatibility, problem);
        }
        Ok(())
    }

    /// Changes the kernel's options; what the argument leaves out stays.
    ///
    /// # Errors
    /// `Kernel` (a broken state); `NotInitialized`, `Migrating`; Stopped; Halt.
    pub fn change_kernel_options(&mut self, env: &mut dyn Environment, options: KernelOptions) -> Result<()> {
        self.done(env, &Command::ChangeKernelOptions { options })
    }

    /// Puts every living vat on the reap queue: each is told `bringOutYourDead` before any further message.
    ///
    /// # Errors
    /// As [`Controller::change_kernel_options`].
    pub fn reap_all_vats(&mut self, env: &mut dyn Environment) -> Result<()> {
        self.done(env, &Command::ReapAllVats {})
    }

    /// Queues the events that a schema migration left behind, once. Does nothing when there are none.
    ///
    /// # Errors
    /// As [`Controller::change_kernel_options`].
    pub fn inject_queued_upgrade_events(&mut self, env: &mut dyn Environment) -> Result<()> {
        self.done(env, &Command::InjectQueuedUpgradeEvents {})
    }
}

fn unknown_bundle(id: &str) -> EngineError {
    EngineError::rejected(RejectCode::BundleUnknown, format!("bundle {id} is not installed; install it first"))
}
