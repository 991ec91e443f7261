//! Where the node's binaries are.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

/// The newest release's binary.
pub const NEWEST: &str = "swingd";
/// The binary of the release before.
pub const VERSION_1: &str = "swingd-version-1";

/// A folder of node binaries.
#[derive(Clone, Debug)]
pub struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// The binaries in `folder`, or those beside this program.
    ///
    /// # Errors
    /// When one of the two releases is not there.
    pub fn find(folder: Option<&Path>) -> Result<Self> {
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => beside_this_program()?,
        };
        for name in [NEWEST, VERSION_1] {
            ensure!(
                folder.join(name).is_file(),
                "{name} is not in {}: build it with `cargo build -p swing-node --bins`, or name its folder with --bin-dir",
                folder.display()
            );
        }
        Ok(Binaries { folder })
    }

    /// Path of the binary of this name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The folder of the running program; for a test, the one above its `deps`.
fn beside_this_program() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let mut folder = program.parent().unwrap_or(Path::new(".")).to_owned();
    if folder.ends_with("deps") {
        folder.pop();
    }
    Ok(folder)
}
