//! Deliveries per second: raw vats that return a ball, and the kernel's own work beside it.
//!
//! `cargo run -p swingset-host --example ping_pong_bench`
#![allow(clippy::disallowed_types, reason = "a benchmark measures time")]

mod support;

use std::time::Instant;

use support::{Error, cpu_seconds, median, world};
use swingset_abi::{kernel::ResolutionPolicy, vat::CapData};
use swingset_host::{Controller, controller::RunForever, env::MemoryEnvironment};

const RAW_BALLS: u64 = 50_000;
const SUPERVISED_ROUNDS: u64 = 5_000;
const ROUNDS: usize = 7;

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a benchmark's figures")]
fn measure(
    label: &str,
    vat: &str,
    balls: u64,
    env: &mut MemoryEnvironment,
    controller: &mut Controller,
) -> Result<(), Error> {
    let (mut rates, mut cpu, mut last) = (Vec::new(), Vec::new(), None);
    for height in 0..ROUNDS {
        controller.begin_block(env, height as u64 + 2, 0)?;
        let args = CapData { body: format!("#[{balls}]"), slots: vec![] };
        controller.queue_to_vat_root(env, vat, "serve", args, ResolutionPolicy::None {})?;
        let (start, cpu_start) = (Instant::now(), cpu_seconds());
        let summary = controller.run(env, &mut RunForever)?;
        rates.push(summary.deliveries as f64 / start.elapsed().as_secs_f64());
        cpu.push((cpu_seconds() - cpu_start) * 1e6 / summary.deliveries as f64);
        last = Some(summary);
    }
    let summary = last.unwrap_or_default();
    let rate = median(rates);
    println!(
        "{label}: median {rate:.0} deliveries/s, {:.2} µs each, {:.2} µs of CPU ({} deliveries, {} cranks, {} computrons a round)",
        1e6 / rate,
        median(cpu),
        summary.deliveries,
        summary.cranks,
        summary.computrons
    );
    Ok(())
}

fn main() -> Result<(), Error> {
    let (mut env, mut controller) =
        world(&[("bootstrap", "test/raw-pingpong"), ("pong", "test/raw-pingpong")], &["test/raw-pingpong"], true)?;
    measure("raw vats", "bootstrap", RAW_BALLS, &mut env, &mut controller)?;
    let code = ["vats/bootstrap", "test/pingpong"];
    let vats = [("bootstrap", code[0]), ("ping", code[1]), ("pong", code[1])];
    let (mut env, mut controller) = world(&vats, &code, false)?;
    measure("supervised vats", "ping", SUPERVISED_ROUNDS, &mut env, &mut controller)
}
