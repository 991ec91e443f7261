//! Deliveries per second: raw vats that return a ball, and the kernel's own work beside it.
//!
//! `cargo run -p swingset-host --example ping_pong_bench`
#![allow(clippy::disallowed_types, reason = "a benchmark measures time")]

use std::{path::PathBuf, time::Instant};

use swingset_abi::{
    kernel::{ResolutionPolicy, VatOptions},
    vat::CapData,
};
use swingset_host::{
    Controller, ControllerOptions, EngineRuntime,
    bundle::{Bundle, BundleKind, LockdownPolicy, Manifest},
    controller::{RunForever, SwingsetBundles, SwingsetConfig, VatConfig},
    env::MemoryEnvironment,
};

type Error = Box<dyn std::error::Error>;

const RAW_BALLS: u64 = 50_000;
const SUPERVISED_ROUNDS: u64 = 5_000;
const ROUNDS: usize = 7;

fn guest(path: &str) -> Result<Vec<u8>, Error> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../bundles").join(path).with_extension("bundle");
    Ok(Bundle::decode(&std::fs::read(file)?)?.content().to_vec())
}

fn pack(kind: BundleKind, name: &str, content: Vec<u8>) -> Result<Vec<u8>, Error> {
    let schema = u32::from(kind == (BundleKind::Kernel {}));
    let supervisor_abis = if kind == (BundleKind::Lockdown {}) { vec![] } else { vec![1] };
    let manifest =
        Manifest { kind, name: name.to_owned(), host_abi: 1, supervisor_abis, schema_from: schema, schema_to: schema };
    Ok(Bundle::single(manifest, content)?.encode()?)
}

/// A world of static vats; `bootstrap` has made the players known to each other.
fn world(vats: &[(&str, &str)], code: &[&str], raw: bool) -> Result<(MemoryEnvironment, Controller), Error> {
    let mut packed = Vec::new();
    for path in code {
        packed.push(((*path).to_owned(), pack(BundleKind::Vat {}, "player", guest(&format!("{path}.wasm"))?)?));
    }
    let bundles = SwingsetBundles {
        kernel: pack(BundleKind::Kernel {}, "kernel", guest("version-1/kernel.wasm")?)?,
        lockdown: pack(BundleKind::Lockdown {}, "lockdown", LockdownPolicy::default().to_text())?,
        supervisor: pack(BundleKind::Supervisor {}, "supervisor", guest("version-1/supervisor.wasm")?)?,
        vats: packed,
    };
    let vat = |(name, bundle): &(&str, &str)| VatConfig {
        name: (*name).to_owned(),
        bundle: (*bundle).to_owned(),
        parameters: CapData { body: "#{}".to_owned(), slots: vec![] },
        options: VatOptions { raw, ..VatOptions::default() },
    };
    let mut env = MemoryEnvironment::new();
    let mut controller = Controller::new(EngineRuntime::new()?, ControllerOptions::default());
    let config = SwingsetConfig { vats: vats.iter().map(vat).collect() };
    controller.initialize_swingset(&mut env, &config, &bundles)?;
    controller.begin_block(&env, 1, 0)?;
    for (name, _) in vats {
        controller.pin_vat_root(&mut env, name)?;
    }
    controller.run(&mut env, &mut RunForever)?;
    Ok((env, controller))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Time that this thread was on a CPU, in seconds: on a busy machine it says more than the clock.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a benchmark's figure")]
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0) as f64 / 1e9
}

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
