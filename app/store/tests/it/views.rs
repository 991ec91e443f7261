//! Views of many versions, old and new, while commits go on.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use bytes::Bytes;
use swing_core::state::{Changes, StateRead};
use swing_store::{Pruning, StoreError, View};

use crate::{
    blocks::block,
    support::{Model, Temporary, apply, assert_holds},
};

#[test]
fn every_kept_version_reads_as_it_was_by_key_and_by_range() {
    let mut temporary = Temporary::new(Pruning::Nothing);
    let mut models = vec![Model::new()];
    let held: Vec<View> = (1..=60)
        .map(|version| {
            temporary.commit(version, block(version));
            let mut model = models.last().cloned().unwrap_or_default();
            apply(&mut model, &block(version));
            models.push(model);
            temporary.store.latest()
        })
        .collect();
    for (view, model) in held.iter().zip(models.iter().skip(1)) {
        assert_holds(view, model);
    }
    drop(held);
    temporary = temporary.reopen();
    for (version, model) in (0u64..).zip(&models).skip(1) {
        let view = temporary.store.at(version).expect("kept");
        assert_holds(&view, model);
        let part: Result<Model, _> = view.range(b"bank/2", Some(b"bank/35")).collect();
        let expected = model.range(b"bank/2".to_vec()..b"bank/35".to_vec());
        assert_eq!(part, Ok(expected.map(|(key, value)| (key.clone(), value.clone())).collect()));
        for absent in ["bank/400", "a", "~", "zzz"] {
            assert_eq!(view.get(absent.as_bytes()), Ok(None));
        }
        for key in (0..400).map(|n| format!("bank/{n}").into_bytes()) {
            assert_eq!(view.get(&key), Ok(model.get(&key).cloned()));
        }
    }
}

#[test]
fn ranges_of_keys_with_zero_bytes_and_empty_bounds_come_in_byte_order_for_old_versions_too() {
    let temporary = Temporary::new(Pruning::Nothing);
    let keys: [&[u8]; 8] = [b"\0", b"\0\0", b"\0\x01", b"a", b"a\0", b"a\0\x01", b"a\x01", b"\xff\xff"];
    let all = |value: Option<&'static str>| -> Changes {
        keys.iter().map(|key| (key.to_vec(), value.map(Bytes::from))).collect()
    };
    temporary.commit(1, all(Some("1")));
    temporary.commit(2, all(None));
    temporary.commit(3, all(Some("3")));
    for (version, expected) in [(1, keys.to_vec()), (2, Vec::new()), (3, keys.to_vec())] {
        let view = temporary.store.at(version).expect("kept");
        let found: Result<Vec<_>, _> = view.range(b"", None).map(|entry| entry.map(|(key, _)| key)).collect();
        assert_eq!(found, Ok(expected.iter().map(|key| key.to_vec()).collect()), "at {version}");
        let in_a: Vec<_> = view.prefix(b"a").collect();
        assert_eq!(in_a.len(), if version == 2 { 0 } else { 4 }, "at {version}");
        assert_eq!(view.range(b"b", Some(b"b")).count() + view.range(b"b", Some(b"a")).count(), 0);
    }
}

#[test]
fn a_view_is_whole_while_its_version_would_be_pruned_and_then_the_version_goes() {
    let temporary = Temporary::new(Pruning::Everything);
    let mut model = Model::new();
    for version in 1..=5 {
        temporary.commit(version, block(version));
        apply(&mut model, &block(version));
    }
    let view = temporary.store.latest();
    let clone = view.clone();
    for version in 6..=30 {
        temporary.commit(version, block(version));
    }
    assert_holds(&view, &model);
    drop(view);
    assert_holds(&clone, &model);
    assert_eq!(temporary.store.at(5).map(|view| view.root_hash()).ok(), Some(clone.root_hash()));
    drop(clone);
    temporary.commit(31, block(31));
    let error = temporary.store.at(5).map(|_| ()).expect_err("pruned");
    assert!(matches!(error, StoreError::NotKept { version: 5, oldest: 30, latest: 31 }), "{error}");
    assert_eq!(error.to_string(), "version 5 is not kept: this node has versions 30 to 31");
}

/// A token that is at one of 50 keys, moved by each block: the one before is deleted, the next is made.
fn move_token(version: u64) -> Changes {
    let key = |version: u64| format!("token/{:02}", version % 50).into_bytes();
    let mut changes = Changes::from([(key(version), Some(Bytes::from(version.to_string())))]);
    if let Some(before) = version.checked_sub(1) {
        changes.insert(key(before), None);
    }
    changes.insert(b"height".to_vec(), Some(Bytes::from(version.to_string())));
    changes
}

#[track_caller]
fn assert_one_token(view: &View) {
    let version = view.version();
    let text = Bytes::from(version.to_string());
    assert_eq!(view.get(b"height"), Ok(Some(text.clone())));
    let tokens: Result<Vec<_>, _> = view.prefix(b"token/").collect();
    let expected = format!("token/{:02}", version % 50).into_bytes();
    assert_eq!(tokens, Ok(vec![(expected.clone(), text)]), "by range, at {version}");
    for key in (0..50).map(|n| format!("token/{n:02}").into_bytes()) {
        assert_eq!(view.get(&key).map(|value| value.is_some()), Ok(key == expected), "by key, at {version}");
    }
}

#[test]
fn readers_on_other_threads_see_whole_versions_while_blocks_are_committed() {
    let temporary = Temporary::new(Pruning::Everything);
    temporary.commit(1, move_token(1));
    let (store, done) = (&temporary.store, &AtomicBool::new(false));
    thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(move || {
                    let mut seen = 0u64;
                    while !done.load(Ordering::SeqCst) || seen == 0 {
                        let view = store.latest();
                        assert_one_token(&view);
                        // Once more: a commit may have come between.
                        assert_one_token(&view);
                        seen += 1;
                    }
                    seen
                })
            })
            .collect();
        for version in 2..400 {
            temporary.commit(version, move_token(version));
        }
        done.store(true, Ordering::SeqCst);
        for reader in readers {
            assert!(reader.join().expect("a reader saw a torn version") > 0);
        }
    });
}

#[test]
fn a_view_from_before_the_first_block_stays_empty() {
    let temporary = Temporary::new(Pruning::Default);
    let empty = temporary.store.latest();
    temporary.commit(7, block(7));
    assert_holds(&empty, &Model::new());
    assert_eq!(empty.get(block(7).keys().next().expect("not empty")), Ok(None));
}
