//! What happens about the plan before a block's first transaction, and after a block's commit. Source: x/upgrade PreBlocker.

use super::{events, state as upgrades};
use crate::{
    block::Next,
    error::{Failure, Halt},
    modules::{BlockContext, consensus},
    ports::{
        Ports,
        upgrade::{Decision, Plan, Release, UpgradeContext},
    },
    state::{State, StateError, StateRead},
};

/// What became of the block's begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreBlock {
    /// Go on; with the decision that was carried out, for the log.
    Proceed(Decision),
    /// This release must not execute the block. The node answers nothing and exits; state stays as committed.
    Refuse(Decision),
}

/// Decides on the committed plan and carries the decision out in the block's overlay.
///
/// # Errors
/// Storage; a handler that failed, whatever the reason: the block is dropped and the node stops, state at H−1.
pub fn pre_block(
    state: &mut State<'_>,
    block: &BlockContext,
    ports: &mut Ports<'_>,
    skip_heights: &[u64],
) -> Result<PreBlock, Halt> {
    let decision = decide(state, block.height, ports.release, skip_heights).map_err(storage)?;
    match &decision {
        Decision::Continue => {}
        Decision::Skip(plan) => {
            upgrades::clear_plan(state).map_err(storage)?;
            state.emit(events::skipped(plan));
        }
        Decision::Apply(plan) => apply(state, block, ports, plan).map_err(|failure| {
            Halt::new(format!(
                "upgrade \"{}\" failed at height {}, nothing of it was kept: {failure}",
                plan.name, block.height
            ))
        })?,
        Decision::Needed(_)
        | Decision::TooEarly(_)
        | Decision::MissingHandler { .. }
        | Decision::UnsupportedAppVersion { .. } => return Ok(PreBlock::Refuse(decision)),
    }
    Ok(PreBlock::Proceed(decision))
}

/// The decision about block `height` on the state committed before it. For every start, guard and query: it changes nothing.
///
/// # Errors
/// Storage.
pub fn decide(
    state: &dyn StateRead,
    height: u64,
    release: &dyn Release,
    skip_heights: &[u64],
) -> Result<Decision, StateError> {
    Ok(release.decide(&upgrades::decision_input(state, height, skip_heights)?))
}

/// What the node does after block `height` is committed; `state` is what it committed.
///
/// # Errors
/// Storage.
pub fn next_after_commit(
    state: &dyn StateRead,
    height: u64,
    release: &dyn Release,
    skip_heights: &[u64],
) -> Result<Next, StateError> {
    let next = height.checked_add(1).ok_or_else(|| StateError::Storage("no height is left".to_owned()))?;
    Ok(match decide(state, next, release, skip_heights)? {
        Decision::Needed(plan) => Next::StopForUpgrade(plan),
        _ => Next::Continue,
    })
}

fn apply(state: &mut State<'_>, block: &BlockContext, ports: &mut Ports<'_>, plan: &Plan) -> Result<(), Failure> {
    let before = upgrades::versions(state)?;
    let mut context =
        UpgradeContext { state: &mut *state, engine: &mut *ports.engine, height: block.height, time: block.time };
    let versions = ports.release.apply(&mut context, plan, &before)?;
    let app_version = ports.release.app_version();
    upgrades::set_versions(state, &versions)?;
    consensus::state::set_app_version(state, app_version)?;
    upgrades::clear_plan(state)?;
    upgrades::record_applied(state, &plan.name, block.height)?;
    state.emit(events::applied(plan, app_version));
    Ok(())
}

fn storage(error: StateError) -> Halt {
    Halt::new(error.to_string())
}
