//! version-1: the rules that a chain of this software begins with.

use std::sync::Arc;

use crate::{
    migrations::Target,
    registry::Artifacts,
    release::{RegisteredRelease, Rules},
};

/// Its name.
pub const NAME: &str = "version-1";

/// Its app version.
pub const APP_VERSION: u64 = 1;

/// The app version of an SDK genesis that names none: the rules are those of version-1.
pub const UNNAMED_APP_VERSION: u64 = 0;

/// The modules' layouts. Versions of the SDK's modules are those of its layouts in clients' eyes.
pub fn modules() -> Vec<Target> {
    vec![
        Target::unchanged("auth", 5, b"auth/"),
        Target::unchanged("bank", 4, b"bank/"),
        Target::unchanged("consensus", 1, b"consensus/"),
        Target::unchanged("genutil", 1, b"genutil/"),
        Target::unchanged("gov", 5, b"gov/"),
        Target::unchanged("staking", 5, b"staking/"),
        Target::unchanged("swingset", 1, b"swingset/"),
        Target::unchanged("upgrade", 2, b"upgrade/"),
    ]
}

/// Its rules.
pub fn rules(artifacts: &Artifacts) -> Rules {
    Rules { bundles: Arc::clone(&artifacts.version_1), modules: modules(), kernel_schemas: 1..=1 }
}

/// The release. It handles no plan: chains begin with it.
pub fn release(artifacts: &Artifacts) -> RegisteredRelease {
    RegisteredRelease::new(NAME, APP_VERSION, rules(artifacts)).running(UNNAMED_APP_VERSION, rules(artifacts))
}
