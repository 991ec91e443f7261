//! Checkpoints on real databases: what they hold, what is found out about a damaged one, how one is put back, and what a kill
//! leaves.

use std::{
    fs,
    path::{Path, PathBuf},
};

use swing_store::{
    Pruning, Store, StoreError,
    checkpoint::{CheckpointError, Checkpoints, Label, Manifest, Prepared},
};

use crate::{
    blocks::block,
    crash::run_and_kill,
    support::{Model, Temporary, apply, assert_holds},
};

fn label(created_by_height: u64) -> Label {
    Label { chain_id: "test-1".to_owned(), app_version: 1, release: "version-1".to_owned(), created_by_height }
}

/// A store with blocks 1 to `version`, the model of its state, and a folder for checkpoints.
fn store(version: u64) -> (Temporary, Model, tempfile::TempDir, Checkpoints) {
    let temporary = Temporary::new(Pruning::Everything);
    let mut model = Model::new();
    for at in 1..=version {
        temporary.commit(at, block(at));
        apply(&mut model, &block(at));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let checkpoints = Checkpoints::new(folder.path().join("checkpoints"));
    (temporary, model, folder, checkpoints)
}

fn ids(checkpoints: &Checkpoints) -> Vec<String> {
    let list = checkpoints.list().expect("listed");
    list.into_iter().map(|manifest| manifest.expect("whole").id).collect()
}

#[test]
fn a_checkpoint_holds_its_version_whatever_is_committed_and_pruned_afterwards() {
    let (temporary, model, _folder, checkpoints) = store(7);
    let root = temporary.store.root_hash();
    let manifest = temporary.store.checkpoint(&checkpoints, label(8)).expect("made");
    assert_eq!((manifest.id.as_str(), manifest.height, &manifest.label), ("7-1", 7, &label(8)));
    for at in 8..30 {
        temporary.commit(at, block(at));
        temporary.store.flush_ahead().expect("flushed");
    }
    let view = checkpoints.view("7-1").expect("opens");
    assert_eq!((view.version(), view.root_hash()), (7, root));
    assert_holds(&view, &model);
    let verified = checkpoints.verify("7-1").expect("whole");
    assert_eq!(verified.keys, model.keys().filter(|key| !key.starts_with(b"~")).count() as u64);
    assert!(verified.rows > verified.keys);
}

#[test]
fn a_database_with_no_block_and_an_unknown_id_are_told() {
    let (temporary, _, _folder, checkpoints) = store(0);
    assert!(matches!(temporary.store.checkpoint(&checkpoints, label(1)), Err(CheckpointError::Empty)));
    assert!(checkpoints.list().expect("no folder is no error").is_empty());
    for id in ["1-1", "../1-1", ""] {
        let error = checkpoints.find(id).expect_err("there is none").to_string();
        assert!(error.contains(&format!("no checkpoint {id}")), "{error}");
    }
}

#[test]
fn only_the_newest_are_kept_and_no_name_is_used_twice() {
    let (temporary, _, _folder, checkpoints) = store(3);
    for _ in 0..3 {
        temporary.store.checkpoint(&checkpoints, label(4)).expect("made");
    }
    assert_eq!(checkpoints.prune(2).expect("pruned"), ["3-1"]);
    temporary.commit(4, block(4));
    temporary.store.checkpoint(&checkpoints, label(5)).expect("made");
    assert_eq!(ids(&checkpoints), ["3-2", "3-3", "4-4"]);
    assert_eq!(checkpoints.prune(1).expect("pruned"), ["3-2", "3-3"]);
    assert_eq!(checkpoints.prune(1).expect("nothing to do"), [""; 0]);
    temporary.store.checkpoint(&checkpoints, label(5)).expect("made");
    assert_eq!(ids(&checkpoints), ["4-4", "4-5"]);
}

#[test]
fn another_filesystem_is_named_before_anything_is_made() {
    let (temporary, _, _folder, _) = store(1);
    let device = |path: &Path| std::os::unix::fs::MetadataExt::dev(&fs::metadata(path).expect("there"));
    let elsewhere = tempfile::tempdir_in("/dev/shm").expect("Linux has a filesystem in memory");
    assert_ne!(device(elsewhere.path()), device(temporary.folder.path()), "temporary folders are on /dev/shm here");
    let checkpoints = Checkpoints::new(elsewhere.path().join("checkpoints"));
    let error = temporary.store.checkpoint(&checkpoints, label(2)).expect_err("no links");
    assert!(matches!(error, CheckpointError::OtherFilesystem { .. }), "{error}");
    assert_eq!(fs::read_dir(checkpoints.folder()).expect("the folder").count(), 0);
}

/// Gives the path of the file of this extension in a checkpoint's database that is the longest.
fn file(checkpoints: &Checkpoints, id: &str, extension: &str) -> PathBuf {
    let database = checkpoints.folder().join(id).join("application.db");
    fs::read_dir(database)
        .expect("read")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .max_by_key(|path| fs::metadata(path).map_or(0, |meta| meta.len()))
        .expect("there is one")
}

#[test]
fn a_changed_byte_anywhere_in_a_table_is_found_by_the_full_verification() {
    let (temporary, _, _folder, checkpoints) = store(6);
    drop(temporary.reopen().store.checkpoint(&checkpoints, label(7)).expect("made"));
    let table = file(&checkpoints, "6-1", "sst");
    let whole = fs::read(&table).expect("read");
    checkpoints.verify("6-1").expect("whole");
    // The footer and what it leads to are read when a table is opened, blocks when they are scanned.
    for place in (0..whole.len() * 3 / 4).step_by(whole.len() / 9) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x10;
        // A new file: the old one is the live database's too.
        fs::remove_file(&table).expect("removed");
        fs::write(&table, &damaged).expect("written");
        let error = checkpoints.verify("6-1").expect_err("damage is seen");
        assert!(matches!(error, CheckpointError::Store(StoreError::Corrupt { .. })), "byte {place}: {error}");
    }
    fs::remove_file(&table).expect("removed");
    fs::write(&table, &whole).expect("written");
    checkpoints.verify("6-1").expect("whole again");
}

