//! The port on the real filesystem with a fault at one operation, for tests. A process that is killed there is a real one: who observes
//! the operations ends it.

mod power;

use std::{
    fmt, fs,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

pub use power::Unsynced;

use crate::{Disk, Files, Kind, folder_of};

/// What happens at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails, once.
    Fail,
    /// The process is gone before it.
    KillBefore,
    /// The process is gone after it.
    KillAfter,
    /// The process is gone half-way through it.
    Tear,
    /// The machine is off after it: what was not synced is lost or torn.
    PowerCut,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 5] = [Fault::Fail, Fault::KillBefore, Fault::KillAfter, Fault::Tear, Fault::PowerCut];

    /// The fault whose name `{:?}` gives.
    pub fn of_name(name: &str) -> Option<Self> {
        Fault::ALL.into_iter().find(|fault| format!("{fault:?}") == name)
    }
}

/// Who counts the operations and says what happens at which.
pub trait Observer: fmt::Debug + Send + Sync {
    /// An operation is about to be done. An error in place of a fault is the operation's: nothing is done.
    ///
    /// # Errors
    /// The process is gone already, where that is a thread.
    fn step(&self, operation: &str, path: &Path) -> io::Result<Option<Fault>>;

    /// The process ends here. Returns only where that is a thread, with the error that has it end.
    fn die(&self) -> io::Error;
}

/// The port.
#[derive(Debug)]
pub struct Faulty<O> {
    observer: O,
    unsynced: Mutex<Unsynced>,
}

impl<O: Observer> Faulty<O> {
    /// The port with this observer. What a power cut would bring back is kept in the folder `stash`, on the same filesystem.
    pub fn new(observer: O, stash: &Path) -> Self {
        fs::create_dir_all(stash).expect("a folder");
        Faulty { observer, unsynced: Mutex::new(Unsynced::new(stash)) }
    }

    /// The observer.
    pub fn observer(&self) -> &O {
        &self.observer
    }

    /// Something that is no operation on files happens between two of them: the process can be gone there too.
    pub fn pass(&self, what: &str) {
        match self.observer.step("pass", Path::new(what)) {
            Ok(Some(Fault::PowerCut)) => {
                self.lock().lose();
                self.observer.die();
            }
            Ok(Some(Fault::KillBefore | Fault::KillAfter | Fault::Tear)) => drop(self.observer.die()),
            Ok(Some(Fault::Fail) | None) | Err(_) => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, Unsynced> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One operation: `whole` does it, `half` leaves it half done.
    fn step<T>(
        &self,
        name: &str,
        path: &Path,
        whole: impl FnOnce(&mut Unsynced) -> io::Result<T>,
        half: impl FnOnce(),
    ) -> io::Result<T> {
        let mut unsynced = self.lock();
        match self.observer.step(name, path)? {
            None => whole(&mut unsynced),
            Some(Fault::Fail) => Err(io::Error::other("input/output error")),
            Some(Fault::KillBefore) => Err(self.observer.die()),
            Some(Fault::KillAfter) => whole(&mut unsynced).and_then(|_| Err(self.observer.die())),
            Some(Fault::Tear) => {
                half();
                Err(self.observer.die())
            }
            Some(Fault::PowerCut) => {
                let done = whole(&mut unsynced);
                unsynced.lose();
                done.and_then(|_| Err(self.observer.die()))
            }
        }
    }
}

/// The first half of some bytes.
fn half_of(bytes: &[u8]) -> &[u8] {
    bytes.get(..bytes.len() / 2).unwrap_or_default()
}

impl<O: Observer> Files for Faulty<O> {
    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        self.step("read", path, |_| Disk.read(path, bytes_max), || ())
    }

    fn kind(&self, path: &Path) -> io::Result<Option<Kind>> {
        Disk.kind(path)
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        Disk.read_link(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        Disk.list(folder)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let whole = |unsynced: &mut Unsynced| {
            unsynced.makes_folders(path);
            Disk.make_folder(path)
        };
        self.step("make_folder", path, whole, || ())
    }

    fn save(&self, path: &Path, source: &mut dyn Read, bytes_max: u64) -> io::Result<u64> {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes)?;
        let whole = |unsynced: &mut Unsynced| {
            unsynced.writes(path);
            Disk.save(path, &mut &*bytes, bytes_max)
        };
        let half = || {
            Disk.save(path, &mut half_of(&bytes), u64::MAX).expect("half of it");
        };
        self.step("save", path, whole, half)
    }

    fn create(&self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        let whole = |unsynced: &mut Unsynced| {
            unsynced.writes(path);
            Disk.create(path, bytes, mode)
        };
        self.step("create", path, whole, || Disk.create(path, half_of(bytes), mode).expect("half of it"))
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        let whole = |unsynced: &mut Unsynced| {
            unsynced.writes(to);
            Disk.copy(from, to)
        };
        let half = || fs::write(to, half_of(&fs::read(from).expect("what is copied"))).expect("half of it");
        self.step("copy", to, whole, half)
    }

    fn open_lock(&self, path: &Path) -> io::Result<File> {
        let whole = |unsynced: &mut Unsynced| {
            if Disk.kind(path)?.is_none() {
                unsynced.makes(path);
            }
            Disk.open_lock(path)
        };
        self.step("open_lock", path, whole, || ())
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let whole = |unsynced: &mut Unsynced| {
            Disk.hard_link(from, to)?;
            unsynced.makes(to);
            Ok(())
        };
        self.step("hard_link", to, whole, || ())
    }

    fn make_executable(&self, path: &Path) -> io::Result<()> {
        let whole = |unsynced: &mut Unsynced| {
            unsynced.changes_mode(path);
            Disk.make_executable(path)
        };
        self.step("make_executable", path, whole, || ())
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        let whole = |unsynced: &mut Unsynced| {
            Disk.sync_file(path)?;
            unsynced.synced_file(path);
            Ok(())
        };
        self.step("sync_file", path, whole, || ())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let whole = |unsynced: &mut Unsynced| {
            Disk.sync_folder(path)?;
            unsynced.synced_folder(path);
            Ok(())
        };
        self.step("sync_folder", path, whole, || ())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let whole = |unsynced: &mut Unsynced| {
            unsynced.renames(from, to);
            Disk.rename(from, to)
        };
        self.step("rename", to, whole, || ())
    }

    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        debug_assert_eq!(folder_of(one), folder_of(other), "one sync makes it last");
        let whole = |unsynced: &mut Unsynced| {
            Disk.exchange(one, other)?;
            unsynced.exchanges(one, other);
            Ok(())
        };
        self.step("exchange", one, whole, || ())
    }

    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        let whole = |unsynced: &mut Unsynced| {
            unsynced.makes(link);
            Disk.symlink(target, link)
        };
        self.step("symlink", link, whole, || ())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let whole = |unsynced: &mut Unsynced| {
            unsynced.removes(path);
            Disk.remove(path)
        };
        let half = || {
            // A folder goes file by file.
            if let Some(name) = Disk.list(path).ok().and_then(|names| names.into_iter().next()) {
                Disk.remove(&path.join(name)).expect("the first of it");
            }
        };
        self.step("remove", path, whole, half)
    }
}
