//! Whether a delivery costs more where much exists: 50 vats are active alone or among 10,000, most of them dynamic, and 10³ or 10⁶
//! kernel objects lie about.
//!
//! `cargo run --release -p swingset-host --example flat_bench`
#![allow(clippy::disallowed_types, reason = "a benchmark measures time")]

mod support;

use std::{fmt::Write as _, time::Instant};

use support::{Error, guest, median, pack, start};
use swingset_abi::{
    kernel::ResolutionPolicy,
    vat::{CapData, VatSyscall},
    wire::{Blob, Wire},
};
use swingset_host::{
    Controller, ControllerOptions, EngineRuntime,
    bundle::BundleKind,
    controller::{BundleSwap, RunForever},
    env::MemoryEnvironment,
};

const ACTIVE: usize = 50;
/// Vats of the large world.
const VATS_MANY: usize = 10_000;
/// Dynamic vats made in one run.
const MADE_AT_ONCE: usize = 50;
const ROUNDS: usize = 15;
/// Messages to each active vat in a round.
const MESSAGES: usize = 40;
/// Objects that one message of the hoarder carries.
const SLOTS: usize = 1_000;

fn data(text: &mut String, at: usize, bytes: &[u8]) {
    let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let _ = write!(text, "(data (i32.const {at}) \"{escaped}\")");
}

/// Reads and writes its store at each delivery.
fn active() -> Result<Vec<u8>, Error> {
    let get = VatSyscall::VatstoreGet { key: "count".to_owned() }.to_bytes();
    let set = VatSyscall::VatstoreSet { key: "count".to_owned(), value: Blob(b"12345678".to_vec()) }.to_bytes();
    let mut segments = String::new();
    data(&mut segments, 1024, &get);
    data(&mut segments, 2048, &set);
    Ok(wat::parse_str(format!(
        r#"(module (import "vat" "call" (func $call (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1 16) {segments}
          (func (export "vat_alloc") (param i32) (result i32) (i32.const 8192))
          (func (export "vat_deliver") (param i32 i32)
            (drop (call $call (i32.const 1024) (i32.const {}) (i32.const 4096) (i32.const 1024)))
            (drop (call $call (i32.const 2048) (i32.const {}) (i32.const 4096) (i32.const 1024)))))"#,
        get.len(),
        set.len()
    ))?)
}

/// Sends its own root's neighbour many new objects, `SLOTS` at each message that it gets: their names are written into the syscall.
fn hoarder() -> Result<Vec<u8>, Error> {
    // Names of one length, `o+` and eight digits, so that the vat can count them up in place.
    let slots: Vec<String> = (0..SLOTS).map(|number| format!("o+1{number:07}")).collect();
    let methargs = CapData { body: "#[]".to_owned(), slots };
    let send = VatSyscall::Send { target: "o-50".to_owned(), methargs, result: None }.to_bytes();
    let first = send.windows(2).position(|pair| pair == b"o+").ok_or("no slot in the syscall")?;
    let stride = 11;
    let mut segments = String::new();
    data(&mut segments, 4096, &send);
    Ok(wat::parse_str(format!(
        r#"(module (import "vat" "call" (func $call (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 4 16) {segments}
          (global $round (mut i32) (i32.const 0))
          (func (export "vat_alloc") (param i32) (result i32) (i32.const 131072))
          ;; the four digits after the 1 are the round's, the last three the slot's
          (func $digits (param $at i32) (param $value i32) (local $n i32)
            (local.set $n (i32.const 4))
            (loop $next
              (local.set $n (i32.sub (local.get $n) (i32.const 1)))
              (i32.store8 (i32.add (local.get $at) (local.get $n))
                (i32.add (i32.const 48) (i32.rem_u (local.get $value) (i32.const 10))))
              (local.set $value (i32.div_u (local.get $value) (i32.const 10)))
              (br_if $next (local.get $n))))
          (func (export "vat_deliver") (param i32 i32) (local $slot i32)
            (global.set $round (i32.add (global.get $round) (i32.const 1)))
            ;; the first deliveries are startVat and the introduction
            (if (i32.gt_u (global.get $round) (i32.const 2)) (then
              (local.set $slot (i32.const 0))
              (loop $next
                (call $digits (i32.add (i32.const {first_digit}) (i32.mul (local.get $slot) (i32.const {stride})))
                  (global.get $round))
                (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $slot) (i32.const {SLOTS}))))
              (drop (call $call (i32.const 4096) (i32.const {length}) (i32.const 262140) (i32.const 4)))))))"#,
        first_digit = 4096 + first + 3,
        length = send.len(),
    ))?)
}

/// Does nothing, under a supervisor.
const IDLE: &str = r#"(module (memory (export "memory") 1 16)
    (func (export "vat_alloc") (param i32) (result i32) (i32.const 8192))
    (func (export "vat_deliver") (param i32 i32)))"#;

/// Makes dynamic vats that do nothing.
fn make_idle(env: &mut MemoryEnvironment, controller: &mut Controller, count: usize) -> Result<(), Error> {
    let bundle = pack(BundleKind::Vat {}, "idle", wat::parse_str(IDLE)?)?;
    let id = controller.validate_and_install_bundle(env, &bundle, None)?.id;
    let mut left = count;
    while left > 0 {
        let now = left.min(MADE_AT_ONCE);
        for _ in 0..now {
            controller.evaluate(env, &id, Vec::new(), Vec::new())?;
        }
        controller.run(env, &mut RunForever)?;
        left -= now;
    }
    Ok(())
}

