//! `initialize_swingset`: the first state, once.

use bytes::Bytes;
use swingset_abi::{
    HOST_ABI_LEVEL,
    kernel::{Command, Reply, StaticVat, VatOptions},
    vat::CapData,
};

use super::{Controller, Result, crank::unexpected, install::install};
use crate::{
    bundle::{Bundle, BundleKind, LockdownPolicy},
    env::Environment,
    error::{EngineError, RejectCode},
    keys, uses,
};

/// The bundles of a release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SwingsetBundles {
    /// The kernel.
    pub kernel: Vec<u8>,
    /// The lockdown policy.
    pub lockdown: Vec<u8>,
    /// The supervisor.
    pub supervisor: Vec<u8>,
    /// Vat bundles, by name: `namedBundleID.<name>`.
    pub vats: Vec<(String, Vec<u8>)>,
}

/// A static vat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VatConfig {
    /// Its name.
    pub name: String,
    /// The name of its bundle among the release's.
    pub bundle: String,
    /// Its parameters.
    pub parameters: CapData,
    /// Its options.
    pub options: VatOptions,
}

/// What the first state is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SwingsetConfig {
    /// The static vats.
    pub vats: Vec<VatConfig>,
}

/// IDs of an installed release.
pub(super) struct InstalledRelease {
    pub kernel: String,
    pub lockdown: String,
    pub supervisor: String,
    pub vats: Vec<(String, String)>,
}

impl Controller {
    /// Installs the bundles, writes the three IDs and the engine's identity, and lets the kernel write its first state and queue
    /// `startVat` and `bootstrap`.
    ///
    /// # Errors
    /// `AlreadyInitialized`; as installing; `Argument` for a vat whose bundle is not given or whose crank limit is too low. Nothing is written then.
    pub fn initialize_swingset(
        &mut self,
        env: &mut dyn Environment,
        config: &SwingsetConfig,
        bundles: &SwingsetBundles,
    ) -> Result<()> {
        if self.host_text(env, keys::ENGINE)?.is_some() {
            return Err(EngineError::rejected(
                RejectCode::AlreadyInitialized,
                "the SwingSet state is initialized already",
            ));
        }
        let mark = env.mark();
        match self.initialize(env, config, bundles) {
            Ok(()) => Ok(env.release(mark)?),
            Err(error) => {
                self.discard();
                env.rollback(mark)?;
                Err(error)
            }
        }
    }

    fn initialize(
        &mut self,
        env: &mut dyn Environment,
        config: &SwingsetConfig,
        bundles: &SwingsetBundles,
    ) -> Result<()> {
        self.discard();
        let release = self.install_release(env, bundles)?;
        env.set(&keys::host(keys::ENGINE), Bytes::copy_from_slice(self.runtime.identity().as_bytes()))?;
        env.set(&keys::host(keys::HOST_ABI), Bytes::from(HOST_ABI_LEVEL.to_string()))?;
        write_release_ids(env, &release)?;
        let least = self.default_policy(env)?.crank_computrons_min();
        let mut vats = Vec::new();
        for vat in &config.vats {
            // As of policies: its supervisor could not do its work.
            if !vat.options.raw && (1..least).contains(&vat.options.crank_limit) {
                let problem = format!("vat {} has a crank limit below {least} computrons", vat.name);
                return Err(EngineError::rejected(RejectCode::Argument, problem));
            }
            let found = release.vats.iter().find(|(name, _)| *name == vat.bundle);
            let Some((_, bundle_id)) = found else {
                let problem =
                    format!("vat {} names the bundle {}, which is not among the release's", vat.name, vat.bundle);
                return Err(EngineError::rejected(RejectCode::Argument, problem));
            };
            vats.push(StaticVat {
                name: vat.name.clone(),
                bundle_id: bundle_id.clone(),
                parameters: vat.parameters.clone(),
                options: vat.options.clone(),
            });
        }
        let command = Command::Initialize {
            vats,
            supervisor_bundle_id: release.supervisor,
            lockdown_bundle_id: release.lockdown,
        };
        match self.command(env, &command)? {
            Reply::Done {} => self.settle(env),
            other => Err(unexpected(&other)),
        }
    }

    /// Installs a release's bundles; each must be of its kind.
    pub(super) fn install_release(
        &mut self,
        env: &mut dyn Environment,
        bundles: &SwingsetBundles,
    ) -> Result<InstalledRelease> {
        let policy = LockdownPolicy::parse(Bundle::decode(&bundles.lockdown)?.content())?;
        let mut of_kind = |bytes: &[u8], kind: BundleKind, floats: bool| -> Result<String> {
            let receipt = install(env, bytes, None, floats)?;
            if receipt.kind != kind {
                let problem = format!("a {} bundle is needed, this is a {} bundle", kind.name(), receipt.kind.name());
                return Err(EngineError::rejected(RejectCode::BundleKind, problem));
            }
            Ok(receipt.id)
        };
        let lockdown = of_kind(&bundles.lockdown, BundleKind::Lockdown {}, false)?;
        let kernel = of_kind(&bundles.kernel, BundleKind::Kernel {}, false)?;
        let supervisor = of_kind(&bundles.supervisor, BundleKind::Supervisor {}, false)?;
        let mut vats = Vec::new();
        for (name, bytes) in &bundles.vats {
            vats.push((name.clone(), of_kind(bytes, BundleKind::Vat {}, policy.floats)?));
        }
        Ok(InstalledRelease { kernel, lockdown, supervisor, vats })
    }
}

/// Names a release's bundles in state.
pub(super) fn write_release_ids(env: &mut dyn Environment, release: &InstalledRelease) -> Result<()> {
    let mut write = |name: &str, id: &str| -> Result<()> {
        let key = keys::host(name);
        let before = env.get(&key)?;
        env.set(&key, Bytes::copy_from_slice(id.as_bytes()))?;
        match before.as_deref().and_then(|before| std::str::from_utf8(before).ok()) {
            Some(before) if before != id => Ok(uses::lost_a_name(env, before)?),
            _ => Ok(()),
        }
    };
    write(keys::KERNEL_BUNDLE_ID, &release.kernel)?;
    write(keys::LOCKDOWN_BUNDLE_ID, &release.lockdown)?;
    write(keys::SUPERVISOR_BUNDLE_ID, &release.supervisor)?;
    for (name, id) in &release.vats {
        write(&format!("{}{name}", keys::NAMED_BUNDLE_PREFIX), id)?;
    }
    Ok(())
}
