//! The folder of checkpoints: making, listing and removing them.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
};

use swing_files::{Disk, Files, make_synced_folder, remove_whole, write_synced};

use super::{
    CheckpointError, Label, Manifest, files,
    manifest::counter_of,
    verify::{open, quick, reader},
};
use crate::{Store, StoreError, db::Database, head::Head};

/// The database's folder in a checkpoint.
pub(super) const DATABASE: &str = "application.db";

/// Beginning of the name of a checkpoint that is being made, or removed: not one that can be used.
const UNFINISHED: &str = ".unfinished-";

/// Room that is left free beyond what a checkpoint copies: the database's own next files need some.
const ROOM_SPARE_BYTES: u64 = 64 << 20;

/// Beside a checkpoint's manifest once its database was read wholly.
const VERIFIED: &str = "verified";

/// How far the making of a checkpoint has come: for whoever wants to see it end there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Room and links were looked at; nothing is made.
    Begun,
    /// The database is linked and synced, under a name that is no checkpoint's.
    Linked,
    /// It was opened, and the manifest is written beside it.
    Described,
    /// It has its name, and that is on disk.
    Placed,
}

/// Where checkpoints are kept. Nothing is read or made before it is asked for.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    files: Arc<dyn Files>,
}

/// What a checkpoint needs, and what there is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Free for this user.
    pub free: u64,
    /// Needed at once.
    pub needed: u64,
    /// What the checkpoint may come to hold alone, when the live database has replaced every file of today.
    pub at_most: u64,
}

