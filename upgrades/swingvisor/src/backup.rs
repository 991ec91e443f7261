//! A backup of the application's database, made while no node runs.
//!
//! RocksDB never changes a table file (`*.sst`), so a second name for it is as good as a copy: the time does not grow with the data.
//! What else is in the folder is small and is copied. CometBFT's databases and signing state are never part of it.
//!
//! # Invariants
//! - A folder has its final name only when everything in it, and the names themselves, are on disk; until then it ends in
//!   `.partial` and is begun anew.
//! - No backup is overwritten: the name tells the plan and the height, and another backup of the same name gets a number.

use std::{
    fs::File,
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    core::Upgrade,
    files::{Files, Kind},
};

/// The file in a backup that says what it is of.
pub const MANIFEST: &str = "backup.json";
/// How many backups of one plan and height can be told apart.
const NUMBERS_MAX: u32 = 1_000;
/// Files that only mean something to a running process.
const NEVER_COPIED: [&str; 1] = ["LOCK"];
const MANIFEST_BYTES_MAX: u64 = 1 << 20;

/// What a backup is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The plan's name.
    pub plan: String,
    /// The committed height.
    pub committed_height: u64,
    /// The app hash after it.
    pub app_hash: String,
    /// Files in it.
    pub files: u64,
    /// Their bytes, shared ones counted.
    pub bytes: u64,
}

/// Makes the backup of `database` for a switch in `folder`; gives its folder. None when there is no database yet. One that was
/// finished before, for the same state, is taken for this one.
///
/// # Errors
/// The system's; an unfinished folder may be left and does not count.
pub fn make(files: &dyn Files, database: &Path, folder: &Path, upgrade: &Upgrade) -> io::Result<Option<PathBuf>> {
    if files.kind(database)? != Some(Kind::Folder) {
        return Ok(None);
    }
    let plan = upgrade.plan().map(|plan| plan.name.clone()).unwrap_or_default();
    let mut manifest = Manifest {
        plan,
        committed_height: upgrade.committed_height,
        app_hash: upgrade.app_hash.clone(),
        files: 0,
        bytes: 0,
    };
    let place = match find_place(files, folder, upgrade, &manifest)? {
        Place::Done(path) => return Ok(Some(path)),
        Place::Free(path) => path,
    };
    let partial = place.with_extension("partial");
    files.remove(&partial)?;
    copy_folder(files, database, &partial.join("application.db"), &mut manifest)?;
    let text = serde_json::to_vec_pretty(&manifest).map_err(io::Error::other)?;
    files.save(&partial.join(MANIFEST), &mut &*text, u64::MAX)?;
    files.sync_file(&partial.join(MANIFEST))?;
    files.sync_folder(&partial)?;
    files.rename(&partial, &place)?;
    files.sync_folder(folder)?;
    Ok(Some(place))
}

enum Place {
    Done(PathBuf),
    Free(PathBuf),
}

fn find_place(files: &dyn Files, folder: &Path, upgrade: &Upgrade, wanted: &Manifest) -> io::Result<Place> {
    let name = match &upgrade.to {
        crate::core::Slot::Genesis => "genesis",
        crate::core::Slot::Upgrade(folder) => folder.as_str(),
    };
    // A dot would be taken for the beginning of `.partial`.
    let stem = format!("data-backup-{}-{}", name.replace('.', "_"), upgrade.committed_height);
    for number in 1..=NUMBERS_MAX {
        let path = folder.join(if number == 1 { stem.clone() } else { format!("{stem}-{number}") });
        if files.kind(&path)?.is_none() {
            return Ok(Place::Free(path));
        }
        if read_manifest(files, &path).is_some_and(|found| {
            (found.plan, found.committed_height, found.app_hash)
                == (wanted.plan.clone(), wanted.committed_height, wanted.app_hash.clone())
        }) {
            return Ok(Place::Done(path));
        }
    }
    Err(io::Error::other(format!("{} has {NUMBERS_MAX} backups named {stem}", folder.display())))
}

/// What a finished backup is of; none when it is no backup of ours.
pub fn read_manifest(files: &dyn Files, backup: &Path) -> Option<Manifest> {
    serde_json::from_slice(&files.read(&backup.join(MANIFEST), MANIFEST_BYTES_MAX).ok()?).ok()
}

fn copy_folder(files: &dyn Files, from: &Path, to: &Path, manifest: &mut Manifest) -> io::Result<()> {
    files.make_folder(to)?;
    for name in files.list(from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        match files.kind(&source)? {
            Some(Kind::Folder) => copy_folder(files, &source, &target, manifest)?,
            Some(Kind::File(bytes)) if !NEVER_COPIED.contains(&name.as_str()) => {
                copy_file(files, &source, &target)?;
                manifest.files = manifest.files.saturating_add(1);
                manifest.bytes = manifest.bytes.saturating_add(bytes);
            }
            Some(Kind::File(_) | Kind::Link | Kind::Other) | None => {}
        }
    }
    files.sync_folder(to)?;
    // The folder's own name.
    to.parent().map_or(Ok(()), |parent| files.sync_folder(parent))
}

fn copy_file(files: &dyn Files, from: &Path, to: &Path) -> io::Result<()> {
    if is_table(from) {
        match files.hard_link(from, to) {
            Ok(()) => return Ok(()),
            // Another filesystem, or one without such links.
            Err(error) if matches!(error.kind(), io::ErrorKind::CrossesDevices | io::ErrorKind::Unsupported) => {}
            Err(error) => return Err(error),
        }
    }
    files.save(to, &mut File::open(from)?, u64::MAX)?;
    files.sync_file(to)
}

/// How many bytes a backup of `database` in `folder` writes: tables only get a second name on their own filesystem.
///
/// # Errors
/// The system's; a file that is gone meanwhile does not count.
pub fn bytes_wanted(files: &dyn Files, database: &Path, folder: &Path) -> io::Result<u64> {
    if files.kind(database)? != Some(Kind::Folder) {
        return Ok(0);
    }
    let links = std::fs::metadata(database)?.dev() == std::fs::metadata(folder)?.dev();
    let mut bytes: u64 = 0;
    for name in files.list(database)? {
        let path = database.join(&name);
        bytes = bytes.saturating_add(match files.kind(&path)? {
            Some(Kind::Folder) => bytes_wanted(files, &path, folder)?,
            Some(Kind::File(size)) if !(links && is_table(&path)) => size,
            Some(Kind::File(_) | Kind::Link | Kind::Other) | None => 0,
        });
    }
    Ok(bytes)
}

fn is_table(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "sst")
}

/// Whether the folder for backups can take one.
///
/// # Errors
/// What is wrong with it.
pub fn check_folder(files: &dyn Files, folder: &Path) -> Result<(), String> {
    match files.kind(folder) {
        Ok(Some(Kind::Folder | Kind::Link)) => Ok(()),
        Ok(Some(_)) => Err(format!("{} is no folder", folder.display())),
        Ok(None) => Err(format!("{} does not exist", folder.display())),
        Err(error) => Err(format!("{}: {error}", folder.display())),
    }
}
