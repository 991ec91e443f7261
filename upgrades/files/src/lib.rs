//! The one port through which swingvisor and the node's upgrade path touch files, and what is built from it.
//!
//! # Invariants
//! - Whatever others may read is made whole beside its place, synced, and renamed into it; then the folder is synced. A crash
//!   between two operations leaves the old thing or the new one (held by the tests named `faults` of swingvisor and of `tests`, which
//!   cut at every operation).
//! - Nothing here decides anything.

mod disk;
#[cfg(feature = "faults")]
pub mod faults;
#[cfg(all(test, feature = "faults"))]
mod tests;

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

pub use disk::Disk;

/// Mode of files that hold secrets.
pub const MODE_SECRET: u32 = 0o600;
/// Mode of all other files.
pub const MODE_PLAIN: u32 = 0o644;

/// What is at a path. Links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file with so many bytes.
    File(u64),
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A socket, pipe or device.
    Other,
}

/// Operations on files. Each is one step that can fail, tear, or be the last thing that the process does.
pub trait Files: fmt::Debug + Send + Sync {
    /// The content of a file of at most `bytes_max` bytes.
    ///
    /// # Errors
    /// The system's; a larger file.
    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>>;

    /// What is there; none when nothing is.
    ///
    /// # Errors
    /// The system's, but for "not found".
    fn kind(&self, path: &Path) -> io::Result<Option<Kind>>;

    /// The target of a symbolic link.
    ///
    /// # Errors
    /// The system's.
    fn read_link(&self, path: &Path) -> io::Result<PathBuf>;

    /// The names in a folder, sorted; none when there is no such folder.
    ///
    /// # Errors
    /// The system's, but for "not found".
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Makes a folder and those above it; one that is there is fine.
    ///
    /// # Errors
    /// The system's.
    fn make_folder(&self, path: &Path) -> io::Result<()>;

    /// Writes what `source` gives, at most `bytes_max` bytes, to a file that is made or emptied. Gives the number of bytes.
    ///
    /// # Errors
    /// The system's, the source's; a source that gives more.
    fn save(&self, path: &Path, source: &mut dyn Read, bytes_max: u64) -> io::Result<u64>;

    /// Makes a file with this content and mode, which must not be there yet.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::AlreadyExists`].
    fn create(&self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()>;

    /// Copies a file's content and mode to a file that is made or emptied.
    ///
    /// # Errors
    /// The system's.
    fn copy(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Opens a file that is there to be locked, and makes it empty where it is not there. What is in it is left.
    ///
    /// # Errors
    /// The system's.
    fn open_lock(&self, path: &Path) -> io::Result<File>;

    /// Gives a file a second name in another folder. The content is shared: for files that nobody changes.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::CrossesDevices`] on another filesystem.
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Lets everybody execute a file.
    ///
    /// # Errors
    /// The system's.
    fn make_executable(&self, path: &Path) -> io::Result<()>;

    /// Has a file's content on disk.
    ///
    /// # Errors
    /// The system's.
    fn sync_file(&self, path: &Path) -> io::Result<()>;

    /// Has the names in a folder on disk.
    ///
    /// # Errors
    /// The system's.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Renames, over a file or link that has the new name.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Has two files or folders change their names in one step.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::Unsupported`] on a filesystem that cannot.
    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()>;

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// The system's.
    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()>;

    /// Removes a file, a link or a whole folder; nothing there is fine.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The path beside `path` where something is made before it takes its place.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    path.with_file_name(name)
}

/// The folder that a path is in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => Path::new("/"),
    }
}

/// Writes a file where nobody looks yet, and has its content on disk.
///
/// # Errors
/// The system's; the file may be there in part.
pub fn write_synced(files: &dyn Files, path: &Path, bytes: &[u8]) -> io::Result<()> {
    files.save(path, &mut &*bytes, u64::MAX)?;
    files.sync_file(path)
}

/// Puts a file that was made whole at `from` into its place. Both are on one filesystem.
///
/// # Errors
/// The system's; the place then has what it had.
pub fn put_in_place(files: &dyn Files, from: &Path, to: &Path) -> io::Result<()> {
    files.sync_file(from)?;
    files.rename(from, to)?;
    files.sync_folder(folder_of(to))
}

/// Replaces a file's content in one step.
///
/// # Errors
/// The system's; the file then has its old content or the new one.
pub fn replace_file(files: &dyn Files, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let made = beside(path);
    files.save(&made, &mut &*bytes, u64::MAX)?;
    put_in_place(files, &made, path)
}

/// As [`replace_file`], with a mode that the content never goes without, by way of `made`, which is a path that nobody else writes.
///
/// # Errors
/// The system's; the file then has its old content or the new one.
pub fn replace_file_with_mode(files: &dyn Files, path: &Path, made: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    // Left by a process of the same number that was killed half-way: in a container they often have the same.
    files.remove(made)?;
    files.create(made, bytes, mode)?;
    put_in_place(files, made, path)
}

/// Removes a folder that others take for whole under its name: at once under that, then file by file under `removing`.
///
/// # Errors
/// The system's; what is left is under `removing`.
pub fn remove_whole(files: &dyn Files, path: &Path, removing: &Path) -> io::Result<()> {
    files.rename(path, removing)?;
    // Else the name could come back after some of the files are gone.
    files.sync_folder(folder_of(path))?;
    files.remove(removing)
}

/// Points a symbolic link at `target` in one step: there is no moment without the link.
///
/// # Errors
/// The system's; the link then has its old target or the new one.
pub fn replace_link(files: &dyn Files, target: &Path, link: &Path) -> io::Result<()> {
    let made = beside(link);
    files.remove(&made)?;
    files.symlink(target, &made)?;
    files.rename(&made, link)?;
    files.sync_folder(folder_of(link))
}

/// Makes a folder, and has it and the new ones above it on disk.
///
/// # Errors
/// The system's.
pub fn make_synced_folder(files: &dyn Files, path: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut at = Some(path);
    while let Some(folder) = at.filter(|folder| !folder.as_os_str().is_empty()) {
        if files.kind(folder)?.is_some() {
            break;
        }
        missing.push(folder);
        at = folder.parent();
    }
    files.make_folder(path)?;
    missing.into_iter().rev().try_for_each(|folder| files.sync_folder(folder_of(folder)))
}
