//! Whether this binary can take over a home, as `pre-upgrade` says it. The exit codes are the SDK's.

use std::path::Path;

use swing_core::{error::Halt, ports::upgrade::Release};

use super::Status;

/// It can take over.
const AGREES: u8 = 0;
/// It cannot, and asking again changes nothing.
const REFUSES: u8 = 30;
/// It could not find out: ask again.
const ASK_AGAIN: u8 = 31;

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Takeover {
    /// The exit code of `pre-upgrade`.
    pub exit_code: u8,
    /// Why, in words.
    pub said: String,
}

impl Takeover {
    /// From committed state as `start` will read it, or from why it could not be read.
    pub fn of(status: &Result<Status, Halt>, release: &dyn Release) -> Self {
        let (exit_code, said) = match status {
            Err(halt) => (ASK_AGAIN, halt.reason.clone()),
            Ok(Status { refusal: Some(refusal), .. }) => (REFUSES, refusal.to_string()),
            Ok(status) => (AGREES, format!("{} goes on from height {}", release.name(), status.height)),
        };
        Takeover { exit_code, said }
    }

    /// Reads committed state, and says whether this release executes the next block.
    pub fn read(data_folder: &Path, release: &dyn Release) -> Self {
        Takeover::of(&Status::read(data_folder, release), release)
    }

    /// Whether it can.
    pub fn agrees(&self) -> bool {
        self.exit_code == AGREES
    }
}
