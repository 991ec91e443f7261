//! What a peer may send in place of a snapshot.

use std::{fs, path::Path};

use swing_core::state::StateRead;
use swing_store::{
    Pruning,
    snapshot::{CHUNK_BYTES, Metadata, RestoreError},
    tree::sha256,
};

use super::{assert_empty_and_usable, begin, made, restore};
use crate::support::{Temporary, assert_holds};

/// The metadata of a liar: right for these chunks, whatever they are.
fn for_chunks(metadata: &Metadata, chunks: &[Vec<u8>]) -> Metadata {
    Metadata { chunk_hashes: chunks.iter().map(|chunk| sha256(chunk)).collect(), ..metadata.clone() }
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
