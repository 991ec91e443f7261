//! Whether enough power has attested, looked at once a plan comes near; and the postponement otherwise.

use swing_proto::swing::upgrade::v1::PlanRecord;

use super::{
    super::{
        events, info,
        plans::{self, Ending},
    },
    tally,
};
use crate::{
    modules::BlockContext,
    state::{State, StateError},
};

/// The block at whose end the power is looked at; none where the plan asks for none or it was found sufficient.
pub fn decision_height(record: &PlanRecord) -> Option<u64> {
    let readiness = info::stored(&record.info).readiness.filter(|_| record.ready_height == 0)?;
    Some(u64::try_from(record.height).unwrap_or_default().saturating_sub(readiness.decide_blocks_before))
}

/// Looks at every pending plan that asks for power and is near.
///
/// # Errors
/// Storage.
pub fn decide(state: &mut State<'_>, block: &BlockContext) -> Result<(), StateError> {
    let ids: Vec<u64> = plans::pending(state)?.iter().map(|record| record.id).collect();
    for id in ids {
        // Read again: a postponement before may have moved it.
        let record = plans::record(state, id)?;
        let near = |record: &PlanRecord| decision_height(record).is_some_and(|height| height <= block.height);
        if let Some(record) = record.filter(near) {
            decide_one(state, block.height, &record)?;
        }
    }
    Ok(())
}

fn decide_one(state: &mut State<'_>, height: u64, before: &PlanRecord) -> Result<(), StateError> {
    let Some(readiness) = info::stored(&before.info).readiness else { return Ok(()) };
    let tally = tally(state, before)?;
    let (agreeing, required, total) = (tally.agreeing(), tally.required, tally.total);
    let mut record = before.clone();
    if agreeing >= required {
        record.ready_height = i64::try_from(height).unwrap_or(i64::MAX);
        plans::update(state, before, &record)?;
        state.emit(events::ready(&record, agreeing, required, total));
        return Ok(());
    }
    let reason = format!("power {agreeing} of {total} attested one digest, {required} is required");
    if record.unready_times >= readiness.postponements_max {
        let reason = format!("{reason}; postponed {} times", record.unready_times);
        let record = plans::end(state, before, height, Ending::Lapsed { reason })?;
        state.emit(events::ended("lapse_upgrade", &record));
        return Ok(());
    }
    record.unready_times = record.unready_times.saturating_add(1);
    plans::update(state, before, &record)?;
    for moved in plans::postpone(state, record.id, readiness.postpone_blocks, height, &reason)? {
        state.emit(events::postponed(&moved));
    }
    Ok(())
}
