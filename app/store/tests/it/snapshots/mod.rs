//! Snapshots on real databases: what is exported while blocks go on, what comes back, and what of a hostile one is refused.

mod hostile;
mod making;
mod restoring;

use bytes::Bytes;
use swing_core::state::{Changes, StateRead};
use swing_store::{
    Pruning,
    snapshot::{About, CHUNK_BYTES, FORMAT, Metadata, Restore, RestoreError, Snapshots},
    tree::sha256,
};

use crate::{
    blocks::block,
    support::{Model, Temporary, apply, assert_holds},
};

pub fn about() -> About {
    About { chain_id: "test-1".to_owned(), app_version: 1, release: "version-1".to_owned() }
}

/// So many bytes that look like nothing in particular.
pub fn noise(seed: u8, bytes: usize) -> Bytes {
    let mut out = Vec::with_capacity(bytes + 32);
    let mut hash = sha256(&[seed]);
    while out.len() < bytes {
        out.extend_from_slice(&hash);
        hash = sha256(&hash);
    }
    out.truncate(bytes);
    out.into()
}

/// Some large values, so that there are several chunks: in the tree and outside it.
pub fn large() -> Changes {
    let put = |key: &str, seed: u8, bytes: usize| (key.as_bytes().to_vec(), Some(noise(seed, bytes)));
    Changes::from([
        put("large/a", 1, CHUNK_BYTES / 2),
        put("large/b", 2, CHUNK_BYTES + 17),
        put("large/empty", 3, 0),
        put("~large/c", 4, CHUNK_BYTES),
        put("~large/d", 5, CHUNK_BYTES / 3),
        (b"~zero\0\xff".to_vec(), Some(Bytes::new())),
    ])
}

/// A store with blocks 1 to `version` and large values, and the model of its state.
pub fn source(version: u64) -> (Temporary, Model) {
    let temporary = Temporary::new(Pruning::Everything);
    let mut model = Model::new();
    for at in 1..=version {
        let mut changes = block(at);
        if at == 2 {
            changes.extend(large());
        }
        apply(&mut model, &changes);
        temporary.commit(at, changes);
    }
    (temporary, model)
}

pub fn snapshots() -> (tempfile::TempDir, Snapshots) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let snapshots = Snapshots::new(folder.path().join("snapshots"));
    (folder, snapshots)
}

pub fn chunks(snapshots: &Snapshots, metadata: &Metadata) -> Vec<Vec<u8>> {
    let chunk = |index| snapshots.chunk(metadata.height, FORMAT, index).expect("read").expect("there");
    (0..metadata.chunks()).map(chunk).collect()
}

/// A snapshot of a source at version 9: its metadata and its chunks.
pub fn made() -> (Temporary, Model, Metadata, Vec<Vec<u8>>) {
    let (temporary, model) = source(9);
    let (_folder, snapshots) = snapshots();
    let metadata = snapshots.make(&temporary.store.latest(), about()).expect("made");
    let chunks = chunks(&snapshots, &metadata);
    (temporary, model, metadata, chunks)
}

pub fn begin(target: &Temporary, metadata: &Metadata) -> Restore {
    target.store.restore(metadata.clone()).expect("the store is empty")
}

#[track_caller]
pub fn restore(target: &Temporary, metadata: &Metadata, chunks: &[Vec<u8>]) -> Result<(), RestoreError> {
    let mut restore = begin(target, metadata);
    for (index, chunk) in (0..).zip(chunks) {
        restore.apply(index, chunk)?;
    }
    restore.finish(&metadata.app_hash, |_| Ok(()))
}

/// Asserts that the store is as empty as a new one, and that it takes a snapshot and goes on.
#[track_caller]
pub fn assert_empty_and_usable(target: Temporary) {
    assert_eq!((target.store.version(), target.store.latest().range(b"", None).count()), (0, 0));
    let (temporary, mut model, metadata, chunks) = made();
    restore(&target, &metadata, &chunks).expect("restored");
    (10..15).for_each(|at| {
        assert_eq!(target.commit(at, block(at)), temporary.commit(at, block(at)));
        apply(&mut model, &block(at));
    });
    let target = target.reopen();
    assert_holds(&target.store.latest(), &model);
}
