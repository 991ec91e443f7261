//! What a supervisor that keeps the engine connected must hear before the process ends.

use std::{
    io::Write as _,
    os::{fd::AsFd as _, unix::net::UnixStream},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{Lifecycle, StopReason, StopSwitch};

/// Set to `stdin` by a supervisor whose socket is this process's standard input.
pub const SUPERVISOR_VARIABLE: &str = "SWINGD_SUPERVISOR";

/// How long the supervisor may take to read a line. One that does not is done without.
const WRITE_TIME_MAX: Duration = Duration::from_secs(1);

/// A stop switch, and a supervisor that is told of the last commit: `{"last_commit":{"height":"7","app_hash":"AB12…"}}`.
#[derive(Debug)]
pub struct Supervised {
    switch: Arc<StopSwitch>,
    supervisor: Mutex<UnixStream>,
}

impl Supervised {
    /// With the supervisor that the process's environment names; none where it names none.
    ///
    /// # Errors
    /// The system's: the standard input is not what the environment says.
    pub fn from_environment(switch: &Arc<StopSwitch>) -> std::io::Result<Option<Self>> {
        if std::env::var_os(SUPERVISOR_VARIABLE).is_none_or(|value| value != "stdin") {
            return Ok(None);
        }
        let supervisor = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        Ok(Some(Supervised::new(switch, supervisor)?))
    }

    /// With the supervisor at the other end of `supervisor`.
    ///
    /// # Errors
    /// The system's: it is no socket.
    pub fn new(switch: &Arc<StopSwitch>, supervisor: UnixStream) -> std::io::Result<Self> {
        supervisor.set_write_timeout(Some(WRITE_TIME_MAX))?;
        Ok(Supervised { switch: Arc::clone(switch), supervisor: Mutex::new(supervisor) })
    }
}

impl Lifecycle for Supervised {
    fn stop(&self, reason: StopReason) {
        self.switch.stop(reason);
    }

    fn last_commit(&self, height: i64, app_hash: &[u8]) {
        let said = serde_json::json!({
            "last_commit": { "height": height.to_string(), "app_hash": hex::encode_upper(app_hash) }
        });
        let mut supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = supervisor.write_all(format!("{said}\n").as_bytes()) {
            tracing::warn!(%error, "the supervisor was not told of the last commit: the engine will lose its connections");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader},
        os::unix::net::UnixStream,
    };

    use super::Supervised;
    use crate::lifecycle::{Lifecycle as _, StopReason, StopSwitch};

    #[test]
    fn the_supervisor_hears_of_the_last_commit_in_one_line_and_a_dead_one_stops_nothing() {
        let (ours, theirs) = UnixStream::pair().expect("sockets");
        let switch = StopSwitch::new();
        let supervised = Supervised::new(&switch, ours).expect("a socket");
        supervised.last_commit(7, &[0xab, 0x12]);
        let mut line = String::new();
        let mut theirs = BufReader::new(theirs);
        theirs.read_line(&mut line).expect("a line");
        assert_eq!(line, "{\"last_commit\":{\"height\":\"7\",\"app_hash\":\"AB12\"}}\n");
        drop(theirs);
        supervised.last_commit(8, &[]);
        supervised.stop(StopReason::Signal { signal: "SIGTERM" });
        assert!(switch.reason().is_some());
    }
}
