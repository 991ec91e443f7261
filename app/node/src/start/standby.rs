//! Standing by: a supervisor starts the next binary some blocks before its height, so that the process, its code and the compiled
//! bundles are there when the node before has ended.
//!
//! Over the socket that is its standard input it says `{"standing_by":{"release":"version-2"}}`, answers `{"ask":{}}` with
//! `{"answer":{"status":…,"pre_upgrade":{"exit_code":0,"said":"…"}}}`, what the commands `status` and `pre-upgrade` would say, and
//! goes on at `{"go":{}}`. It ends when the supervisor does, or closes the socket.
//!
//! # Invariants
//! - Until it is told to go it opens nothing that the running node has: no database but to read committed state when asked, no
//!   socket, no lock.
//! - Nothing of what it did or said before decides anything: after that word it starts as every node does, from committed state.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::{fd::AsFd as _, unix::net::UnixStream},
    sync::Arc,
};

use serde_json::{Value, json};
use swing_core::ports::upgrade::Release;
use swingset_host::EngineRuntime;

use crate::{
    config::Home,
    engine_adapter,
    lifecycle::Halt,
    status::{Status, Takeover},
};

/// Set to `1` by a supervisor whose binary is to stand by.
pub const STANDBY_VARIABLE: &str = "SWINGD_STANDBY";

/// Longest line of the supervisor's, bytes.
const LINE_BYTES_MAX: u64 = 4 << 10;

/// Why a binary that stood by does not go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum StandbyError {
    /// The supervisor does not need it any more.
    #[error("stood by, and was not needed")]
    Dismissed,
    /// The engine cannot be made on this machine.
    #[error(transparent)]
    Halt(#[from] Halt),
    /// The socket failed.
    #[error("standing by: {0}")]
    Io(#[from] io::Error),
}

/// A supervisor's word.
enum Word {
    Ask,
    Go,
}

/// Where a supervisor asks for it, stands by until it says go. Gives the engine's runtime, with everything in it that can be had
/// before; none where nobody asked to stand by.
///
/// # Errors
/// [`StandbyError`]; nothing was opened then.
pub(super) fn stand_by(
    home: &Home,
    release: &dyn Release,
    runtime: impl FnOnce(&Home) -> Result<Arc<EngineRuntime>, Halt>,
) -> Result<Option<Arc<EngineRuntime>>, StandbyError> {
    if std::env::var_os(STANDBY_VARIABLE).is_none_or(|value| value != "1") {
        return Ok(None);
    }
    let supervisor = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let runtime = runtime(home)?;
    if let Err(Halt { reason }) = load(&runtime, home, release) {
        tracing::warn!(reason, "not everything was loaded ahead: the first block takes longer");
    }
    tracing::info!("standing by: the node before has its last blocks to make");
    say(&supervisor, &json!({ "standing_by": { "release": release.name() } }))?;
    loop {
        match hear(&supervisor)? {
            Word::Ask => say(&supervisor, &answer(home, release))?,
            Word::Go => return Ok(Some(runtime)),
        }
    }
}

/// Loads what the upgrade installs, and what the chain runs until then, as far as this binary carries it.
fn load(runtime: &EngineRuntime, home: &Home, release: &dyn Release) -> Result<(), Halt> {
    let present = Status::read(&home.data_folder(), release)?.app_version;
    for app_version in [present, release.app_version()] {
        if let Some(bundles) = release.bundles(app_version) {
            engine_adapter::precompile(runtime, &bundles).map_err(|halt| Halt::new(halt.0))?;
        }
    }
    Ok(())
}

fn answer(home: &Home, release: &dyn Release) -> Value {
    let status = Status::read(&home.data_folder(), release);
    let takeover = Takeover::of(&status, release);
    let status = match status {
        Ok(status) => status.to_json(home, release),
        Err(Halt { reason }) => json!({ "failure": reason }),
    };
    let pre_upgrade = json!({ "exit_code": takeover.exit_code, "said": takeover.said });
    json!({ "answer": { "status": status, "pre_upgrade": pre_upgrade } })
}

fn say(mut supervisor: &UnixStream, said: &Value) -> io::Result<()> {
    supervisor.write_all(format!("{said}\n").as_bytes())
}

/// The next word. A supervisor says one and waits, so nothing lies behind it.
fn hear(supervisor: &UnixStream) -> Result<Word, StandbyError> {
    let mut line = String::new();
    if BufReader::new(supervisor.take(LINE_BYTES_MAX)).read_line(&mut line)? == 0 {
        return Err(StandbyError::Dismissed);
    }
    let said: Value = serde_json::from_str(&line).unwrap_or_default();
    if said.get("go").is_some() {
        return Ok(Word::Go);
    }
    if said.get("ask").is_some() {
        return Ok(Word::Ask);
    }
    let reason = format!("the supervisor said {:?}, expected ask or go", line.trim());
    Err(io::Error::new(io::ErrorKind::InvalidData, reason).into())
}
