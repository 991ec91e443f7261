//! Reading with a cap and writing whole: temporary file, sync, rename, sync of the folder.

use std::{
    fs::{self, File},
    io::Read,
    os::unix::fs::DirBuilderExt,
    path::Path,
};

use swing_files::{Disk, Files as _, folder_of, replace_file_with_mode};
pub use swing_files::{MODE_PLAIN, MODE_SECRET};

use super::ConfigError;

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
    create_folder(folder_of(path))?;
    // Commands write beside one another, so each has a file of its own.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    replace_file_with_mode(&Disk, path, &temporary, bytes, mode).map_err(|error| {
        // The first failure is the one to report.
        let _ = Disk.remove(&temporary);
        failed("write", path)(error)
    })
}

/// Removes the file.
///
/// # Errors
/// It is not there or the file system refuses.
pub fn remove(path: &Path) -> Result<(), ConfigError> {
    fs::remove_file(path).map_err(failed("remove", path))
}
