//! What pruning keeps and what it removes, by the rows that are left in the database.

use std::collections::BTreeMap;

use bytes::Bytes;
use swing_core::state::Changes;
use swing_store::{Pruning, Store, StoreOptions};

use crate::{
    blocks::block,
    support::{Model, Temporary, apply, assert_holds, raw},
};

/// Rows in each column family. The store is closed and opened again.
fn rows(temporary: Temporary) -> (Temporary, BTreeMap<&'static str, usize>) {
    let Temporary { store, folder, options } = temporary;
    drop(store);
    let counts = {
        let db = raw::open(folder.path());
        raw::FAMILIES.map(|family| (family, raw::rows(&db, family).len())).into()
    };
    let store = Store::open(folder.path(), options).expect("opens again");
    (Temporary { store, folder, options }, counts)
}

fn everything_deleted(model: &Model) -> Changes {
    model.keys().map(|key| (key.clone(), None)).collect()
}

#[test]
fn long_churn_leaves_only_what_two_versions_need_and_deletion_leaves_nothing() {
    let temporary = Temporary::new(Pruning::Everything);
    let mut model = Model::new();
    for version in 1..=120 {
        temporary.commit(version, block(version));
        apply(&mut model, &block(version));
    }
    assert_holds(&temporary.store.latest(), &model);
    let (temporary, counts) = rows(temporary);
    let hashed = model.keys().filter(|key| key.first() != Some(&b'~')).count();
    assert_eq!(counts["latest"], model.len());
    assert_eq!(counts["roots"], 2);
    assert!(counts["history"] <= 60, "of one version's changes: {counts:?}");
    assert!((hashed..=hashed + 60).contains(&counts["keys"]), "{counts:?}");
    assert!(counts["nodes"] < 2 * hashed, "{counts:?}");

    temporary.commit(121, everything_deleted(&model));
    for version in 122..=124 {
        temporary.commit(version, Changes::new());
    }
    let (_, counts) = rows(temporary);
    let left: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(left, [("meta", 2), ("roots", 2)], "the format, the committed version and two empty roots");
}

#[test]
fn the_default_keeps_a_hundred_versions() {
    let temporary = Temporary::new(Pruning::Default);
    for version in 1..=130 {
        temporary.commit(version, block(version));
    }
    assert_eq!(temporary.store.oldest(), 31);
    assert!(temporary.store.at(31).is_ok());
    assert!(temporary.store.at(30).is_err());
    let (_, counts) = rows(temporary);
    assert_eq!(counts["roots"], 100);
}

#[test]
fn custom_pruning_removes_at_its_interval() {
    let temporary = Temporary::new(Pruning::Custom { keep_recent: 3, interval: 10 });
    let mut oldest = Vec::new();
    for version in 1..=31 {
        temporary.commit(version, block(version));
        oldest.push(temporary.store.oldest());
    }
    assert_eq!(oldest.iter().filter(|at| **at == 1).count(), 9);
    assert_eq!((oldest[9], oldest[18], oldest[19], oldest[30]), (8, 8, 18, 28));
}

#[test]
fn a_large_backlog_is_worked_off_in_bounded_steps_while_blocks_go_on() {
    let wide = |version: u64| -> Changes {
        (0..3_000u64).map(|n| (format!("k/{n}").into_bytes(), Some(Bytes::from(version.to_string())))).collect()
    };
    let Temporary { store, folder, options } = Temporary::new(Pruning::Nothing);
    for version in 1..=12 {
        store.commit(store.stage(version, wide(version)).expect("staged")).expect("committed");
    }
    drop(store);
    let options = StoreOptions { pruning: Pruning::Everything, ..options };
    let mut temporary = Temporary { store: Store::open(folder.path(), options).expect("opens"), folder, options };
    let mut history = Vec::new();
    for version in 13..=30 {
        temporary.commit(version, Changes::new());
        assert_eq!(temporary.store.oldest(), version - 1, "what is to be removed cannot be read any more");
        let counts;
        (temporary, counts) = rows(temporary);
        history.push(counts["history"] + counts["nodes"]);
    }
    assert!(history[0] > history[1] && history[1] > history[2], "in steps: {history:?}");
    let removed: Vec<usize> = history.windows(2).map(|pair| pair[0] - pair[1]).collect();
    assert!(removed.iter().all(|count| *count < 8_000), "none too long: {removed:?}");
    let (temporary, counts) = rows(temporary);
    assert_eq!((counts["history"], counts["stale"], counts["roots"]), (0, 0, 2));
    let model: Model = wide(12).into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    assert_holds(&temporary.store.latest(), &model);
}

#[test]
fn the_floor_holds_versions_back_until_it_is_lifted() {
    let temporary = Temporary::new(Pruning::Everything);
    let mut model = Model::new();
    for version in 1..=4 {
        temporary.commit(version, block(version));
        apply(&mut model, &block(version));
    }
    temporary.store.set_prune_floor(Some(4));
    for version in 5..=20 {
        temporary.commit(version, block(version));
    }
    assert_eq!(temporary.store.oldest(), 4);
    assert_holds(&temporary.store.at(4).expect("held by the floor"), &model);
    temporary.store.set_prune_floor(None);
    temporary.commit(21, block(21));
    assert_eq!(temporary.store.oldest(), 20);
}
