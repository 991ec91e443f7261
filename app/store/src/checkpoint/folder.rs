//! The folder of checkpoints: making, listing and removing them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::PoisonError,
};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoints {
    folder: PathBuf,
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
        Checkpoints { folder: folder.into() }
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
        self.make_folder()?;
        self.check_links(database)?;
        let all = files::list(database).map_err(CheckpointError::io(database))?;
        let sum = |tables: bool| {
            let of_kind = all.iter().filter(|(path, _)| files::is_table(path) == tables);
            of_kind.fold(0u64, |sum, (_, bytes)| sum.saturating_add(*bytes))
        };
        let (linked, copied) = (sum(true), sum(false));
        let room = Room {
            free: files::free_bytes(&self.folder).map_err(CheckpointError::io(&self.folder))?,
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
        remove_if_there(&probe).map_err(CheckpointError::io(&probe))?;
        match fs::hard_link(database.join("CURRENT"), &probe) {
            Ok(()) => remove_if_there(&probe).map_err(CheckpointError::io(&probe)),
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                Err(CheckpointError::OtherFilesystem { folder: self.folder.clone(), database: database.to_path_buf() })
            }
            Err(error) => Err(CheckpointError::io(&probe)(error)),
        }
    }

    fn make_folder(&self) -> Result<(), CheckpointError> {
        if self.folder.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&self.folder).map_err(CheckpointError::io(&self.folder))?;
        let above = self.folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        files::sync_folder(above).map_err(CheckpointError::io(above))
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
        let io = CheckpointError::io;
        fs::create_dir(&making).map_err(io(&making))?;
        db.checkpoint(&making.join(DATABASE))?;
        on_step(Step::Linked);
        let manifest = Manifest::new(id, head.version, &head.root_hash, label);
        quick(&making.join(DATABASE), &manifest)?;
        manifest.write(&making)?;
        files::sync_folder(&making).map_err(io(&making))?;
        on_step(Step::Described);
        let place = self.folder.join(&manifest.id);
        fs::rename(&making, &place).map_err(io(&place))?;
        files::sync_folder(&self.folder).map_err(io(&self.folder))?;
        on_step(Step::Placed);
        Ok(manifest)
    }

    /// Names in the folder; none where there is no folder.
    fn names(&self) -> Result<Vec<String>, CheckpointError> {
        let io = |error| CheckpointError::io(&self.folder)(error);
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(io)?,
        };
        entries.map(|entry| Ok(entry.map_err(io)?.file_name().to_string_lossy().into_owned())).collect()
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
        Ok(names.iter().map(|name| Manifest::read(&self.folder.join(name))).collect())
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
        Manifest::read(&place)
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
        files::write_synced(&path, b"").map_err(CheckpointError::io(&path))
    }

    /// Whether a checkpoint was read wholly once, and was whole then.
    pub fn is_verified(&self, manifest: &Manifest) -> bool {
        self.folder.join(&manifest.id).join(VERIFIED).exists()
    }

    /// Removes one: at once under its name, then file by file.
    fn remove(&self, id: &str) -> Result<(), CheckpointError> {
        let (place, removing) = (self.folder.join(id), self.folder.join(format!("{UNFINISHED}{id}")));
        fs::rename(&place, &removing).map_err(CheckpointError::io(&place))?;
        fs::remove_dir_all(&removing).map_err(CheckpointError::io(&removing))
    }

    /// Removes what a crash has left of one that was being made or removed.
    fn remove_unfinished(&self) -> Result<(), CheckpointError> {
        for name in self.names()?.iter().filter(|name| name.starts_with(UNFINISHED)) {
            let path = self.folder.join(name);
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(CheckpointError::io(&path))?;
        }
        Ok(())
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
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
