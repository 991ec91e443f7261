//! How a command fails.

use std::{io::Write, process::ExitCode};

use super::{EXIT_FAILED, EXIT_USAGE};
use crate::{client::ClientError, config::ConfigError, keyring::KeyringError};

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// The command line makes no sense.
    Usage(String),
    /// The command could not be done.
    Failed(anyhow::Error),
}

impl Failure {
    /// A failure with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Failure::Failed(anyhow::Error::msg(text.into()))
    }

    /// Prints it to standard error; gives the exit code.
    pub fn report(self) -> ExitCode {
        let code = match self {
            Failure::Usage(_) => EXIT_USAGE,
            Failure::Failed(_) => EXIT_FAILED,
        };
        // Where standard error is closed too, the exit code still tells.
        let _ = writeln!(std::io::stderr(), "Error: {self}");
        ExitCode::from(code)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Usage(text) => f.write_str(text),
            Failure::Failed(error) => write!(f, "{error:#}"),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::Failed(error)
    }
}

macro_rules! from_error {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Failure::Failed(error.into())
            }
        }
    )*};
}

from_error!(ClientError, ConfigError, KeyringError, serde_json::Error, std::io::Error, swing_proto::json::JsonError);
