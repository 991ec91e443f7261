//! Numbered plans: several pending at once, and what became of each. From layout 3 of this module on, which version-2's upgrade
//! brings; before, one plan is pending at most and nothing is remembered but names and heights of applied ones.
//!
//! # Invariants
//! - Every plan that governance decides gets a number and a record; a record is never removed, only ended.
//! - [`super::state::plan`] is the pending plan with the least height, always: whoever decides about a block needs to know no other
//!   (held by [`pending`] in the tests after every change).
//! - No two pending plans have a name or a height in common.

mod applied;
mod records;

use swing_proto::swing::upgrade::v1::{PlanRecord, PlanStatus, Postponement};

pub use applied::{complete, mark_applied, migrated};
pub use records::{all, import, nearest, pending, record};

use super::{keys, state as upgrades};
use crate::{
    ports::upgrade::Plan,
    state::{State, StateError, StateRead},
};

/// The module's layout from which on plans have numbers.
pub const LAYOUT: u64 = 3;

/// The most plans that may be pending: each block looks at all of them.
pub const PENDING_MAX: usize = 16;

/// Whether plans have numbers under the rules in force: a matter of state alone.
///
/// # Errors
/// Storage, out of gas.
pub fn enabled(state: &dyn StateRead) -> Result<bool, StateError> {
    Ok(upgrades::version(state, "upgrade")?.is_some_and(|version| version >= LAYOUT))
}

/// How a plan ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its height was skipped.
    Skipped,
    /// Governance took it back.
    Cancelled {
        /// Why, in governance's words.
        reason: String,
    },
    /// Governance decided another one in its place.
    Replaced {
        /// The other one's number.
        by: u64,
    },
    /// Too little power attested that it is ready, for too long.
    Lapsed {
        /// The figures.
        reason: String,
    },
}

/// A plan that was moved to a later height.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// Where it was.
    pub from_height: i64,
    /// Its record now.
    pub record: PlanRecord,
}

/// The number that the next plan gets.
///
/// # Errors
/// Storage, out of gas.
pub fn next_id(state: &dyn StateRead) -> Result<u64, StateError> {
    let last = match state.get(keys::LAST_ID)? {
        Some(bytes) => upgrades::number(&bytes, "the last plan's number")?,
        None => 0,
    };
    last.checked_add(1).ok_or_else(|| StateError::Storage("no plan number is left".to_owned()))
}

/// Adds a pending plan that governance decided in block `scheduled`; gives its record.
///
/// # Errors
/// Storage, out of gas.
pub fn add(state: &mut State<'_>, plan: &Plan, scheduled: u64) -> Result<PlanRecord, StateError> {
    let height = i64::try_from(plan.height).unwrap_or(i64::MAX);
    let record = PlanRecord {
        id: next_id(state)?,
        name: plan.name.clone(),
        height,
        info: plan.info.clone(),
        status: PlanStatus::Pending.into(),
        scheduled_height: i64::try_from(scheduled).unwrap_or(i64::MAX),
        planned_height: height,
        rehearsal_height: super::info::rehearsal_height(&plan.info),
        ..PlanRecord::default()
    };
    state.set(keys::LAST_ID, record.id.to_be_bytes().to_vec())?;
    records::write(state, &record)?;
    records::mirror(state)?;
    Ok(record)
}

/// Ends a pending plan in block `height`; gives its record.
///
/// # Errors
/// Storage, out of gas.
pub fn end(state: &mut State<'_>, before: &PlanRecord, height: u64, ending: Ending) -> Result<PlanRecord, StateError> {
    let mut record = before.clone();
    record.end_height = i64::try_from(height).unwrap_or(i64::MAX);
    match ending {
        Ending::Skipped => record.set_status(PlanStatus::Skipped),
        Ending::Cancelled { reason } => {
            record.set_status(PlanStatus::Cancelled);
            record.reason = reason;
        }
        Ending::Replaced { by } => {
            record.set_status(PlanStatus::Replaced);
            record.replaced_by = by;
        }
        Ending::Lapsed { reason } => {
            record.set_status(PlanStatus::Lapsed);
            record.reason = reason;
        }
    }
    records::rewrite(state, before, &record)?;
    Ok(record)
}

/// Writes what changed of a pending plan.
///
/// # Errors
/// Storage.
pub(super) fn update(state: &mut State<'_>, before: &PlanRecord, now: &PlanRecord) -> Result<(), StateError> {
    records::rewrite(state, before, now)
}

/// Moves a pending plan to a later height in block `height`, and every plan behind it by as many blocks, so that their order and
/// their distances stay.
///
/// # Errors
/// Storage.
pub fn postpone(
    state: &mut State<'_>,
    id: u64,
    blocks: u64,
    height: u64,
    reason: &str,
) -> Result<Vec<Moved>, StateError> {
    let pending = pending(state)?;
    let from = pending.iter().find(|record| record.id == id).map_or(i64::MAX, |record| record.height);
    let mut moved = Vec::new();
    // The last first, so that no two stand at one height in between.
    for before in pending.iter().rev().filter(|record| record.height >= from) {
        let to = before.height.saturating_add(i64::try_from(blocks).unwrap_or(i64::MAX));
        let mut now = before.clone();
        note(
            &mut now.postponements,
            Postponement {
                height: i64::try_from(height).unwrap_or(i64::MAX),
                from_height: before.height,
                to_height: to,
                reason: if before.id == id { reason.to_owned() } else { format!("plan {id} before it was postponed") },
            },
        );
        now.height = to;
        records::rewrite(state, before, &now)?;
        moved.push(Moved { from_height: before.height, record: now });
    }
    moved.reverse();
    Ok(moved)
}

/// Adds to the list; what follows for the same reason is one entry, so that a long wait leaves a short list.
fn note(list: &mut Vec<Postponement>, new: Postponement) {
    match list.last_mut() {
        Some(last) if last.reason == new.reason => last.to_height = new.to_height,
        _ => list.push(new),
    }
}

/// Removes what is pending, for a chain that begins again at height one.
///
/// # Errors
/// Storage.
pub fn for_zero_height(state: &mut State<'_>, height: u64) -> Result<(), StateError> {
    for record in pending(state)? {
        let reason = "the chain was exported for height zero".to_owned();
        end(state, &record, height, Ending::Cancelled { reason })?;
    }
    Ok(())
}
