//! Module migrations by version map. Source: the SDK's `RunMigrations`, without its two silent cases: a downgrade is an error,
//! and a module that is new never wipes a store. A step that is too large for one block is done in slices, one a block, with a
//! cursor in state ([`swing_core::modules::upgrade::migration`]).
//!
//! # Invariants
//! - Modules run in the order of their names, steps one version at a time. A module's version in the map is that of the layout that its
//!   store has: the target's only when its last step has ended.
//! - Either every module ends at its target version or at a step in slices, of which one module's is under way and others' wait, or the
//!   caller gets an error and drops the overlay.
//! - In the upgrade's block everything is done that is not in slices or behind one of the same module.

use swing_core::{
    error::{Failure, Halt, Rejected},
    modules::upgrade::migration,
    ports::upgrade::VersionMap,
    state::{State, StateRead},
};
use swing_proto::swing::upgrade::v1::Migration;

/// What one step or genesis does to a module's store: a pure function of state.
pub type StoreChange = fn(&mut State<'_>) -> Result<(), Failure>;

/// Where a step in slices stands after one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slice {
    /// It goes on at this cursor, which is never empty.
    More(Vec<u8>),
    /// It has ended.
    Done,
}

/// What one slice does to a module's store: a pure function of state and the cursor, which is empty at the start. The last argument
/// is how many entries it may touch.
pub type SliceChange = fn(&mut State<'_>, &[u8], u64) -> Result<Slice, Failure>;

/// Bytes of a cursor.
const CURSOR_MAX: usize = 1024;

/// How a step is done.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Within one block.
    Whole(StoreChange),
    /// A slice a block.
    Sliced {
        /// What one slice does.
        change: SliceChange,
        /// Entries that one slice may touch.
        entries_per_block: u64,
    },
}

/// One step of a module, from `from` to `from + 1`.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The version that it starts from.
    pub from: u64,
    /// What it does.
    pub work: Work,
}

impl Step {
    /// A step within one block.
    pub const fn whole(from: u64, change: StoreChange) -> Self {
        Step { from, work: Work::Whole(change) }
    }

    /// A step in slices of so many entries.
    pub const fn sliced(from: u64, change: SliceChange, entries_per_block: u64) -> Self {
        Step { from, work: Work::Sliced { change, entries_per_block } }
    }
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
    /// A slice that would never end, or whose cursor is no cursor.
    #[error(
        "module {module}: a slice left a cursor of {bytes} bytes: from 1 to {CURSOR_MAX} were expected, and another one than before"
    )]
    Cursor {
        /// The module.
        module: &'static str,
        /// The cursor's bytes.
        bytes: usize,
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

/// Brings every module to its target, or to its first step in slices; gives the new version map. The first slice of the first such
/// module is done too, and where it stands is left in state.
///
/// # Errors
/// [`MigrationError`], as [`Failure::Rejected`], before anything is written where the maps alone show it; a step's own failure.
pub fn run(state: &mut State<'_>, from: &VersionMap, targets: &[Target]) -> Result<VersionMap, Failure> {
    check(from, targets)?;
    let mut versions = VersionMap::new();
    for target in in_order(targets) {
        let version = match from.get(target.name) {
            Some(version) => advance(state, target, *version)?,
            None => add(state, target)?,
        };
        versions.insert(target.name.to_owned(), version);
    }
    begin_next(state, &mut versions, targets)?;
    Ok(versions)
}

/// Does the next slice of the migration that is under way, and what it makes possible; gives the new version map.
///
/// # Errors
/// A slice's own failure; none under way, or one that these targets do not have.
pub fn go_on(state: &mut State<'_>, from: &VersionMap, targets: &[Target]) -> Result<VersionMap, Failure> {
    let none = || Failure::Halt(Halt::new("no migration is under way, or one that this release does not know"));
    let current = migration::under_way(state)?.ok_or_else(none)?;
    let target = targets.iter().find(|target| target.name == current.module).ok_or_else(none)?;
    let mut versions = from.clone();
    if slice(state, target, current)? {
        begin_next(state, &mut versions, targets)?;
    }
    Ok(versions)
}

fn in_order(targets: &[Target]) -> Vec<&Target> {
    let mut ordered: Vec<&Target> = targets.iter().collect();
    ordered.sort_by_key(|target| target.name);
    ordered
}

/// Raises the version of a module whose step in slices has ended, then begins the next one: of the same module, or of the first that
/// waits. Ends the migration when there is none.
fn begin_next(state: &mut State<'_>, versions: &mut VersionMap, targets: &[Target]) -> Result<(), Failure> {
    loop {
        let before = migration::under_way(state)?;
        if let Some(ended) = &before {
            let target = targets.iter().find(|target| target.name == ended.module);
            let target = target.ok_or_else(|| Failure::Halt(Halt::new("the module under migration is not known")))?;
            let version = advance(state, target, ended.from_version.saturating_add(1))?;
            versions.insert(target.name.to_owned(), version);
        }
        let waiting = in_order(targets)
            .into_iter()
            .find_map(|target| versions.get(target.name).filter(|at| **at < target.version).map(|at| (target, *at)));
        let Some((target, from_version)) = waiting else { return Ok(migration::clear(state)?) };
        let next = Migration {
            module: target.name.to_owned(),
            from_version,
            to_version: target.version,
            cursor: Vec::new(),
            ..before.clone().unwrap_or_default()
        };
        migration::set(state, &next)?;
        // One slice a block: the block's is spent when another step has just ended in it.
        if before.is_some() || !slice(state, target, next)? {
            return Ok(());
        }
    }
}

/// Does one slice of the step that `current` names; whether that ended the step.
fn slice(state: &mut State<'_>, target: &Target, current: Migration) -> Result<bool, Failure> {
    let module = target.name;
    let gap = MigrationError::Gap { module, from: current.from_version, wanted: target.version };
    let Some(Step { work: Work::Sliced { change, entries_per_block }, .. }) = step(target, current.from_version) else {
        return Err(gap.into());
    };
    let slices = current.slices.saturating_add(1);
    let (cursor, ended) = match change(state, &current.cursor, *entries_per_block)? {
        Slice::Done => (current.cursor.clone(), true),
        Slice::More(cursor) if cursor.is_empty() || cursor.len() > CURSOR_MAX || cursor == current.cursor => {
            return Err(MigrationError::Cursor { module, bytes: cursor.len() }.into());
        }
        Slice::More(cursor) => (cursor, false),
    };
    migration::set(state, &Migration { cursor, slices, ..current })?;
    Ok(ended)
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

/// Runs a module's steps from `version` on, up to its target or to a step in slices; gives the version that it comes to.
fn advance(state: &mut State<'_>, target: &Target, version: u64) -> Result<u64, Failure> {
    for from in version..target.version {
        let step =
            step(target, from).ok_or(MigrationError::Gap { module: target.name, from, wanted: target.version })?;
        match step.work {
            Work::Whole(change) => change(state)?,
            Work::Sliced { .. } => return Ok(from),
        }
    }
    Ok(target.version)
}

fn add(state: &mut State<'_>, target: &Target) -> Result<u64, Failure> {
    let occupied = state.prefix(target.store_prefix).next().transpose()?.is_some();
    if occupied {
        return Err(MigrationError::StoreNotEmpty { module: target.name }.into());
    }
    let genesis = target.genesis.ok_or(MigrationError::NoGenesis { module: target.name })?;
    genesis(state)?;
    Ok(target.version)
}
