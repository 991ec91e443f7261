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

const BALLS: u64 = 50_000;
const ROUNDS: usize = 7;

fn guest(path: &str) -> Result<Vec<u8>, Error> {
    Ok(std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../bundles/raw").join(path))?)
}

fn pack(kind: BundleKind, name: &str, content: Vec<u8>) -> Result<Vec<u8>, Error> {
    let schema = u32::from(kind == (BundleKind::Kernel {}));
    let supervisor_abis = if kind == (BundleKind::Lockdown {}) { vec![] } else { vec![1] };
    let manifest =
        Manifest { kind, name: name.to_owned(), host_abi: 1, supervisor_abis, schema_from: schema, schema_to: schema };
    Ok(Bundle::single(manifest, content)?.encode()?)
}

fn raw_world() -> Result<(MemoryEnvironment, Controller), Error> {
    let idle = r#"(module (memory (export "memory") 1 1)
        (func (export "supervisor_alloc") (param i32) (result i32) i32.const 0)
        (func (export "supervisor_step") (param i32 i32) (result i64) unreachable))"#;
    let bundles = SwingsetBundles {
        kernel: pack(BundleKind::Kernel {}, "kernel", guest("version-1/kernel.wasm")?)?,
        lockdown: pack(BundleKind::Lockdown {}, "lockdown", LockdownPolicy::default().to_text())?,
        supervisor: pack(BundleKind::Supervisor {}, "idle", wat::parse_str(idle)?)?,
        vats: vec![("player".to_owned(), pack(BundleKind::Vat {}, "player", guest("test/raw-pingpong.wasm")?)?)],
    };
    let vat = |name: &str| VatConfig {
        name: name.to_owned(),
        bundle: "player".to_owned(),
        parameters: CapData { body: "#{}".to_owned(), slots: vec![] },
        options: VatOptions { raw: true, ..VatOptions::default() },
    };
    let mut env = MemoryEnvironment::new();
    let mut controller = Controller::new(EngineRuntime::new()?, ControllerOptions::default());
    controller.initialize_swingset(&mut env, &SwingsetConfig { vats: vec![vat("bootstrap"), vat("pong")] }, &bundles)?;
    controller.begin_block(&env, 1)?;
    controller.run(&mut env, &mut RunForever)?;
    Ok((env, controller))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn main() -> Result<(), Error> {
    let (mut env, mut controller) = raw_world()?;
    let mut rates = Vec::new();
    for round in 0..ROUNDS {
        let args = CapData { body: format!("#[{BALLS}]"), slots: vec![] };
        controller.queue_to_vat_root(&mut env, "bootstrap", "serve", args, ResolutionPolicy::None {})?;
        let start = Instant::now();
        let summary = controller.run(&mut env, &mut RunForever)?;
        let seconds = start.elapsed().as_secs_f64();
        #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a benchmark's figure")]
        let rate = summary.deliveries as f64 / seconds;
        println!(
            "raw round {round}: {} deliveries, {} cranks, {} computrons, {seconds:.3} s, {rate:.0} deliveries/s",
            summary.deliveries, summary.cranks, summary.computrons
        );
        rates.push(rate);
    }
    println!("raw median: {:.0} deliveries/s", median(rates));
    Ok(())
}
