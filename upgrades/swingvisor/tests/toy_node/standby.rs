//! The toy node before its time.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::{fd::AsFd as _, unix::net::UnixStream},
    path::Path,
};

use serde_json::{Value, json};

use super::{
    Build, name,
    state::{self, State},
    status_json,
};

/// Waits for the supervisor's word, where it is to stand by; whether it goes on.
pub fn goes(build: &Build, home: &Path) -> bool {
    if std::env::var_os("SWINGD_STANDBY").is_none() {
        return true;
    }
    assert!(build.stands_by, "only a binary that can is started so");
    state::note(home, &format!("stand by {}", name(build.release)));
    if build.dies == "in-standby" {
        return false;
    }
    let mut supervisor = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().expect("a socket"));
    let words = BufReader::new(supervisor.try_clone().expect("a socket"));
    for line in words.lines() {
        let said: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        if said.get("go").is_some() {
            state::note(home, &format!("goes {}", name(build.release)));
            return true;
        }
        if build.dies == "deaf" {
            continue;
        }
        let answer = json!({
            "status": status_json(build, &State::load(home)),
            "pre_upgrade": { "exit_code": 0, "said": "it goes on" },
        });
        writeln!(supervisor, "{}", json!({ "answer": answer })).expect("told");
    }
    false
}
