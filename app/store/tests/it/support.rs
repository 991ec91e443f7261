//! What the tests share: temporary stores, changes, and a plain model of all versions.

use std::collections::BTreeMap;

use bytes::Bytes;
use swing_core::state::{Changes, StateRead};
use swing_store::{Pruning, Store, StoreOptions, View};

/// A model of one version.
pub type Model = BTreeMap<Vec<u8>, Bytes>;

/// A store in a folder that goes with it.
pub struct Temporary {
    pub store: Store,
    pub folder: tempfile::TempDir,
    pub options: StoreOptions,
}

impl Temporary {
    pub fn new(pruning: Pruning) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = StoreOptions { block_cache_bytes: 8 << 20, ..StoreOptions::with_pruning(pruning) };
        Temporary { store: Store::open(folder.path(), options).expect("a new store"), folder, options }
    }

    /// Closes the store and opens it again.
    pub fn reopen(self) -> Self {
        let Temporary { store, folder, options } = self;
        drop(store);
        Temporary { store: Store::open(folder.path(), options).expect("the store opens again"), folder, options }
    }

    /// Stages and commits; says the new root.
    #[track_caller]
    pub fn commit(&self, version: u64, changes: Changes) -> [u8; 32] {
        let staged = self.store.stage(version, changes).expect("staged");
        let root = staged.root_hash();
        self.store.commit(staged).expect("committed");
        assert_eq!((self.store.version(), self.store.root_hash()), (version, root));
        root
    }
}

/// Changes from text: `("a", "1")` writes, `("a", None)` deletes.
pub fn changes<const N: usize>(list: [(&str, Option<&str>); N]) -> Changes {
    let owned = |value: Option<&str>| value.map(|value| Bytes::copy_from_slice(value.as_bytes()));
    list.into_iter().map(|(key, value)| (key.as_bytes().to_vec(), owned(value))).collect()
}

/// Applies changes to a model.
pub fn apply(model: &mut Model, changes: &Changes) {
    for (key, value) in changes {
        match value {
            Some(value) => model.insert(key.clone(), value.clone()),
            None => model.remove(key),
        };
    }
}

/// Asserts that a view holds exactly what the model does, by range and by key.
#[track_caller]
pub fn assert_holds(view: &View, model: &Model) {
    let range: Result<Model, _> = view.range(b"", None).collect();
    assert_eq!(range.as_ref(), Ok(model), "by range, at version {}", view.version());
    for (key, value) in model {
        assert_eq!(view.get(key), Ok(Some(value.clone())), "by key, at version {}", view.version());
    }
}

/// The database behind the store's back: the store must be closed.
pub mod raw {
    use std::path::Path;

    use rocksdb::{DB, IteratorMode, Options};

    pub const FAMILIES: [&str; 8] = ["latest", "history", "nodes", "roots", "stale", "keys", "transcripts", "meta"];

    pub fn open(folder: &Path) -> DB {
        DB::open_cf(&Options::default(), folder, FAMILIES).expect("RocksDB opens")
    }

    pub fn rows(db: &DB, family: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let handle = db.cf_handle(family).expect("the family");
        let rows = db.iterator_cf(handle, IteratorMode::Start);
        rows.map(|row| row.map(|(key, value)| (key.into_vec(), value.into_vec())).expect("a row")).collect()
    }

    pub fn put(db: &DB, family: &str, key: &[u8], value: &[u8]) {
        db.put_cf(db.cf_handle(family).expect("the family"), key, value).expect("written");
    }

    pub fn delete(db: &DB, family: &str, key: &[u8]) {
        db.delete_cf(db.cf_handle(family).expect("the family"), key).expect("deleted");
    }

    pub fn drop_family(folder: &Path, name: &str) {
        open(folder).drop_cf(name).expect("dropped");
    }

    pub fn add_family(folder: &Path, name: &str) {
        let mut db = open(folder);
        db.create_cf(name, &Options::default()).expect("made");
    }
}
