//! A release for tests whose migrations take several blocks: two modules, each with a step in slices and a step behind it.

use std::sync::Arc;

use swing_core::{
    error::Failure,
    ports::upgrade::{Plan, UpgradeContext, VersionMap},
    state::{State, StateRead, prefix_end},
};
use swing_upgrades::{
    migrations::{self, Slice, Step, Target},
    registry::Artifacts,
    release::{RegisteredRelease, Rules},
    releases::{version_1, version_2},
};

/// Its name, and that of its plan.
pub const NAME: &str = "version-3";

/// Where a migrated entry of a module is found.
pub fn migrated(module: &str, key: &[u8]) -> Vec<u8> {
    [b"test/migrated/", module.as_bytes(), b"/", key].concat()
}

/// Copies the entries under `prefix`, from behind the cursor on; the cursor is the last key.
fn copy(state: &mut State<'_>, module: &str, prefix: &[u8], cursor: &[u8], entries: u64) -> Result<Slice, Failure> {
    let start = if cursor.is_empty() { prefix.to_vec() } else { [cursor, &[0]].concat() };
    let most = usize::try_from(entries).unwrap_or(usize::MAX);
    let found = state.range(&start, prefix_end(prefix).as_deref()).take(most).collect::<Result<Vec<_>, _>>()?;
    let last = found.last().map(|(key, _)| key.clone());
    let ended = found.len() < most;
    for (key, value) in found {
        state.set(migrated(module, &key), value)?;
    }
    Ok(match last {
        Some(key) if !ended => Slice::More(key),
        _ => Slice::Done,
    })
}

fn auth(state: &mut State<'_>, cursor: &[u8], entries: u64) -> Result<Slice, Failure> {
    copy(state, "auth", b"auth/", cursor, entries)
}

fn bank(state: &mut State<'_>, cursor: &[u8], entries: u64) -> Result<Slice, Failure> {
    copy(state, "bank", b"bank/", cursor, entries)
}

fn behind(state: &mut State<'_>) -> Result<(), Failure> {
    Ok(state.set(b"test/behind".to_vec(), b"done".to_vec())?)
}

fn rules(artifacts: &Artifacts) -> Rules {
    let mut modules = version_2::modules();
    modules.retain(|module| !matches!(module.name, "auth" | "bank"));
    let steps = vec![Step::sliced(5, auth, 3), Step::whole(6, behind)];
    modules.push(Target { steps, ..Target::unchanged("auth", 7, b"auth/") });
    modules.push(Target { steps: vec![Step::sliced(4, bank, 2)], ..Target::unchanged("bank", 5, b"bank/") });
    Rules { modules, kernel_schemas: 2..=2, ..version_2::rules(artifacts) }
}

/// The release. It runs version-2's rules until its own height.
pub fn release(artifacts: &Artifacts) -> RegisteredRelease {
    RegisteredRelease::new(NAME, 3, rules(artifacts))
        .running(version_2::APP_VERSION, version_2::rules(artifacts))
        .running(version_1::APP_VERSION, version_1::rules(artifacts))
        .handling(NAME, Arc::new(apply))
}

fn apply(
    context: &mut UpgradeContext<'_, '_>,
    _: &Plan,
    from: &VersionMap,
    rules: &Rules,
) -> Result<VersionMap, Failure> {
    migrations::run(context.state, from, &rules.modules)
}
