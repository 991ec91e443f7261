//! The releases of this chain, oldest first. Every binary is built from one entry: `swingd` from the newest.

use std::sync::Arc;

use swing_core::ports::{engine::ReleaseBundles, upgrade::Release};

use crate::{
    release::RegisteredRelease,
    releases::{version_1, version_2},
};

/// The released wasm artifacts of every release.
#[derive(Clone, Debug, Default)]
pub struct Artifacts {
    /// Those of version-1.
    pub version_1: Arc<ReleaseBundles>,
    /// Those of version-2.
    pub version_2: Arc<ReleaseBundles>,
}

/// All releases.
#[derive(Clone, Debug)]
pub struct Registry {
    releases: Vec<RegisteredRelease>,
}

impl Registry {
    /// The releases with their artifacts.
    pub fn new(artifacts: &Artifacts) -> Self {
        Registry { releases: vec![version_1::release(artifacts), version_2::release(artifacts)] }
    }

    /// The release of this name.
    pub fn release(&self, name: &str) -> Option<&RegisteredRelease> {
        self.releases.iter().find(|release| release.name() == name)
    }

    /// The newest release.
    pub fn newest(&self) -> &RegisteredRelease {
        self.releases.last().expect("a registry is made with all releases")
    }

    /// All of them, oldest first.
    pub fn releases(&self) -> &[RegisteredRelease] {
        &self.releases
    }

    /// The release that a supervisor should have at hand for a plan.
    pub fn for_plan(&self, plan_name: &str) -> Option<&RegisteredRelease> {
        self.releases.iter().find(|release| release.can_handle(plan_name))
    }
}
