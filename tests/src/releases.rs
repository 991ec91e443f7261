//! The releases under test: the registry's own, and some that are broken on purpose.

use std::sync::Arc;

use swing_core::ports::{engine::ReleaseBundles, upgrade::Release};
use swing_upgrades::registry::{Artifacts, Registry};

use crate::slow_release;

fn bundles(name: &str) -> ReleaseBundles {
    swing_node::releases::bundles(swingset_bundles::release(name).expect("a release of this name is embedded"))
}

/// The release that a test calls by this name: `version-1`, `version-2`; `broken-version-2`, whose handler fails because its
/// kernel is no kernel; `wrong-version-2`, which brings the kernel of version-1; `trapping-version-1`, whose kernel traps at every
/// crank; `hostile-version-1`, which carries the vat `hostile` too; `version-3`, whose migrations take several blocks
/// ([`slow_release`]).
pub fn release(name: &str) -> Option<&'static dyn Release> {
    if name == slow_release::NAME {
        return Some(Box::leak(Box::new(slow_release::release(&swing_node::releases::artifacts()))));
    }
    let registry = match name {
        "broken-version-2" => {
            let broken = ReleaseBundles { kernel: b"no kernel".to_vec(), ..bundles("version-2") };
            Registry::new(&Artifacts { version_1: Arc::new(bundles("version-1")), version_2: Arc::new(broken) })
        }
        "wrong-version-2" => {
            let wrong = ReleaseBundles { kernel: bundles("version-1").kernel, ..bundles("version-2") };
            Registry::new(&Artifacts { version_1: Arc::new(bundles("version-1")), version_2: Arc::new(wrong) })
        }
        "trapping-version-1" => {
            let kernel =
                swingset_bundles::test_bundle("kernel-trap").expect("the trapping kernel is embedded").to_vec();
            let trapping = ReleaseBundles { kernel, ..bundles("version-1") };
            Registry::new(&Artifacts { version_1: Arc::new(trapping), version_2: Arc::new(bundles("version-2")) })
        }
        "hostile-version-1" => {
            let mut with_hostile = bundles("version-1");
            let hostile = swingset_bundles::test_bundle("hostile").expect("the hostile vat is embedded").to_vec();
            with_hostile.vats.push(("hostile".into(), hostile));
            Registry::new(&Artifacts { version_1: Arc::new(with_hostile), version_2: Arc::new(bundles("version-2")) })
        }
        _ => Registry::new(&swing_node::releases::artifacts()),
    };
    let name =
        ["broken-", "wrong-", "trapping-", "hostile-"].iter().find_map(|kind| name.strip_prefix(kind)).unwrap_or(name);
    let found = registry.release(name)?;
    // As in a binary, a release lives as long as the process.
    Some(Box::leak(Box::new(found.clone())))
}
