//! What a binary is made of, and the one entry that all binaries share.

use std::{ffi::OsString, process::ExitCode, sync::Arc};

use swing_core::ports::upgrade::Release;
use swing_files::{Disk, Files};

use crate::{
    cli,
    killpoints::{Killpoints, NoKillpoints},
};

/// What differs between the binaries of this software.
#[derive(Clone)]
pub struct Binary {
    /// Its release.
    pub release: &'static dyn Release,
    /// The port through which it touches the files of a home that count; production binaries have [`Disk`].
    pub files: Arc<dyn Files>,
    /// Where a test may kill it; production binaries have [`NoKillpoints`].
    pub killpoints: Arc<dyn Killpoints>,
}

impl std::fmt::Debug for Binary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Binary").field("release", &self.release.name()).finish_non_exhaustive()
    }
}

impl Binary {
    /// A production binary of this release.
    pub fn new(release: &'static dyn Release) -> Self {
        Binary { release, files: Arc::new(Disk), killpoints: Arc::new(NoKillpoints) }
    }
}

/// Runs one command. `arguments` begin with the program's name.
pub fn run(binary: Binary, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    cli::run(binary, arguments)
}
