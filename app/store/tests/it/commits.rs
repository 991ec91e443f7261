//! Staging, committing, reopening.

use bytes::Bytes;
use swing_core::state::{Changes, StateRead};
use swing_store::{Pruning, Store, StoreError, StoreOptions, tree::PLACEHOLDER};

use crate::support::{Model, Temporary, apply, assert_holds, changes};

#[test]
fn an_empty_store_is_version_0_with_the_empty_root_and_begins_at_any_height() {
    let temporary = Temporary::new(Pruning::Default);
    assert_eq!((temporary.store.version(), temporary.store.root_hash()), (0, PLACEHOLDER));
    assert_holds(&temporary.store.latest(), &Model::new());
    temporary.commit(1_000, changes([("a", Some("1"))]));
    let error = temporary.store.stage(1_002, Changes::new()).map(|_| ()).expect_err("a gap");
    assert_eq!(error.to_string(), "version 1002 cannot be staged on version 1000: the next is 1001");
    assert!(temporary.store.at(999).is_err_and(|error| error.to_string().contains("1000 to 1000")));
}

#[test]
fn what_is_committed_is_there_after_reopening_and_what_is_only_staged_is_not() {
    let temporary = Temporary::new(Pruning::Default);
    let block = changes([("a", Some("1")), ("b", Some("2")), ("~page", Some("bytes")), ("empty", Some(""))]);
    let root = temporary.commit(1, block.clone());
    let staged = temporary.store.stage(2, changes([("a", None), ("c", Some("3"))])).expect("staged");
    assert_ne!(staged.root_hash(), root);
    drop(staged);
    let mut model = Model::new();
    apply(&mut model, &block);
    let temporary = temporary.reopen();
    assert_eq!((temporary.store.version(), temporary.store.root_hash()), (1, root));
    assert_holds(&temporary.store.latest(), &model);
    assert_eq!(temporary.store.latest().get(b"empty"), Ok(Some(Bytes::new())), "empty is not absent");
    assert_eq!(temporary.store.latest().get(b"c"), Ok(None));
}

#[test]
fn a_block_without_changes_and_one_that_writes_what_is_there_keep_the_root() {
    let temporary = Temporary::new(Pruning::Default);
    let root = temporary.commit(1, changes([("a", Some("1")), ("b", Some("2"))]));
    assert_eq!(temporary.commit(2, Changes::new()), root);
    assert_eq!(temporary.commit(3, changes([("a", Some("1")), ("absent", None)])), root);
    assert_eq!(temporary.reopen().store.root_hash(), root);
}

#[test]
fn unhashed_keys_are_versioned_but_leave_the_root_alone() {
    let temporary = Temporary::new(Pruning::Default);
    let root = temporary.commit(1, changes([("a", Some("1"))]));
    assert_eq!(temporary.commit(2, changes([("~x", Some("1"))])), root);
    assert_eq!(temporary.commit(3, changes([("~x", Some("2"))])), root);
    let at = |version| temporary.store.at(version).expect("kept").get(b"~x");
    assert_eq!([at(1), at(2), at(3)], [Ok(None), Ok(Some("1".into())), Ok(Some("2".into()))]);
}

#[test]
fn a_stage_is_refused_once_something_else_was_committed() {
    let temporary = Temporary::new(Pruning::Default);
    let first = temporary.store.stage(1, changes([("a", Some("1"))])).expect("staged");
    let second = temporary.store.stage(1, changes([("a", Some("2"))])).expect("staged");
    temporary.store.commit(first).expect("committed");
    let error = temporary.store.commit(second).expect_err("stale");
    assert!(matches!(error, StoreError::StaleBase { base: 0, committed: 1 }), "{error}");
    assert_eq!(temporary.store.latest().get(b"a"), Ok(Some("1".into())));
    temporary.commit(2, changes([("a", Some("3"))]));
}

#[test]
fn metadata_is_committed_with_its_block_and_not_before() {
    let temporary = Temporary::new(Pruning::Default);
    let mut staged = temporary.store.stage(1, Changes::new()).expect("staged");
    staged.put_meta("last-block", "one");
    assert_eq!(temporary.store.meta(b"last-block").expect("read"), None);
    temporary.store.commit(staged).expect("committed");
    let temporary = temporary.reopen();
    assert_eq!(temporary.store.meta(b"last-block").expect("read"), Some(b"one".to_vec()));
    assert_eq!(temporary.store.meta(b"head").expect("read"), None, "the store's own rows are out of reach");
}

#[test]
fn an_empty_key_and_a_version_0_are_refused() {
    let temporary = Temporary::new(Pruning::Default);
    let empty = Changes::from([(Vec::new(), Some(Bytes::new()))]);
    assert!(matches!(temporary.store.stage(1, empty), Err(StoreError::EmptyKey)));
    assert!(matches!(temporary.store.stage(0, Changes::new()), Err(StoreError::OutOfOrder { .. })));
}

#[test]
fn a_second_opening_of_the_same_folder_is_refused_while_the_first_lives() {
    let temporary = Temporary::new(Pruning::Default);
    let second = Store::open(temporary.folder.path(), StoreOptions::default());
    assert!(matches!(second, Err(StoreError::Locked { .. })), "{second:?}");
    temporary.reopen();
}
