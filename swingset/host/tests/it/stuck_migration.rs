//! A kernel that faults in the middle of its own migration, or at its end: there is only forward, and there is a way.

use swingset_host::{
    EngineError, RejectCode,
    bundle::BundleKind,
    controller::{BundleSwap, MigrationBudget},
    keys,
};

use crate::{
    contract::{SLOW_MIGRATION, slow},
    support::{World, kernel_1, pack_for_schema, release, supervisor, wat},
};

/// How a kernel goes wrong in its migration: what it does instead of what, and the reason for which the engine stops.
struct Fault {
    right: &'static str,
    wrong: &'static str,
    reason: &'static str,
}

const FAULTS: [Fault; 4] = [
    Fault { right: SECOND_SLICE, wrong: "unreachable", reason: "unreachable" },
    // Refused { code: 6, problem: "" } at 96
    Fault {
        right: SECOND_SLICE,
        wrong: "(i32.store (i32.const 96) (i32.const 0x0607)) (return (i64.const 0x6000000003))",
        reason: "kernel refused the host's own command (6)",
    },
    Fault { right: LAST_WRITE, wrong: "", reason: "migration ended in another schema" },
    Fault {
        right: LAST_WRITE,
        wrong: "(call $set (i32.const 64) (i32.const 7) (i32.const 3) (i32.const 1))",
        reason: "migration ended in another schema",
    },
];

const SECOND_SLICE: &str = "(i32.store8 (i32.const 34) (i32.const 2)) (return (i64.const 0x2000000004))";
const LAST_WRITE: &str = "(call $set (i32.const 64) (i32.const 7) (i32.const 71) (i32.const 1))";

/// The world of a migration that goes wrong after its first slice: the engine is stopped, the cursor where the last good slice left it.
fn stuck(fault: &Fault) -> (World, Vec<u8>) {
    let (mut world, repaired) = slow();
    assert!(SLOW_MIGRATION.contains(fault.right));
    let faulty = wat(&SLOW_MIGRATION.replace(fault.right, fault.wrong));
    let mut next = release(pack_for_schema(BundleKind::Kernel {}, "slow", faulty, (1, 2)), &[]);
    next.supervisor = supervisor();
    world
        .controller
        .reinitialize_swingset(&mut world.env, &next, MigrationBudget::UPGRADE)
        .expect("the first slice is good");
    let mut before = world.state();
    let mut summary = world.run();
    if fault.right == LAST_WRITE {
        assert_eq!(summary.stopped, None, "the second is good too");
        before = world.state();
        summary = world.run();
    }
    assert_eq!(summary.stopped.as_deref(), Some(fault.reason));
    let status = keys::host(keys::STATUS);
    let left: Vec<_> = world.state().into_iter().filter(|(key, _)| *key != status).collect();
    assert!(left == before, "{}: what the slice did is undone", fault.reason);
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
    for fault in &FAULTS {
        let (mut world, repaired) = stuck(fault);
        assert_eq!(swap_to(&mut world, &repaired), Ok(true), "it goes on in the next blocks");
        assert_eq!(world.kernel_key("version").as_deref(), Some("1"));
        for _ in 0..2 {
            assert_eq!(world.run().stopped, None);
        }
        let view = world.controller.view(&world.env).expect("a state");
        assert_eq!((view.schema, view.migrating, view.stopped), (Some(2), false, None), "{}", fault.reason);
    }
}

#[test]
fn a_kernel_that_leads_elsewhere_leaves_a_stuck_migration_as_it_is() {
    let (mut world, _) = stuck(&FAULTS[0]);
    let before = world.state();
    let refused = swap_to(&mut world, &kernel_1());
    assert!(
        matches!(&refused, Err(EngineError::Rejected(rejection)) if rejection.code == RejectCode::Migrating),
        "{refused:?}"
    );
    assert_eq!(world.state(), before);
}
