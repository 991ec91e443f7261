//! Commits block after block and announces each step on standard output, until it is killed.

mod blocks;

use std::{
    error::Error,
    io::{Write, stdout},
};

use swing_store::{Pruning, Store, StoreOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("usage: store-crash-writer FOLDER")?;
    let store = Store::open(folder, StoreOptions::with_pruning(Pruning::Everything))?;
    let announce = |step: &str, version: u64, root: [u8; 32]| -> std::io::Result<()> {
        let root: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut out = stdout().lock();
        writeln!(out, "{step} {version} {root}")?;
        out.flush()
    };
    announce("opened", store.version(), store.root_hash())?;
    loop {
        let version = store.version() + 1;
        let mut staged = store.stage(version, blocks::block(version))?;
        staged.put_meta("height", version.to_be_bytes());
        announce("staged", version, staged.root_hash())?;
        store.commit(staged)?;
        announce("committed", version, store.root_hash())?;
    }
}
