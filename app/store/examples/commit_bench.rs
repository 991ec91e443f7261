//! Times what a block costs the store: 3,000 updates over 100,000 keys, staged and committed, and `jmt` beside it on the same
//! updates, with its nodes in memory.
//!
//! `cargo run -p swing-store --example commit_bench`
//!
//! Prints the machine, then medians: `stage` is what FinalizeBlock waits for (the target is 8 ms where `put_value_set` takes 40),
//! `commit` what Commit does. A stage works on two cores, so on a loaded machine its median says little; compare it with `jmt`'s.

#![expect(clippy::disallowed_types, reason = "a benchmark reads the clock")]

use std::{
    error::Error,
    time::{Duration, Instant},
};

use bytes::Bytes;
use jmt::{KeyHash, Sha256Jmt, mock::MockTreeStore};
use swing_core::state::{Changes, StateRead};
use swing_store::{Store, StoreOptions, tree::sha256};

const KEYS: u64 = 100_000;
const UPDATES: u64 = 3_000;
const BLOCKS: u64 = 120;
const ORACLE_BLOCKS: u64 = 15;

fn key(n: u64) -> Vec<u8> {
    let mut key = b"bank/balances/".to_vec();
    key.extend_from_slice(&sha256(&n.to_be_bytes())[..20]);
    key.extend_from_slice(b"/uswing");
    key
}

/// The block of this version: every 7th update deletes or makes a key anew, the rest overwrite.
fn block(version: u64) -> Changes {
    let at = |i: u64| (i.wrapping_mul(2_654_435_761).wrapping_add(version.wrapping_mul(40_503))) % KEYS;
    let value = |i: u64| match i % 14 {
        7 if version.is_multiple_of(2) => None,
        _ => Some(Bytes::from([version.to_be_bytes(), i.to_be_bytes(), [7; 8], [9; 8]].concat())),
    };
    (0..UPDATES).map(|i| (key(at(i)), value(i))).collect()
}

fn genesis() -> Changes {
    (0..KEYS).map(|n| (key(n), Some(Bytes::from(n.to_be_bytes().repeat(4))))).collect()
}

/// What was timed: by the clock, and by this thread's time on a processor, which a loaded machine stretches less.
struct Times {
    name: &'static str,
    wall: Vec<Duration>,
    thread: Vec<Duration>,
}

impl Times {
    fn new(name: &'static str) -> Self {
        Times { name, wall: Vec::new(), thread: Vec::new() }
    }

    fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (wall, thread) = (Instant::now(), thread_time());
        let result = work();
        self.wall.push(wall.elapsed());
        self.thread.push(thread_time().saturating_sub(thread));
        result
    }

    fn print(mut self) {
        self.wall.sort_unstable();
        self.thread.sort_unstable();
        let at = |times: &[Duration], part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
        println!(
            "{:<42} median {:>9.2?}  p10 {:>9.2?}  p90 {:>9.2?}   on processor: median {:>9.2?}",
            self.name,
            at(&self.wall, 50),
            at(&self.wall, 10),
            at(&self.wall, 90),
            at(&self.thread, 50),
        );
    }
}

/// Time that this thread has spent on a processor, as Linux counts it.
fn thread_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", machine());
    println!("{UPDATES} updates a block over {KEYS} keys, pruning default\n");
    ours()?;
    oracle()?;
    Ok(())
}

fn ours() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path(), StoreOptions::default())?;
    let begin = Instant::now();
    store.commit(store.stage(1, genesis())?)?;
    println!("genesis of {KEYS} keys staged and committed in {:.2?}\n", begin.elapsed());
    let mut stages = Times::new("store: stage (reads in, root known)");
    let mut commits = Times::new("store: commit (synced)");
    let mut gets = Times::new("store: 3,000 point reads of latest");
    for version in 2..BLOCKS + 2 {
        let changes = block(version);
        let view = store.latest();
        gets.time(|| changes.keys().try_for_each(|key| view.get(key).map(|_| ())))?;
        let staged = stages.time(|| store.stage(version, changes))?;
        commits.time(|| store.commit(staged))?;
    }
    stages.print();
    commits.print();
    gets.print();
    Ok(())
}

/// A key hash and a value, as jmt takes them.
type Put = (KeyHash, Option<Vec<u8>>);

fn oracle() -> Result<(), Box<dyn Error>> {
    let hashed = |changes: &Changes| -> Vec<Put> {
        changes.iter().map(|(key, value)| (KeyHash(sha256(key)), value.as_ref().map(|value| value.to_vec()))).collect()
    };
    let memory = MockTreeStore::default();
    let (_, batch) = Sha256Jmt::new(&memory).put_value_set(hashed(&genesis()), 1)?;
    memory.write_tree_update_batch(batch)?;
    let mut sets = Times::new("jmt: put_value_set, nodes in memory");
    let mut batches = Times::new("jmt: batch_put_value_sets, no deletions");
    for version in 2..ORACLE_BLOCKS + 2 {
        let changes = hashed(&block(version));
        let tree = Sha256Jmt::new(&memory);
        let puts = changes.iter().filter_map(|(key, value)| Some((*key, value.clone()?))).collect();
        batches.time(|| tree.batch_put_value_sets(vec![puts], None, version))?;
        let (_, batch) = sets.time(|| tree.put_value_set(changes, version))?;
        memory.write_tree_update_batch(batch)?;
    }
    sets.print();
    batches.print();
    Ok(())
}

fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field =
        |name: &str| cpu.lines().find_map(|line| line.strip_prefix(name)?.split(": ").nth(1)).unwrap_or("?").to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let sha = if field("flags").contains("sha_ni") { "SHA-NI" } else { "no SHA-NI" };
    format!(
        "{}, {cores} cores, {sha}, {} build",
        field("model name"),
        if cfg!(debug_assertions) { "dev" } else { "release" }
    )
}
