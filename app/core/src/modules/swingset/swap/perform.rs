//! The swap itself, between two blocks: shutdown, the new IDs, start.

use swing_proto::swing::swingset::v1::PendingSwap;

use super::{
    bundles,
    state::{self as swaps, End},
    way,
};
use crate::{
    error::{Failure, Halt, Rejected},
    modules::{
        BlockContext,
        swingset::{events, install::failure},
        upgrade::readiness,
    },
    ports::engine::{Engine, SwapReport},
    state::{State, StateError},
};

fn storage(error: StateError) -> Halt {
    Halt::new(error.to_string())
}

/// Makes the pending swap if it is due. One that fails is undone, recorded and told; the block goes on with the old bundles.
///
/// # Errors
/// A fault of this node.
pub fn perform_due(state: &mut State<'_>, block: &BlockContext, engine: &mut dyn Engine) -> Result<(), Halt> {
    let is_due = |swap: &PendingSwap| u64::try_from(swap.height).is_ok_and(|height| height <= block.height);
    let Some(swap) = swaps::pending(state).map_err(storage)?.filter(is_due) else { return Ok(()) };
    let mark = state.mark();
    match attempt(state, engine, &swap)? {
        Ok(report) => {
            state.emit(events::swap_done(&swap, &report));
            swaps::end(state, swap, block.height, &End::Done(&report)).map_err(storage)?;
            let reason = "the engine's bundles were swapped";
            readiness::void(state, block.height, reason).map_err(storage)
        }
        Err(refused) => {
            state.rollback(mark);
            state.emit(events::swap_failed(&swap, &refused));
            swaps::end(state, swap, block.height, &End::Failed(&refused)).map_err(storage)
        }
    }
}

fn attempt(
    state: &mut State<'_>,
    engine: &mut dyn Engine,
    swap: &PendingSwap,
) -> Result<Result<SwapReport, Rejected>, Halt> {
    let mut try_it = || -> Result<SwapReport, Failure> {
        way::check_no_migration(state)?;
        let forecast = engine.check_swap(state, &bundles(swap)).map_err(failure)?;
        let now = PendingSwap { schema_version: forecast.schema_after.into(), ..swap.clone() };
        way::check_swap(state, &now)?;
        engine.swap(state, &bundles(swap)).map_err(failure)
    };
    match try_it() {
        Ok(report) => Ok(Ok(report)),
        Err(Failure::Rejected(refused)) => Ok(Err(refused)),
        Err(Failure::Halt(halt)) => Err(halt),
    }
}