impl Checkpoints {
    /// The checkpoints in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Checkpoints::through(Arc::new(Disk), folder)
    }

    /// The same, touched through this port.
    pub fn through(files: Arc<dyn Files>, folder: impl Into<PathBuf>) -> Self {
        Checkpoints { folder: folder.into(), files }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Checks that a checkpoint of the database in `database` can be made here.
    ///
    /// # Errors
    /// [`CheckpointError::OtherFilesystem`], [`CheckpointError::NoRoom`], or the system's.
    pub fn check_room(&self, database: &Path) -> Result<Room, CheckpointError> {
        make_synced_folder(self.files(), &self.folder).map_err(CheckpointError::io(&self.folder))?;
        self.check_links(database)?;
        self.room(database, &self.folder)
    }

    /// As [`Checkpoints::check_room`] for whoever asks beside the process that makes them: nothing is written, so no link is tried.
    ///
    /// # Errors
    /// As [`Checkpoints::check_room`].
    pub fn look_at_room(&self, database: &Path) -> Result<Room, CheckpointError> {
        let present = self.folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
        let mount = |path: &Path| files::mount(path).map_err(CheckpointError::io(path));
        if mount(&database.join("CURRENT"))? != mount(present)? {
            return Err(self.other_filesystem(database));
        }
        self.room(database, present)
    }

    fn other_filesystem(&self, database: &Path) -> CheckpointError {
        CheckpointError::OtherFilesystem { folder: self.folder.clone(), database: database.to_path_buf() }
    }

    /// The room for a checkpoint at `place`, which is there.
    fn room(&self, database: &Path, place: &Path) -> Result<Room, CheckpointError> {
        let all = files::list(self.files(), database).map_err(CheckpointError::io(database))?;
        let sum = |tables: bool| {
            let of_kind = all.iter().filter(|(path, _)| files::is_table(path) == tables);
            of_kind.fold(0u64, |sum, (_, bytes)| sum.saturating_add(*bytes))
        };
        let (linked, copied) = (sum(true), sum(false));
        let room = Room {
            free: files::free_bytes(place).map_err(CheckpointError::io(place))?,
            needed: copied.saturating_add(ROOM_SPARE_BYTES),
            at_most: linked.saturating_add(copied),
        };
        if room.free < room.needed {
            return Err(CheckpointError::NoRoom { folder: self.folder.clone(), free: room.free, needed: room.needed });
        }
        Ok(room)
    }

    /// Tries a link, since bind mounts of one filesystem have one device number and yet take no links.
    fn check_links(&self, database: &Path) -> Result<(), CheckpointError> {
        let probe = self.folder.join(format!("{UNFINISHED}link"));
        self.files.remove(&probe).map_err(CheckpointError::io(&probe))?;
        match self.files.hard_link(&database.join("CURRENT"), &probe) {
            Ok(()) => self.files.remove(&probe).map_err(CheckpointError::io(&probe)),
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => Err(self.other_filesystem(database)),
            Err(error) => Err(CheckpointError::io(&probe)(error)),
        }
    }

    /// The port.
    pub(super) fn files(&self) -> &dyn Files {
        self.files.as_ref()
    }

    /// The port, to be kept.
    pub(super) fn shared_files(&self) -> Arc<dyn Files> {
        Arc::clone(&self.files)
    }

    fn make(
        &self,
        db: &Database,
        head: &Head,
        label: Label,
        on_step: &mut dyn FnMut(Step),
    ) -> Result<Manifest, CheckpointError> {
        if head.version == 0 {
            return Err(CheckpointError::Empty);
        }
        self.remove_unfinished()?;
        self.check_room(db.path())?;
        on_step(Step::Begun);
        let id = format!("{}-{}", head.version, self.next_counter()?);
        let making = self.folder.join(format!("{UNFINISHED}{id}"));
        let (io, files) = (CheckpointError::io, self.files());
        files.make_folder(&making).map_err(io(&making))?;
        db.checkpoint(&making.join(DATABASE))?;
        on_step(Step::Linked);
        let manifest = Manifest::new(id, head.version, &head.root_hash, label);
        quick(&making.join(DATABASE), &manifest)?;
        manifest.write(files, &making)?;
        files.sync_folder(&making).map_err(io(&making))?;
        on_step(Step::Described);
        let place = self.folder.join(&manifest.id);
        files.rename(&making, &place).map_err(io(&place))?;
        files.sync_folder(&self.folder).map_err(io(&self.folder))?;
        on_step(Step::Placed);
        Ok(manifest)
    }

    /// Names in the folder; none where there is no folder.
    fn names(&self) -> Result<Vec<String>, CheckpointError> {
        self.files.list(&self.folder).map_err(CheckpointError::io(&self.folder))
    }

    fn next_counter(&self) -> Result<u64, CheckpointError> {
        // Over all names, damaged checkpoints among them: none is ever written over.
        let greatest = self.names()?.iter().filter_map(|name| counter_of(name)).max().unwrap_or(0);
        Ok(greatest.saturating_add(1))
    }

    /// The checkpoints, the oldest first. One whose manifest cannot be read is an error in its place.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn list(&self) -> Result<Vec<Result<Manifest, CheckpointError>>, CheckpointError> {
        let mut names = self.names()?;
        names.retain(|name| counter_of(name).is_some());
        names.sort_unstable_by_key(|name| counter_of(name));
        Ok(names.iter().map(|name| Manifest::read(self.files(), &self.folder.join(name))).collect())
    }

    /// The checkpoint of this ID.
    ///
    /// # Errors
    /// [`CheckpointError::NotFound`], or its manifest cannot be read.
    pub fn find(&self, id: &str) -> Result<Manifest, CheckpointError> {
        let place = self.folder.join(id);
        if counter_of(id).is_none() || !place.is_dir() {
            return Err(CheckpointError::NotFound { id: id.to_owned(), folder: self.folder.clone() });
        }
        Manifest::read(self.files(), &place)
    }

    /// The folder of a checkpoint's database.
    pub(super) fn database(&self, manifest: &Manifest) -> PathBuf {
        self.folder.join(&manifest.id).join(DATABASE)
    }

    /// Removes all but the newest `keep`. Gives the IDs of those that went.
    ///
    /// # Errors
    /// The folder cannot be read, or one cannot be removed.
    pub fn prune(&self, keep: usize) -> Result<Vec<String>, CheckpointError> {
        let mut whole: Vec<Manifest> = self.list()?.into_iter().filter_map(Result::ok).collect();
        whole.sort_unstable_by_key(Manifest::counter);
        whole.truncate(whole.len().saturating_sub(keep));
        for manifest in &whole {
            self.remove(&manifest.id)?;
        }
        Ok(whole.into_iter().map(|manifest| manifest.id).collect())
    }

    /// Remembers that a checkpoint was read wholly and is whole.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn note_verified(&self, id: &str) -> Result<(), CheckpointError> {
        let place = self.folder.join(&self.find(id)?.id);
        let path = place.join(VERIFIED);
        write_synced(self.files(), &path, b"").map_err(CheckpointError::io(&path))
    }

    /// Whether a checkpoint was read wholly once, and was whole then.
    pub fn is_verified(&self, manifest: &Manifest) -> bool {
        self.folder.join(&manifest.id).join(VERIFIED).exists()
    }

    /// Removes one: at once under its name, then file by file.
    fn remove(&self, id: &str) -> Result<(), CheckpointError> {
        let (place, removing) = (self.folder.join(id), self.folder.join(format!("{UNFINISHED}{id}")));
        remove_whole(self.files(), &place, &removing).map_err(CheckpointError::io(&place))
    }

    /// Removes what a crash has left of one that was being made or removed. None may be in the making.
    ///
    /// # Errors
    /// The system's.
    pub fn remove_unfinished(&self) -> Result<(), CheckpointError> {
        for name in self.names()?.iter().filter(|name| name.starts_with(UNFINISHED)) {
            let path = self.folder.join(name);
            self.files.remove(&path).map_err(CheckpointError::io(&path))?;
        }
        Ok(())
    }
}

