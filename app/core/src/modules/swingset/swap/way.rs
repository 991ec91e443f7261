//! A swap and a plan must leave each other a way: the kernel's schema that is there when the plan is due must be one that the plan's
//! release starts from. What decides is in state: a plan's own `info`, never what a binary knows of releases.

use swing_proto::swing::swingset::v1::PendingSwap;

use super::state as swaps;
use crate::{
    error::Failure,
    modules::{
        swingset::{Refusal, keys, view},
        upgrade::{info, migration, state as upgrades},
    },
    ports::upgrade::Plan,
    state::StateRead,
};

/// Refuses a swap after which the pending plan's release could not start.
///
/// # Errors
/// swingset 11; storage, out of gas.
pub fn check_swap(state: &dyn StateRead, swap: &PendingSwap) -> Result<(), Failure> {
    let Some(plan) = upgrades::plan(state)? else { return Ok(()) };
    // A plan of the same block is applied first; the swap is then held against what it left.
    if height(swap) >= plan.height {
        return Ok(());
    }
    check(&plan, swap.schema_version)
}

/// Refuses a swap while the migration of a module is under way; the kernel's own is the engine's to refuse.
///
/// # Errors
/// swingset 11; storage, out of gas.
pub fn check_no_migration(state: &dyn StateRead) -> Result<(), Failure> {
    match migration::under_way(state)? {
        Some(migration) => {
            Refusal::Swap.fail(format!("the migration of module {} is under way; a swap must wait", migration.module))
        }
        None => Ok(()),
    }
}

/// Refuses a plan whose release could not start from the schema that will be there, and any plan while a migration is under way.
/// Which schema a plan that is pending before it leaves behind nobody knows here.
///
/// # Errors
/// swingset 11; storage, out of gas.
pub fn check_plan(state: &dyn StateRead, plan: &Plan, earlier: Option<&str>) -> Result<(), Failure> {
    if state.get(&keys::host("migration"))?.is_some() {
        return Refusal::Swap.fail("a migration of the kernel's schema is under way; the next plan must wait");
    }
    if earlier.is_some()
        || info::kernel_schemas(&plan.info).is_none()
        || state.get(&keys::host("kernelBundleID"))?.is_none()
    {
        return Ok(());
    }
    let before = swaps::pending(state)?.filter(|swap| height(swap) < plan.height);
    let schema = match before {
        Some(swap) => swap.schema_version,
        None => view::number(state, "version")?,
    };
    check(plan, schema)
}

fn check(plan: &Plan, schema: u64) -> Result<(), Failure> {
    match info::kernel_schemas(&plan.info) {
        Some(schemas) if !schemas.contains(&schema) => Refusal::Swap.fail(format!(
            "plan \"{}\" at height {} starts from the kernel schemas {} to {}, and the kernel's would be {schema}",
            plan.name,
            plan.height,
            schemas.start(),
            schemas.end()
        )),
        _ => Ok(()),
    }
}

fn height(swap: &PendingSwap) -> u64 {
    u64::try_from(swap.height).unwrap_or_default()
}
