//! The port on the real filesystem.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{Files, Kind, MODE_PLAIN};

/// The real filesystem.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

/// "Nothing there" as an answer.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn too_large(bytes_max: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {bytes_max} bytes"))
}

impl Files for Disk {
    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
            return Err(too_large(bytes_max));
        }
        Ok(bytes)
    }

    fn kind(&self, path: &Path) -> io::Result<Option<Kind>> {
        let Some(metadata) = found(fs::symlink_metadata(path))? else { return Ok(None) };
        let kind = metadata.file_type();
        Ok(Some(if kind.is_symlink() {
            Kind::Link
        } else if kind.is_dir() {
            Kind::Folder
        } else if kind.is_file() {
            Kind::File(metadata.len())
        } else {
            Kind::Other
        }))
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in found(fs::read_dir(folder))?.into_iter().flatten() {
            let name = entry?.file_name();
            let name = name.into_string().map_err(|name| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{name:?} in {} is not UTF-8", folder.display()))
            })?;
            names.push(name);
        }
        names.sort();
        Ok(names)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn save(&self, path: &Path, source: &mut dyn Read, bytes_max: u64) -> io::Result<u64> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE_PLAIN).open(path)?;
        let written = io::copy(&mut source.take(bytes_max.saturating_add(1)), &mut file)?;
        file.flush()?;
        if written > bytes_max { Err(too_large(bytes_max)) } else { Ok(written) }
    }

    fn create(&self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(bytes)
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::copy(from, to).map(|_| ())
    }

    fn open_lock(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(false).open(path)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn make_executable(&self, path: &Path) -> io::Result<()> {
        let mode = fs::metadata(path)?.permissions().mode();
        if mode & 0o111 == 0o111 {
            return Ok(());
        }
        fs::set_permissions(path, fs::Permissions::from_mode(mode | 0o755))
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        use rustix::io::Errno;
        match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Err(io::ErrorKind::Unsupported.into()),
            exchanged => Ok(exchanged?),
        }
    }

    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(target, link)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = match self.kind(path)? {
            None => return Ok(()),
            Some(Kind::Folder) => fs::remove_dir_all(path),
            Some(_) => fs::remove_file(path),
        };
        found(removed).map(|_| ())
    }
}
