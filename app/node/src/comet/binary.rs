//! Finding a CometBFT of the right version line.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use super::CometError;

/// The version line that this node speaks ABCI with.
pub const VERSION_LINE: &str = "0.38";

/// A CometBFT binary whose version was asked for.
#[derive(Clone, Debug)]
pub struct CometBinary {
    path: PathBuf,
    version: String,
}

impl CometBinary {
    /// The binary at `named`, else at `from_environment` (the value of `COMETBFT`), else on the search path.
    ///
    /// # Errors
    /// [`CometError::NotFound`], or [`CometError::WrongVersion`].
    pub fn find(
        named: Option<&Path>,
        from_environment: Option<OsString>,
        search_path: Option<OsString>,
    ) -> Result<Self, CometError> {
        let path = named
            .map(Path::to_owned)
            .or_else(|| from_environment.map(PathBuf::from))
            .or_else(|| {
                std::env::split_paths(&search_path?).map(|folder| folder.join("cometbft")).find(|path| path.is_file())
            })
            .ok_or(CometError::NotFound)?;
        if !path.is_file() {
            return Err(CometError::NotFound);
        }
        let output = Command::new(&path)
            .arg("version")
            .output()
            .map_err(CometError::system(format!("running {}", path.display())))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().trim_start_matches('v').to_owned();
        if version.strip_prefix(VERSION_LINE).is_none_or(|rest| !rest.starts_with('.')) {
            return Err(CometError::WrongVersion { path: path.display().to_string(), version });
        }
        Ok(CometBinary { path, version })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its version, as it says.
    pub fn version(&self) -> &str {
        &self.version
    }
}
