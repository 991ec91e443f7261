//! Readiness: validators attest which binary they have at hand for a plan and what their rehearsal came to. An attestation is a
//! validator's word for its own machine; it proves nothing, and no word here says so.
//!
//! The plan fixes the state to rehearse on, so that digests compare: the one committed at `rehearsal.height`, with the block of
//! [`rehearsal_block`] made on it.
//!
//! # Invariants
//! - One attestation a validator and plan; a later one takes its place.
//! - Power counts as the set has it when it is looked at, never as it was when a validator attested.
//! - A postponement is decided by committed state alone, ten blocks before the height at the least, and no plan is postponed more
//!   often than it says itself.

mod attest;
mod decide;
mod tally;

use prost::Message;
use swing_proto::swing::upgrade::v1::{Attestation, PlanStatus};

pub use attest::attest;
pub use decide::{decide, decision_height};
pub use tally::{Tally, tally};

use super::{events, keys, plans};
use crate::{
    address::Address,
    block::{Block, Time},
    state::{State, StateError, StateRead},
};

/// The block of a rehearsal (`"block": "empty"`): the next height, the time of the header of the state that it is made on, no
/// transactions, no proposer.
pub fn rehearsal_block(height: u64, time: Time) -> Block {
    Block { height: height.saturating_add(1), time, proposer: vec![0; 20], hash: vec![0; 32], txs: Vec::new() }
}

/// All attestations for a plan, by the operators' addresses.
///
/// # Errors
/// Storage, out of gas.
pub fn attestations(state: &dyn StateRead, plan_id: u64) -> Result<Vec<(Address, Attestation)>, StateError> {
    let prefix = keys::attestations(plan_id);
    let corrupt = |what: String| StateError::Storage(format!("attestation for plan {plan_id}: {what}"));
    let mut all = Vec::new();
    for entry in state.prefix(&prefix) {
        let (key, value) = entry?;
        let operator = Address::from_slice(key.get(prefix.len()..).unwrap_or_default());
        let operator = operator.map_err(|error| corrupt(error.to_string()))?;
        all.push((operator, Attestation::decode(value).map_err(|error| corrupt(error.to_string()))?));
    }
    Ok(all)
}

/// All attestations, for an export.
///
/// # Errors
/// Storage.
pub(super) fn all(state: &dyn StateRead) -> Result<Vec<Attestation>, StateError> {
    let entries = state.prefix(keys::ATTESTATIONS).map(|entry| {
        let decoded = Attestation::decode(entry?.1);
        decoded.map_err(|error| StateError::Storage(format!("attestation: {error}")))
    });
    entries.collect()
}

/// Writes an exported attestation.
///
/// # Errors
/// What cannot be; storage.
pub(super) fn import(state: &mut State<'_>, attestation: &Attestation) -> Result<Result<(), String>, StateError> {
    let operator = match Address::parse_operator(&attestation.validator) {
        Ok(operator) => operator,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let plan = plans::record(state, attestation.plan_id)?;
    if plan.is_none_or(|record| record.status() != PlanStatus::Pending) {
        return Ok(Err(format!("plan {} is not pending", attestation.plan_id)));
    }
    state.set(keys::attestation(attestation.plan_id, &operator), attestation.encode_to_vec())?;
    Ok(Ok(()))
}

/// Removes all attestations for a plan; says how many there were.
///
/// # Errors
/// Storage.
pub(super) fn forget(state: &mut State<'_>, plan_id: u64) -> Result<usize, StateError> {
    let all = attestations(state, plan_id)?;
    for (operator, _) in &all {
        state.delete(keys::attestation(plan_id, operator))?;
    }
    Ok(all.len())
}

/// After a swap in block `height` what was attested before is about another state: attestations for all pending plans are void, and
/// a plan that fixes a rehearsal is to be rehearsed on the state of this block.
///
/// # Errors
/// Storage.
pub fn void(state: &mut State<'_>, height: u64, reason: &str) -> Result<(), StateError> {
    if !plans::enabled(state)? {
        return Ok(());
    }
    let now = i64::try_from(height).unwrap_or(i64::MAX);
    for before in plans::pending(state)? {
        let count = forget(state, before.id)?;
        let mut record = before.clone();
        record.ready_height = 0;
        if record.rehearsal_height > 0 {
            record.rehearsal_height = record.rehearsal_height.max(now);
        }
        if record != before || count > 0 {
            plans::update(state, &before, &record)?;
            state.emit(events::voided(&record, count, reason));
        }
    }
    Ok(())
}
