//! Deliveries per second as a chain has them: the engine on a block's overlay over the store, with everything that a block has on,
//! and a synced RocksDB commit every 1,000 cranks. Then a restart on that database, with and without history.
//!
//! `cargo run -p swing-node --example engine_bench [BLOCKS]`. The kernel's own work without a database is `ping_pong_bench`'s.
#![allow(clippy::disallowed_types, reason = "a benchmark measures time")]

#[path = "../../../swingset/host/examples/support/mod.rs"]
mod support;

use std::{path::Path, sync::Arc, time::Instant};

use support::{Error, cpu_seconds, median, packed, start_in};
use swing_core::state::State;
use swing_node::engine_adapter::StateEnvironment;
use swing_store::{Store, StoreOptions};
use swingset_abi::{kernel::ResolutionPolicy, vat::CapData};
use swingset_host::{
    Controller, ControllerOptions, EngineRuntime,
    controller::{CrankBudget, RunSummary},
    engine::CodeCache,
};

const CRANKS: u64 = 1_000;
const BLOCKS_DEFAULT: usize = 101;
/// As many as upstream's figure of a restart is of.
const HISTORY: u64 = 38_000;
/// Cranks of a restarted engine that are waited for.
const FIRST_CRANKS: u64 = 20;
const RESTARTS: usize = 15;
const SUPERVISED: [(&str, &str); 3] =
    [("bootstrap", "vats/bootstrap"), ("ping", "test/pingpong"), ("pong", "test/pingpong")];

/// A chain without transactions: the engine, and what it wrote in the store.
struct Chain {
    store: Store,
    controller: Controller,
    height: u64,
    folder: tempfile::TempDir,
}

/// What one block took.
struct Block {
    summary: RunSummary,
    whole: f64,
    run: f64,
    cpu: f64,
}

impl Chain {
    fn start(vats: &[(&str, &str)], code: &[&str], raw: bool, runtime: Arc<EngineRuntime>) -> Result<Chain, Error> {
        let folder = tempfile::tempdir()?;
        let store = Store::open(folder.path(), StoreOptions::default())?;
        let latest = store.latest();
        let mut state = State::new(&latest);
        let options = ControllerOptions::default();
        let mut env = StateEnvironment::new(&mut state);
        let controller = start_in(&mut env, vats, packed(code)?, raw, runtime, options)?;
        store.commit(store.stage(1, state.into_changes())?)?;
        Ok(Chain { store, controller, height: 1, folder })
    }

    /// The balls are played for as many blocks as are asked for.
    fn serve(&mut self, vat: &str, balls: u64) -> Result<(), Error> {
        let args = CapData { body: format!("#[{balls}]"), slots: vec![] };
        self.block(|controller, env| {
            controller.queue_to_vat_root(env, vat, "serve", args, ResolutionPolicy::None {})?;
            Ok(())
        })?;
        Ok(())
    }

