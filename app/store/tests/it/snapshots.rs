//! Snapshots on real databases: what is exported while blocks go on, what comes back, and what of a hostile one is refused.

use std::{fs, path::Path};

use bytes::Bytes;
use swing_core::state::{Changes, StateRead};
use swing_store::{
    Pruning, Store, StoreError, StoreOptions,
    snapshot::{About, CHUNK_BYTES, FORMAT, Metadata, Restore, RestoreError, SnapshotError, Snapshots},
    tree::sha256,
};

use crate::{
    blocks::block,
    support::{Model, Temporary, apply, assert_holds, raw},
};

fn about() -> About {
    About { chain_id: "test-1".to_owned(), app_version: 1, release: "version-1".to_owned() }
}

/// So many bytes that look like nothing in particular.
fn noise(seed: u8, bytes: usize) -> Bytes {
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
fn large() -> Changes {
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
fn source(version: u64) -> (Temporary, Model) {
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

fn snapshots() -> (tempfile::TempDir, Snapshots) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let snapshots = Snapshots::new(folder.path().join("snapshots"));
    (folder, snapshots)
}

fn chunks(snapshots: &Snapshots, metadata: &Metadata) -> Vec<Vec<u8>> {
    let chunk = |index| snapshots.chunk(metadata.height, FORMAT, index).expect("read").expect("there");
    (0..metadata.chunks()).map(chunk).collect()
}

/// A snapshot of a source at version 9: its metadata and its chunks.
fn made() -> (Temporary, Model, Metadata, Vec<Vec<u8>>) {
    let (temporary, model) = source(9);
    let (_folder, snapshots) = snapshots();
    let metadata = snapshots.make(&temporary.store.latest(), about()).expect("made");
    let chunks = chunks(&snapshots, &metadata);
    (temporary, model, metadata, chunks)
}

fn begin(target: &Temporary, metadata: &Metadata) -> Restore {
    target.store.restore(metadata.clone()).expect("the store is empty")
}

#[track_caller]
fn restore(target: &Temporary, metadata: &Metadata, chunks: &[Vec<u8>]) -> Result<(), RestoreError> {
    let mut restore = begin(target, metadata);
    for (index, chunk) in (0..).zip(chunks) {
        restore.apply(index, chunk)?;
    }
    restore.finish(&metadata.app_hash, |_| Ok(()))
}

/// The metadata of a liar: right for these chunks, whatever they are.
fn for_chunks(metadata: &Metadata, chunks: &[Vec<u8>]) -> Metadata {
    Metadata { chunk_hashes: chunks.iter().map(|chunk| sha256(chunk)).collect(), ..metadata.clone() }
}

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
fn blocks_go_on_while_a_snapshot_is_made_and_its_version_is_not_pruned_before_it_is() {
    let (temporary, _) = source(9);
    let (_folder, snapshots) = snapshots();
    let expected = {
        let (_folder, others) = self::snapshots();
        others.make(&temporary.store.latest(), about()).expect("made")
    };
    let view = temporary.store.latest();
    // Far more versions than are kept, and as many changes as block after block brings.
    for at in 10..60 {
        temporary.commit(at, block(at));
    }
    assert_eq!(temporary.store.oldest(), 9, "the view holds its version");
    let made = snapshots.make(&view, about()).expect("made");
    assert_eq!(made, expected, "what was committed meanwhile is not in it");
    drop(view);
    temporary.commit(60, block(60));
    assert_eq!(temporary.store.oldest(), 59, "and lets it go");
}

#[test]
fn an_empty_store_has_no_snapshot_and_one_that_is_there_is_not_made_again() {
    let temporary = Temporary::new(Pruning::Default);
    let (_folder, snapshots) = snapshots();
    assert!(matches!(snapshots.make(&temporary.store.latest(), about()), Err(SnapshotError::Empty)));
    temporary.commit(1, block(1));
    let made = snapshots.make(&temporary.store.latest(), about()).expect("made");
    let other = About { release: "other".to_owned(), ..about() };
    assert_eq!(snapshots.make(&temporary.store.latest(), other).expect("found"), made);
}

#[test]
fn a_height_that_is_executed_again_with_another_result_gets_another_snapshot() {
    let (temporary, _) = source(3);
    let (_folder, snapshots) = snapshots();
    let first = snapshots.make(&temporary.store.latest(), about()).expect("made");
    let (other, _) = source(2);
    let own = Changes::from([(b"bank/x".to_vec(), Some(Bytes::from_static(b"repaired")))]);
    other.commit(3, own);
    let second = snapshots.make(&other.store.latest(), about()).expect("made");
    assert!(second.app_hash == other.store.root_hash() && second.app_hash != first.app_hash);
    assert_eq!(snapshots.find(3, FORMAT).expect("there").metadata, second);
    assert_eq!(snapshots.delete_above(3).expect("nothing"), [0; 0]);
    assert_eq!(snapshots.delete_above(2).expect("deleted"), [3]);
}

#[test]
fn the_newest_are_kept_listed_and_served_and_a_damaged_one_is_not() {
    let (temporary, _) = source(3);
    let (_folder, snapshots) = snapshots();
    for at in 4..8 {
        temporary.commit(at, block(at));
        snapshots.make(&temporary.store.latest(), about()).expect("made");
    }
    let heights = |snapshots: &Snapshots| -> Vec<u64> {
        snapshots.list().expect("listed").into_iter().map(|listed| listed.expect("whole").height).collect()
    };
    assert_eq!(heights(&snapshots), [4, 5, 6, 7]);
    assert_eq!(snapshots.prune(0).expect("pruned"), [0; 0], "0 keeps all");
    assert_eq!(snapshots.prune(3).expect("pruned"), [4]);
    snapshots.delete(5, FORMAT).expect("deleted");
    assert!(matches!(snapshots.delete(5, FORMAT), Err(SnapshotError::NotFound { height: 5, .. })));
    assert_eq!(heights(&snapshots), [6, 7]);
    for (height, format, index) in [(5, FORMAT, 0), (7, FORMAT + 1, 0), (7, FORMAT, 1000)] {
        assert_eq!(snapshots.chunk(height, format, index).expect("no fault"), None);
    }
    let chunk = snapshots.folder().join(format!("7-{FORMAT}/0"));
    let mut bytes = fs::read(&chunk).expect("read");
    bytes[77] ^= 1;
    fs::write(&chunk, &bytes).expect("written");
    assert!(matches!(snapshots.chunk(7, FORMAT, 0), Err(SnapshotError::Damaged { .. })));
    fs::write(snapshots.folder().join(format!("7-{FORMAT}/metadata")), b"").expect("written");
    let listed = snapshots.list().expect("listed");
    assert!(matches!(listed.as_slice(), [Ok(_), Err(SnapshotError::Damaged { .. })]), "{listed:?}");
}

#[test]
fn what_a_crash_leaves_of_a_snapshot_is_not_listed_and_goes_with_the_next_one() {
    let (temporary, _) = source(3);
    let (_folder, snapshots) = snapshots();
    let left = snapshots.folder().join(".unfinished-2-1");
    fs::create_dir_all(&left).expect("made");
    fs::write(left.join("0"), b"half").expect("written");
    assert!(snapshots.list().expect("listed").is_empty());
    snapshots.make(&temporary.store.latest(), about()).expect("made");
    assert!(!left.exists());
}

#[test]
fn a_value_that_is_damaged_on_disk_makes_no_snapshot() {
    let (temporary, _) = source(3);
    let Temporary { store, folder, options } = temporary;
    drop(store);
    let db = raw::open(folder.path());
    let (key, mut record) =
        raw::rows(&db, "latest").into_iter().find(|(key, _)| key.starts_with(b"bank/")).expect("a key");
    *record.last_mut().expect("a value") ^= 1;
    raw::put(&db, "latest", &key, &record);
    drop(db);
    let store = Store::open(folder.path(), options).expect("opens");
    let (_folder, snapshots) = snapshots();
    let error = snapshots.make(&store.latest(), about()).expect_err("it is damaged");
    assert!(matches!(error, SnapshotError::Store(StoreError::Corrupt { .. })), "{error}");
    assert!(snapshots.list().expect("listed").is_empty());
}

#[test]
fn a_damaged_and_a_missing_chunk_change_nothing_and_the_right_one_goes_on() {
    let (_, model, metadata, chunks) = made();
    let target = Temporary::new(Pruning::Default);
    let mut restore = begin(&target, &metadata);
    restore.apply(0, &chunks[0]).expect("applied");
    let mut damaged = chunks[1].clone();
    damaged[1000] ^= 1;
    let oversized = vec![0; CHUNK_BYTES + 1];
    for bad in [&damaged[..], &oversized, &[], &chunks[1][1..], &chunks[2]] {
        let error = restore.apply(1, bad).expect_err("not the chunk");
        assert!(matches!(error, RestoreError::DamagedChunk { index: 1 }), "{error}");
    }
    for index in [0, 2, u32::MAX] {
        let error = restore.apply(index, &chunks[2]).expect_err("not its turn");
        assert!(matches!(error, RestoreError::OutOfTurn { expected: 1, .. }), "{error}");
    }
    for (index, chunk) in (1..).zip(&chunks[1..]) {
        restore.apply(index, chunk).expect("applied");
    }
    restore.finish(&metadata.app_hash, |_| Ok(())).expect("whole");
    assert_holds(&target.store.latest(), &model);
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

/// Asserts that the store is as empty as a new one, and that it takes a snapshot and goes on.
#[track_caller]
fn assert_empty_and_usable(target: Temporary) {
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
fn a_state_of_another_app_hash_and_one_that_is_not_bound_are_taken_back() {
    let (_, _, metadata, chunks) = made();
    let target = Temporary::new(Pruning::Everything);
    let whole = |target: &Temporary| {
        let mut restore = begin(target, &metadata);
        (0..).zip(&chunks).for_each(|(index, chunk)| restore.apply(index, chunk).expect("applied"));
        restore
    };
    let error = whole(&target).finish(&[7; 32], |_| panic!("it is not asked")).expect_err("another state");
    assert!(matches!(error, RestoreError::WrongAppHash { .. }), "{error}");
    let unbound = |view: &swing_store::View| {
        // Read, so that what is remembered of it is there to be forgotten.
        assert!(view.get(b"large/a").is_ok_and(|value| value.is_some()));
        Err("a page".to_owned())
    };
    let error = whole(&target).finish(&metadata.app_hash, unbound).expect_err("unbound");
    assert!(matches!(&error, RestoreError::Unbound { why } if why == "a page"), "{error}");
    assert_empty_and_usable(target);
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

/// An entry as the stream has it.
fn entry(key: &[u8], value: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("short").to_be_bytes();
    [&length(key)[..], &length(value)[..], key, value].concat()
}

/// Two keys in the order of their hashes.
fn ordered() -> [&'static [u8]; 2] {
    let mut keys = [&b"bank/a"[..], b"bank/b"];
    keys.sort_by_key(|key| sha256(key));
    keys
}

#[test]
fn a_snapshot_that_was_made_up_is_found_out_by_its_chunks() {
    let (_, _, metadata, _) = made();
    let target = Temporary::new(Pruning::Everything);
    let [first, second] = ordered();
    let too_long = [&(CHUNK_BYTES as u32).to_be_bytes()[..], &[0; 4]].concat();
    let cases: [(&str, Vec<Vec<u8>>); 9] = [
        ("in its place", vec![[entry(second, b"1"), entry(first, b"1")].concat()]),
        ("in its place", vec![[entry(first, b"1"), entry(first, b"1")].concat()]),
        ("in its place", vec![[entry(b"~b", b"1"), entry(b"~a", b"1")].concat()]),
        ("in its place", vec![[entry(b"~b", b"1"), entry(first, b"1")].concat()]),
        ("empty or too long", vec![entry(b"", b"1")]),
        ("empty or too long", vec![too_long]),
        ("cut off", vec![entry(first, b"1")[..9].to_vec()]),
        ("another size", vec![entry(first, b"1"), entry(second, b"1")]),
        ("another size", vec![vec![0; CHUNK_BYTES + 1]]),
    ];
    for (part, chunks) in cases {
        let lie = for_chunks(&metadata, &chunks);
        let error = restore(&target, &lie, &chunks).expect_err("it is none");
        let is_malformed = matches!(error, RestoreError::Malformed { .. });
        assert!(is_malformed && error.to_string().contains(part), "expected {part:?}: {error}");
    }
    let honest_form = vec![[entry(first, b"1"), entry(second, b"2")].concat()];
    let lie = for_chunks(&metadata, &honest_form);
    let error = restore(&target, &lie, &honest_form).expect_err("another state");
    assert!(matches!(error, RestoreError::WrongAppHash { .. }), "{error}");
    assert_empty_and_usable(target);
}

#[test]
fn chunks_in_another_order_are_found_out_even_where_the_metadata_has_that_order() {
    let (_, _, metadata, mut chunks) = made();
    chunks.swap(0, 1);
    let target = Temporary::new(Pruning::Everything);
    let error = restore(&target, &for_chunks(&metadata, &chunks), &chunks).expect_err("another order");
    assert!(matches!(error, RestoreError::Malformed { .. }), "{error}");
}

/// The bytes that a folder's files have.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("read");
    entries.map(|entry| entry.expect("an entry").metadata().expect("its size").len()).sum()
}

#[test]
fn what_was_restored_and_refused_takes_no_room() {
    let (_, _, metadata, chunks) = made();
    let target = Temporary::new(Pruning::Everything);
    let empty = size(target.folder.path());
    for _ in 0..3 {
        let mut restore = begin(&target, &metadata);
        (0..).zip(&chunks).for_each(|(index, chunk)| restore.apply(index, chunk).expect("applied"));
        restore.finish(&[0; 32], |_| Ok(())).expect_err("another state");
    }
    let target = target.reopen();
    let left = size(target.folder.path());
    assert!(left < empty + CHUNK_BYTES as u64, "{left} bytes are left, {empty} were there");
}
