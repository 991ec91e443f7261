//! What a supervisor that keeps the engine connected must hear before the process ends.

use std::{
    io::Write as _,
    os::{fd::AsFd as _, unix::net::UnixStream},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};

use super::{Lifecycle, Refusal, StopReason, StopSwitch};

/// Set to `stdin` by a supervisor whose socket is this process's standard input.
pub const SUPERVISOR_VARIABLE: &str = "SWINGD_SUPERVISOR";

/// How long the supervisor may take to read a line. One that does not is done without.
const WRITE_TIME_MAX: Duration = Duration::from_secs(1);

/// A stop switch, and a supervisor that is told of the last commit: `{"last_commit":{"height":"7","app_hash":"AB12…"}}`. Where a plan is
/// the reason, `status` stands beside it: what `swingd status` would say of this state, as far as a supervisor decides by it.
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

    fn last_commit(&self, height: i64, app_hash: &[u8], reason: &StopReason) {
        let (height, app_hash) = (height.to_string(), hex::encode_upper(app_hash));
        let mut said = json!({ "last_commit": { "height": height, "app_hash": app_hash } });
        if let StopReason::Upgrade(refusal) = reason
            && let Some(status) = status(refusal, &height, &app_hash)
        {
            said["status"] = status;
        }
        let mut supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = supervisor.write_all(format!("{said}\n").as_bytes()) {
            tracing::warn!(%error, "the supervisor was not told of the last commit: the engine will lose its connections");
        }
    }
}

/// The status of a node that stops for a plan; none for another refusal, whose plan it does not say.
fn status(refusal: &Refusal, height: &str, app_hash: &str) -> Option<Value> {
    let plan = refusal.needed_plan()?;
    Some(json!({
        "sync_info": { "latest_app_hash": app_hash },
        "application": {
            "release": refusal.release,
            "committed_height": height,
            "plan": { "name": plan.name, "height": plan.height.to_string(), "info": plan.info },
            "stop": { "exit_code": refusal.exit_code().code(), "lines": refusal.lines() },
        },
    }))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader},
        os::unix::net::UnixStream,
    };

    use serde_json::{Value, json};
    use swing_core::ports::upgrade::{Decision, Plan};

    use super::Supervised;
    use crate::lifecycle::{Lifecycle as _, Refusal, StopReason, StopSwitch};

    #[test]
    fn the_supervisor_hears_of_the_last_commit_in_one_line_and_a_dead_one_stops_nothing() {
        let plan = Plan { name: "version-2".to_owned(), height: 8, info: "{}".to_owned() };
        let refusal = |decision| Refusal { release: "version-1".to_owned(), height: 8, decision };
        let needed = StopReason::Upgrade(refusal(Decision::Needed(plan.clone())));
        let early = StopReason::Upgrade(refusal(Decision::TooEarly(plan)));
        let (ours, theirs) = UnixStream::pair().expect("sockets");
        let switch = StopSwitch::new();
        let supervised = Supervised::new(&switch, ours).expect("a socket");
        supervised.last_commit(7, &[0xab, 0x12], &early);
        supervised.last_commit(7, &[0xab, 0x12], &needed);
        let mut theirs = BufReader::new(theirs);
        let mut line = || -> Value {
            let mut line = String::new();
            theirs.read_line(&mut line).expect("a line");
            serde_json::from_str(&line).expect("JSON")
        };
        let last_commit = json!({ "height": "7", "app_hash": "AB12" });
        assert_eq!(line(), json!({ "last_commit": last_commit }));
        let said = line();
        assert_eq!(said["last_commit"], last_commit);
        let application = &said["status"]["application"];
        assert_eq!((&application["committed_height"], &application["plan"]["height"]), (&json!("7"), &json!("8")));
        assert_eq!(application["stop"]["exit_code"], 40);
        assert_eq!(said["status"]["sync_info"]["latest_app_hash"], "AB12");
        drop(theirs);
        supervised.last_commit(8, &[], &needed);
        supervised.stop(StopReason::Signal { signal: "SIGTERM" });
        assert!(switch.reason().is_some());
    }
}