    /// One block: what comes in, 1,000 cranks, and the commit.
    #[expect(clippy::float_arithmetic, reason = "a benchmark's figures")]
    fn block(
        &mut self,
        inbound: impl FnOnce(&mut Controller, &mut StateEnvironment<'_, '_>) -> Result<(), Error>,
    ) -> Result<Block, Error> {
        self.height += 1;
        let (start, cpu_start) = (Instant::now(), cpu_seconds());
        let latest = self.store.latest();
        let mut state = State::new(&latest);
        let mut env = StateEnvironment::new(&mut state);
        self.controller.begin_block(&env, self.height, 0)?;
        inbound(&mut self.controller, &mut env)?;
        let summary = self.controller.run(&mut env, &mut CrankBudget::new(CRANKS))?;
        self.controller.end_block(&mut env)?;
        let run = start.elapsed().as_secs_f64();
        self.store.commit(self.store.stage(self.height, state.into_changes())?)?;
        Ok(Block { summary, whole: start.elapsed().as_secs_f64(), run, cpu: cpu_seconds() - cpu_start })
    }
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a benchmark's figures")]
fn measure(label: &str, vat: &str, blocks: usize, chain: &mut Chain) -> Result<(), Error> {
    // A ball is some cranks: more of them than the blocks can play.
    chain.serve(vat, CRANKS.saturating_mul(blocks as u64))?;
    let (mut whole, mut run, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..blocks {
        let block = chain.block(|_, _| Ok(()))?;
        if block.summary.cranks < CRANKS {
            return Err(format!("a block of {} cranks: the balls are at an end", block.summary.cranks).into());
        }
        let each = 1e6 / block.summary.deliveries as f64;
        whole.push(block.whole * each);
        run.push(block.run * each);
        cpu.push(block.cpu * each);
    }
    let whole = median(whole);
    println!(
        "{label}: median {:.0} deliveries/s, {whole:.2} µs each, {:.2} µs of this thread's CPU; {:.2} µs without stage and commit",
        1e6 / whole,
        median(cpu),
        median(run),
    );
    Ok(())
}

fn cached(cache: &Path) -> Result<Arc<EngineRuntime>, Error> {
    Ok(EngineRuntime::with_cache(Some(CodeCache::open(cache)?))?)
}

/// A new process's database and engine up to the end of its first deliveries; milliseconds.
#[expect(clippy::float_arithmetic, reason = "a benchmark's figure")]
fn restart(folder: &Path, cache: &Path) -> Result<f64, Error> {
    let begun = Instant::now();
    let store = Store::open(folder, StoreOptions::default())?;
    let latest = store.latest();
    let mut state = State::new(&latest);
    let mut env = StateEnvironment::new(&mut state);
    let mut controller = Controller::build(cached(cache)?, &env, ControllerOptions::default())?;
    controller.begin_block(&env, store.version() + 1, 0)?;
    let summary = controller.run(&mut env, &mut CrankBudget::new(FIRST_CRANKS))?;
    if summary.cranks < FIRST_CRANKS {
        return Err("a restarted engine has nothing to do".into());
    }
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}

#[expect(clippy::float_arithmetic, reason = "a benchmark's figures")]
fn restarts() -> Result<(), Error> {
    let kept = tempfile::tempdir()?;
    let cache = kept.path().join("code");
    let code = ["vats/bootstrap", "test/pingpong"];
    let mut folders = Vec::new();
    for history in [0, HISTORY] {
        let mut chain = Chain::start(&SUPERVISED, &code, false, cached(&cache)?)?;
        chain.serve("ping", HISTORY)?;
        let mut deliveries = 0;
        while deliveries < history {
            deliveries += chain.block(|_, _| Ok(()))?.summary.deliveries;
        }
        folders.push(chain.folder);
    }
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..RESTARTS {
        without.push(restart(folders[0].path(), &cache)?);
        with.push(restart(folders[1].path(), &cache)?);
    }
    let (without, with) = (median(without), median(with));
    println!("restart, database opened, warm code cache, up to the first deliveries: {without:.1} ms with no history");
    println!("the same after {HISTORY} deliveries: {with:.1} ms, {:+.1} ms", with - without);
    Ok(())
}

fn main() -> Result<(), Error> {
    let blocks = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => BLOCKS_DEFAULT,
    };
    println!("{blocks} blocks of {CRANKS} cranks, a synced commit after each");
    let raw = "test/raw-pingpong";
    let mut chain = Chain::start(&[("bootstrap", raw), ("pong", raw)], &[raw], true, EngineRuntime::new()?)?;
    measure("raw vats", "bootstrap", blocks, &mut chain)?;
    let code = ["vats/bootstrap", "test/pingpong"];
    let mut chain = Chain::start(&SUPERVISED, &code, false, EngineRuntime::new()?)?;
    measure("supervised vats", "ping", blocks, &mut chain)?;
    restarts()
}
