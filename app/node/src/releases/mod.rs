//! The releases that this software can be built as, with the artifacts that each carries. `swingd` is the newest.

use std::sync::{Arc, OnceLock};

use swing_core::ports::{engine::ReleaseBundles, upgrade::Release};
use swing_upgrades::registry::{Artifacts, Registry};

/// The embedded bundles of a release, as the state machine takes them.
pub fn bundles(embedded: &swingset_bundles::Release) -> ReleaseBundles {
    ReleaseBundles {
        kernel: embedded.kernel.to_vec(),
        lockdown: embedded.lockdown.to_vec(),
        supervisor: embedded.supervisor.to_vec(),
        vats: embedded.vats.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect(),
    }
}

/// The artifacts of all releases.
pub fn artifacts() -> Artifacts {
    let of = |name: &str| {
        let embedded =
            swingset_bundles::release(name).expect("every release of the registry is embedded: a test looks");
        Arc::new(bundles(embedded))
    };
    Artifacts { version_1: of("version-1"), version_2: of("version-2") }
}

/// All releases.
pub fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| Registry::new(&artifacts()))
}

/// The name of the release whose rules an app version stands for; none for one that this software does not know.
pub fn name_of(app_version: u64) -> Option<&'static str> {
    let releases = registry().releases();
    let own = releases.iter().find(|release| release.app_version() == app_version);
    // A genesis that names no app version has the rules of the first release that runs it.
    let runs = || releases.iter().find(|release| release.capabilities().runs.contains(&app_version));
    own.or_else(runs).map(Release::name)
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
    use super::{name_of, newest, registry, release};

    #[test]
    fn every_binary_has_its_release_and_its_artifacts() {
        assert_eq!(newest().name(), "version-2");
        for (name, app_version) in [("version-1", 1), ("version-2", 2)] {
            let release = release(name).expect("the release of a binary");
            let bundles = release.bundles(app_version).expect("its own bundles");
            assert!(!bundles.kernel.is_empty() && !bundles.supervisor.is_empty(), "{name}");
        }
        assert_eq!(registry().releases().len(), 2);
        let names = [0, 1, 2, 3].map(name_of);
        assert_eq!(names, [Some("version-1"), Some("version-1"), Some("version-2"), None]);
    }
}
