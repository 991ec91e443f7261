//! The released bundles, embedded: kernel, lockdown policy and supervisor of each release, and the vats.
//!
//! `swingset/guests/build.sh --write` makes the files from source, `--check` compares; `bundles.lock` has their IDs.
//!
//! # Invariants
//! - A released file never changes: its ID is in chains' state. A change of a guest is a new release.

/// The bundles of one release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// `version-1`, `version-2`, …
    pub name: &'static str,
    /// The kernel.
    pub kernel: &'static [u8],
    /// The lockdown policy.
    pub lockdown: &'static [u8],
    /// The supervisor.
    pub supervisor: &'static [u8],
    /// Vats by bundle name.
    pub vats: &'static [(&'static str, &'static [u8])],
}

/// All vats that are not for tests only. `party` is the code of both alice and bob.
pub const VATS: &[(&str, &[u8])] = &[
    ("bootstrap", include_bytes!("../vats/bootstrap.bundle")),
    ("counter", include_bytes!("../vats/counter.bundle")),
    ("mint", include_bytes!("../vats/mint.bundle")),
    ("party", include_bytes!("../vats/party.bundle")),
    ("timer", include_bytes!("../vats/timer.bundle")),
];

/// All releases, in order.
pub const RELEASES: &[Release] = &[
    Release {
        name: "version-1",
        kernel: include_bytes!("../version-1/kernel.bundle"),
        lockdown: include_bytes!("../version-1/lockdown.bundle"),
        supervisor: include_bytes!("../version-1/supervisor.bundle"),
        vats: VATS,
    },
    Release {
        name: "version-2",
        kernel: include_bytes!("../version-2/kernel.bundle"),
        lockdown: include_bytes!("../version-2/lockdown.bundle"),
        supervisor: include_bytes!("../version-2/supervisor.bundle"),
        vats: VATS,
    },
];

/// Bundles for tests: vats, and kernels with a fault each. `kernel-trap` traps at every crank, `kernel-trap-late` after 100 steps,
/// `kernel-lying` describes itself otherwise than its manifest does; these are of schema 1. `kernel-trap-migration` and
/// `kernel-endless-migration` lead from 1 to 2, and do not arrive. `kernel-3` is of schema 3 and has no fault.
#[cfg(feature = "test-bundles")]
pub const TEST: &[(&str, &[u8])] = &[
    ("devices", include_bytes!("../test/devices.bundle")),
    ("founder", include_bytes!("../test/founder.bundle")),
    ("hostile", include_bytes!("../test/hostile.bundle")),
    ("kernel-3", include_bytes!("../test/kernel-3.bundle")),
    ("kernel-endless-migration", include_bytes!("../test/kernel-endless-migration.bundle")),
    ("kernel-lying", include_bytes!("../test/kernel-lying.bundle")),
    ("kernel-trap", include_bytes!("../test/kernel-trap.bundle")),
    ("kernel-trap-late", include_bytes!("../test/kernel-trap-late.bundle")),
    ("kernel-trap-migration", include_bytes!("../test/kernel-trap-migration.bundle")),
    ("pingpong", include_bytes!("../test/pingpong.bundle")),
    ("raw-pingpong", include_bytes!("../test/raw-pingpong.bundle")),
    ("stories", include_bytes!("../test/stories.bundle")),
    ("tutorial", include_bytes!("../test/tutorial.bundle")),
];

/// A release's bundles.
pub fn release(name: &str) -> Option<&'static Release> {
    RELEASES.iter().find(|release| release.name == name)
}

/// A bundle for tests.
#[cfg(feature = "test-bundles")]
pub fn test_bundle(name: &str) -> Option<&'static [u8]> {
    TEST.iter().find(|(other, _)| *other == name).map(|(_, bytes)| *bytes)
}
