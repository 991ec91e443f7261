//! The store: one writer, any number of views.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use rocksdb::DBPinnableSlice;
use swing_core::state::Changes;
use swing_files::{Disk, Files};

use crate::{
    Reader, Staged, StoreError, StoreOptions, View,
    db::{self, Column, Database, NodeCache, Nodes, Record, Values},
    head::{HEAD_KEY, Head, load_root},
    options::Pruning,
    prune::{Pruner, budget},
    snapshot, transcripts,
    tree::{Child, Hash, InternalNode, NibblePath, NodeKey, NodeReader},
    view::split,
    window::Window,
};

/// In front of the node's own rows in `Meta`.
const META_PREFIX: &[u8] = b"m/";

/// The database, open. One consensus thread stages and commits; [`View`]s go anywhere.
#[derive(Debug)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
    pruning: Pruning,
    transcript_bytes_max: u64,
    /// Whether a commit has failed; its lock makes commits follow one another.
    pub(crate) failed: Mutex<bool>,
}

/// What views share with the store.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) db: Database,
    pub(crate) nodes: NodeCache,
    pub(crate) values: Values,
    pub(crate) head: RwLock<Head>,
    pub(crate) window: Arc<Window>,
    /// A snapshot is being restored: the rows that there are belong to no version yet.
    pub(crate) restoring: AtomicBool,
}

impl Shared {
    /// Around a database whose committed version is `head`.
    pub(crate) fn new(db: Database, head: Head, options: &StoreOptions) -> Self {
        Shared {
            db,
            nodes: NodeCache::new(options.node_cache_bytes),
            values: Values::new(options.value_cache_bytes, head.version),
            window: Window::new(head.oldest),
            head: RwLock::new(head),
            restoring: AtomicBool::new(false),
        }
    }

    pub(crate) fn nodes(&self) -> Nodes<'_> {
        Nodes { db: &self.db, cache: &self.nodes }
    }

    /// The committed record of a key, from RocksDB.
    pub(crate) fn latest(&self, key: &[u8]) -> Result<Record, StoreError> {
        let Some(bytes) = self.db.get(Column::Latest, key)? else {
            return Ok(None);
        };
        let (written, value) = split(&bytes)?;
        Ok(Some((written, Bytes::copy_from_slice(value))))
    }

    /// The committed records of many keys in ascending order, from RocksDB.
    pub(crate) fn latest_sorted<'a>(&self, keys: impl Iterator<Item = &'a Vec<u8>>) -> Result<Vec<Record>, StoreError> {
        let found = self.db.get_sorted(Column::Latest, keys)?;
        let record = |bytes: DBPinnableSlice<'_>| split(&bytes).map(|(at, value)| (at, Bytes::copy_from_slice(value)));
        found.into_iter().map(|bytes| bytes.map(record).transpose()).collect()
    }

    pub(crate) fn head(&self) -> Head {
        *self.head.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A version that is written and that nobody else sees yet.
    pub(crate) fn view_unseen(self: &Arc<Self>, version: u64, root: Option<Child>) -> Result<View, StoreError> {
        let pin = self.window.pin(version, version)?;
        Ok(View::new(Arc::clone(self), version, root, pin))
    }

    /// Makes a restored version the one that all see.
    pub(crate) fn show(&self, head: Head) {
        self.window.begin(head.version);
        *self.head.write().unwrap_or_else(PoisonError::into_inner) = head;
        self.restoring.store(false, Ordering::SeqCst);
    }
}

impl Store {
    /// Opens the database in the folder `path`, or makes one there, and checks that the committed version's root is whole.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::UnknownFormat`], [`StoreError::Corrupt`], [`StoreError::BadPruning`], or the system's.
    pub fn open(path: impl AsRef<Path>, options: StoreOptions) -> Result<Store, StoreError> {
        Store::open_through(&Disk, path, options)
    }

