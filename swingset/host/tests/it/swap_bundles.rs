//! Swaps of what governance names of the three bundles: made whole, or refused with everything as it was.

use swingset_abi::{
    kernel::Reply,
    wire::{Blob, Wire},
};
use swingset_host::{
    ControllerOptions, EngineError, RejectCode,
    bundle::{Bundle, BundleKind, LockdownPolicy, Manifest},
    controller::{BundleSwap, SchemaStep},
    env::Environment,
    keys,
};

use crate::support::{
    World, escaped, id_of, kernel_1, kernel_2, lockdown, pack, pack_for_schema, raw_vat, release, released, wat,
};

fn players() -> World {
    let code = [("player", released("test/raw-pingpong.wasm"))];
    let mut world = World::start(
        &release(kernel_1(), &code),
        &[raw_vat("bootstrap=player"), raw_vat("pong=player")],
        ControllerOptions::default(),
    );
    world.run();
    world
}

fn install(world: &mut World, bundle: &[u8]) -> String {
    world.controller.validate_and_install_bundle(&mut world.env, bundle, None).unwrap().id
}

fn kernel(id: &str) -> BundleSwap {
    BundleSwap { kernel: Some(id.to_owned()), ..BundleSwap::default() }
}

/// Of a supervisor's or kernel's bundle with these ABI levels.
pub(crate) fn speaking(kind: BundleKind, content: Vec<u8>, levels: &[u32]) -> Vec<u8> {
    let schema = u32::from(kind == (BundleKind::Kernel {}));
    let manifest = Manifest {
        kind,
        name: "other".to_owned(),
        host_abi: 1,
        supervisor_abis: levels.to_vec(),
        schema_from: schema,
        schema_to: schema,
    };
    Bundle::single(manifest, content).unwrap().encode().unwrap()
}

/// What is refused when it is checked is refused in the same words when it is tried, and nothing changes.
#[track_caller]
fn check_refused(world: &mut World, swap: &BundleSwap, code: RejectCode, words: &str) {
    let before = world.state();
    let checked = world.controller.check_bundle_swap(&world.env, swap).unwrap_err();
    let tried = world.controller.swap_bundles(&mut world.env, swap).unwrap_err();
    assert_eq!(checked, tried);
    assert_eq!(checked, EngineError::rejected(code, words));
    assert_eq!(world.state(), before, "nothing changed");
}

/// What only the swap itself shows.
#[track_caller]
fn check_fails(content: Vec<u8>, schema: (u32, u32), code: RejectCode, words: &str) {
    let mut world = players();
    let id = install(&mut world, &pack_for_schema(BundleKind::Kernel {}, "k", content, schema));
    let before = world.state();
    let step = SchemaStep { before: 1, after: schema.1 };
    assert_eq!(world.controller.check_bundle_swap(&world.env, &kernel(&id)), Ok(step), "its manifest is in order");
    let failed = world.controller.swap_bundles(&mut world.env, &kernel(&id)).unwrap_err();
    assert_eq!(failed, EngineError::rejected(code, words));
    assert_eq!(world.state(), before, "nothing changed");
    world.queue("bootstrap", "serve", "[3]");
    assert_eq!(world.run().deliveries, 4, "and the old kernel goes on");
}

/// Where [`answering`] has a reply that says that the migration goes on, as `kernel_call` returns it.
fn more_at_16() -> (String, u64) {
    let reply = Reply::Migrated { cursor: Blob(vec![1]), more: true }.to_bytes();
    (escaped(&reply), (16 << 32) | reply.len() as u64)
}

/// A kernel that describes itself for schemas 1 to 2, and does `rest` on any other command.
fn answering(rest: &str) -> Vec<u8> {
    wat(&format!(
        r#"(module (memory (export "memory") 1 1) (data (i32.const 0) "\01\01k\02\01\01") (data (i32.const 16) "{}")
          (func (export "kernel_alloc") (param i32) (result i32) i32.const 1024)
          (func (export "kernel_call") (param i32 i32) (result i64)
            (if (i32.load8_u (local.get 0)) (then {rest})) (i64.const 6)))"#,
        more_at_16().0
    ))
}

#[test]
fn the_three_bundles_are_swapped_together_and_no_message_is_lost() {
    let mut world = players();
    let next = kernel_2();
    let policy = LockdownPolicy { key_bytes_max: 100, ..LockdownPolicy::default() };
    let supervisor = crate::support::supervisor();
    let swap = BundleSwap {
        kernel: Some(install(&mut world, &next)),
        lockdown: Some(install(&mut world, &lockdown(&policy))),
        supervisor: Some(install(&mut world, &supervisor)),
    };
    world.queue("bootstrap", "serve", "[5]");
    assert_eq!(world.controller.check_bundle_swap(&world.env, &swap), Ok(SchemaStep { before: 1, after: 2 }));
    let receipt = world.controller.swap_bundles(&mut world.env, &swap).unwrap();
    assert_eq!((receipt.schema_before, receipt.schema_after, receipt.migrating), (1, 2, false));
    assert_eq!((receipt.kernel_before, receipt.kernel_after), (id_of(&kernel_1()), id_of(&next)));
    assert_eq!((receipt.lockdown_after, receipt.supervisor_after), (id_of(&lockdown(&policy)), id_of(&supervisor)));
    assert_eq!(world.run().deliveries, 6);
    assert_eq!(world.kernel_key("version").as_deref(), Some("2"));
    let view = world.controller.view(&world.env).unwrap();
    assert_eq!(view.lockdown_bundle_id, swap.lockdown);
    assert_eq!(view.supervisor_bundle_id, swap.supervisor);
}

