//! Migrations that take several blocks: the upgrade's block commits the switch and a cursor, each later block does a slice before its
//! first transaction. What a slice does is the running release's matter; where it stands is state.
//!
//! # Invariants
//! - A slice is committed with its cursor or not at all: a node that dies in between goes on from the cursor (held by a test that
//!   restarts at every block).
//! - While one is under way no plan is decided, none becomes due, and no swap is decided or made.

use prost::Message;
use swing_proto::swing::upgrade::v1::Migration;

use super::{events, keys, plans, state as upgrades};
use crate::{
    error::{Failure, Halt},
    modules::{BlockContext, swingset},
    ports::{Ports, upgrade::UpgradeContext},
    state::{State, StateError, StateRead},
};

/// Blocks by which a plan is moved that would become due while a migration is under way: enough for supervisors to see it.
const WAIT_BLOCKS: u64 = 10;

/// Why such a plan is moved.
const WAIT_REASON: &str = "a migration is under way";

/// The migration of a module that is under way.
///
/// # Errors
/// Storage, out of gas.
pub fn under_way(state: &dyn StateRead) -> Result<Option<Migration>, StateError> {
    let Some(bytes) = state.get(keys::MIGRATION)? else { return Ok(None) };
    Migration::decode(bytes).map(Some).map_err(|error| StateError::Storage(format!("migration under way: {error}")))
}

/// Whether the kernel's schema is being migrated.
///
/// # Errors
/// Storage, out of gas.
pub fn kernel_under_way(state: &dyn StateRead) -> Result<bool, StateError> {
    Ok(state.get(&swingset::keys::host("migration"))?.is_some())
}

/// Writes where the migration stands.
///
/// # Errors
/// Storage.
pub fn set(state: &mut State<'_>, migration: &Migration) -> Result<(), StateError> {
    state.set(keys::MIGRATION, migration.encode_to_vec())
}

/// The migration has ended.
///
/// # Errors
/// Storage.
pub fn clear(state: &mut State<'_>) -> Result<(), StateError> {
    state.delete(keys::MIGRATION)
}

/// Says of the migrations that the upgrade of this block began whose they are.
pub(super) fn begun(state: &mut State<'_>, plan_id: u64, plan_name: &str, height: u64) -> Result<(), StateError> {
    state.set(keys::MIGRATING, plan_id.to_be_bytes().to_vec())?;
    let Some(before) = under_way(state)? else { return Ok(()) };
    let started_height = i64::try_from(height).unwrap_or(i64::MAX);
    let migration = Migration { plan_id, plan_name: plan_name.to_owned(), started_height, ..before };
    state.emit(events::migration_progress(&migration, false));
    set(state, &migration)
}

/// Records that the applied plan's migrations have ended, the kernel's too, once they have.
pub(super) fn note_end(state: &mut State<'_>, height: u64) -> Result<(), StateError> {
    let Some(id) = state.get(keys::MIGRATING)? else { return Ok(()) };
    if under_way(state)?.is_some() || kernel_under_way(state)? {
        return Ok(());
    }
    plans::migrated(state, upgrades::number(&id, "the plan whose migrations are under way")?, height)?;
    state.delete(keys::MIGRATING)
}

/// Does the block's slice of the migration that is under way, if one is.
///
/// # Errors
/// Storage; a slice that failed, whatever the reason: the block is dropped and the node stops, the cursor where it was.
pub(super) fn go_on(state: &mut State<'_>, block: &BlockContext, ports: &mut Ports<'_>) -> Result<(), Halt> {
    let storage = |error: StateError| Halt::new(error.to_string());
    let Some(before) = under_way(state).map_err(storage)? else { return Ok(()) };
    slice(state, block, ports, &before).map_err(|failure| {
        Halt::new(format!(
            "the migration of module {} failed at height {}, nothing of this block's slice was kept: {failure}",
            before.module, block.height
        ))
    })
}

fn slice(
    state: &mut State<'_>,
    block: &BlockContext,
    ports: &mut Ports<'_>,
    before: &Migration,
) -> Result<(), Failure> {
    let from = upgrades::versions(state)?;
    let mut context =
        UpgradeContext { state: &mut *state, engine: &mut *ports.engine, height: block.height, time: block.time };
    let versions = ports.release.migrate(&mut context, &from)?;
    upgrades::set_versions(state, &versions)?;
    let ended = match under_way(state)? {
        Some(now) => {
            if (&now.module, now.from_version, &now.cursor) == (&before.module, before.from_version, &before.cursor) {
                return Err(Halt::new("the slice left the cursor where it was").into());
            }
            state.emit(events::migration_progress(&now, false));
            false
        }
        None => true,
    };
    if ended {
        let slices = before.slices.saturating_add(1);
        state.emit(events::migration_progress(&Migration { slices, ..before.clone() }, true));
    }
    Ok(())
}

/// Moves plans that would become due in the next block while a migration is under way.
pub(super) fn hold_back(state: &mut State<'_>, block: &BlockContext) -> Result<(), StateError> {
    let next = i64::try_from(block.height.saturating_add(1)).unwrap_or(i64::MAX);
    let Some(nearest) = plans::nearest(state)?.filter(|record| record.height <= next) else { return Ok(()) };
    if under_way(state)?.is_none() && !kernel_under_way(state)? {
        return Ok(());
    }
    for moved in plans::postpone(state, nearest.id, WAIT_BLOCKS, block.height, WAIT_REASON)? {
        state.emit(events::postponed(&moved));
    }
    Ok(())
}
