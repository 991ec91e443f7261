//! Installing bundles: admission and storage, in the caller's overlay. Enters no guest and no compiler.

use bytes::Bytes;
use swingset_abi::wire::Wire;

use super::{Controller, Result};
use crate::{
    admission::{self, ModuleRole},
    bundle::{Bundle, BundleError, BundleKind, BundleRecord, LockdownPolicy, bundle_id},
    env::Environment,
    error::{EngineError, RejectCode},
    installed, keys,
};

/// What installing did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallReceipt {
    /// The bundle's ID.
    pub id: String,
    /// What it is for.
    pub kind: BundleKind,
    /// It was there before; its record and bytes were not written again.
    pub already_installed: bool,
    /// It was there, but released: from now on it is held again.
    pub held_again: bool,
}

impl From<BundleError> for EngineError {
    fn from(error: BundleError) -> Self {
        let code = match error {
            BundleError::Size { .. } => RejectCode::BundleSize,
            BundleError::Id { .. } => RejectCode::BundleId,
            _ => RejectCode::BundleFormat,
        };
        EngineError::rejected(code, error.to_string())
    }
}

impl Controller {
    /// Checks a bundle and keeps it (`validate_and_install_bundle`). With an alleged ID, the bytes must be what it names.
    ///
    /// # Errors
    /// `BundleFormat`, `BundleSize`, `BundleId`, `BundleKind`, `Admission`, `Policy`, `Compatibility`; nothing is written then. Halt.
    pub fn validate_and_install_bundle(
        &mut self,
        env: &mut dyn Environment,
        bytes: &[u8],
        alleged_id: Option<&str>,
    ) -> Result<InstallReceipt> {
        let floats = self.default_policy(env)?.floats;
        install(env, bytes, alleged_id, floats)
    }

    /// The default lockdown policy of the state; the first release's before there is one.
    pub(super) fn default_policy(&self, env: &dyn Environment) -> Result<LockdownPolicy> {
        let Some(id) = self.host_text(env, keys::LOCKDOWN_BUNDLE_ID)? else {
            return Ok(LockdownPolicy::default());
        };
        let bundle = installed::read(env, &id)?;
        let bundle =
            bundle.ok_or_else(|| EngineError::halt("the lockdown policy that the state names is not installed"))?;
        LockdownPolicy::parse(bundle.content())
            .map_err(|_| EngineError::halt("the installed lockdown policy is damaged"))
    }
}

/// Checks and keeps a bundle.
pub(super) fn install(
    env: &mut dyn Environment,
    bytes: &[u8],
    alleged_id: Option<&str>,
    floats: bool,
) -> Result<InstallReceipt> {
    let bundle = Bundle::decode(bytes)?;
    let id = bundle_id(bytes);
    if let Some(alleged) = alleged_id.filter(|alleged| *alleged != id) {
        return Err(BundleError::Id { expected: alleged.to_owned(), actual: id }.into());
    }
    let kind = bundle.manifest.kind;
    if installed::record(env, &id)?.is_some() {
        let held_again = env.get(&keys::bundle_released(&id))?.is_some();
        if held_again {
            env.delete(&keys::bundle_released(&id))?;
        }
        return Ok(InstallReceipt { id, kind, already_installed: true, held_again });
    }
    admit(&bundle, floats)?;
    let record = BundleRecord::of(&bundle, bytes.len());
    env.set(&keys::bundle_record(&id), Bytes::from(record.to_bytes()))?;
    env.set(&keys::bundle_bytes(&id), Bytes::copy_from_slice(bytes))?;
    if kind == (BundleKind::Lockdown {}) {
        let policy = LockdownPolicy::parse(bundle.content())?;
        env.set(&keys::stored_bytes_max(&id), Bytes::from(policy.stored_bytes_max.to_string()))?;
    }
    note(env, &id)?;
    Ok(InstallReceipt { id, kind, already_installed: false, held_again: false })
}

/// Takes note of a bundle that someone waits for. The kernel is told before the next crank: installing enters no guest.
fn note(env: &mut dyn Environment, id: &str) -> Result<()> {
    if env.get(&keys::kernel(format!("{}{id}", keys::KERNEL_BUNDLE_WAITS).as_bytes()))?.is_none() {
        return Ok(());
    }
    let mut ids = noted(env)?;
    ids.push(id.to_owned());
    Ok(env.set(&keys::host(keys::INSTALLED), Bytes::from(ids.to_bytes()))?)
}

/// The bundles that the kernel is still to be told of.
pub(super) fn noted(env: &dyn Environment) -> Result<Vec<String>> {
    let Some(bytes) = env.get(&keys::host(keys::INSTALLED))? else {
        return Ok(Vec::new());
    };
    Wire::from_bytes(&bytes).map_err(|_| EngineError::halt("the list of installed bundles in state is damaged"))
}

/// Whether a bundle may be installed at all, decided from its bytes: what installing asks, for tools that look at a bundle before it
/// is sent anywhere. `floats`: whether the default lockdown policy lets vats use floating point.
///
/// # Errors
/// `BundleKind`, `Admission`, `Policy`, `Compatibility`.
pub fn admit(bundle: &Bundle, floats: bool) -> Result<()> {
    let manifest = &bundle.manifest;
    if manifest.host_abi != swingset_abi::HOST_ABI_LEVEL {
        let problem =
            format!("bundle needs host ABI {}; this chain has {}", manifest.host_abi, swingset_abi::HOST_ABI_LEVEL);
        return Err(EngineError::rejected(RejectCode::Compatibility, problem));
    }
    let role = match manifest.kind {
        BundleKind::Lockdown {} => {
            LockdownPolicy::parse(bundle.content())?;
            return Ok(());
        }
        kind => ModuleRole::of(kind),
    };
    let Some(role) = role else {
        let problem = format!("bundles of kind {} are not run by this engine", manifest.kind.name());
        return Err(EngineError::rejected(RejectCode::BundleKind, problem));
    };
    if manifest.supervisor_abis.is_empty() && manifest.kind != (BundleKind::Vat {}) {
        return Err(EngineError::rejected(RejectCode::Compatibility, "the manifest names no supervisor ABI level"));
    }
    let floats = floats && role == ModuleRole::Vat;
    admission::judge(bundle.content(), role, floats)
        .map(|_| ())
        .map_err(|error| EngineError::rejected(RejectCode::Admission, error.to_string()))
}
