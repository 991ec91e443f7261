//! What a power cut takes away: content that was not synced is torn, modes fall back, and names that were made, changed or removed
//! in a folder that was not synced since are as they were. It is the worst that a filesystem may do, not what one does each time.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::{Disk, Files as _};

/// A change of names, and how it is undone.
#[derive(Debug)]
enum Change {
    Made(PathBuf),
    Renamed { from: PathBuf, to: PathBuf, old: Option<PathBuf> },
    Exchanged { one: PathBuf, other: PathBuf },
    Removed { path: PathBuf, old: PathBuf },
}

impl Change {
    fn moves(&mut self, moved: impl Fn(&Path) -> Option<PathBuf>) {
        let paths = match self {
            Change::Made(path) | Change::Removed { path, .. } => vec![path],
            Change::Renamed { from: one, to: other, .. } | Change::Exchanged { one, other } => vec![one, other],
        };
        for path in paths {
            if let Some(now) = moved(path) {
                *path = now;
            }
        }
    }

    /// The folder whose sync makes it last.
    fn folder(&self) -> Option<&Path> {
        match self {
            Change::Made(path)
            | Change::Renamed { to: path, .. }
            | Change::Exchanged { one: path, .. }
            | Change::Removed { path, .. } => path.parent(),
        }
    }
}

/// What is not on disk yet.
#[derive(Debug)]
pub struct Unsynced {
    stash: PathBuf,
    stashed: usize,
    content: Vec<PathBuf>,
    modes: Vec<PathBuf>,
    names: Vec<Change>,
}

fn there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// What `path` is called once `from` is called `to`; none where it is not below it.
fn moved(path: &Path, from: &Path, to: &Path) -> Option<PathBuf> {
    let rest = path.strip_prefix(from).ok()?;
    Some(if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) })
}

/// The same for what is in it: that the name itself came to be lasts with the name that it has now.
fn moved_in(path: &Path, from: &Path, to: &Path) -> Option<PathBuf> {
    moved(path, from, to).filter(|_| path != from)
}

impl Unsynced {
    /// Nothing; old things are kept in `stash`, on the same filesystem.
    pub fn new(stash: &Path) -> Self {
        Unsynced { stash: stash.to_owned(), stashed: 0, content: Vec::new(), modes: Vec::new(), names: Vec::new() }
    }

    fn place(&mut self) -> PathBuf {
        self.stashed += 1;
        self.stash.join(self.stashed.to_string())
    }

    /// A second hold on what is at a path.
    fn keep(&mut self, path: &Path) -> PathBuf {
        let place = self.place();
        match fs::read_link(path) {
            Ok(target) => std::os::unix::fs::symlink(target, &place).expect("a link"),
            Err(_) if path.is_dir() => copy_folder(path, &place),
            Err(_) => fs::hard_link(path, &place).expect("a second name"),
        }
        place
    }

    /// A name comes to be.
    pub fn makes(&mut self, path: &Path) {
        self.names.push(Change::Made(path.to_owned()));
    }

    /// A folder comes to be, and those above it that are missing.
    pub fn makes_folders(&mut self, path: &Path) {
        let missing: Vec<PathBuf> = path.ancestors().take_while(|folder| !there(folder)).map(Path::to_owned).collect();
        self.names.extend(missing.into_iter().rev().map(Change::Made));
    }

    /// Content is written.
    pub fn writes(&mut self, path: &Path) {
        if !there(path) {
            self.makes(path);
        }
        self.content.push(path.to_owned());
    }

    /// A mode is changed.
    pub fn changes_mode(&mut self, path: &Path) {
        self.modes.push(path.to_owned());
    }

    /// A name becomes another one.
    pub fn renames(&mut self, from: &Path, to: &Path) {
        let old = there(to).then(|| self.keep(to));
        self.moves(|path| moved(path, from, to));
        self.names.push(Change::Renamed { from: from.to_owned(), to: to.to_owned(), old });
    }

    /// What was written has other names from now on.
    fn moves(&mut self, moved: impl Fn(&Path) -> Option<PathBuf>) {
        for path in self.content.iter_mut().chain(&mut self.modes) {
            if let Some(now) = moved(path) {
                *path = now;
            }
        }
    }

    /// Two names change what they are of.
    pub fn exchanges(&mut self, one: &Path, other: &Path) {
        self.moves(|path| moved(path, one, other).or_else(|| moved(path, other, one)));
        self.names.push(Change::Exchanged { one: one.to_owned(), other: other.to_owned() });
    }

    /// What has a name goes.
    pub fn removes(&mut self, path: &Path) {
        if there(path) {
            let old = self.keep(path);
            self.names.push(Change::Removed { path: path.to_owned(), old });
        }
    }

    /// A file's content and mode are on disk.
    pub fn synced_file(&mut self, path: &Path) {
        self.content.retain(|written| written != path);
        self.modes.retain(|changed| changed != path);
    }

    /// The names in a folder are on disk.
    pub fn synced_folder(&mut self, path: &Path) {
        let mut left: Vec<Change> = Vec::new();
        for change in self.names.drain(..) {
            if change.folder() != Some(path) {
                left.push(change);
                continue;
            }
            // What was done before in a folder that has another name for good now is undone under that.
            match change {
                Change::Renamed { from, to, .. } => {
                    left.iter_mut().for_each(|earlier| earlier.moves(|path| moved_in(path, &from, &to)));
                }
                Change::Exchanged { one, other } => {
                    let both = |path: &Path| moved_in(path, &one, &other).or_else(|| moved_in(path, &other, &one));
                    left.iter_mut().for_each(|earlier| earlier.moves(both));
                }
                Change::Made(_) | Change::Removed { .. } => {}
            }
        }
        self.names = left;
    }

    /// The power is cut.
    pub fn lose(&mut self) {
        for path in self.content.drain(..).filter(|path| path.is_file()) {
            let length = fs::metadata(&path).expect("a file").len();
            let file = fs::OpenOptions::new().write(true).open(&path).expect("a file");
            file.set_len(length / 2).expect("torn");
        }
        for path in self.modes.drain(..).filter(|path| path.is_file()) {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("the mode");
        }
        for change in self.names.drain(..).rev() {
            match change {
                Change::Made(path) if path.is_dir() && !path.is_symlink() => {
                    fs::remove_dir_all(path).expect("removed");
                }
                Change::Made(path) if there(&path) => fs::remove_file(path).expect("removed"),
                Change::Made(_) => {}
                Change::Renamed { from, to, old } => {
                    fs::rename(&to, &from).expect("renamed back");
                    if let Some(old) = old {
                        fs::rename(old, to).expect("the old one");
                    }
                }
                Change::Exchanged { one, other } => Disk.exchange(&one, &other).expect("exchanged back"),
                Change::Removed { path, old } => fs::rename(old, path).expect("the old one"),
            }
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() { copy_folder(&path, &target) } else { fs::copy(&path, &target).map(|_| ()).expect("copied") }
    }
}
