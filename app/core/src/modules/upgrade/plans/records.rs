//! Records in state, and the nearest pending plan in the SDK's form beside them.

use std::collections::BTreeSet;

use prost::Message;
use swing_proto::swing::upgrade::v1::{PlanRecord, PlanStatus};

use super::super::{keys, readiness, state as upgrades};
use crate::{
    ports::upgrade::Plan,
    state::{State, StateError, StateRead},
};

fn corrupt(what: impl std::fmt::Display) -> StateError {
    StateError::Storage(format!("plans: {what}"))
}

fn decode(bytes: &[u8]) -> Result<PlanRecord, StateError> {
    PlanRecord::decode(bytes).map_err(corrupt)
}

/// The plan of a number.
///
/// # Errors
/// Storage, out of gas.
pub fn record(state: &dyn StateRead, id: u64) -> Result<Option<PlanRecord>, StateError> {
    state.get(&keys::record(id))?.map(|bytes| decode(&bytes)).transpose()
}

/// All plans, by number.
///
/// # Errors
/// Storage.
pub fn all(state: &dyn StateRead) -> Result<Vec<PlanRecord>, StateError> {
    state.prefix(keys::RECORDS).map(|entry| decode(&entry?.1)).collect()
}

/// The pending plans, the nearest first.
///
/// # Errors
/// Storage, out of gas.
pub fn pending(state: &dyn StateRead) -> Result<Vec<PlanRecord>, StateError> {
    let entries = state.prefix(keys::PENDING).collect::<Result<Vec<_>, _>>()?;
    entries.iter().map(|(_, id)| listed(state, id)).collect()
}

/// The pending plan with the least height.
///
/// # Errors
/// Storage, out of gas.
pub fn nearest(state: &dyn StateRead) -> Result<Option<PlanRecord>, StateError> {
    let first = state.prefix(keys::PENDING).next().transpose()?;
    first.map(|(_, id)| listed(state, &id)).transpose()
}

fn listed(state: &dyn StateRead, id: &[u8]) -> Result<PlanRecord, StateError> {
    let id = upgrades::number(id, "a pending plan's number")?;
    record(state, id)?.ok_or_else(|| corrupt(format!("{id} is pending and not there")))
}

fn height(record: &PlanRecord) -> Result<u64, StateError> {
    u64::try_from(record.height).map_err(|_| corrupt(format!("{} has height {}", record.id, record.height)))
}

fn is_pending(record: &PlanRecord) -> bool {
    record.status() == PlanStatus::Pending
}

/// Writes a record, and its place among the pending ones.
pub(super) fn write(state: &mut State<'_>, record: &PlanRecord) -> Result<(), StateError> {
    state.set(keys::record(record.id), record.encode_to_vec())?;
    if is_pending(record) {
        state.set(keys::pending(height(record)?, record.id), record.id.to_be_bytes().to_vec())?;
    }
    Ok(())
}

/// Writes a record over the one before, and all that follows of it: its place, the nearest plan, attestations of a plan that ended.
pub(super) fn rewrite(state: &mut State<'_>, before: &PlanRecord, now: &PlanRecord) -> Result<(), StateError> {
    if is_pending(before) {
        state.delete(keys::pending(height(before)?, before.id))?;
    }
    write(state, now)?;
    if !is_pending(now) {
        readiness::forget(state, now.id)?;
    }
    mirror(state)
}

/// Makes the nearest pending plan the one that [`upgrades::plan`] gives.
pub(super) fn mirror(state: &mut State<'_>) -> Result<(), StateError> {
    match nearest(state)? {
        Some(record) => {
            let height = height(&record)?;
            upgrades::set_plan(state, &Plan { name: record.name, height, info: record.info })
        }
        None => upgrades::clear_plan(state),
    }
}

/// Writes exported records into a state without any.
///
/// # Errors
/// What cannot be: a number twice or none, two pending plans that share a name or a height; storage.
pub fn import(state: &mut State<'_>, records: &[PlanRecord]) -> Result<Result<(), String>, StateError> {
    let (mut ids, mut names, mut heights) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for record in records {
        let PlanRecord { id, name, .. } = record;
        if *id == 0 || !ids.insert(*id) {
            return Ok(Err(format!("number {id} is zero or was there before")));
        }
        if name.is_empty() || record.height <= 0 || record.status() == PlanStatus::Unspecified {
            return Ok(Err(format!("plan {id} has no name, no height or no status")));
        }
        if is_pending(record) && !(names.insert(name) && heights.insert(record.height)) {
            return Ok(Err(format!("plan {id} shares name or height with another pending one")));
        }
        write(state, record)?;
    }
    if let Some(last) = ids.last() {
        state.set(keys::LAST_ID, last.to_be_bytes().to_vec())?;
    }
    // The kernel's migration may be under way: it is in the engine's own keys.
    let migrating = records.iter().filter(|record| record.done.as_ref().is_some_and(|done| done.migrated_height == 0));
    if let Some(record) = migrating.max_by_key(|record| record.end_height) {
        state.set(keys::MIGRATING, record.id.to_be_bytes().to_vec())?;
    }
    mirror(state)?;
    Ok(Ok(()))
}
