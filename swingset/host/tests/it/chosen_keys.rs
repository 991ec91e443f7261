//! Keys that a vat chooses so that they collide where the kernel looks them up. The kernel's table is the same on all nodes, and so is
//! its hash: no seed keeps it from a vat.

use swingset_abi::{vat::VatSyscall, wire::Wire};
use swingset_host::{ControllerOptions, bundle::LockdownPolicy};

use crate::support::{World, escaped, kernel_1, lockdown, raw_vat, release, wat};

/// Keys read in one delivery.
const KEYS: u32 = 9_000;
/// Work that a syscall may take of the kernel: `schedule::KERNEL_WORK_CAP` is reckoned with it.
const WORK_PER_SYSCALL: u64 = 250_000;
const BLOCKS: usize = 14;
const BLOCK: usize = 16;

/// A raw vat that reads [`KEYS`] keys of fourteen blocks. Bit `i` of a key's number is in block `i`: as `flips`, bytes of the block that
/// change by 64 with it.
fn reader(flips: [usize; 3]) -> Vec<u8> {
    // With `v1.vs.` before it the first block begins at a multiple of eight bytes.
    let key = format!("xx{}", "0".repeat(BLOCKS * BLOCK));
    let syscall = VatSyscall::VatstoreGet { key }.to_bytes();
    let (length, blocks) = (syscall.len(), 1024 + syscall.len() - BLOCKS * BLOCK);
    let syscall = escaped(&syscall);
    let change: String = flips
        .iter()
        .map(|at| format!("(i32.store8 (i32.add (local.get $at) (i32.const {at})) (local.get $byte))\n"))
        .collect();
    wat(&format!(
        r#"(module
          (import "vat" "call" (func $call (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 2 2)
          (global $started (mut i32) (i32.const 0))
          (data (i32.const 1024) "{syscall}")
          (func (export "vat_alloc") (param i32) (result i32) (i32.const 65536))
          (func (export "vat_deliver") (param i32 i32) (local $n i32) (local $block i32) (local $at i32) (local $byte i32)
            (if (i32.eqz (global.get $started)) (then (global.set $started (i32.const 1)) return))
            (loop $keys
              (local.set $block (i32.const 0))
              (loop $blocks
                (local.set $at (i32.add (i32.const {blocks}) (i32.mul (local.get $block) (i32.const {BLOCK}))))
                (local.set $byte (i32.xor (i32.const 48)
                  (i32.shl (i32.and (i32.shr_u (local.get $n) (local.get $block)) (i32.const 1)) (i32.const 6))))
                {change}
                (local.set $block (i32.add (local.get $block) (i32.const 1)))
                (br_if $blocks (i32.lt_u (local.get $block) (i32.const {BLOCKS}))))
              (drop (call $call (i32.const 1024) (i32.const {length}) (i32.const 512) (i32.const 256)))
              (local.set $n (i32.add (local.get $n) (i32.const 1)))
              (br_if $keys (i32.lt_u (local.get $n) (i32.const {KEYS}))))))"#
    ))
}

/// The most work that a command took of the kernel while this vat read its keys.
fn work(flips: [usize; 3]) -> u64 {
    let mut bundles = release(kernel_1(), &[("reader", reader(flips))]);
    let policy = LockdownPolicy { crank_computrons_default: 2_000_000, ..LockdownPolicy::default() };
    bundles.lockdown = lockdown(&policy);
    let mut world = World::start(&bundles, &[raw_vat("reader")], ControllerOptions::default());
    world.run();
    world.queue("reader", "read", "[]");
    let summary = world.run();
    assert_eq!((summary.stopped, summary.deliveries), (None, 1));
    assert!(world.kernel_key("v1.options").is_some(), "it lives");
    world.controller.most_kernel_work()
}

#[test]
fn keys_that_are_chosen_to_collide_take_no_more_of_the_kernel_than_syscalls_may() {
    let (plain, chosen) = (work([1, 2, 3]), work([7, 11, 15]));
    let at_most = u64::from(KEYS) * WORK_PER_SYSCALL;
    assert!(plain < at_most && chosen < at_most, "plain {plain}, chosen {chosen}, at most {at_most}");
}