#[test]
fn bundles_that_do_not_fit_are_refused_in_words_that_are_kept_for_ever() {
    let mut world = players();
    let nothing = BundleSwap::default();
    check_refused(
        &mut world,
        &nothing,
        RejectCode::Argument,
        "a swap names at least one of kernel, lockdown and supervisor",
    );
    let absent = format!("b1-{}", "0".repeat(128));
    let words = format!("bundle {absent} is not installed; install it first");
    for swap in [
        kernel(&absent),
        BundleSwap { lockdown: Some(absent.clone()), ..BundleSwap::default() },
        BundleSwap { supervisor: Some(absent.clone()), ..BundleSwap::default() },
    ] {
        check_refused(&mut world, &swap, RejectCode::BundleUnknown, &words);
    }
    let policy = install(&mut world, &lockdown(&LockdownPolicy::default()));
    check_refused(
        &mut world,
        &kernel(&policy),
        RejectCode::BundleKind,
        &format!("bundle {policy} is a lockdown bundle, not a kernel"),
    );
    let next = install(&mut world, &kernel_2());
    let wrong = BundleSwap { lockdown: Some(next.clone()), ..BundleSwap::default() };
    check_refused(
        &mut world,
        &wrong,
        RejectCode::BundleKind,
        &format!("bundle {next} is a kernel bundle, not a lockdown bundle"),
    );
    let wrong = BundleSwap { supervisor: Some(policy.clone()), ..BundleSwap::default() };
    check_refused(
        &mut world,
        &wrong,
        RejectCode::BundleKind,
        &format!("bundle {policy} is a lockdown bundle, not a supervisor bundle"),
    );
    let later = pack_for_schema(BundleKind::Kernel {}, "k", released("version-1/kernel.wasm"), (2, 3));
    let later = install(&mut world, &later);
    let words = format!("kernel {later} starts from the schemas 2 to 3; the state has 1");
    check_refused(&mut world, &kernel(&later), RejectCode::Compatibility, &words);
}

#[test]
fn kernel_and_supervisor_must_understand_each_other_whichever_is_new() {
    let mut world = players();
    let supervisor = Bundle::decode(&crate::support::idle_supervisor()).unwrap().content().to_vec();
    let id = install(&mut world, &speaking(BundleKind::Supervisor {}, supervisor, &[2]));
    let swap = BundleSwap { supervisor: Some(id.clone()), ..BundleSwap::default() };
    let words = format!("supervisor {id} is of ABI 2; the kernel drives [1]");
    check_refused(&mut world, &swap, RejectCode::Compatibility, &words);
    let wide = install(&mut world, &speaking(BundleKind::Kernel {}, released("version-1/kernel.wasm"), &[1, 2]));
    let both = BundleSwap { kernel: Some(wide.clone()), supervisor: Some(id), ..BundleSwap::default() };
    world.controller.swap_bundles(&mut world.env, &both).unwrap();
    // Back to the first kernel alone: the supervisor of vats to come would be one that it cannot drive.
    let old = kernel(&id_of(&kernel_1()));
    assert!(matches!(
        world.controller.check_bundle_swap(&world.env, &old),
        Err(EngineError::Rejected(rejection)) if rejection.code == RejectCode::Compatibility
    ));
}

#[test]
fn a_kernel_that_fails_leaves_everything_as_it_was() {
    let fails = |content, words| check_fails(content, (1, 2), RejectCode::Migration, words);
    fails(answering("unreachable"), "kernel failed: unreachable");
    fails(answering("(loop (br 0))"), "kernel failed: kernel passed its cap");
    let endless = format!("(return (i64.const {}))", more_at_16().1);
    fails(answering(&endless), "the migration did not end within 16 slices; use a software upgrade");
    fails(answering("(return (i64.const 0))"), "kernel failed: kernel's reply is malformed");
    let lies = "the kernel describes itself otherwise than its manifest does";
    check_fails(answering("unreachable"), (1, 1), RejectCode::Compatibility, lies);
}

#[test]
fn a_swap_during_a_migration_is_refused() {
    let mut world = players();
    let next = install(&mut world, &kernel_2());
    world.env.set(&keys::host(keys::MIGRATION), bytes::Bytes::from_static(b"\x011")).unwrap();
    let words = "a schema migration is under way; the next swap must wait until it is done";
    check_refused(&mut world, &kernel(&next), RejectCode::Migrating, words);
}

#[test]
fn a_named_kernel_starts_a_stopped_engine_and_other_bundles_do_not() {
    let mut world = players();
    let traps = install(&mut world, &pack(BundleKind::Kernel {}, "k", released("test/kernel-trap.wasm")));
    world.controller.swap_bundles(&mut world.env, &kernel(&traps)).unwrap();
    world.queue("bootstrap", "serve", "[3]");
    assert_eq!(world.run().stopped.as_deref(), Some("unreachable"), "it passes, and traps in its first crank");
    let policy = install(&mut world, &lockdown(&LockdownPolicy { key_bytes_max: 100, ..LockdownPolicy::default() }));
    let other = BundleSwap { lockdown: Some(policy), ..BundleSwap::default() };
    world.controller.swap_bundles(&mut world.env, &other).unwrap();
    assert_eq!(world.run().stopped.as_deref(), Some("unreachable"));
    world.controller.swap_bundles(&mut world.env, &kernel(&id_of(&kernel_1()))).unwrap();
    assert_eq!(world.run().deliveries, 4, "nothing was lost");
}
