//! Cranks that are undone while their vat lives on: the kernel failed, not the vat.

use swingset_host::{
    ControllerOptions,
    bundle::BundleKind,
    controller::{CrankBudget, MigrationBudget},
};

use crate::support::{World, kernel_1, pack, raw_vat, release, released, wat};

/// A raw vat that counts its deliveries in memory and writes the count to its vatstore.
const COUNTER: &str = r#"(module
    (import "vat" "call" (func $call (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1 4)
    (global $count (mut i32) (i32.const 0))
    (data (i32.const 100) "\06\01n\01")
    (func (export "vat_alloc") (param i32) (result i32) i32.const 1024)
    (func (export "vat_deliver") (param i32 i32)
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (i32.store8 (i32.const 104) (i32.add (i32.const 48) (global.get $count)))
      (drop (call $call (i32.const 100) (i32.const 5) (i32.const 200) (i32.const 64)))))"#;

/// The kernel with its heart replaced: it delivers once to v1, answers every syscall, and then does `end`.
fn faulty_kernel(end: &str) -> Vec<u8> {
    wat(&format!(
        r#"(module
          (import "host" "get" (func $get (param i32 i32 i32 i32) (result i32)))
          (import "host" "has" (func $has (param i32 i32) (result i32)))
          (import "host" "set" (func $set (param i32 i32 i32 i32)))
          (import "host" "write" (func $write (param i32 i32 i32 i32)))
          (import "host" "deliver" (func $deliver (param i32 i32 i32 i32 i64 i32 i32) (result i32)))
          (import "host" "resume" (func $resume (param i32 i32 i32 i32) (result i32)))
          (import "host" "abandon_vat" (func $abandon (param i32 i32)))
          (memory (export "memory") 1 700)
          (data (i32.const 0) "v1")
          (data (i32.const 16) "\07")
          (data (i32.const 32) "\01\05fault\01\01\01")
          (data (i32.const 64) "\00")
          (data (i32.const 80) "\02\02\00\00\00\00\00\00\00")
          (data (i32.const 96) "kernelBundleID")
          (func (export "kernel_alloc") (param i32) (result i32) i32.const 4096)
          (func (export "kernel_call") (param $command i32) (param i32) (result i64)
            (if (i32.eqz (i32.load8_u (local.get $command)))
              (then (return (i64.const {describe}))))
            (call $set (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 2))
            (drop (call $deliver (i32.const 0) (i32.const 2) (i32.const 16) (i32.const 1) (i64.const 100000) (i32.const 8192) (i32.const 1024)))
            (loop $again
              (if (i32.eqz (i32.load8_u (i32.const 8192)))
                (then (drop (call $resume (i32.const 64) (i32.const 1) (i32.const 8192) (i32.const 1024))) (br $again))))
            {end}
            (i64.const {crank})))"#,
        // Described {{ name: "fault", schema: 1, schema_from_min: 1, host_abi: 1 }}
        describe = (32u64 << 32) | 10,
        // Crank {{ Delivery, no vat, 0 computrons, not aborted, … }}
        crank = (80u64 << 32) | 9,
    ))
}

fn counting() -> World {
    World::start(
        &release(kernel_1(), &[("counter", wat(COUNTER))]),
        &[raw_vat("alice=counter")],
        ControllerOptions::default(),
    )
}

fn install_and_set(world: &mut World, wasm: Vec<u8>) {
    let bundle = pack(BundleKind::Kernel {}, "faulty", wasm);
    let receipt = world.controller.validate_and_install_bundle(&mut world.env, &bundle, None).unwrap();
    world.controller.set_kernel_bundle_id(&mut world.env, &receipt.id, MigrationBudget::IN_BAND).unwrap();
}

fn repair(world: &mut World) {
    let bundle = kernel_1();
    let receipt = world.controller.validate_and_install_bundle(&mut world.env, &bundle, None).unwrap();
    world.controller.set_kernel_bundle_id(&mut world.env, &receipt.id, MigrationBudget::IN_BAND).unwrap();
}

/// After a crank that a faulty kernel made and that was undone, the vat goes on as if it had never been.
#[track_caller]
fn check_undone(end: &str, reason: &str) {
    let mut undisturbed = counting();
    let mut world = counting();
    for world in [&mut undisturbed, &mut world] {
        world.run();
        world.queue("alice", "poke", "[]");
        world.run();
    }
    let before = world.state();
    install_and_set(&mut world, faulty_kernel(end));
    let summary = world.controller.run(&mut world.env, &mut CrankBudget::new(1)).unwrap();
    assert_eq!(summary.stopped.as_deref(), Some(reason));
    let status = world.controller.get_status(&world.env).unwrap().unwrap();
    assert_eq!(status.reason, reason);
    assert!(status.crank_number > 0);
    repair(&mut world);
    assert_eq!(world.controller.get_status(&world.env).unwrap(), None);
    // Nothing but the two bundles is new.
    let known: Vec<_> = world.state().into_iter().filter(|entry| !before.contains(entry)).map(|(key, _)| key).collect();
    let known: Vec<_> = known.iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect();
    assert!(known.iter().all(|key| key.contains("bundle/b1-")), "{known:?}");
    for world in [&mut undisturbed, &mut world] {
        world.queue("alice", "poke", "[]");
        world.run();
    }
    assert_eq!(world.activity(), undisturbed.activity());
    assert_eq!(world.kernel_key("v1.vs.n"), undisturbed.kernel_key("v1.vs.n"));
    assert!(world.kernel_key("v1.vs.n").is_some());
}

