//! The port on the real filesystem, with one fault at one operation.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use swingvisor::{
    command::Told,
    files::{Disk, Files, Kind},
};

use super::power::Unsynced;

/// What happens at the operation.
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

/// The port.
pub struct Faulty {
    fault: Option<(usize, Fault)>,
    told: Told,
    dead: AtomicBool,
    operations: Mutex<Vec<String>>,
    unsynced: Mutex<Unsynced>,
}

impl Faulty {
    /// A port with a fault at operation number `.0`. A kill tells `told`, since the thread that is "killed" must end.
    pub fn new(fault: Option<(usize, Fault)>, told: Told, stash: &Path) -> Self {
        fs::create_dir_all(stash).expect("a folder");
        Faulty {
            fault,
            told,
            dead: AtomicBool::new(false),
            operations: Mutex::default(),
            unsynced: Mutex::new(Unsynced::new(stash)),
        }
    }

    /// What was done, in order.
    pub fn operations(&self) -> Vec<String> {
        self.operations.lock().expect("no panic holds it").clone()
    }

    /// Operation number `at`.
    pub fn operation(&self, at: usize) -> String {
        self.operations().get(at).cloned().unwrap_or_default()
    }

    /// Whether the fault was reached.
    pub fn struck(&self) -> bool {
        self.fault.is_none_or(|(at, _)| self.operations().len() > at)
    }

    fn die(&self) -> io::Error {
        self.dead.store(true, Ordering::SeqCst);
        self.told.tell();
        io::Error::other("this process is dead")
    }

    /// One operation: `whole` does it, `half` leaves it half done.
    fn step<T>(
        &self,
        name: &str,
        path: &Path,
        whole: impl FnOnce(&mut Unsynced) -> io::Result<T>,
        half: impl FnOnce(),
    ) -> io::Result<T> {
        if self.dead.load(Ordering::SeqCst) {
            return Err(self.die());
        }
        let mut unsynced = self.unsynced.lock().expect("no panic holds it");
        let mut operations = self.operations.lock().expect("no panic holds it");
        let number = operations.len();
        operations.push(format!("{name} {}", path.display()));
        drop(operations);
        match self.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault) {
            None => whole(&mut unsynced),
            Some(Fault::Fail) => Err(io::Error::other("input/output error")),
            Some(Fault::KillBefore) => Err(self.die()),
            Some(Fault::KillAfter) => whole(&mut unsynced).and_then(|_| Err(self.die())),
            Some(Fault::Tear) => {
                half();
                Err(self.die())
            }
            Some(Fault::PowerCut) => {
                let done = whole(&mut unsynced);
                unsynced.lose();
                done.and_then(|_| Err(self.die()))
            }
        }
    }
}

impl Files for Faulty {
    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        Disk.read(path, bytes_max)
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
            let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
            Disk.save(path, &mut &*half, u64::MAX).expect("half of it");
        };
        self.step("save", path, whole, half)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let whole = |unsynced: &mut Unsynced| {
            unsynced.makes(to);
            Disk.hard_link(from, to)
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
