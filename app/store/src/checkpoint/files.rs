//! Folders and files that are whole or not there, and what room the filesystem has.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Writes a new file, on disk when this returns.
pub fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes what was renamed, made or removed in a folder last.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The files of a folder, with their lengths.
pub fn list(folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.metadata() {
            Ok(meta) if meta.is_file() => files.push((entry.path(), meta.len())),
            Ok(_) => {}
            // RocksDB removes files when it likes.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

/// Whether RocksDB never changes this file once it is written, so that a link is as good as a copy.
pub fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sst")
}

/// Bytes that this user may still write at `path`.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Links or copies a closed database's files into the new folder `to`: tables are linked, everything else is copied and synced.
/// RocksDB's and the store's lock files stay behind.
pub fn link_database(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for (path, _) in list(from)? {
        let Some(name) = path.file_name() else { continue };
        let target = to.join(name);
        if is_table(&path) {
            fs::hard_link(&path, &target)?;
        } else if name != "LOCK" && name != "LOG" && path.extension().is_none_or(|extension| extension != "lock") {
            fs::copy(&path, &target)?;
            File::open(&target)?.sync_all()?;
        }
    }
    sync_folder(to)
}
