//! The releases that this software can be built as, with the artifacts that each carries. `swingd` is the newest.

use std::sync::{Arc, OnceLock};

use swing_core::{
    error::Halt,
    ports::{engine::ReleaseBundles, upgrade::Release},
};
use swing_upgrades::registry::{Artifacts, Registry};
use swingset_abi::{HOST_ABI_LEVEL, SUPERVISOR_ABI_LEVEL};
use swingset_host::bundle::{Bundle, BundleKind, LockdownPolicy, Manifest};

/// A committed artifact.
macro_rules! wasm {
    ($path:literal) => {
        include_bytes!(concat!("../../../../swingset/bundles/raw/", $path, ".wasm")).as_slice()
    };
}

/// The vats of a new chain.
const VATS: [(&str, &[u8]); 4] = [
    ("bootstrap", wasm!("vats/bootstrap")),
    ("counter", wasm!("vats/counter")),
    ("mint", wasm!("vats/mint")),
    ("party", wasm!("vats/party")),
];

fn pack(kind: BundleKind, name: &str, schema_to: u32, content: &[u8]) -> Result<Vec<u8>, Halt> {
    let manifest = Manifest {
        kind,
        name: name.to_owned(),
        host_abi: HOST_ABI_LEVEL,
        supervisor_abis: if kind == (BundleKind::Lockdown {}) { Vec::new() } else { vec![SUPERVISOR_ABI_LEVEL] },
        schema_from: schema_to.min(1),
        schema_to,
    };
    let packed = Bundle::single(manifest, content.to_vec()).and_then(|bundle| bundle.encode());
    packed.map_err(|error| Halt::new(format!("this binary's own bundle {name}: {error}")))
}

fn bundles(kernel: &[u8], supervisor: &[u8], schema: u32) -> Result<Arc<ReleaseBundles>, Halt> {
    let vats = VATS.iter().map(|(name, wasm)| Ok(((*name).to_owned(), pack(BundleKind::Vat {}, name, 0, wasm)?)));
    Ok(Arc::new(ReleaseBundles {
        kernel: pack(BundleKind::Kernel {}, "kernel", schema, kernel)?,
        lockdown: pack(BundleKind::Lockdown {}, "lockdown", 0, &LockdownPolicy::default().to_text())?,
        supervisor: pack(BundleKind::Supervisor {}, "supervisor", 0, supervisor)?,
        vats: vats.collect::<Result<_, Halt>>()?,
    }))
}

/// The artifacts of all releases.
///
/// # Errors
/// Artifacts that are not well formed, which a test excludes.
pub fn artifacts() -> Result<Artifacts, Halt> {
    Ok(Artifacts {
        version_1: bundles(wasm!("version-1/kernel"), wasm!("version-1/supervisor"), 1)?,
        version_2: bundles(wasm!("version-2/kernel"), wasm!("version-2/supervisor"), 2)?,
    })
}

/// All releases.
pub fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| Registry::new(&artifacts().expect("the artifacts in this binary are well formed: a test packs them")))
}

/// The newest release.
pub fn newest() -> &'static dyn Release {
    registry().newest()
}

/// The release of this name.
pub fn release(name: &str) -> Option<&'static dyn Release> {
    registry().release(name).map(|release| release as &dyn Release)
}

#[cfg(test)]
mod tests {
    use super::{newest, registry, release};

    #[test]
    fn every_binary_has_its_release_and_its_artifacts() {
        assert_eq!(newest().name(), "version-2");
        for (name, app_version) in [("version-1", 1), ("version-2", 2)] {
            let release = release(name).expect("the release of a binary");
            let bundles = release.bundles(app_version).expect("its own bundles");
            assert!(!bundles.kernel.is_empty() && !bundles.supervisor.is_empty(), "{name}");
        }
        assert_eq!(registry().releases().len(), 2);
    }
}
