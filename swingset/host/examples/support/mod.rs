//! What the benchmarks share: released guests, worlds of static vats, and medians.
#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use swingset_abi::{kernel::VatOptions, vat::CapData};
use swingset_host::{
    Controller, ControllerOptions, EngineRuntime,
    bundle::{Bundle, BundleKind, LockdownPolicy, Manifest},
    controller::{RunForever, SwingsetBundles, SwingsetConfig, VatConfig},
    env::{Environment, MemoryEnvironment},
};

pub type Error = Box<dyn std::error::Error>;

/// The folder of released bundles, from whichever crate asks.
fn bundles() -> Result<PathBuf, Error> {
    let up = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found = up.map(|folder| folder.join("swingset/bundles")).find(|folder| folder.is_dir());
    found.ok_or_else(|| "there is no swingset/bundles above this crate".into())
}

/// The module in a released bundle.
pub fn guest(path: &str) -> Result<Vec<u8>, Error> {
    let file = bundles()?.join(path).with_extension("bundle");
    Ok(Bundle::decode(&std::fs::read(file)?)?.content().to_vec())
}

/// A bundle of schema 1.
pub fn pack(kind: BundleKind, name: &str, content: Vec<u8>) -> Result<Vec<u8>, Error> {
    let schema = u32::from(kind == (BundleKind::Kernel {}));
    let supervisor_abis = if kind == (BundleKind::Lockdown {}) { vec![] } else { vec![1] };
    let manifest =
        Manifest { kind, name: name.to_owned(), host_abi: 1, supervisor_abis, schema_from: schema, schema_to: schema };
    Ok(Bundle::single(manifest, content)?.encode()?)
}

/// A released bundle as it is.
pub fn released(path: &str) -> Result<Vec<u8>, Error> {
    Ok(std::fs::read(bundles()?.join(path))?)
}

/// A world of static vats of released code; `bootstrap` has made the players known to each other.
pub fn world(vats: &[(&str, &str)], code: &[&str], raw: bool) -> Result<(MemoryEnvironment, Controller), Error> {
    start(vats, packed(code)?, raw, EngineRuntime::new()?, ControllerOptions::default())
}

/// Released code under its names, each a bundle of its own.
pub fn packed(code: &[&str]) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let one =
        |path: &&str| Ok(((*path).to_owned(), pack(BundleKind::Vat {}, "player", guest(&format!("{path}.wasm"))?)?));
    code.iter().map(one).collect()
}

/// A world of static vats, each a name and the name of its code, run until nothing is left.
pub fn start(
    vats: &[(&str, &str)],
    packed: Vec<(String, Vec<u8>)>,
    raw: bool,
    runtime: Arc<EngineRuntime>,
    options: ControllerOptions,
) -> Result<(MemoryEnvironment, Controller), Error> {
    let mut env = MemoryEnvironment::new();
    let controller = start_in(&mut env, vats, packed, raw, runtime, options)?;
    Ok((env, controller))
}

/// The same in an environment that is there, and empty.
pub fn start_in(
    env: &mut dyn Environment,
    vats: &[(&str, &str)],
    packed: Vec<(String, Vec<u8>)>,
    raw: bool,
    runtime: Arc<EngineRuntime>,
    options: ControllerOptions,
) -> Result<Controller, Error> {
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
    let mut controller = Controller::new(runtime, options);
    let config = SwingsetConfig { vats: vats.iter().map(vat).collect() };
    controller.initialize_swingset(env, &config, &bundles)?;
    controller.begin_block(env, 1, 0)?;
    for (name, _) in vats {
        controller.pin_vat_root(env, name)?;
    }
    controller.run(env, &mut RunForever)?;
    Ok(controller)
}

/// The middle of some figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Time that this thread was on a CPU, in seconds: on a busy machine it says more than the clock.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a benchmark's figure")]
pub fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0) as f64 / 1e9
}
