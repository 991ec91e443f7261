//! The file: torn ends, damage, compaction, marks.

use std::fs;

use bytes::Bytes;
use swingset_embed::{Compaction, FileEnvironment, StoreError};
use swingset_host::env::Environment;

use crate::support::{Place, State, entries};

const NEVER: Compaction = Compaction { bytes_min: u64::MAX, times: 1 };

fn put(env: &mut FileEnvironment, key: &str, value: &str) {
    env.set(key.as_bytes(), Bytes::copy_from_slice(value.as_bytes())).unwrap();
}

fn state(entries: &[(&str, &str)]) -> State {
    entries.iter().map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

/// Three batches; gives the file's bytes and where each batch begins.
fn three_batches(place: &Place) -> (Vec<u8>, [usize; 3]) {
    let file = place.file("three");
    let mut env = FileEnvironment::create(&file, NEVER).unwrap();
    let mut starts = [0; 3];
    for (start, (key, value)) in starts.iter_mut().zip([("a", "one"), ("b", "two"), ("a", "three")]) {
        *start = usize::try_from(env.file_bytes()).unwrap();
        put(&mut env, key, value);
        put(&mut env, "note", &format!("{value} and enough to fill some bytes"));
        env.commit().unwrap();
    }
    (fs::read(&file).unwrap(), starts)
}

#[test]
fn a_batch_that_was_cut_or_never_filled_is_there_whole_or_not_at_all() {
    let place = Place::new();
    let (bytes, [_, _, last]) = three_batches(&place);
    let before = state(&[("a", "one"), ("b", "two"), ("note", "two and enough to fill some bytes")]);
    let after = state(&[("a", "three"), ("b", "two"), ("note", "three and enough to fill some bytes")]);
    let file = place.file("torn");
    for cut in last..=bytes.len() {
        let mut filled = bytes[..cut].to_vec();
        filled.resize(bytes.len(), 0);
        for torn in [&bytes[..cut], &filled] {
            fs::write(&file, torn).unwrap();
            let mut env = FileEnvironment::open(&file, NEVER).unwrap();
            let expected = if torn == bytes { &after } else { &before };
            assert_eq!(&entries(&env), expected, "cut at {cut}");
            // What is written next lies where the torn batch was.
            put(&mut env, "next", "x");
            env.commit().unwrap();
            let written = entries(&env);
            drop(env);
            assert_eq!(entries(&FileEnvironment::open(&file, NEVER).unwrap()), written, "cut at {cut}");
        }
    }
}

#[test]
fn damage_before_the_last_batch_is_an_error_that_says_where() {
    let place = Place::new();
    let (bytes, [first, second, last]) = three_batches(&place);
    let file = place.file("damaged");
    for at in 0..last {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        fs::write(&file, &damaged).unwrap();
        let place = if at < first {
            0
        } else if at < second {
            first
        } else {
            second
        };
        match FileEnvironment::open(&file, NEVER) {
            Err(StoreError::Damaged { offset, .. }) => assert_eq!(offset, place as u64, "byte {at}"),
            other => panic!("byte {at}: {other:?}"),
        }
        assert_eq!(fs::read(&file).unwrap(), damaged, "a damaged file is left as it is");
    }
}

#[test]
fn a_file_much_larger_than_its_state_is_written_anew_and_a_leftover_of_that_is_removed() {
    let place = Place::new();
    let file = place.file("state");
    let small = Compaction { bytes_min: 2_000, times: 3 };
    let mut env = FileEnvironment::create(&file, small).unwrap();
    for round in 0..500 {
        put(&mut env, "turn", &format!("{round:0100}"));
        put(&mut env, &format!("key {}", round % 5), &round.to_string());
        env.commit().unwrap();
        assert!(env.file_bytes() < 2_500, "{} bytes in round {round}", env.file_bytes());
        assert_eq!(fs::metadata(&file).unwrap().len(), env.file_bytes());
    }
    let written = entries(&env);
    assert_eq!(written.len(), 6);
    drop(env);
    let leftover = place.file("state.new");
    fs::write(&leftover, "half of it").unwrap();
    assert_eq!(entries(&FileEnvironment::open(&file, small).unwrap()), written);
    assert!(!leftover.exists());
}

#[test]
fn only_what_was_committed_is_there_after_opening() {
    let place = Place::new();
    let file = place.file("state");
    let mut env = FileEnvironment::create(&file, NEVER).unwrap();
    put(&mut env, "kept", "1");
    let mark = env.mark();
    put(&mut env, "kept", "2");
    put(&mut env, "undone", "x");
    assert_eq!(env.net_writes(mark).unwrap().len(), 2);
    env.rollback(mark).unwrap();
    env.commit().unwrap();
    let bytes = env.file_bytes();
    env.commit().unwrap();
    assert_eq!(env.file_bytes(), bytes, "nothing new, nothing written");
    put(&mut env, "forgotten", "x");
    env.discard().unwrap();
    env.commit().unwrap();
    env.delete(b"kept").unwrap();
    drop(env);
    assert_eq!(entries(&FileEnvironment::open(&file, NEVER).unwrap()), state(&[("kept", "1")]));
}

#[test]
fn a_file_has_one_user_and_is_never_made_twice() {
    let place = Place::new();
    let file = place.file("state");
    let env = FileEnvironment::create(&file, NEVER).unwrap();
    assert!(matches!(FileEnvironment::open(&file, NEVER), Err(StoreError::InUse { .. })));
    assert!(matches!(FileEnvironment::create(&file, NEVER), Err(StoreError::Exists { .. })));
    drop(env);
    FileEnvironment::open(&file, NEVER).unwrap();
    assert!(matches!(FileEnvironment::create(&file, NEVER), Err(StoreError::Exists { .. })));
}
