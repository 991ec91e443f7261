//! A vat gathers over many deliveries what a kernel would have to do at once.

use swingset_abi::{
    vat::{CapData, Resolution, VatSyscall},
    wire::Wire,
};
use swingset_host::{ControllerOptions, bundle::LockdownPolicy};

use crate::support::{World, escaped, kernel_1, lockdown, raw_vat, release, wat};

/// Messages sent to a promise in one delivery, deliveries, and bytes of each message: more than a kernel has memory for.
const MESSAGES: usize = 60;
const DELIVERIES: usize = 9;
const BYTES: usize = 250_000;

/// A raw vat that sends messages to its own promise, and then settles it.
fn gatherer() -> Vec<u8> {
    let methargs = CapData { body: format!("#{}", "x".repeat(BYTES)), slots: vec![] };
    let send = VatSyscall::Send { target: "p+1".to_owned(), methargs, result: None }.to_bytes();
    let data = CapData { body: "#true".to_owned(), slots: vec![] };
    let resolutions = vec![Resolution { promise: "p+1".to_owned(), rejected: false, data }];
    let settle = VatSyscall::Resolve { resolutions }.to_bytes();
    let (send_length, settle_length) = (send.len(), settle.len());
    let (send, settle) = (escaped(&send), escaped(&settle));
    wat(&format!(
        r#"(module
          (import "vat" "call" (func $call (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 8 8)
          (data (i32.const 65536) "{send}")
          (data (i32.const 1024) "{settle}")
          (func (export "vat_alloc") (param i32) (result i32) (i32.const 4096))
          (func (export "vat_deliver") (param i32 i32) (local $done i32) (local $sent i32)
            (local.set $done (i32.load (i32.const 0)))
            (i32.store (i32.const 0) (i32.add (local.get $done) (i32.const 1)))
            (if (i32.eqz (local.get $done)) (then return))
            (if (i32.gt_u (local.get $done) (i32.const {DELIVERIES})) (then
              (drop (call $call (i32.const 1024) (i32.const {settle_length}) (i32.const 512) (i32.const 256)))
              return))
            (loop $again
              (drop (call $call (i32.const 65536) (i32.const {send_length}) (i32.const 512) (i32.const 256)))
              (local.set $sent (i32.add (local.get $sent) (i32.const 1)))
              (br_if $again (i32.lt_u (local.get $sent) (i32.const {MESSAGES}))))))"#
    ))
}

#[test]
fn a_promise_for_which_more_waits_than_a_kernel_has_memory_is_settled_and_the_engine_goes_on() {
    let mut bundles = release(kernel_1(), &[("gatherer", gatherer())]);
    let policy = LockdownPolicy { crank_computrons_default: 5_000_000, ..LockdownPolicy::default() };
    bundles.lockdown = lockdown(&policy);
    let mut world = World::start(&bundles, &[raw_vat("gatherer")], ControllerOptions::default());
    assert!(world.run().idle);
    for _ in 0..=DELIVERIES {
        world.queue("gatherer", "go", "[]");
        let summary = world.run();
        assert_eq!((summary.stopped, summary.idle), (None, true));
    }
    assert!(world.kernel_key("v1.options").is_some(), "it lives");
    let state = world.controller.dump(&world.env).expect("a state");
    let waiting = state.keys().filter(|key| String::from_utf8_lossy(key).contains(".queue.")).count();
    assert_eq!(waiting, 0, "all went on and were answered");
    assert_eq!(world.controller.get_status(&world.env).expect("a status"), None, "the engine runs");
}
