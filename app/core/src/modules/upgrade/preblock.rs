//! What happens about the plan before a block's first transaction, and after a block's commit. Source: x/upgrade PreBlocker.

use super::{
    done, events, migration,
    plans::{self, Ending},
    readiness, state as upgrades,
};
use swing_proto::swing::upgrade::v1::Done;

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
        Decision::Skip(plan) => skip(state, plan, block.height).map_err(storage)?,
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
    if !matches!(decision, Decision::Apply(_)) {
        migration::go_on(state, block, ports)?;
    }
    Ok(PreBlock::Proceed(decision))
}

/// A block's end, after everything else in it: plans that wait for power to attest, and plans that a migration holds back.
///
/// # Errors
/// Storage.
pub fn end_block(state: &mut State<'_>, block: &BlockContext) -> Result<(), Halt> {
    let work = |state: &mut State<'_>| {
        if !plans::enabled(state)? {
            return Ok(());
        }
        migration::note_end(state, block.height)?;
        readiness::decide(state, block)?;
        migration::hold_back(state, block)
    };
    work(state).map_err(storage)
}

fn skip(state: &mut State<'_>, plan: &Plan, height: u64) -> Result<(), StateError> {
    let nearest = if plans::enabled(state)? { plans::nearest(state)? } else { None };
    match nearest {
        Some(record) => {
            let record = plans::end(state, &record, height, Ending::Skipped)?;
            state.emit(events::ended("skip_upgrade", &record));
        }
        None => {
            upgrades::clear_plan(state)?;
            state.emit(events::skipped(plan));
        }
    }
    Ok(())
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
    if let Some(migration) = migration::under_way(state)? {
        let reason = format!("the migration of module {} is under way", migration.module);
        return Err(Halt::new(reason).into());
    }
    let release = ports.release;
    let bundles = done::bundle_ids(&release.bundles(release.app_version()).unwrap_or_default());
    done::check_bundles(plan, &bundles)?;
    done::check_app_version(plan, release.app_version())?;
    let (before, mark) = (upgrades::versions(state)?, state.mark());
    let mut context =
        UpgradeContext { state: &mut *state, engine: &mut *ports.engine, height: block.height, time: block.time };
    let versions = release.apply(&mut context, plan, &before)?;
    let app_version = release.app_version();
    let changes = done::of_changes(&state.net_changes(mark)?);
    upgrades::set_versions(state, &versions)?;
    consensus::state::set_app_version(state, app_version)?;
    if !plans::enabled(state)? {
        upgrades::clear_plan(state)?;
        upgrades::record_applied(state, &plan.name, block.height)?;
        state.emit(events::applied(plan, app_version));
        return Ok(());
    }
    let done = Done {
        release: release.name().to_owned(),
        app_version,
        handler_digest: hex::encode(release.handler_digest(&plan.name)),
        bundles_digest: hex::encode(done::of_bundles(&bundles)),
        changes_digest: hex::encode(changes),
        migrated_height: 0,
    };
    let record = plans::mark_applied(state, plan, block.height, done)?;
    upgrades::record_applied(state, &plan.name, block.height)?;
    state.emit(events::done(&record));
    Ok(migration::begun(state, record.id, &record.name, block.height)?)
}

fn storage(error: StateError) -> Halt {
    Halt::new(error.to_string())
}
