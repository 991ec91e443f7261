//! Making, listing, serving and removing snapshots.

use std::fs;

use bytes::Bytes;
use swing_core::state::Changes;
use swing_store::{
    Pruning, Store, StoreError,
    snapshot::{About, FORMAT, SnapshotError, Snapshots},
};

use super::{about, snapshots, source};
use crate::{
    blocks::block,
    support::{Temporary, raw},
};

#[test]
fn blocks_go_on_while_a_snapshot_is_made_and_its_version_is_not_pruned_before_it_is() {
    let (temporary, _) = source(9);
    let (_folder, snapshots) = snapshots();
    let expected = {
        let (_folder, others) = super::snapshots();
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
