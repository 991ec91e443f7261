//! Vats that mean harm: they die, the engine goes on, and they pay for all they could have used.

use swingset_abi::vat::{CapData, Resolution, VatSyscall};
use swingset_host::{
    ControllerOptions,
    bundle::{CRANK_SYSCALLS_MIN, LockdownPolicy},
    controller::{RunForever, RunSummary},
};

use crate::{
    scripted::{Do, scripted, settle},
    support::{World, kernel_1, lockdown, raw_vat, release, wat},
};

/// A raw vat that starts well and then does `evil` to every message.
fn villain(evil: &str) -> Vec<u8> {
    wat(&format!(
        r#"(module
          (import "vat" "call" (func $call (param i32 i32 i32 i32) (result i32)))
          (import "vat" "fetch" (func $fetch (param i32 i32) (result i32)))
          (import "vat" "log" (func $log (param i32 i32 i32)))
          (memory (export "memory") 1 4096)
          (table 2 2 funcref)
          (global $started (mut i32) (i32.const 0))
          (data (i32.const 100) "\05\01k")
          (func (export "vat_alloc") (param i32) (result i32)
            (select (global.get $alloc) (i32.const 1024) (global.get $started)))
          (func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))
          (func (export "vat_deliver") (param i32 i32)
            (if (i32.eqz (global.get $started)) (then (global.set $started (i32.const 1)) return))
            {evil})
          (global $alloc (mut i32) (i32.const 1024)))"#
    ))
}

fn policy() -> LockdownPolicy {
    LockdownPolicy {
        capdata_bytes_max: 2_000,
        crank_computrons_default: 510_000,
        syscalls_per_crank_max: CRANK_SYSCALLS_MIN,
        memory_pages_max: 16,
        stored_bytes_max: 4_000,
        ..LockdownPolicy::default()
    }
}

fn attack(evil: &str) -> (World, RunSummary) {
    let mut bundles = release(kernel_1(), &[("villain", villain(evil)), ("victim", villain("nop"))]);
    bundles.lockdown = lockdown(&policy());
    let vats = [raw_vat("villain"), raw_vat("victim")];
    let mut world = World::start(&bundles, &vats, ControllerOptions::default());
    assert!(world.run().idle);
    world.queue("villain", "attack", "[]");
    world.queue("victim", "hello", "[]");
    let summary = world.run();
    (world, summary)
}

/// The vat dies, pays its whole limit, and the other one is still served.
#[track_caller]
fn check_dies(evil: &str) {
    let (mut world, summary) = attack(evil);
    assert_eq!(summary.stopped, None, "{evil}");
    assert!(summary.idle);
    assert!(world.kernel_key("v1.options").is_none(), "{evil}: it is terminated");
    assert!(summary.computrons >= policy().crank_computrons_default, "{evil}: {} computrons", summary.computrons);
    assert!(world.kernel_key("v2.options").is_some());
    world.queue("victim", "hello", "[]");
    assert_eq!(world.controller.run(&mut world.env, &mut RunForever).unwrap().deliveries, 1);
    assert!(world.state().iter().all(|(key, _)| !key.starts_with(b"~swingset/page/v1/")), "its pages are gone");
}

#[test]
fn a_vat_that_loops_dies() {
    check_dies("(loop $l (br $l))");
}

#[test]
fn a_vat_that_traps_dies_and_pays_its_whole_limit() {
    check_dies("unreachable");
    check_dies("(drop (i32.load (i32.const -8)))");
    check_dies("(drop (i32.div_u (i32.const 1) (i32.const 0)))");
    check_dies("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))");
    check_dies("(call_indirect (i32.const 0))");
    check_dies("(call_indirect (i32.const 7))");
}

#[test]
fn burning_fuel_and_then_trapping_saves_nothing() {
    check_dies(
        "(local.set 0 (i32.const 0)) (loop $l (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br_if $l (i32.lt_u (local.get 0) (i32.const 1000)))) unreachable",
    );
}

#[test]
fn deep_recursion_dies_by_the_counted_stack() {
    check_dies("(drop (call $deep (i32.const 0)))");
}

#[test]
fn a_flood_of_syscalls_dies() {
    check_dies("(loop $l (drop (call $call (i32.const 100) (i32.const 3) (i32.const 200) (i32.const 64))) (br $l))");
}

