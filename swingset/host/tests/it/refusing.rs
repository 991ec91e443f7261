//! Kernels that do not trap and do not serve either: they refuse what the host asks on its own account, or leave it a time that is none.
//! Nobody is there to be told, so the engine stops, in state, and another kernel goes on.

use swingset_host::{
    ControllerOptions, EngineError, bundle::BundleKind, controller::MigrationBudget, env::Environment, keys,
};

use crate::support::{World, pack, release, wat};

/// A kernel of schema 1 whose state is a schema, a timer that is due and a bundle that is waited for; with nothing to do it is idle.
/// It refuses the command of this tag, code 9.
fn kernel(refused: u8, waited_for: &str) -> Vec<u8> {
    let module = wat(&format!(
        r#"(module
          (import "host" "set" (func $set (param i32 i32 i32 i32)))
          (memory (export "memory") 1 1)
          (data (i32.const 0) "\01\01k\01\01\01")
          (data (i32.const 16) "\00")
          (data (i32.const 32) "\02\00\00\00\00\00\00\00\00")
          (data (i32.const 48) "\07\09\02no")
          (data (i32.const 64) "version1")
          (data (i32.const 80) "timer.next5")
          (data (i32.const 96) "bundleWait.{waited_for}")
          (func (export "kernel_alloc") (param i32) (result i32) i32.const 4096)
          (func (export "kernel_call") (param $at i32) (param i32) (result i64) (local $tag i32)
            (local.set $tag (i32.load8_u (local.get $at)))
            (if (i32.eqz (local.get $tag)) (then (return (i64.const 6))))
            (if (i32.eq (local.get $tag) (i32.const {refused})) (then (return (i64.const 0x3000000005))))
            (if (i32.eq (local.get $tag) (i32.const 1)) (then
              (call $set (i32.const 64) (i32.const 7) (i32.const 71) (i32.const 1))
              (call $set (i32.const 80) (i32.const 10) (i32.const 90) (i32.const 1))
              (call $set (i32.const 96) (i32.const {key}) (i32.const 71) (i32.const 1))))
            (if (i32.eq (local.get $tag) (i32.const 2)) (then (return (i64.const 0x2000000009))))
            (i64.const 0x1000000001)))"#,
        key = "bundleWait.".len() + waited_for.len()
    ));
    pack(BundleKind::Kernel {}, "k", module)
}

/// A bundle that the kernels wait for.
fn awaited() -> Vec<u8> {
    pack(BundleKind::Vat {}, "awaited", crate::scripted::scripted(&[]))
}

fn world(kernel: Vec<u8>) -> World {
    let mut world = World::start(&release(kernel, &[]), &[], ControllerOptions::default());
    world.controller.begin_block(&world.env, 2, 100).expect("a block begins");
    world
}

fn stopped_in_state(world: &World) -> Option<String> {
    world.controller.view(&world.env).expect("a state").stopped.map(|status| status.reason)
}

/// The engine is stopped for this reason, nothing else has changed, and a kernel that serves takes over.
#[track_caller]
fn check_stopped(world: &mut World, before: Vec<(Vec<u8>, Vec<u8>)>, reason: &str) {
    assert_eq!(stopped_in_state(world).as_deref(), Some(reason));
    let status = keys::host(keys::STATUS);
    let left: Vec<_> = world.state().into_iter().filter(|(key, _)| *key != status).collect();
    assert!(left == before, "{reason}: what the kernel did is undone");
    assert_eq!(world.run().stopped.as_deref(), Some(reason), "and it stays so");
    let good = kernel(255, "b1-none");
    let id = world.controller.validate_and_install_bundle(&mut world.env, &good, None).expect("installed").id;
    world.controller.set_kernel_bundle_id(&mut world.env, &id, MigrationBudget::IN_BAND).expect("a kernel that serves");
    let summary = world.run();
    assert_eq!((summary.stopped, summary.idle), (None, true));
}

const REFUSED: &str = "kernel refused the host's own command (9)";

#[test]
fn a_kernel_that_refuses_what_the_host_asks_within_a_block_stops_the_engine_and_not_the_chain() {
    let waited_for = crate::support::id_of(&awaited());
    for (what, tag, installed) in [("Step", 2, false), ("BundlesInstalled", 16, true)] {
        let mut world = world(kernel(tag, &waited_for));
        if installed {
            world.controller.validate_and_install_bundle(&mut world.env, &awaited(), None).expect("installed");
        }
        let before = world.state();
        assert_eq!(world.run().stopped.as_deref(), Some(REFUSED), "{what}");
        check_stopped(&mut world, before, REFUSED);
    }
    let mut world = world(kernel(17, "b1-none"));
    let before = world.state();
    assert_eq!(world.controller.poll_timer(&mut world.env), Err(EngineError::Stopped(REFUSED.to_owned())));
    check_stopped(&mut world, before, REFUSED);
}

#[test]
fn a_time_of_the_timer_that_is_none_stops_the_engine_and_not_the_chain() {
    let reason = "timer.next is not a number";
    for time in ["", "soon", "-1", "18446744073709551616", "5 "] {
        let mut world = world(kernel(255, "b1-none"));
        let key = keys::kernel(keys::KERNEL_TIMER_NEXT.as_bytes());
        world.env.set(&key, bytes::Bytes::copy_from_slice(time.as_bytes())).expect("set");
        let before = world.state();
        let polled = world.controller.poll_timer(&mut world.env);
        assert_eq!(polled, Err(EngineError::Stopped(reason.to_owned())), "{time:?}");
        check_stopped(&mut world, before, reason);
    }
}