#[test]
fn a_manifest_of_another_state_is_found_when_the_checkpoint_is_opened() {
    let (temporary, _, _folder, checkpoints) = store(6);
    temporary.store.checkpoint(&checkpoints, label(7)).expect("made");
    temporary.commit(7, block(7));
    temporary.store.checkpoint(&checkpoints, label(8)).expect("made");
    let [six, seven] = ["6-1", "7-2"].map(|id| checkpoints.folder().join(id).join("application.db"));
    fs::rename(&six, checkpoints.folder().join("x")).expect("moved");
    fs::rename(&seven, &six).expect("moved");
    let error = checkpoints.view("6-1").map(|_| ()).expect_err("seen");
    assert!(matches!(error, CheckpointError::Mismatch { what: "height", .. }), "{error}");
    assert!(checkpoints.view("7-2").is_err(), "it has no database");
}

#[test]
fn a_restored_checkpoint_goes_on_as_if_the_blocks_after_it_had_never_been() {
    let (temporary, mut model, _folder, checkpoints) = store(5);
    temporary.store.checkpoint(&checkpoints, label(6)).expect("made");
    let expected: Vec<_> = (6..12).map(|at| temporary.commit(at, block(at))).collect();
    let Temporary { store, folder, options } = temporary;
    let database = folder.path().join("moved");
    drop(store);
    // The store is in the temporary folder itself; what is exchanged must have a folder above it.
    fs::create_dir(&database).expect("made");
    for entry in fs::read_dir(folder.path()).expect("read") {
        let path = entry.expect("entry").path();
        if path.is_file() {
            fs::rename(&path, database.join(path.file_name().expect("named"))).expect("moved");
        }
    }
    for _ in 0..2 {
        let restored = checkpoints.prepare("5-1", &database).and_then(Prepared::put_in_place).expect("restored");
        assert_eq!(restored.manifest.height, 5);
        let replaced = restored.replaced.clone().expect("there was one");
        assert!(
            matches!(Store::open(&database, options), Err(StoreError::Locked { .. })),
            "while it is being restored"
        );
        drop(restored);
        assert_eq!(Store::open(&replaced, options).expect("opens").version(), 11, "what was replaced is kept");
        let store = Store::open(&database, options).expect("opens");
        assert_holds(&store.latest(), &model);
        let again: Vec<_> = (6..12)
            .map(|at| {
                store.commit(store.stage(at, block(at)).expect("staged")).expect("committed");
                store.root_hash()
            })
            .collect();
        assert_eq!(again, expected);
        drop(store);
        checkpoints.verify("5-1").expect("the checkpoint is untouched");
    }
    (6..12).for_each(|at| apply(&mut model, &block(at)));
    assert_holds(&Store::open(&database, options).expect("opens").latest(), &model);
}

#[test]
fn nothing_is_restored_under_an_open_store() {
    let (temporary, _, _folder, checkpoints) = store(2);
    temporary.store.checkpoint(&checkpoints, label(3)).expect("made");
    temporary.commit(3, block(3));
    let error = checkpoints.prepare("2-1", temporary.folder.path()).map(|_| ()).expect_err("in use");
    assert!(matches!(error, CheckpointError::Store(StoreError::Locked { .. })), "{error}");
    assert_eq!(temporary.reopen().store.version(), 3);
}

#[test]
fn a_lost_database_is_restored_into_its_empty_place() {
    let (temporary, model, folder, checkpoints) = store(2);
    temporary.store.checkpoint(&checkpoints, label(3)).expect("made");
    let options = temporary.options;
    let place = folder.path().join("application.db");
    assert_eq!(checkpoints.prepare("2-1", &place).and_then(Prepared::put_in_place).expect("restored").replaced, None);
    assert_holds(&Store::open(&place, options).expect("opens").latest(), &model);
}

#[test]
fn after_a_kill_every_checkpoint_that_is_listed_is_whole_and_the_next_one_is_made() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [database, checkpoints] = ["application.db", "checkpoints"].map(|name| folder.path().join(name));
    let mut seen = 0;
    // Four lines a block after "opened": the third is "checkpointing", after which the kill falls into the making.
    for steps in [4, 4, 8, 12, 5, 4, 8] {
        run_and_kill(&[&database, &checkpoints], steps);
        let checkpoints = Checkpoints::new(&checkpoints);
        for manifest in checkpoints.list().expect("listed") {
            let Manifest { id, .. } = manifest.expect("whole");
            checkpoints.verify(&id).expect("whole");
            seen += 1;
        }
    }
    assert!(seen > 3, "{seen} checkpoints were seen");
    let checkpoints = Checkpoints::new(checkpoints);
    let options = swing_store::StoreOptions::with_pruning(Pruning::Everything);
    let store = Store::open(&database, options).expect("opens");
    let made = store.checkpoint(&checkpoints, label(store.version() + 1)).expect("made");
    checkpoints.verify(&made.id).expect("whole");
    let unfinished = fs::read_dir(checkpoints.folder())
        .expect("read")
        .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with('.')));
    assert_eq!(unfinished.count(), 0, "what the kills left is gone");
}