    /// As [`Store::open`], with what is not RocksDB's own done through this port.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_through(files: &dyn Files, path: impl AsRef<Path>, options: StoreOptions) -> Result<Store, StoreError> {
        options.pruning.validate()?;
        let db = db::open(path.as_ref(), &options, files)?;
        snapshot::recover(&db)?;
        let head = Head::load(&db)?;
        let shared = Shared::new(db, head, &options);
        if let Some(Child::Internal { hash, version }) = &head.root {
            shared.nodes().node(&NodeKey { version: *version, path: NibblePath::default() }, hash)?;
        }
        Ok(Store {
            shared: Arc::new(shared),
            pruning: options.pruning,
            transcript_bytes_max: options.transcript_bytes_max,
            failed: Mutex::new(false),
        })
    }

    /// The committed version of a database that its node may have open, to read; none when there is no database. Takes no lock
    /// and writes nothing: for a status, not for a node.
    ///
    /// # Errors
    /// Those of opening and reading. While the node writes, a file can go away under the reader: another try is due then.
    pub fn peek(path: impl AsRef<Path>, options: StoreOptions) -> Result<Option<View>, StoreError> {
        Reader::open(path, options)?.map(|reader| reader.latest()).transpose()
    }

    /// The committed version: the height of the last committed block, 0 when there is none.
    pub fn version(&self) -> u64 {
        self.shared.head().version
    }

    /// The app hash of the committed version.
    pub fn root_hash(&self) -> Hash {
        self.shared.head().root_hash
    }

    /// The oldest version that can be read.
    pub fn oldest(&self) -> u64 {
        self.shared.head().oldest
    }

    /// The committed version, to read.
    pub fn latest(&self) -> View {
        loop {
            let head = self.shared.head();
            // A commit between the two lines can prune the head of a moment ago; then there is a newer one.
            if let Ok(pin) = self.shared.window.pin(head.version, head.version) {
                return View::new(self.shared.clone(), head.version, head.root, pin);
            }
        }
    }

    /// A kept version, to read.
    ///
    /// # Errors
    /// [`StoreError::NotKept`] with the window, when the version is pruned or not yet committed.
    pub fn at(&self, version: u64) -> Result<View, StoreError> {
        let head = self.shared.head();
        let pin = self.shared.window.pin(version, head.version)?;
        let root = if version == head.version { head.root } else { load_root(&self.shared.db, version)? };
        Ok(View::new(self.shared.clone(), version, root, pin))
    }

    /// Works out what committing `changes` as `version` makes, and writes nothing.
    ///
    /// The first version may be any (a chain's initial height); each later one follows the committed one. A change that leaves a
    /// key as it is costs nothing.
    ///
    /// # Errors
    /// [`StoreError::OutOfOrder`], [`StoreError::EmptyKey`], or those of reading.
    pub fn stage(&self, version: u64, changes: Changes) -> Result<Staged, StoreError> {
        if self.shared.restoring.load(Ordering::SeqCst) {
            return Err(StoreError::Restoring);
        }
        let base = self.shared.head();
        let expected = base.version.saturating_add(1);
        if version == 0 || (version != expected && base != Head::EMPTY) {
            return Err(StoreError::OutOfOrder { version, committed: base.version, expected });
        }
        Staged::build(&self.shared, base, version, changes)
    }

    /// Makes a staged version the committed one: one atomic write, on disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::StaleBase`] when something else was committed since; nothing is changed then. After any other error the
    /// store refuses further commits ([`StoreError::Failed`]), since only reopening says what the database holds.
    pub fn commit(&self, staged: Staged) -> Result<(), StoreError> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if *failed {
            return Err(StoreError::Failed);
        }
        let base = self.shared.head();
        if (staged.base.version, staged.base.root_hash) != (base.version, base.root_hash) {
            return Err(StoreError::StaleBase { base: staged.base.version, committed: base.version });
        }
        *failed = true;
        let head = self.write(base, staged)?;
        *self.shared.head.write().unwrap_or_else(PoisonError::into_inner) = head;
        *failed = false;
        Ok(())
    }

    fn write(&self, base: Head, mut staged: Staged) -> Result<Head, StoreError> {
        let shared = &*self.shared;
        let (next, oldest) = if base == Head::EMPTY {
            (staged.version, shared.window.begin(staged.version))
        } else {
            (base.prune_next, shared.window.advance(self.pruning.oldest_kept(staged.version).unwrap_or(0)))
        };
        let mut pruner = Pruner {
            db: &shared.db,
            budget: budget(staged.batch.len()),
            batch: &mut staged.batch,
            created: &staged.created,
        };
        let prune_next = pruner.run(next, oldest)?;
        let head = Head { version: staged.version, root: staged.root, root_hash: staged.root_hash, oldest, prune_next };
        let meta = shared.db.column(Column::Meta)?;
        for (key, value) in &staged.meta {
            staged.batch.put_cf(meta, [META_PREFIX, key].concat(), value);
        }
        staged.batch.put_cf(meta, HEAD_KEY, head.encode());
        let (transcript, cap) = (staged.transcript.as_deref(), self.transcript_bytes_max);
        transcripts::put(&shared.db, &mut staged.batch, staged.version, transcript, cap)?;
        shared.values.begin(staged.version);
        shared.db.write(staged.batch)?;
        self.check_root(&head)?;
        shared.values.finish(staged.version, staged.changes);
        shared.nodes.update(&staged.stale, staged.fresh);
        Ok(head)
    }

    /// The other half of the assertion pair: what was written hashes to what was staged.
    fn check_root(&self, head: &Head) -> Result<(), StoreError> {
        let mismatch = || StoreError::corrupt(format!("version {} was not stored as staged", head.version));
        if load_root(&self.shared.db, head.version)? != head.root {
            return Err(mismatch());
        }
        let Some(Child::Internal { hash, version }) = &head.root else {
            return Ok(());
        };
        let key = NodeKey { version: *version, path: NibblePath::default() }.encode();
        let stored = self.shared.db.get(Column::Nodes, &key)?.ok_or_else(mismatch)?;
        let node = InternalNode::decode(&stored).ok_or_else(mismatch)?;
        if node.hash() == *hash { Ok(()) } else { Err(mismatch()) }
    }

    /// Versions from this on are not pruned until it is set otherwise, whatever the pruning setting. It is not stored.
    pub fn set_prune_floor(&self, version: Option<u64>) {
        self.shared.window.set_floor(version);
    }

    /// A row that a commit wrote by [`Staged::put_meta`].
    ///
    /// # Errors
    /// Those of reading.
    pub fn meta(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.shared.db.get(Column::Meta, &[META_PREFIX, key].concat())?.map(|value| value.to_vec()))
    }
}
