//! Asking a binary: what committed state is, and who it is.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::Value;
use sha2::Sha256;

use crate::{
    command::{self, CommandError, Told},
    core::{Answer, Status},
    program,
};

/// Asks binaries about one home.
#[derive(Clone, Debug)]
pub struct Prober {
    /// The node's home, as it is started with.
    pub home: PathBuf,
    /// How long an answer may take.
    pub limit: Duration,
    /// Ends a question when swingvisor is told to stop.
    pub told: Told,
}

/// What was found out about a binary that could take over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Its release, as it says.
    pub release: String,
    /// Its version, as it says.
    pub version: String,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// Whether it can be started before its time, and waits.
    pub standby: bool,
}

/// What tells that a file was replaced.
pub type Signature = (u64, u64, i64, i64);

/// The signature of a file.
///
/// # Errors
/// The system's.
pub fn signature(path: &Path) -> io::Result<Signature> {
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}

impl Prober {
    /// What the binary says of committed state. Every way not to answer is a failure with its reason.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn status(&self, binary: &Path) -> Answer {
        let mut command = Command::new(binary);
        command.args(["status", "-o", "json", "--home"]).arg(&self.home);
        Status::parse(&self.answer("status", &mut command)?).map_err(|error| error.to_string())
    }

    /// Who the binary is: that it is a program for this machine, its hash, and what it says of itself.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn identify(&self, binary: &Path) -> Result<Identity, String> {
        let failed = |error: io::Error| format!("{}: {error}", binary.display());
        program::check(&head(binary).map_err(failed)?).map_err(|error| error.to_string())?;
        let mut command = Command::new(binary);
        command.args(["version", "--long", "-o", "json"]);
        let said: Value = serde_json::from_slice(&self.answer("version", &mut command)?)
            .map_err(|error| format!("its version is no JSON: {error}"))?;
        let text = |field: &str| said[field].as_str().unwrap_or_default().to_owned();
        Ok(Identity {
            release: text("release"),
            version: text("version"),
            sha256: sha256(binary).map_err(failed)?,
            standby: said["standby"].as_bool().unwrap_or(false),
        })
    }

    /// Has the binary compile what it brings, so that its first block does not wait for that. Gives what it said.
    ///
    /// # Errors
    /// Why it did not: a binary may have no such command, and then compiles when it must.
    pub fn precompile(&self, binary: &Path, limit: Duration) -> Result<String, String> {
        let mut command = Command::new(binary);
        command.args(["precompile", "--home"]).arg(&self.home);
        let asker = Prober { limit, ..self.clone() };
        asker.answer("precompile", &mut command).map(|said| String::from_utf8_lossy(&said).trim().to_owned())
    }

    fn answer(&self, asked: &str, command: &mut Command) -> Result<Vec<u8>, String> {
        let output = command::run(command, self.limit, &self.told).map_err(|error| match error {
            CommandError::Slow { program, limit } => format!(
                "`{program} {asked}` had not answered after {} ms and was ended: put another binary in its place, or let it take \
                 longer (SWINGVISOR_PROBE_TIMEOUT)",
                limit.as_millis()
            ),
            error => error.to_string(),
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(format!("it ended with {}: {}", output.status, output.last_words()))
    }
}

/// The first bytes of a file.
///
/// # Errors
/// The system's.
pub fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(program::HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head)
}

/// SHA-256 of a file, hex.
///
/// # Errors
/// The system's.
pub fn sha256(path: &Path) -> io::Result<String> {
    digest::<Sha256>(path)
}

/// A digest of a file, hex.
///
/// # Errors
/// The system's.
pub fn digest<D: sha2::Digest + Default>(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = D::default();
    let mut buffer = vec![0_u8; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex::encode(digest.finalize()));
        }
        digest.update(buffer.get(..read).unwrap_or_default());
    }
}
