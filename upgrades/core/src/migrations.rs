//! Module migrations by version map. Source: the SDK's `RunMigrations`, without its two silent cases: a downgrade is an error,
//! and a module that is new never wipes a store.
//!
//! # Invariants
//! - Modules run in the order of their names, steps one version at a time.
//! - Either every module ends at its target version or the caller gets an error and drops the overlay.

use swing_core::{
    error::{Failure, Rejected},
    ports::upgrade::VersionMap,
    state::{State, StateRead},
};

/// What one step or genesis does to a module's store: a pure function of state.
pub type StoreChange = fn(&mut State<'_>) -> Result<(), Failure>;

/// One step of a module, from `from` to `from + 1`.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The version that it starts from.
    pub from: u64,
    /// What it does.
    pub run: StoreChange,
}

/// A module as a release wants it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name in the version map.
    pub name: &'static str,
    /// The version of its layout under the release's rules.
    pub version: u64,
    /// What its keys begin with.
    pub store_prefix: &'static [u8],
    /// Steps known, in any order.
    pub steps: Vec<Step>,
    /// Genesis for a chain that does not have it yet; none when it cannot be added to a living chain.
    pub genesis: Option<StoreChange>,
}

impl Target {
    /// A module whose layout the release does not change.
    pub const fn unchanged(name: &'static str, version: u64, store_prefix: &'static [u8]) -> Self {
        Target { name, version, store_prefix, steps: Vec::new(), genesis: None }
    }
}

/// Why the modules cannot be migrated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MigrationError {
    /// State has a module that the release does not know.
    #[error("module {module} at version {version} is in state but not in this release")]
    UnknownModule {
        /// The module.
        module: String,
        /// Its version in state.
        version: u64,
    },
    /// State is ahead of the release.
    #[error("module {module} is at version {found} in state, this release has {wanted}: a migration never goes down")]
    Downgrade {
        /// The module.
        module: &'static str,
        /// Its version in state.
        found: u64,
        /// The release's.
        wanted: u64,
    },
    /// A step is missing.
    #[error("module {module} has no migration from version {from}, {wanted} is wanted")]
    Gap {
        /// The module.
        module: &'static str,
        /// Where the chain of steps ends.
        from: u64,
        /// The release's version.
        wanted: u64,
    },
    /// A module that is new has keys in its store.
    #[error("module {module} is new, but its store is not empty: it is not wiped")]
    StoreNotEmpty {
        /// The module.
        module: &'static str,
    },
    /// A module that is new cannot be added to a living chain.
    #[error("module {module} is not in state and has no genesis for a living chain")]
    NoGenesis {
        /// The module.
        module: &'static str,
    },
}

impl From<MigrationError> for Failure {
    fn from(error: MigrationError) -> Self {
        // The SDK registers no code of its own here; ErrLogic is what its manager returns.
        Failure::Rejected(Rejected::sdk(35, error.to_string()))
    }
}

/// Brings every module to its target; gives the new version map.
///
/// # Errors
/// [`MigrationError`], as [`Failure::Rejected`], before anything is written where the maps alone show it; a step's own failure.
pub fn run(state: &mut State<'_>, from: &VersionMap, targets: &[Target]) -> Result<VersionMap, Failure> {
    check(from, targets)?;
    let mut ordered: Vec<&Target> = targets.iter().collect();
    ordered.sort_by_key(|target| target.name);
    for target in ordered {
        match from.get(target.name) {
            Some(version) => advance(state, target, *version)?,
            None => add(state, target)?,
        }
    }
    Ok(targets.iter().map(|target| (target.name.to_owned(), target.version)).collect())
}

/// What can be told from the two maps, before any store is touched.
fn check(from: &VersionMap, targets: &[Target]) -> Result<(), MigrationError> {
    for (module, version) in from {
        if !targets.iter().any(|target| target.name == module) {
            return Err(MigrationError::UnknownModule { module: module.clone(), version: *version });
        }
    }
    for target in targets {
        let Some(found) = from.get(target.name).copied() else {
            if target.genesis.is_none() {
                return Err(MigrationError::NoGenesis { module: target.name });
            }
            continue;
        };
        if found > target.version {
            return Err(MigrationError::Downgrade { module: target.name, found, wanted: target.version });
        }
        if let Some(from) = (found..target.version).find(|version| step(target, *version).is_none()) {
            return Err(MigrationError::Gap { module: target.name, from, wanted: target.version });
        }
    }
    Ok(())
}

fn step(target: &Target, from: u64) -> Option<&Step> {
    target.steps.iter().find(|step| step.from == from)
}

fn advance(state: &mut State<'_>, target: &Target, version: u64) -> Result<(), Failure> {
    for from in version..target.version {
        let step =
            step(target, from).ok_or(MigrationError::Gap { module: target.name, from, wanted: target.version })?;
        (step.run)(state)?;
    }
    Ok(())
}

fn add(state: &mut State<'_>, target: &Target) -> Result<(), Failure> {
    let occupied = state.prefix(target.store_prefix).next().transpose()?.is_some();
    if occupied {
        return Err(MigrationError::StoreNotEmpty { module: target.name }.into());
    }
    let genesis = target.genesis.ok_or(MigrationError::NoGenesis { module: target.name })?;
    genesis(state)
}
