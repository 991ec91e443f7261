//! Reading with a cap and writing whole: temporary file, sync, rename, sync of the folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use super::ConfigError;

/// Mode of files that hold secrets.
pub const MODE_SECRET: u32 = 0o600;
/// Mode of all other files.
pub const MODE_PLAIN: u32 = 0o644;
/// The largest file that is read whole: a genesis with kernel state and bundles.
pub const FILE_SIZE_MAX: u64 = 1 << 30;

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ConfigError {
    let path = path.to_owned();
    move |source| ConfigError::File { action, path, source }
}

/// The file's bytes.
///
/// # Errors
/// It is not there, not readable or above [`FILE_SIZE_MAX`].
pub fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    let file = File::open(path).map_err(failed("read", path))?;
    let mut bytes = Vec::new();
    file.take(FILE_SIZE_MAX + 1).read_to_end(&mut bytes).map_err(failed("read", path))?;
    if bytes.len() as u64 > FILE_SIZE_MAX {
        return Err(ConfigError::content(path, format!("larger than {FILE_SIZE_MAX} bytes")));
    }
    Ok(bytes)
}

/// The file's text.
///
/// # Errors
/// As [`read`], or it is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, ConfigError> {
    String::from_utf8(read(path)?).map_err(|_| ConfigError::content(path, "not UTF-8 text"))
}

/// Makes the folder and those above it, for the owner alone.
///
/// # Errors
/// The file system refuses.
pub fn create_folder(path: &Path) -> Result<(), ConfigError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("create folder", path))
}

/// Replaces or makes the file, whole or not at all.
///
/// # Errors
/// The file system refuses; the file is then as it was.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), ConfigError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_folder(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}", std::process::id()));
    let result = write_and_rename(&temporary, path, bytes, mode);
    if result.is_err() {
        // The first failure is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    result?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync folder of", path))
}

fn write_and_rename(temporary: &Path, path: &Path, bytes: &[u8], mode: u32) -> Result<(), ConfigError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(temporary)
        .map_err(failed("create", temporary))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write", temporary))?;
    fs::rename(temporary, path).map_err(failed("write", path))
}

/// Removes the file.
///
/// # Errors
/// It is not there or the file system refuses.
pub fn remove(path: &Path) -> Result<(), ConfigError> {
    fs::remove_file(path).map_err(failed("remove", path))
}
