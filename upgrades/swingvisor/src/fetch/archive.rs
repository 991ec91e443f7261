//! The binary out of a tar.gz archive. Only one file is taken out, so that no other path is ever written.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    path::{Component, Path},
};

use flate2::read::GzDecoder;

use super::FetchError;
use crate::files::Files;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZIP: &[u8] = b"PK\x03\x04";

/// Takes the binary named `name` out of `archive` and puts it at `to`, when `archive` is one; else gives false. As go-getter has
/// it, the binary is `bin/<name>` or `<name>` in there.
///
/// # Errors
/// [`FetchError::Archive`]: no such file in there, a damaged archive, content of more than `bytes_max` bytes, a zip.
pub fn unpack(files: &dyn Files, archive: &Path, name: &str, to: &Path, bytes_max: u64) -> Result<bool, FetchError> {
    let opened = |error: io::Error| FetchError::Archive(format!("{} cannot be read: {error}", archive.display()));
    let head = crate::probe::head(archive).map_err(opened)?;
    if head.starts_with(ZIP) {
        return Err(FetchError::Archive("is a zip, which is not taken: use a tar.gz, or the binary itself".to_owned()));
    }
    if !head.starts_with(GZIP) {
        return Ok(false);
    }
    let content = GzDecoder::new(File::open(archive).map_err(opened)?).take(bytes_max);
    let mut tar = tar::Archive::new(content);
    for entry in tar.entries().map_err(opened)? {
        let mut entry = entry.map_err(opened)?;
        let wanted = entry.header().entry_type().is_file() && is_binary(&entry.path().map_err(opened)?, name);
        if wanted {
            files.save(to, &mut entry, bytes_max).map_err(FetchError::system(format!("writing {}", to.display())))?;
            return Ok(true);
        }
    }
    Err(FetchError::Archive(format!("has neither bin/{name} nor {name}")))
}

fn is_binary(path: &Path, name: &str) -> bool {
    let parts: Vec<Component<'_>> = path.components().filter(|part| *part != Component::CurDir).collect();
    let name = Component::Normal(OsStr::new(name));
    parts == [name] || parts == [Component::Normal(OsStr::new("bin")), name]
}
