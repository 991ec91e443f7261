//! Restoring: the same state, seen by nobody before its end, and begun anew after a crash.

use std::{fs, path::Path};

use bytes::Bytes;
use swing_core::state::{Changes, StateRead};
use swing_store::{
    Pruning, Store, StoreError, StoreOptions,
    snapshot::{CHUNK_BYTES, RestoreError},
};

use super::{about, assert_empty_and_usable, begin, made, noise, restore, snapshots, source};
use crate::{
    blocks::block,
    crash::run_and_kill,
    support::{Temporary, apply, assert_holds, raw},
};

#[test]
fn a_restored_store_is_the_exported_one_and_goes_on_to_the_same_roots() {
    let (temporary, mut model, metadata, chunks) = made();
    assert!(chunks.len() > 3 && chunks[0].len() == CHUNK_BYTES, "{} chunks", chunks.len());
    assert_eq!((metadata.height, metadata.app_hash), (9, temporary.store.root_hash()));
    let target = Temporary::new(Pruning::Everything);
    restore(&target, &metadata, &chunks).expect("restored");
    assert_eq!((target.store.version(), target.store.oldest()), (9, 9));
    assert_holds(&target.store.latest(), &model);
    let target = target.reopen();
    assert_holds(&target.store.latest(), &model);
    for at in 10..40 {
        let root = temporary.commit(at, block(at));
        apply(&mut model, &block(at));
        assert_eq!(target.commit(at, block(at)), root, "block {at}");
    }
    assert_holds(&target.store.latest(), &model);
    let (value, _) = target.store.latest().prove(b"large/b").expect("proved");
    assert_eq!(value, Some(noise(2, CHUNK_BYTES + 17)));
    assert_eq!(target.store.oldest(), temporary.store.oldest(), "and prunes as the other does");
    let rows = |temporary: Temporary| {
        let Temporary { store, folder, .. } = temporary;
        drop(store);
        let db = raw::open(folder.path());
        ["nodes", "roots", "history", "keys"].map(|family| raw::rows(&db, family).len())
    };
    assert_eq!(rows(target), rows(temporary), "with nothing left over");
}

#[test]
fn a_snapshot_of_a_restored_store_is_the_same_one() {
    let (_, _, metadata, chunks) = made();
    let target = Temporary::new(Pruning::Default);
    restore(&target, &metadata, &chunks).expect("restored");
    let (_folder, snapshots) = snapshots();
    let again = snapshots.make(&target.store.latest(), about()).expect("made");
    assert_eq!((again.hash(), again.encode()), (metadata.hash(), metadata.encode()), "on every node alike");
}

#[test]
fn nothing_is_seen_of_a_restoring_before_its_end_and_no_block_is_staged_meanwhile() {
    let (_, model, metadata, chunks) = made();
    let target = Temporary::new(Pruning::Default);
    let before = target.store.latest();
    assert_eq!(before.get(b"large/a"), Ok(None));
    let mut restore = begin(&target, &metadata);
    for (index, chunk) in (0..).zip(&chunks) {
        restore.apply(index, chunk).expect("applied");
        for view in [&before, &target.store.latest()] {
            assert_eq!((view.version(), view.range(b"", None).count()), (0, 0));
            assert!(model.keys().all(|key| view.get(key) == Ok(None)));
        }
        assert!(matches!(target.store.stage(1, block(1)), Err(StoreError::Restoring)));
    }
    let seen = restore.finish(&metadata.app_hash, |view| {
        assert_holds(view, &model);
        assert_eq!(target.store.version(), 0, "not yet");
        Ok(())
    });
    seen.expect("whole");
    assert_holds(&target.store.latest(), &model);
    assert_eq!(before.range(b"", None).count(), 0, "a view of before stays one");
}

#[test]
fn a_restoring_that_is_cut_off_is_recognised_and_begins_anew() {
    let (_, _, metadata, chunks) = made();
    let target = Temporary::new(Pruning::Everything);
    let mut half = begin(&target, &metadata);
    half.apply(0, &chunks[0]).expect("applied");
    half.apply(1, &chunks[1]).expect("applied");
    drop(half);
    let peeked = Store::peek(target.folder.path(), StoreOptions::default()).expect("read");
    assert!(peeked.is_none(), "a status does not take it for a version");
    assert_empty_and_usable(target.reopen());
}

#[test]
fn a_node_that_is_killed_anywhere_in_a_restoring_has_all_of_it_or_nothing() {
    let (temporary, model) = source(9);
    let (folder, snapshots) = snapshots();
    let metadata = snapshots.make(&temporary.store.latest(), about()).expect("made");
    let database = folder.path().join("application.db");
    let mut found = [false; 2];
    // "opened", a line before each chunk, "finishing", "restored": the last line of each run is followed by the kill.
    for steps in 1..=usize::try_from(metadata.chunks()).expect("few") + 3 {
        run_and_kill(&[&database, Path::new("--restore"), snapshots.folder()], steps);
        let store = Store::open(&database, StoreOptions::default()).expect("opens");
        let whole = store.version() == 9;
        if whole {
            assert_holds(&store.latest(), &model);
        } else {
            assert_eq!((store.version(), store.latest().range(b"", None).count()), (0, 0), "after {steps} lines");
        }
        found[usize::from(whole)] = true;
        drop(store);
        fs::remove_dir_all(&database).expect("for the next");
    }
    assert_eq!(found, [true; 2]);
}

#[test]
fn a_restoring_that_is_abandoned_leaves_nothing_that_the_next_one_could_read() {
    let (_, _, metadata, chunks) = made();
    let target = Temporary::new(Pruning::Everything);
    let mut half = begin(&target, &metadata);
    half.apply(0, &chunks[0]).expect("applied");
    half.abandon().expect("emptied");
    let own = Changes::from([(b"bank/x".to_vec(), Some(Bytes::from_static(b"1")))]);
    target.store.stage(1, own).expect("a chain can begin from genesis");
    assert_empty_and_usable(target);
}

#[test]
fn a_store_with_blocks_takes_no_snapshot() {
    let (temporary, model, metadata, _) = made();
    let error = temporary.store.restore(metadata).expect_err("it is not empty");
    assert!(matches!(error, RestoreError::NotEmpty { version: 9 }), "{error}");
    assert_holds(&temporary.store.latest(), &model);
}

#[test]
fn an_end_before_the_last_chunk_is_refused() {
    let (_, _, metadata, chunks) = made();
    let target = Temporary::new(Pruning::Everything);
    let mut half = begin(&target, &metadata);
    half.apply(0, &chunks[0]).expect("applied");
    let error = half.finish(&metadata.app_hash, |_| Ok(())).expect_err("not whole");
    assert!(matches!(error, RestoreError::OutOfTurn { .. }), "{error}");
    assert_empty_and_usable(target);
}
