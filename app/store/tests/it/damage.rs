//! A damaged database is refused, at opening or at the first read of what is damaged, and never answers wrongly.

use std::{fs, path::Path};

use bytes::Bytes;
use swing_core::state::{Changes, StateError, StateRead};
use swing_store::{Pruning, Store, StoreError, StoreOptions};

use crate::support::{Temporary, raw};

fn key(n: u32) -> Vec<u8> {
    format!("bank/{n}").into_bytes()
}

fn all(value: &'static str) -> Changes {
    (0..300).map(|n| (key(n), Some(Bytes::from(value)))).collect()
}

/// A closed store of 300 keys; its folder and what overwriting them all must give.
fn closed() -> (tempfile::TempDir, [u8; 32]) {
    let temporary = Temporary::new(Pruning::Default);
    temporary.commit(1, all("1"));
    let expected = temporary.store.stage(2, all("2")).expect("staged").root_hash();
    let Temporary { store, folder, .. } = temporary;
    drop(store);
    (folder, expected)
}

fn open(folder: &Path) -> Result<Store, StoreError> {
    Store::open(folder, StoreOptions { block_cache_bytes: 8 << 20, ..StoreOptions::default() })
}

#[test]
fn a_changed_byte_of_any_tree_node_is_an_error_and_never_another_root() {
    let (folder, expected) = closed();
    let nodes = raw::rows(&raw::open(folder.path()), "nodes");
    assert!(nodes.len() > 15);
    for (row, (node_key, node)) in nodes.iter().enumerate() {
        // Another place in each node, all parts of the encoding among them.
        let place = (row * 37) % node.len();
        let mut damaged = node.clone();
        damaged[place] ^= 0x10;
        raw::put(&raw::open(folder.path()), "nodes", node_key, &damaged);
        let outcome = open(folder.path()).and_then(|store| store.stage(2, all("2")));
        let error = outcome.map(|staged| staged.root_hash()).expect_err("damage is seen");
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        raw::put(&raw::open(folder.path()), "nodes", node_key, node);
    }
    let root = open(folder.path()).and_then(|store| store.stage(2, all("2"))).map(|staged| staged.root_hash());
    assert_eq!(root.ok(), Some(expected), "with all bytes put back");
}

#[test]
fn a_missing_tree_node_is_an_error() {
    let (folder, _) = closed();
    let nodes = raw::rows(&raw::open(folder.path()), "nodes");
    let (last, _) = nodes.last().expect("there are nodes");
    raw::delete(&raw::open(folder.path()), "nodes", last);
    let error = open(folder.path()).and_then(|store| store.stage(2, all("2"))).map(|_| ()).expect_err("seen");
    assert!(error.to_string().contains("is missing"), "{error}");
}

#[test]
fn a_changed_value_is_not_proved() {
    let (folder, _) = closed();
    let record = [&1u64.to_be_bytes()[..], b"forged"].concat();
    raw::put(&raw::open(folder.path()), "latest", &key(5), &record);
    let store = open(folder.path()).expect("the tree is whole");
    let error = store.latest().prove(&key(5)).map(|_| ()).expect_err("no proof");
    assert!(error.to_string().contains("is not the one in the tree"), "{error}");
}

#[test]
fn a_record_that_is_too_short_is_an_error_for_gets_and_ranges() {
    let (folder, _) = closed();
    raw::put(&raw::open(folder.path()), "latest", &key(5), b"short");
    let view = open(folder.path()).expect("opens").latest();
    assert!(matches!(view.get(&key(5)), Err(StateError::Storage(_))));
    let last = view.range(b"", None).last();
    assert!(matches!(last, Some(Err(StateError::Storage(_)))), "the range ends with the error");
}

#[test]
fn rows_that_say_where_the_store_stands_are_checked_at_opening() {
    for (family, row) in [("meta", b"head".to_vec()), ("roots", 1u64.to_be_bytes().to_vec())] {
        let (folder, _) = closed();
        let db = raw::open(folder.path());
        let rows = raw::rows(&db, family);
        let (_, whole) = rows.iter().find(|(key, _)| *key == row).expect("the row").clone();
        drop(db);
        for place in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            raw::put(&raw::open(folder.path()), family, &row, &damaged);
            let error = open(folder.path()).map(|_| ()).expect_err("damage is seen");
            assert!(matches!(error, StoreError::Corrupt { .. }), "{family}, byte {place}: {error}");
        }
        raw::delete(&raw::open(folder.path()), family, &row);
        assert!(matches!(open(folder.path()), Err(StoreError::Corrupt { .. })), "{family} without the row");
    }
}

#[test]
fn a_format_of_another_release_is_named_even_when_it_has_other_families() {
    let (folder, _) = closed();
    raw::put(&raw::open(folder.path()), "meta", b"format", &7u32.to_be_bytes());
    raw::add_family(folder.path(), "future");
    let error = open(folder.path()).map(|_| ()).expect_err("unknown");
    assert!(matches!(error, StoreError::UnknownFormat { found: 7, supported: 1, .. }), "{error}");
}

#[test]
fn lost_files_do_not_turn_into_an_empty_chain() {
    let (folder, _) = closed();
    fs::remove_file(folder.path().join("CURRENT")).expect("removed");
    let error = open(folder.path()).map(|_| ()).expect_err("seen");
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[test]
fn a_log_damaged_in_its_middle_does_not_bring_back_an_older_version() {
    let temporary = Temporary::new(Pruning::Default);
    for version in 1..=6 {
        temporary.commit(version, all(if version % 2 == 0 { "even" } else { "odd" }));
    }
    let Temporary { store, folder, .. } = temporary;
    let log = fs::read_dir(folder.path())
        .expect("read")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .max_by_key(|path| fs::metadata(path).map_or(0, |meta| meta.len()))
        .expect("a log");
    // As a crash leaves it: the log is copied while the store is open, so that closing does not empty it.
    let mut bytes = fs::read(&log).expect("read");
    drop(store);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    let copy = tempfile::tempdir().expect("a temporary folder");
    for entry in fs::read_dir(folder.path()).expect("read") {
        let path = entry.expect("entry").path();
        fs::copy(&path, copy.path().join(path.file_name().expect("named"))).expect("copied");
    }
    fs::write(copy.path().join(log.file_name().expect("named")), &bytes).expect("written");
    let error = open(copy.path()).map(|store| store.version()).expect_err("an older version came back");
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}
