//! A kernel that faults in the middle of its own migration: there is only forward, and there is a way.

use swingset_host::{
    EngineError, RejectCode,
    bundle::BundleKind,
    controller::{BundleSwap, MigrationBudget},
};

use crate::{
    contract::{SLOW_MIGRATION, slow},
    support::{World, kernel_1, pack_for_schema, release, supervisor, wat},
};

/// The world of a migration whose second slice traps: the engine is stopped, the cursor where the first slice left it.
fn stuck() -> (World, Vec<u8>) {
    let (mut world, repaired) = slow();
    let second_slice = "(i32.store8 (i32.const 34) (i32.const 2)) (return (i64.const 0x2000000004))";
    assert!(SLOW_MIGRATION.contains(second_slice));
    let trapping = wat(&SLOW_MIGRATION.replace(second_slice, "unreachable"));
    let mut next = release(pack_for_schema(BundleKind::Kernel {}, "slow", trapping, (1, 2)), &[]);
    next.supervisor = supervisor();
    world
        .controller
        .reinitialize_swingset(&mut world.env, &next, MigrationBudget::UPGRADE)
        .expect("the first slice is good");
    assert!(world.run().stopped.is_some(), "the second is not");
    (world, repaired)
}

fn swap_to(world: &mut World, kernel: &[u8]) -> Result<bool, EngineError> {
    let id = world.controller.validate_and_install_bundle(&mut world.env, kernel, None).expect("installed").id;
    let swap = BundleSwap { kernel: Some(id), ..BundleSwap::default() };
    world.controller.check_bundle_swap(&world.env, &swap)?;
    world.controller.swap_bundles(&mut world.env, &swap).map(|receipt| receipt.migrating)
}

#[test]
fn a_kernel_that_leads_to_the_same_schema_takes_a_stuck_migration_on() {
    let (mut world, repaired) = stuck();
    assert_eq!(swap_to(&mut world, &repaired), Ok(true), "it goes on in the next blocks");
    assert_eq!(world.kernel_key("version").as_deref(), Some("1"));
    for _ in 0..2 {
        assert_eq!(world.run().stopped, None);
    }
    let view = world.controller.view(&world.env).expect("a state");
    assert_eq!((view.schema, view.migrating, view.stopped), (Some(2), false, None));
}

#[test]
fn a_kernel_that_leads_elsewhere_leaves_a_stuck_migration_as_it_is() {
    let (mut world, _) = stuck();
    let before = world.state();
    let refused = swap_to(&mut world, &kernel_1());
    assert!(
        matches!(&refused, Err(EngineError::Rejected(rejection)) if rejection.code == RejectCode::Migrating),
        "{refused:?}"
    );
    assert_eq!(world.state(), before);
}
