//! Where a binary is installed, and the folder that belongs to a plan's name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest folder name, bytes: what filesystems take, with room for a suffix.
const FOLDER_BYTES_MAX: usize = 200;

/// A place for a binary in cosmovisor's layout.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// `genesis/bin`.
    Genesis,
    /// `upgrades/<folder>/bin`.
    Upgrade(String),
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Slot::Genesis => f.write_str("genesis"),
            Slot::Upgrade(folder) => write!(f, "upgrades/{folder}"),
        }
    }
}

/// A plan's name that no folder can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, `.` or `..`.
    #[error("a plan cannot be named {name:?}: it would be another folder than one under upgrades/")]
    Reserved {
        /// The name.
        name: String,
    },
    /// Longer than a filesystem takes.
    #[error("the plan's name has {bytes} bytes when escaped, at most {FOLDER_BYTES_MAX} make a folder")]
    TooLong {
        /// Its escaped length.
        bytes: usize,
    },
}

/// The folder of a plan under `upgrades/`: lower case unless `keep_case`, and escaped as a path segment, both as cosmovisor does.
///
/// # Errors
/// [`NameError`]: a name that would lead out of `upgrades/`, or is too long.
pub fn folder_of_plan(name: &str, keep_case: bool) -> Result<String, NameError> {
    let name = if keep_case { name.to_owned() } else { name.to_lowercase() };
    if name.is_empty() || name == "." || name == ".." {
        return Err(NameError::Reserved { name });
    }
    let mut folder = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+=:@".contains(&byte) {
            folder.push(char::from(byte));
        } else {
            folder.push('%');
            folder.push_str(&hex::encode_upper([byte]));
        }
    }
    if folder.len() > FOLDER_BYTES_MAX {
        return Err(NameError::TooLong { bytes: folder.len() });
    }
    Ok(folder)
}
