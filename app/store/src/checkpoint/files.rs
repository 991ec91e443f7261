//! What is in a database's folder, how it gets a second name, and what room the filesystem has.

use std::{
    io,
    path::{Path, PathBuf},
};

use swing_files::{Files, Kind};

/// The files of a folder, with their lengths. Those that RocksDB removes meanwhile, as it likes, are not among them.
pub fn list(files: &dyn Files, folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    for name in files.list(folder)? {
        let path = folder.join(name);
        if let Some(Kind::File(bytes)) = files.kind(&path)? {
            found.push((path, bytes));
        }
    }
    Ok(found)
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

/// What two paths must have in common so that one can be linked at the other: a mount, and, where the system does not tell of these, a
/// device.
pub fn mount(path: &Path) -> io::Result<(u64, u64)> {
    let device = std::os::unix::fs::MetadataExt::dev(&std::fs::metadata(path)?);
    Ok((device, mount_id(path)))
}

#[cfg(target_os = "linux")]
fn mount_id(path: &Path) -> u64 {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    // An older kernel leaves it at zero.
    statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).map_or(0, |stat| stat.stx_mnt_id)
}

#[cfg(not(target_os = "linux"))]
fn mount_id(_: &Path) -> u64 {
    0
}

/// Links or copies a closed database's files into the new folder `to`: tables are linked, everything else is copied and synced.
/// RocksDB's and the store's lock files stay behind.
pub fn link_database(files: &dyn Files, from: &Path, to: &Path) -> io::Result<()> {
    if files.kind(to)?.is_some() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    files.make_folder(to)?;
    for (path, _) in list(files, from)? {
        let Some(name) = path.file_name() else { continue };
        let target = to.join(name);
        if is_table(&path) {
            files.hard_link(&path, &target)?;
        } else if name != "LOCK" && name != "LOG" && path.extension().is_none_or(|extension| extension != "lock") {
            files.copy(&path, &target)?;
            files.sync_file(&target)?;
        }
    }
    files.sync_folder(to)
}