#[test]
fn a_kernel_that_traps_after_a_delivery_leaves_the_vat_as_it_was() {
    check_undone("unreachable", "unreachable");
}

#[test]
fn a_kernel_that_loops_passes_its_cap_and_stops() {
    // Filling memory burns fuel fastest.
    let fill = "(memory.fill (i32.const 16384) (i32.const 0) (i32.const 49152))";
    check_undone(&format!("(loop $l {fill} (br $l))"), "kernel passed its cap");
}

/// A value of 16 MiB at 65,536, and 20 MB behind it.
const LARGE: &str = "(drop (memory.grow (i32.const 600)))";

#[test]
fn a_kernel_that_writes_more_than_one_command_may_is_stopped_before_the_host_has_kept_it() {
    let more = "kernel wrote more than one command may";
    // A million rows of the same value, each under its own address in memory as the key.
    let rows = "(local.set 1 (i32.const 17000000))
        (loop $l
          (i32.store (local.get 1) (local.get 1))
          (i32.store offset=4 (local.get 1) (i32.const 4))
          (i32.store offset=8 (local.get 1) (i32.const 65536))
          (i32.store offset=12 (local.get 1) (i32.const 16777216))
          (local.set 1 (i32.add (local.get 1) (i32.const 16)))
          (br_if $l (i32.lt_u (local.get 1) (i32.const 33000000))))
        (call $write (i32.const 0) (i32.const 39000000) (i32.const 17000000) (i32.const 1000000))";
    check_undone(&format!("{LARGE} {rows}"), more);
    let set = "(call $set (i32.const 0) (i32.const 1) (i32.const 65536) (i32.const 16777216))";
    check_undone(&format!("{LARGE} {}", times(33, set)), more);
}

/// Does something so often.
fn times(count: u32, deed: &str) -> String {
    format!(
        "(local.set 1 (i32.const {count}))
         (loop $time {deed} (local.set 1 (i32.sub (local.get 1) (i32.const 1))) (br_if $time (local.get 1)))"
    )
}

#[test]
fn what_a_kernels_imports_do_counts_as_its_work() {
    let cap = "kernel passed its cap";
    check_undone(&times(50_000, "(call $abandon (i32.const 0) (i32.const 2))"), cap);
    // A value that is looked at counts by its bytes.
    let set = "(call $set (i32.const 0) (i32.const 1) (i32.const 65536) (i32.const 16777216))";
    let has = times(5_000, "(drop (call $has (i32.const 0) (i32.const 1)))");
    check_undone(&format!("{LARGE} {set} {has}"), cap);
}

#[test]
fn a_kernel_that_delivers_on_and_on_is_stopped() {
    let deliver = "(drop (call $deliver
          (i32.const 0) (i32.const 2) (i32.const 16) (i32.const 1) (i64.const 100000) (i32.const 8192) (i32.const 1024)))
        (loop $answer
          (if (i32.eqz (i32.load8_u (i32.const 8192)))
            (then (drop (call $resume (i32.const 64) (i32.const 1) (i32.const 8192) (i32.const 1024))) (br $answer))))";
    check_undone(&times(16, deliver), "too many deliveries");
}

#[test]
fn a_kernel_that_writes_what_is_the_hosts_is_stopped() {
    check_undone(
        "(call $set (i32.const 96) (i32.const 14) (i32.const 0) (i32.const 2))",
        "write to a key that is the host's",
    );
}

#[test]
fn a_kernel_that_gives_addresses_outside_its_memory_is_stopped() {
    check_undone("(call $set (i32.const -1) (i32.const 2) (i32.const 0) (i32.const 2))", "address outside of memory");
    check_undone("(return (i64.const -1))", "answer is too large");
    check_undone("(return (i64.const 0xfffffff000000008))", "address outside of memory");
}

#[test]
fn a_kernel_that_delivers_to_a_second_vat_while_one_is_suspended_is_stopped() {
    let deliver = "(drop (call $deliver (i32.const 0) (i32.const 2) (i32.const 16) (i32.const 1) (i64.const 100000) (i32.const 8192) (i32.const 1024)))";
    check_undone(&format!("{deliver} {deliver}"), "delivery while another vat is suspended");
    check_undone(deliver, "crank ended with a suspended vat");
    check_undone(
        "(drop (call $resume (i32.const 64) (i32.const 1) (i32.const 8192) (i32.const 1024)))",
        "answer with no vat suspended",
    );
}

#[test]
fn a_reply_that_is_none_stops_the_engine() {
    check_undone("(return (i64.const 0x0000006000000003))", "kernel's reply is malformed");
}

#[test]
fn the_kernel_that_traps_on_purpose_stops_and_a_swap_repairs_it() {
    let mut world = counting();
    world.run();
    install_and_set(&mut world, released("test/kernel-trap.wasm"));
    world.queue("alice", "poke", "[]");
    let stopped = world.run();
    assert!(stopped.stopped.is_some());
    let length = world.kernel_key("runQueue").or_else(|| world.kernel_key("acceptanceQueue"));
    assert!(length.is_some(), "the queues are kept");
    assert!(world.run().stopped.is_some(), "it stays stopped");
    repair(&mut world);
    let summary = world.run();
    assert_eq!(summary.stopped, None);
    assert_eq!(summary.deliveries, 1, "the queued message is delivered once");
}
