//! CometBFT's record of its last signature.

use std::{fmt, io, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, Home, toml_file::TomlFile};

/// The most of the file that is read: CometBFT's has two signatures' bytes.
const BYTES_MAX: u64 = 1 << 20;

/// Why it is not known what was signed, or why no engine may sign on.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// A file could not be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A configuration or key file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The signing state is older than the mark.
    #[error(
        "DANGER OF SIGNING TWICE: this validator's key has signed at {mark} (as {mark_file} remembers), and {state_file} says {state}. \
         It was put back, or lost. An engine that goes on from there can sign other votes at heights at which this key has voted: \
         that is punished on every chain, and nothing takes it back. Put the newest signing state in its place, from wherever this \
         key has signed last. Only when it is certain that no vote above that state ever left this machine: {flag}",
        flag = super::UNSAFE_FLAG
    )]
    BelowHighWater {
        /// What was signed once.
        mark: Signed,
        /// Where that is remembered.
        mark_file: PathBuf,
        /// What the signing state says.
        state: Signed,
        /// The signing state.
        state_file: PathBuf,
    },
}

/// A point up to which a key has signed. Ordered as CometBFT orders them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Signed {
    /// The height.
    pub height: u64,
    /// The round in it.
    pub round: u64,
    /// 1 a proposal, 2 a prevote, 3 a precommit.
    pub step: u8,
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "height {}, round {}, step {}", self.height, self.round, self.step)
    }
}

impl Signed {
    /// What `data/priv_validator_state.json` of a home says; none where there is none.
    ///
    /// # Errors
    /// [`SigningError`].
    pub fn of_home(home: &Home) -> Result<Option<Self>, SigningError> {
        let path = home.priv_validator_state();
        let text = match home.files().read(&path, BYTES_MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|source| SigningError::Io { path: path.clone(), source })?,
        };
        let wrong = |reason: &str| SigningError::Malformed { path: path.clone(), reason: reason.to_owned() };
        let state: serde_json::Value = serde_json::from_slice(&text).map_err(|error| wrong(&error.to_string()))?;
        let number = |name: &str| {
            let value = state.get(name)?;
            value.as_str().map_or_else(|| value.as_u64(), |text| text.parse().ok())
        };
        let height = number("height").ok_or_else(|| wrong("it has no height"))?;
        // A new file has neither a round nor a step.
        let step = u8::try_from(number("step").unwrap_or(0)).map_err(|_| wrong("its step is not one"))?;
        Ok(Some(Signed { height, round: number("round").unwrap_or(0), step }))
    }
}

/// Whether a signer elsewhere holds the key, so that the home's signing state says nothing.
///
/// # Errors
/// `config.toml` cannot be read.
pub fn has_remote_signer(home: &Home) -> Result<bool, ConfigError> {
    let path = home.config_toml();
    if !path.exists() {
        return Ok(false);
    }
    let address = TomlFile::load(path)?.get("priv_validator_laddr");
    Ok(address.is_some_and(|address| !address.is_empty()))
}
