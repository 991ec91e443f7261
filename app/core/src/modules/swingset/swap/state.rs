//! The pending swap, and what became of those before it.

use prost::Message;
use swing_proto::swing::swingset::v1::{PendingSwap, SwapOutcome, SwapRecord};

use crate::{
    error::Rejected,
    modules::swingset::{keys, state::number},
    ports::engine::SwapReport,
    state::{State, StateError, StateRead},
};

/// Bytes of a reason that are kept.
const REASON_MAX: usize = 300;

fn corrupt(what: impl std::fmt::Display) -> StateError {
    StateError::Storage(format!("pending swap: {what}"))
}

/// The pending swap.
///
/// # Errors
/// Storage, out of gas.
pub fn pending(state: &dyn StateRead) -> Result<Option<PendingSwap>, StateError> {
    let Some(bytes) = state.get(keys::PENDING_SWAP)? else { return Ok(None) };
    let swap = PendingSwap::decode(bytes).map_err(corrupt)?;
    if swap.height <= 0 {
        return Err(corrupt(format!("height {}", swap.height)));
    }
    Ok(Some(swap))
}

/// Writes the pending swap over the one before.
pub(super) fn set_pending(state: &mut State<'_>, swap: &PendingSwap) -> Result<(), StateError> {
    state.set(keys::PENDING_SWAP, swap.encode_to_vec())
}

/// What became of the swap of a number; the first is 1.
///
/// # Errors
/// Storage, out of gas.
pub fn record(state: &dyn StateRead, number: u64) -> Result<Option<SwapRecord>, StateError> {
    let Some(bytes) = state.get(&keys::swap(number))? else { return Ok(None) };
    SwapRecord::decode(bytes).map(Some).map_err(|error| StateError::Storage(format!("swap {number}: {error}")))
}

/// How a swap ended.
pub(super) enum End<'a> {
    Done(&'a SwapReport),
    Failed(&'a Rejected),
    Cancelled,
    Replaced,
}

/// Records that the pending swap has ended in block `height`, and that none is pending.
pub(super) fn end(state: &mut State<'_>, swap: PendingSwap, height: u64, end: &End<'_>) -> Result<(), StateError> {
    let last = number(state, keys::LAST_SWAP)?.checked_add(1).ok_or_else(|| corrupt("no number is left"))?;
    let mut record = SwapRecord {
        number: last,
        swap: Some(swap),
        height: i64::try_from(height).unwrap_or(i64::MAX),
        ..SwapRecord::default()
    };
    let outcome = match end {
        End::Done(report) => {
            record.kernel_bundle_id_before.clone_from(&report.kernel_before);
            record.schema_version_before = report.schema_before.into();
            record.schema_version_after = report.schema_after.into();
            SwapOutcome::Done
        }
        End::Failed(refused) => {
            record.reason = shortened(&refused.log);
            refused.codespace.clone_into(&mut record.codespace);
            record.code = refused.code;
            SwapOutcome::Failed
        }
        End::Cancelled => SwapOutcome::Cancelled,
        End::Replaced => SwapOutcome::Replaced,
    };
    record.set_outcome(outcome);
    state.set(keys::swap(last), record.encode_to_vec())?;
    state.set(keys::LAST_SWAP, last.to_be_bytes().to_vec())?;
    state.delete(keys::PENDING_SWAP)
}

/// A kernel may say much of why it refuses.
fn shortened(reason: &str) -> String {
    reason.get(..reason.floor_char_boundary(REASON_MAX)).unwrap_or_default().to_owned()
}
