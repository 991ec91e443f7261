//! The store: one writer, any number of views.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use swing_core::state::Changes;

use crate::{
    Staged, StoreError, StoreOptions, View,
    db::{self, Column, Database, NodeCache, Nodes},
    head::{HEAD_KEY, Head, load_root},
    options::Pruning,
    prune::{Pruner, budget},
    tree::{Child, Hash, InternalNode, NibblePath, NodeKey, NodeReader},
    window::Window,
};

/// In front of the node's own rows in `Meta`.
const META_PREFIX: &[u8] = b"m/";

/// The database, open. One consensus thread stages and commits; [`View`]s go anywhere.
#[derive(Debug)]
pub struct Store {
    shared: Arc<Shared>,
    pruning: Pruning,
    /// Whether a commit has failed; its lock makes commits follow one another.
    failed: Mutex<bool>,
}

/// What views share with the store.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) db: Database,
    nodes: Mutex<NodeCache>,
    head: RwLock<Head>,
    /// The version being written, or else the committed one. A reader that finds its own version here after a read knows that
    /// the read saw nothing later.
    writing: AtomicU64,
    window: Arc<Window>,
}

impl Shared {
    pub(crate) fn nodes(&self) -> Nodes<'_> {
        Nodes {
            db: &self.db,
            cache: &self.nodes,
        }
    }

    /// Whether no write later than `version` had begun when this is called.
    pub(crate) fn is_newest(&self, version: u64) -> bool {
        self.writing.load(Ordering::SeqCst) == version
    }

    fn head(&self) -> Head {
        *self.head.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Opens the database in the folder `path`, or makes one there, and checks that the committed version's root is whole.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::UnknownFormat`], [`StoreError::Corrupt`], [`StoreError::BadPruning`], or the system's.
    pub fn open(path: impl AsRef<Path>, options: StoreOptions) -> Result<Store, StoreError> {
        options.pruning.validate()?;
        let db = db::open(path.as_ref(), &options)?;
        let head = Head::load(&db)?;
        let shared = Shared {
            db,
            nodes: Mutex::new(NodeCache::new(options.node_cache_bytes)),
            head: RwLock::new(head),
            writing: AtomicU64::new(head.version),
            window: Window::new(head.oldest),
        };
        if let Some(Child::Internal { hash, version }) = &head.root {
            shared.nodes().node(
                &NodeKey {
                    version: *version,
                    path: NibblePath::default(),
                },
                hash,
            )?;
        }
        Ok(Store {
            shared: Arc::new(shared),
            pruning: options.pruning,
            failed: Mutex::new(false),
        })
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
        let root = if version == head.version {
            head.root
        } else {
            load_root(&self.shared.db, version)?
        };
        Ok(View::new(self.shared.clone(), version, root, pin))
    }

    /// Works out what committing `changes` as `version` makes, and writes nothing.
    ///
    /// The first version may be any (a chain's initial height); each later one follows the committed one. A change that leaves a
    /// key as it is costs nothing.
    ///
    /// # Errors
    /// [`StoreError::OutOfOrder`], [`StoreError::EmptyKey`], or those of reading.
    pub fn stage(&self, version: u64, changes: &Changes) -> Result<Staged, StoreError> {
        let base = self.shared.head();
        let expected = base.version.saturating_add(1);
        if version == 0 || (version != expected && base != Head::EMPTY) {
            return Err(StoreError::OutOfOrder {
                version,
                committed: base.version,
                expected,
            });
        }
        Staged::build(self.shared.nodes(), base, version, changes)
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
            return Err(StoreError::StaleBase {
                base: staged.base.version,
                committed: base.version,
            });
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
            (
                base.prune_next,
                shared
                    .window
                    .advance(self.pruning.oldest_kept(staged.version).unwrap_or(0)),
            )
        };
        let mut pruner = Pruner {
            db: &shared.db,
            budget: budget(staged.batch.len()),
            batch: &mut staged.batch,
            created: &staged.created,
        };
        let prune_next = pruner.run(next, oldest)?;
        let head = Head {
            version: staged.version,
            root: staged.root,
            root_hash: staged.root_hash,
            oldest,
            prune_next,
        };
        let meta = shared.db.column(Column::Meta)?;
        for (key, value) in &staged.meta {
            staged.batch.put_cf(meta, [META_PREFIX, key].concat(), value);
        }
        staged.batch.put_cf(meta, HEAD_KEY, head.encode());
        shared.writing.store(staged.version, Ordering::SeqCst);
        shared.db.write(staged.batch)?;
        self.check_root(&head)?;
        let mut cache = shared.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        staged.stale.iter().for_each(|key| cache.remove(key));
        staged.fresh.into_iter().for_each(|(key, node)| cache.insert(key, node));
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
        let key = NodeKey {
            version: *version,
            path: NibblePath::default(),
        }
        .encode();
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
        Ok(self
            .shared
            .db
            .get(Column::Meta, &[META_PREFIX, key].concat())?
            .map(|value| value.to_vec()))
    }
}
