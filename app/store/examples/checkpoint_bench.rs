//! Times a checkpoint over databases of growing size, and a full copy of the same folder beside it.
//!
//! `cargo run -p swing-store --example checkpoint_bench -- [MEGABYTES…]` (10 and 1000 by default; needs twice the room)
//!
//! Each database is filled with values that do not compress. Before each of the checkpoints memory is written out ahead and ten
//! blocks of 300 changes follow, as before an upgrade. Prints the machine, then medians.

#![expect(clippy::disallowed_types, reason = "a benchmark reads the clock")]

use std::{
    error::Error,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use swing_core::state::Changes;
use swing_store::{
    Pruning, Store, StoreOptions,
    checkpoint::{Checkpoints, Label},
    tree::sha256,
};

const VALUE_BYTES: usize = 4 << 10;
const KEYS_A_FILL: u64 = 2_000;
const BLOCKS_BEFORE: u64 = 10;
const CHANGES_A_BLOCK: u64 = 300;
const TIMES: usize = 7;

fn value(seed: u64) -> Bytes {
    let parts = u64::try_from(VALUE_BYTES / 32).unwrap_or_default();
    (0..parts).flat_map(|part| sha256(&[seed.to_be_bytes(), part.to_be_bytes()].concat())).collect()
}

fn fill(version: u64) -> Changes {
    (0..KEYS_A_FILL)
        .map(|i| version * KEYS_A_FILL + i)
        .map(|n| ([b"fill/", n.to_be_bytes().as_slice()].concat(), Some(value(n))))
        .collect()
}

fn block(version: u64) -> Changes {
    (0..CHANGES_A_BLOCK)
        .map(|i| {
            (
                format!("bank/{}", (version * 7 + i * 31) % 5000).into_bytes(),
                Some(Bytes::from(version.to_be_bytes().repeat(5))),
            )
        })
        .collect()
}

fn folder_bytes(folder: &Path) -> std::io::Result<u64> {
    fs::read_dir(folder)?.try_fold(0, |sum, entry| Ok(sum + entry?.metadata()?.len()))
}

/// A copy that survives a loss of power, as the checkpoint does.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        fs::copy(&path, &target)?;
        fs::File::open(&target)?.sync_all()?;
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn measure(megabytes: u64) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir_in(".")?;
    let database = folder.path().join("application.db");
    let checkpoints = Checkpoints::new(folder.path().join("checkpoints"));
    let store = Store::open(&database, StoreOptions::with_pruning(Pruning::Everything))?;
    let mut version = 0;
    while version == 0 || version * KEYS_A_FILL * (VALUE_BYTES as u64) < megabytes << 20 {
        version += 1;
        store.commit(store.stage(version, fill(version))?)?;
    }
    let mut times = Vec::new();
    for _ in 0..TIMES {
        store.flush_ahead()?;
        for _ in 0..BLOCKS_BEFORE {
            version += 1;
            store.commit(store.stage(version, block(version))?)?;
        }
        let label = Label {
            chain_id: "bench-1".to_owned(),
            app_version: 1,
            release: "version-1".to_owned(),
            created_by_height: version + 1,
        };
        let begin = Instant::now();
        store.checkpoint(&checkpoints, label)?;
        times.push(begin.elapsed());
        checkpoints.prune(2)?;
    }
    let size = folder_bytes(&database)?;
    let files = fs::read_dir(&database)?.count();
    drop(store);
    let begin = Instant::now();
    copy(&database, &folder.path().join("copy"))?;
    println!(
        "{:>8} MB in {files:>4} files: checkpoint median {:>9.2?} (most {:>9.2?})   full copy, synced {:>9.2?}",
        size >> 20,
        median(times.clone()),
        times.iter().max().copied().unwrap_or_default(),
        begin.elapsed(),
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1)).unwrap_or("?");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let build = if cfg!(debug_assertions) { "dev" } else { "release" };
    println!("{model}, {cores} cores, {build} build; a checkpoint is made, synced and opened once\n");
    let mut sizes = std::env::args().skip(1).map(|size| size.parse()).collect::<Result<Vec<u64>, _>>()?;
    if sizes.is_empty() {
        sizes = vec![10, 1000];
    }
    sizes.into_iter().try_for_each(measure)
}