impl Store {
    /// Makes a checkpoint of the committed version. Commits wait for it; reads do not. How long it takes depends on what was
    /// written since [`Store::flush_ahead`], not on the data's size.
    ///
    /// # Errors
    /// [`CheckpointError`]; nothing is left then under a checkpoint's name.
    pub fn checkpoint(&self, checkpoints: &Checkpoints, label: Label) -> Result<Manifest, CheckpointError> {
        self.checkpoint_in_steps(checkpoints, label, &mut |_| {})
    }

    /// As [`Store::checkpoint`], telling each step.
    ///
    /// # Errors
    /// As [`Store::checkpoint`].
    pub fn checkpoint_in_steps(
        &self,
        checkpoints: &Checkpoints,
        label: Label,
        on_step: &mut dyn FnMut(Step),
    ) -> Result<Manifest, CheckpointError> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if *failed {
            return Err(StoreError::Failed.into());
        }
        let head = self.shared.head();
        checkpoints.make(&self.shared.db, &head, label, on_step)
    }

    /// Has RocksDB begin to write its memory to table files, so that a checkpoint some blocks later has little to copy. Does not
    /// wait for it.
    ///
    /// # Errors
    /// The database's.
    pub fn flush_ahead(&self) -> Result<(), StoreError> {
        self.shared.db.flush_ahead()
    }
}

impl Checkpoints {
    /// Opens a checkpoint's database to read its version.
    ///
    /// # Errors
    /// It cannot be opened, or is not what its manifest says.
    pub fn view(&self, id: &str) -> Result<crate::View, CheckpointError> {
        let manifest = self.find(id)?;
        open(&self.database(&manifest), &manifest)
    }

    /// Opens a checkpoint's database to read all that it holds.
    ///
    /// # Errors
    /// As [`Checkpoints::view`].
    pub fn reader(&self, id: &str) -> Result<crate::Reader, CheckpointError> {
        let manifest = self.find(id)?;
        reader(&self.database(&manifest), &manifest)
    }
}
