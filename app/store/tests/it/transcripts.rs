//! Transcripts: kept with the block, capped, and apart from everything that is hashed.

use swing_store::{Pruning, Reader, Store, StoreOptions};

use crate::support::{Temporary, changes, raw};

fn with_cap(bytes: u64) -> Temporary {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = StoreOptions {
        block_cache_bytes: 8 << 20,
        transcript_bytes_max: bytes,
        ..StoreOptions::with_pruning(Pruning::Everything)
    };
    Temporary { store: Store::open(folder.path(), options).expect("a new store"), folder, options }
}

/// Commits a version with a transcript of so many bytes; gives the app hash.
fn commit(temporary: &Temporary, version: u64, bytes: usize) -> [u8; 32] {
    let text = version.to_string();
    let mut staged = temporary.store.stage(version, changes([("a", Some(&text))])).expect("staged");
    staged.put_transcript(vec![u8::try_from(version).expect("small"); bytes]);
    let root = staged.root_hash();
    temporary.store.commit(staged).expect("committed");
    root
}

fn kept(temporary: &Temporary) -> Vec<(u64, usize)> {
    let reader = Reader::open(temporary.folder.path(), temporary.options).expect("readable").expect("there");
    let rows = reader.transcripts(0, u64::MAX).expect("readable");
    rows.into_iter().map(|(version, bytes)| (version, bytes.len())).collect()
}

#[test]
fn the_newest_are_kept_up_to_the_cap_beyond_what_pruning_leaves_of_state() {
    let temporary = with_cap(100);
    for version in 1..=10 {
        commit(&temporary, version, 30);
    }
    assert_eq!(kept(&temporary), [(8, 30), (9, 30), (10, 30)]);
    commit(&temporary, 11, 101);
    assert_eq!(kept(&temporary), [(8, 30), (9, 30), (10, 30)], "one above the cap is not kept at all");
    commit(&temporary, 12, 95);
    assert_eq!(kept(&temporary), [(12, 95)]);
    let reader = Reader::open(temporary.folder.path(), temporary.options).expect("readable").expect("there");
    assert_eq!(reader.transcripts(1, 11).expect("readable"), []);
}

#[test]
fn they_change_no_hash_and_go_when_they_are_turned_off() {
    let (with, without) = (with_cap(1_000), with_cap(0));
    for version in 1..=3 {
        assert_eq!(commit(&with, version, 50), commit(&without, version, 50));
    }
    assert_eq!((kept(&with).len(), kept(&without).len()), (3, 0));
    let Temporary { store, folder, options } = with;
    drop(store);
    let options = StoreOptions { transcript_bytes_max: 0, ..options };
    let off = Temporary { store: Store::open(folder.path(), options).expect("opens again"), folder, options };
    commit(&off, 4, 50);
    assert_eq!(kept(&off), []);
}

#[test]
fn a_database_of_before_there_were_any_is_read_and_opened() {
    let temporary = Temporary::new(Pruning::Default);
    let root = temporary.commit(1, changes([("a", Some("1"))]));
    let Temporary { store, folder, options } = temporary;
    drop(store);
    raw::drop_family(folder.path(), "transcripts");
    let reader = Reader::open(folder.path(), options).expect("readable").expect("there");
    assert_eq!(reader.latest().expect("readable").root_hash(), root);
    assert_eq!(reader.transcripts(0, u64::MAX).expect("readable"), []);
    drop(reader);
    let again = Temporary { store: Store::open(folder.path(), options).expect("opens"), folder, options };
    assert_eq!(again.store.root_hash(), root);
    again.commit(2, changes([("a", Some("2"))]));
}