#[test]
fn forged_addresses_and_lengths_die() {
    check_dies("(drop (call $call (i32.const -1) (i32.const 3) (i32.const 200) (i32.const 64)))");
    check_dies("(drop (call $call (i32.const 65530) (i32.const 30) (i32.const 200) (i32.const 64)))");
    check_dies("(drop (call $call (i32.const 0) (i32.const 0x7fffffff) (i32.const 200) (i32.const 64)))");
    check_dies("(drop (call $call (i32.const 100) (i32.const 3) (i32.const -4) (i32.const 64)))");
    check_dies("(call $log (i32.const 1) (i32.const -1) (i32.const 3))");
}

#[test]
fn requests_that_are_no_syscall_die() {
    check_dies("(drop (call $call (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 64)))");
    check_dies("(drop (call $call (i32.const 2000) (i32.const 9) (i32.const 200) (i32.const 64)))");
}

#[test]
fn an_allocator_that_gives_out_garbage_dies_at_the_next_delivery() {
    let (mut world, first) = attack("(global.set $alloc (i32.const -16))");
    assert_eq!(first.deliveries, 2);
    assert!(world.kernel_key("v1.options").is_some(), "so far it has done nothing wrong");
    world.queue("villain", "again", "[]");
    assert_eq!(world.run().stopped, None);
    assert!(world.kernel_key("v1.options").is_none());
}

#[test]
fn memory_beyond_the_policy_is_refused_and_not_the_machines_fault() {
    let evil = "(if (i32.ne (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable))
                (if (i32.eq (memory.grow (i32.const 15)) (i32.const -1)) (then unreachable))
                (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))";
    let (world, summary) = attack(evil);
    assert_eq!(summary.stopped, None);
    assert!(world.kernel_key("v1.options").is_some(), "growth fails by policy, the vat may live with it");
}

/// Writes this many entries of 100 bytes.
fn hoard(entries: u32) -> String {
    format!(
        "(i32.store (i32.const 200) (i32.const 0x006b0206)) (i32.store8 (i32.const 204) (i32.const 100))
         (loop $again
           (i32.store8 (i32.const 203) (i32.add (i32.load8_u (i32.const 203)) (i32.const 1)))
           (drop (call $call (i32.const 200) (i32.const 105) (i32.const 4000) (i32.const 64)))
           (br_if $again (i32.lt_u (i32.load8_u (i32.const 203)) (i32.const {entries}))))"
    )
}

#[test]
fn a_vat_that_stores_more_than_its_policy_allows_dies_and_leaves_nothing() {
    let (world, _) = attack(&hoard(20));
    let figure = world.kernel_key("v1.stored").expect("it lives");
    let (bytes, max) = figure.split_once(',').expect("bytes and cap");
    assert_eq!(max, "4000", "the policy's");
    assert!((2_000..2_400).contains(&bytes.parse::<u64>().expect("a number")), "{bytes}");
    let (world, summary) = attack(&hoard(90));
    assert_eq!(summary.stopped, None);
    assert_eq!(world.kernel_key("v1.options"), None, "it is terminated");
    let left = world.controller.dump(&world.env).expect("a state").keys().filter(|key| key.starts_with(b"v1.")).count();
    assert_eq!(left, 0);
    assert!(world.kernel_key("v2.options").is_some(), "and nobody else");
}

#[test]
fn grown_memory_costs_and_so_does_its_use() {
    let cost = |evil: &str| attack(evil).1.computrons;
    let (nothing, grown) = (cost("nop"), cost("(drop (memory.grow (i32.const 10)))"));
    assert!(grown - nothing >= 10 * 40_000 / 100, "{grown} and {nothing}");
}

#[test]
fn filling_and_copying_memory_costs_by_the_byte() {
    let cost = |evil: &str| attack(evil).1.computrons;
    let fill = |bytes: u32| cost(&format!("(memory.fill (i32.const 0) (i32.const 1) (i32.const {bytes}))"));
    let copy = |bytes: u32| cost(&format!("(memory.copy (i32.const 0) (i32.const 8) (i32.const {bytes}))"));
    assert_eq!(fill(60_000) - fill(10_000), 50_000 / 100);
    assert_eq!(copy(60_000) - copy(10_000), 50_000 / 100);
}

