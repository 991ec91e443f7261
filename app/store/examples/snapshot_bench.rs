//! Times what a snapshot costs: the making of one, the commits that go on beside it, and the restoring.
//!
//! `cargo run -p swing-store --example snapshot_bench -- [KEYS…]` (100,000 by default)
//!
//! Keys in the tree have values of 200 bytes; a tenth as many unhashed ones have pages of 4 KiB. Prints the machine, then figures.

#![expect(clippy::disallowed_types, reason = "a benchmark reads the clock")]

use std::{
    error::Error,
    fs,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use swing_core::state::Changes;
use swing_store::{
    Pruning, Store, StoreOptions, View,
    snapshot::{About, FORMAT, Metadata, SnapshotError, Snapshots},
    tree::sha256,
};

const KEYS_A_FILL: u64 = 5_000;
const CHANGES_A_BLOCK: u64 = 300;
const COMMITS_ALONE: u64 = 100;

fn value(seed: u64, bytes: usize) -> Bytes {
    let parts = u64::try_from(bytes.div_ceil(32)).unwrap_or_default();
    let all: Bytes = (0..parts).flat_map(|part| sha256(&[seed.to_be_bytes(), part.to_be_bytes()].concat())).collect();
    all.slice(..bytes)
}

fn key(n: u64) -> Vec<u8> {
    [b"bank/", n.to_be_bytes().as_slice()].concat()
}

fn fill(from: u64) -> Changes {
    let mut changes: Changes = (from..from + KEYS_A_FILL).map(|n| (key(n), Some(value(n, 200)))).collect();
    for n in (from..from + KEYS_A_FILL).step_by(10) {
        changes.insert([b"~page/", n.to_be_bytes().as_slice()].concat(), Some(value(n, 4096)));
    }
    changes
}

fn block(version: u64, keys: u64) -> Changes {
    (0..CHANGES_A_BLOCK).map(|i| (key((version * 7919 + i * 31) % keys), Some(value(version + i, 200)))).collect()
}

/// Commits a block; gives how long staging and committing took.
fn commit(store: &Store, keys: u64) -> Result<Duration, Box<dyn Error>> {
    let version = store.version() + 1;
    let changes = block(version, keys);
    let begin = Instant::now();
    store.commit(store.stage(version, changes)?)?;
    Ok(begin.elapsed())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

type Made = Result<(Metadata, Duration), SnapshotError>;

fn make(snapshots: &Snapshots, view: &View) -> Made {
    let about = About { chain_id: "bench-1".to_owned(), app_version: 1, release: "version-1".to_owned() };
    let begin = Instant::now();
    let metadata = snapshots.make(view, about)?;
    Ok((metadata, begin.elapsed()))
}

fn measure(keys: u64) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir_in(".")?;
    let snapshots = Snapshots::new(folder.path().join("snapshots"));
    let store = Store::open(folder.path().join("application.db"), StoreOptions::with_pruning(Pruning::Everything))?;
    for fills in 0..keys.div_ceil(KEYS_A_FILL) {
        store.commit(store.stage(fills + 1, fill(fills * KEYS_A_FILL))?)?;
    }
    let mut alone = (0..COMMITS_ALONE).map(|_| commit(&store, keys)).collect::<Result<Vec<_>, _>>()?;
    let (view, done) = (store.latest(), AtomicBool::new(false));
    let mut beside = Vec::new();
    let (metadata, making) = std::thread::scope(|scope| -> Result<(Metadata, Duration), Box<dyn Error>> {
        let work = scope.spawn(|| {
            let made = make(&snapshots, &view);
            done.store(true, Ordering::SeqCst);
            made
        });
        while !done.load(Ordering::SeqCst) {
            beside.push(commit(&store, keys)?);
        }
        Ok(work.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?)
    })?;
    let target = Store::open(folder.path().join("restored.db"), StoreOptions::default())?;
    let begin = Instant::now();
    let mut restore = target.restore(metadata.clone())?;
    let mut bytes = 0;
    for index in 0..metadata.chunks() {
        let chunk = snapshots.chunk(metadata.height, FORMAT, index)?.unwrap_or_default();
        bytes += chunk.len();
        restore.apply(index, &chunk)?;
    }
    restore.finish(&metadata.app_hash, |_| Ok(()))?;
    let restoring = begin.elapsed();
    println!(
        "{keys:>8} keys, {:>5} MB, {:>3} chunks: made in {making:>8.2?}, restored in {restoring:>8.2?}; a commit of {CHANGES_A_BLOCK} \
         changes alone {:>8.2?}, beside the making {:>8.2?} (median of {}, most {:>8.2?})",
        bytes >> 20,
        metadata.chunks(),
        median(&mut alone),
        median(&mut beside),
        beside.len(),
        beside.last().copied().unwrap_or_default(),
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1)).unwrap_or("?");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let build = if cfg!(debug_assertions) { "dev" } else { "release" };
    println!("{model}, {cores} cores, {build} build; pruned to two versions, chunks synced\n");
    let mut sizes = std::env::args().skip(1).map(|size| size.parse()).collect::<Result<Vec<u64>, _>>()?;
    if sizes.is_empty() {
        sizes = vec![100_000];
    }
    sizes.into_iter().try_for_each(measure)
}