fn queue(env: &mut MemoryEnvironment, controller: &mut Controller, vat: &str, slots: Vec<String>) -> Result<(), Error> {
    let args = CapData { body: "#[]".to_owned(), slots };
    controller.queue_to_vat_root(env, vat, "poke", args, ResolutionPolicy::None {})?;
    Ok(())
}

/// A world with so many vats, of which the first are active, and so many kernel objects.
fn world(vats: usize, objects: usize, live: usize) -> Result<(MemoryEnvironment, Controller), Error> {
    let packed = [("active", active()?), ("hoarder", hoarder()?)];
    let packed: Result<Vec<_>, Error> =
        packed.into_iter().map(|(name, code)| Ok((name.to_owned(), pack(BundleKind::Vat {}, name, code)?))).collect();
    let names: Vec<String> = (0..ACTIVE).map(|number| format!("a{number}")).collect();
    let mut all = vec![("hoarder", "hoarder"), ("keeper", "active")];
    all.extend(names.iter().map(|name| (name.as_str(), "active")));
    let options = ControllerOptions { live_vats_max: live, ..ControllerOptions::default() };
    let (mut env, mut controller) = start(&all, packed?, true, EngineRuntime::new()?, options)?;
    let root = controller.dump(&env)?.get(b"v2.c.o+0".as_slice()).cloned().ok_or("the keeper has no root")?;
    let root = String::from_utf8_lossy(&root).trim_start_matches("R ").to_owned();
    queue(&mut env, &mut controller, "hoarder", vec![root])?;
    controller.run(&mut env, &mut RunForever)?;
    for _ in 0..objects.div_ceil(SLOTS) {
        queue(&mut env, &mut controller, "hoarder", Vec::new())?;
        controller.run(&mut env, &mut RunForever)?;
    }
    make_idle(&mut env, &mut controller, vats.saturating_sub(all.len()))?;
    Ok((env, controller))
}

fn living(env: &MemoryEnvironment, controller: &Controller) -> Result<usize, Error> {
    Ok(controller.dump(env)?.keys().filter(|key| key.starts_with(b"v") && key.ends_with(b".options")).count())
}

/// Microseconds of a delivery in each round.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a benchmark's figures")]
fn rounds(env: &mut MemoryEnvironment, controller: &mut Controller) -> Result<f64, Error> {
    let mut figures = Vec::new();
    for round in 0..ROUNDS {
        controller.begin_block(env, round as u64 + 2, 0)?;
        for _ in 0..MESSAGES {
            for number in 0..ACTIVE {
                queue(env, controller, &format!("a{number}"), Vec::new())?;
            }
        }
        let begun = Instant::now();
        let summary = controller.run(env, &mut RunForever)?;
        figures.push(begun.elapsed().as_secs_f64() * 1e6 / summary.deliveries as f64);
    }
    Ok(median(figures))
}

fn kernel_objects(env: &MemoryEnvironment, controller: &Controller) -> Result<usize, Error> {
    Ok(controller.dump(env)?.keys().filter(|key| key.starts_with(b"ko") && key.ends_with(b".owner")).count())
}

/// Milliseconds of a kernel's swap to another of its schema and back, the code of both compiled before.
#[expect(clippy::float_arithmetic, reason = "a benchmark's figures")]
fn swap(env: &mut MemoryEnvironment, controller: &mut Controller) -> Result<f64, Error> {
    let mut ids = Vec::new();
    for name in ["another", "kernel"] {
        let kernel = pack(BundleKind::Kernel {}, name, guest("version-1/kernel.wasm")?)?;
        ids.push(controller.validate_and_install_bundle(env, &kernel, None)?.id);
    }
    let mut figures = Vec::new();
    for round in 0..ROUNDS {
        controller.begin_block(env, (2 * ROUNDS + round) as u64, 0)?;
        let swap = BundleSwap { kernel: ids.get(round % 2).cloned(), ..BundleSwap::default() };
        let begun = Instant::now();
        controller.swap_bundles(env, &swap)?;
        figures.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(figures))
}

#[expect(clippy::float_arithmetic, reason = "a benchmark's figures")]
fn main() -> Result<(), Error> {
    let live = ACTIVE + 2;
    let (mut small_env, mut small) = world(ACTIVE, 1_000, live)?;
    let (mut large_env, mut large) = world(VATS_MANY, 1_000_000, live)?;
    let few = rounds(&mut small_env, &mut small)?;
    let many = rounds(&mut large_env, &mut large)?;
    println!(
        "{ACTIVE} vats active of {}, {} kernel objects: {few:.2} µs a delivery",
        living(&small_env, &small)?,
        kernel_objects(&small_env, &small)?
    );
    println!(
        "the same of {} vats and {} kernel objects: {many:.2} µs a delivery, {:.2} ×",
        living(&large_env, &large)?,
        kernel_objects(&large_env, &large)?,
        many / few
    );
    let (few, many) = (swap(&mut small_env, &mut small)?, swap(&mut large_env, &mut large)?);
    println!("a kernel swap, warm code cache: {few:.1} ms, and among so many {many:.1} ms");
    let (mut env, mut controller) = world(ACTIVE, 1_000, 10)?;
    let evicting = rounds(&mut env, &mut controller)?;
    println!(
        "with 10 of the {ACTIVE} awake, so that each delivery evicts a vat of 64 KiB and wakes one: {evicting:.1} µs"
    );
    Ok(())
}
