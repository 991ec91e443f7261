//! Plans that were applied: those of before plans had numbers, and the one that is applied now.

use swing_proto::swing::upgrade::v1::{Done, PlanRecord, PlanStatus};

use super::{
    super::{keys, state as upgrades},
    add, all, nearest,
    records::{rewrite, write},
};
use crate::{
    ports::upgrade::Plan,
    state::{State, StateError},
};

/// Gives a number to every plan that has none: those applied before plans had numbers, by height, and the pending one.
///
/// # Errors
/// Storage.
pub fn complete(state: &mut State<'_>) -> Result<(), StateError> {
    let known: Vec<String> = all(state)?
        .into_iter()
        .filter(|record| record.status() == PlanStatus::Applied)
        .map(|record| record.name)
        .collect();
    let mut applied = upgrades::all_applied(state)?;
    applied.retain(|(name, _)| !known.contains(name));
    applied.sort_by_key(|(_, height)| *height);
    let pending = upgrades::plan(state)?.filter(|_| nearest(state).is_ok_and(|nearest| nearest.is_none()));
    for (name, height) in applied {
        let id = super::next_id(state)?;
        let height = i64::try_from(height).unwrap_or(i64::MAX);
        let record = PlanRecord {
            id,
            name,
            height,
            planned_height: height,
            end_height: height,
            status: PlanStatus::Applied.into(),
            done: Some(Done { migrated_height: height, ..Done::default() }),
            ..PlanRecord::default()
        };
        write(state, &record)?;
        state.set(keys::LAST_ID, id.to_be_bytes().to_vec())?;
    }
    if let Some(plan) = pending {
        // When governance decided it was not recorded.
        add(state, &plan, 0)?;
    }
    Ok(())
}

/// Ends a pending plan as applied in block `height`; gives its record. A plan that nobody decided gets a number too: a rehearsal may
/// apply such a one.
///
/// # Errors
/// Storage.
pub fn mark_applied(state: &mut State<'_>, plan: &Plan, height: u64, done: Done) -> Result<PlanRecord, StateError> {
    let pending = super::pending(state)?.into_iter().find(|record| record.name == plan.name);
    let before = match pending {
        Some(record) => record,
        None => add(state, plan, 0)?,
    };
    let mut record = before.clone();
    record.set_status(PlanStatus::Applied);
    record.end_height = i64::try_from(height).unwrap_or(i64::MAX);
    record.done = Some(done);
    rewrite(state, &before, &record)?;
    Ok(record)
}

/// Records that an applied plan's migrations ended in block `height`.
///
/// # Errors
/// Storage.
pub fn migrated(state: &mut State<'_>, id: u64, height: u64) -> Result<(), StateError> {
    let Some(mut record) = super::record(state, id)? else { return Ok(()) };
    if let Some(done) = &mut record.done {
        done.migrated_height = i64::try_from(height).unwrap_or(i64::MAX);
    }
    write(state, &record)
}
