//! What history costs at a restart, and what a kernel swap on a live controller costs, with a warm code cache.
//!
//! `cargo run --release -p swingset-host --example restart_bench`
#![allow(clippy::disallowed_types, reason = "a benchmark measures time")]

mod support;

use std::{path::Path, sync::Arc, time::Instant};

use support::{Error, cpu_seconds, guest, median, pack, released, start};
use swingset_abi::{kernel::ResolutionPolicy, vat::CapData};
use swingset_host::{
    Controller, ControllerOptions, EngineRuntime,
    bundle::BundleKind,
    controller::{BundleSwap, RunForever},
    engine::CodeCache,
    env::MemoryEnvironment,
};

/// As many as upstream's figure is of.
const HISTORY: u64 = 38_000;
const ROUNDS: usize = 15;
const VATS: [(&str, &str); 3] = [("bootstrap", "vats/bootstrap"), ("ping", "test/pingpong"), ("pong", "test/pingpong")];

fn runtime(folder: &Path) -> Result<Arc<EngineRuntime>, Error> {
    Ok(EngineRuntime::with_cache(Some(CodeCache::open(folder)?))?)
}

/// Serves so many balls; each makes two deliveries, the ball and the notification of its result.
fn serve(env: &mut MemoryEnvironment, controller: &mut Controller, balls: u64) -> Result<u64, Error> {
    let args = CapData { body: format!("#[{balls}]"), slots: vec![] };
    controller.queue_to_vat_root(env, "ping", "serve", args, ResolutionPolicy::None {})?;
    Ok(controller.run(env, &mut RunForever)?.deliveries)
}

/// A new process's engine up to the end of its first deliveries, one to each player at least; milliseconds.
#[expect(clippy::float_arithmetic, reason = "a benchmark's figure")]
fn restart(folder: &Path, state: &MemoryEnvironment, height: u64) -> Result<f64, Error> {
    let mut env = state.clone();
    let begun = Instant::now();
    let mut controller = Controller::build(runtime(folder)?, &env, ControllerOptions::default())?;
    controller.begin_block(&env, height, 0)?;
    serve(&mut env, &mut controller, 2)?;
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}

/// A swap to another kernel on a controller whose vats are awake; milliseconds, and those on the processor.
#[expect(clippy::float_arithmetic, reason = "a benchmark's figures")]
fn swap(folder: &Path, state: &MemoryEnvironment, kernel: &str, height: u64) -> Result<(f64, f64), Error> {
    let mut env = state.clone();
    let mut controller = Controller::build(runtime(folder)?, &env, ControllerOptions::default())?;
    controller.begin_block(&env, height, 0)?;
    serve(&mut env, &mut controller, 2)?;
    controller.begin_block(&env, height + 1, 0)?;
    let (begun, cpu) = (Instant::now(), cpu_seconds());
    let swap = BundleSwap { kernel: Some(kernel.to_owned()), ..BundleSwap::default() };
    controller.swap_bundles(&mut env, &swap)?;
    Ok((begun.elapsed().as_secs_f64() * 1e3, (cpu_seconds() - cpu) * 1e3))
}

#[expect(clippy::float_arithmetic, reason = "a benchmark's figures")]
fn main() -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let cache = folder.path().join("code");
    let mut packed = Vec::new();
    for code in ["vats/bootstrap", "test/pingpong"] {
        packed.push((code.to_owned(), pack(BundleKind::Vat {}, "player", guest(&format!("{code}.wasm"))?)?));
    }
    let (mut env, mut controller) = start(&VATS, packed, false, runtime(&cache)?, ControllerOptions::default())?;
    let second = controller.validate_and_install_bundle(&mut env, &released("version-2/kernel.bundle")?, None)?;
    serve(&mut env, &mut controller, 2)?;
    let young = env.clone();
    let (mut deliveries, mut height) = (0, 2);
    while deliveries < HISTORY {
        controller.begin_block(&env, height, 0)?;
        deliveries += serve(&mut env, &mut controller, 500)?;
        height += 1;
    }
    let old = env.clone();
    // Once, so that the second kernel is in the cache too.
    swap(&cache, &old, &second.id, height)?;
    let (mut without, mut with, mut swaps, mut on_cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        without.push(restart(&cache, &young, height)?);
        with.push(restart(&cache, &old, height)?);
        let (swapped, cpu) = swap(&cache, &old, &second.id, height)?;
        swaps.push(swapped);
        on_cpu.push(cpu);
    }
    let (without, with) = (median(without), median(with));
    println!("restart, warm code cache, up to the first deliveries: {without:.1} ms with no history");
    println!("the same after {deliveries} deliveries: {with:.1} ms, {:+.1} ms", with - without);
    println!(
        "kernel swap (schema 1 to 2) on a live controller, warm code cache: {:.1} ms, {:.1} ms on the processor",
        median(swaps),
        median(on_cpu)
    );
    Ok(())
}