/// How the delivery ended in which a vat made this syscall, if that ended the vat. It is bootstrap: `o-50` is the victim, `d-70` a device,
/// `p-61` the result of the message. The victim is served in any case.
#[track_caller]
fn end_by(syscall: VatSyscall) -> Option<String> {
    let what: String = format!("{syscall:?}").chars().take(80).collect();
    let evil = scripted(&[vec![], vec![settle("p-60", "#true")], vec![Do::Call(syscall)]]);
    let mut bundles = release(kernel_1(), &[("evil", evil), ("victim", villain("nop"))]);
    bundles.lockdown = lockdown(&policy());
    let mut vats = [raw_vat("bootstrap=evil"), raw_vat("victim")];
    // Each reference costs; this is enough for more than the kernel takes.
    vats[0].options.crank_limit = 1_000_000;
    let mut world = World::start(&bundles, &vats, ControllerOptions::default());
    world.run();
    world.queue("bootstrap", "attack", "[]");
    let mut end = None;
    while let Some(report) = world.controller.step(&mut world.env).expect("the engine goes on") {
        end = end.or(report.terminated);
    }
    assert_eq!(world.kernel_key("v1.options").is_none(), end.is_some(), "{what}");
    world.queue("victim", "hello", "[]");
    assert_eq!(world.run().deliveries, 1, "{what}");
    end
}

/// The syscalls that bring data.
fn with_data(body: usize, slots: &[&str]) -> [VatSyscall; 4] {
    let data = CapData { body: "x".repeat(body), slots: slots.iter().map(|slot| (*slot).to_owned()).collect() };
    let resolution = Resolution { promise: "p-61".to_owned(), rejected: true, data: data.clone() };
    [
        VatSyscall::Send { target: "o-50".to_owned(), methargs: data.clone(), result: None },
        VatSyscall::Resolve { resolutions: vec![resolution] },
        VatSyscall::CallNow { target: "d-70".to_owned(), method: "fly".to_owned(), args: data.clone() },
        VatSyscall::Exit { failure: false, info: data },
    ]
}

#[test]
fn data_beyond_the_policy_or_with_too_many_references_ends_the_vat() {
    let too_large = Some("delivery error: capdata is too large");
    for (at, (beside, at_most)) in
        [(0, None), ("p-61".len(), None), ("fly".len(), None), (0, Some("exit"))].into_iter().enumerate()
    {
        let end = |body: usize, slots: &[&str]| end_by(with_data(body, slots)[at].clone());
        let largest = policy().capdata_bytes_max as usize - beside;
        assert_eq!(end(largest, &[]).as_deref(), at_most, "at the cap it is allowed");
        assert_eq!(end(largest + 1, &[]).as_deref(), too_large);
        assert_eq!(end(largest - 4, &["o+100"]).as_deref(), too_large, "references count");
        assert_eq!(end(0, &["o+1"; 5_000]).as_deref(), too_large);
        // Empty ones have no bytes: the kernel counts them.
        assert_eq!(end(0, &[""; 5_000]).as_deref(), Some("illegal syscall: too many slots"));
    }
}

#[test]
fn forged_references_end_the_vat() {
    let text = str::to_owned;
    let send = |target: &str, slot: Option<&str>, result: Option<&str>| VatSyscall::Send {
        target: text(target),
        methargs: CapData { body: text("#[]"), slots: slot.map(text).into_iter().collect() },
        result: result.map(text),
    };
    let resolve = |promise: &str, slot: Option<&str>| VatSyscall::Resolve {
        resolutions: vec![Resolution {
            promise: text(promise),
            rejected: false,
            data: CapData { body: text("#[]"), slots: slot.map(text).into_iter().collect() },
        }],
    };
    let forged = "illegal syscall: vref was not allocated by the kernel";
    for (syscall, end) in [
        (send("o-99", None, None), forged),
        (send("p-99", None, None), forged),
        (send("o-50", Some("o-99"), None), forged),
        (send("o-50", Some("p-99"), None), forged),
        (send("o-50", Some("d-99"), None), forged),
        (send("o-50", None, Some("p-99")), forged),
        (resolve("p-99", None), forged),
        (resolve("p-61", Some("o-99")), forged),
        (VatSyscall::Subscribe { promise: text("p-99") }, forged),
        (VatSyscall::Subscribe { promise: text("p+99") }, "illegal syscall: unknown vref"),
        (VatSyscall::DropImports { vrefs: vec![text("o-99")] }, forged),
        (VatSyscall::RetireImports { vrefs: vec![text("o-50")] }, "illegal syscall: reference is still reachable"),
        (VatSyscall::RetireExports { vrefs: vec![text("o+99")] }, "illegal syscall: unknown vref"),
        (VatSyscall::CallNow { target: text("d-99"), method: text("x"), args: CapData::default() }, forged),
        (send("ko21", None, None), "illegal syscall: malformed vref"),
        (send("o-050", None, None), "illegal syscall: malformed vref"),
        (send("o-50", Some("\u{0}"), None), "illegal syscall: malformed vref"),
    ] {
        let what = format!("{syscall:?}");
        assert_eq!(end_by(syscall).as_deref(), Some(end), "{what}");
    }
}
