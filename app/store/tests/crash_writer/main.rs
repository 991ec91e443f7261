//! Commits block after block, with a checkpoint after each where it is given a folder for them, or restores a snapshot, and
//! announces each step on standard output, until it is killed.

mod blocks;

use std::{
    error::Error,
    io::{Write, stdout},
};

use swing_store::{
    Pruning, Store, StoreOptions,
    checkpoint::{Checkpoints, Label},
    snapshot::Snapshots,
};

fn announce(step: &str, version: u64, root: [u8; 32]) -> std::io::Result<()> {
    let root: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut out = stdout().lock();
    writeln!(out, "{step} {version} {root}")?;
    out.flush()
}

/// Restores the one snapshot of a folder, where it is not restored yet.
fn restore(store: &Store, snapshots: &Snapshots) -> Result<(), Box<dyn Error>> {
    let listed = snapshots.list()?.pop().ok_or("there is no snapshot")??;
    if store.version() == 0 {
        let mut restore = store.restore(listed.metadata.clone())?;
        for index in 0..listed.metadata.chunks() {
            announce("chunk", u64::from(index), [0; 32])?;
            let chunk = snapshots.chunk(listed.height, listed.format, index)?.ok_or("a chunk is missing")?;
            restore.apply(index, &chunk)?;
        }
        announce("finishing", listed.height, listed.metadata.app_hash)?;
        restore.finish(&listed.metadata.app_hash, |_| Ok(()))?;
    }
    announce("restored", store.version(), store.root_hash())?;
    loop {
        std::thread::park();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = arguments.next().ok_or("usage: store-crash-writer FOLDER [CHECKPOINTS | --restore SNAPSHOTS]")?;
    let second = arguments.next();
    let store = Store::open(folder, StoreOptions::with_pruning(Pruning::Everything))?;
    announce("opened", store.version(), store.root_hash())?;
    if let Some(snapshots) = second.as_ref().filter(|word| *word == "--restore").and(arguments.next()) {
        return restore(&store, &Snapshots::new(snapshots));
    }
    let checkpoints = second.map(Checkpoints::new);
    loop {
        let version = store.version() + 1;
        let mut staged = store.stage(version, blocks::block(version))?;
        staged.put_meta("height", version.to_be_bytes());
        announce("staged", version, staged.root_hash())?;
        store.commit(staged)?;
        announce("committed", version, store.root_hash())?;
        if let Some(checkpoints) = &checkpoints {
            announce("checkpointing", version, store.root_hash())?;
            let label = Label {
                chain_id: "crash-1".to_owned(),
                app_version: 1,
                release: "version-1".to_owned(),
                created_by_height: version + 1,
            };
            store.checkpoint(checkpoints, label)?;
            announce("checkpointed", version, store.root_hash())?;
            checkpoints.prune(3)?;
        }
    }
}
