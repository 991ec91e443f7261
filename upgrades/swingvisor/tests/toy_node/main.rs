//! A node of a few hundred lines for the tests of the supervisor: a real process with a state on disk, blocks, plans, releases, and
//! swingd's exit codes and answers. Flags that a script puts before the command make it misbehave.

mod abci;
mod http;
mod standby;
mod state;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use state::{Plan, State};

/// How it was built, as the flags say.
#[derive(Default)]
struct Build {
    release: u64,
    /// It runs no rules but its own.
    own_rules_only: bool,
    status_fails: bool,
    status_hangs: bool,
    handler_fails: bool,
    ignores_stop: bool,
    ignores_term: bool,
    pre_upgrade: Option<u8>,
    crash_at: Option<u64>,
    /// How it dies behind ABCI.
    dies: String,
    /// It can be started before its time, and says what it leaves with its last commit.
    stands_by: bool,
}

/// What it does before the next block.
enum Decision {
    Continue,
    Apply,
    Stop(u8, String),
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut build, mut words, mut home, mut address) = (Build::default(), Vec::new(), PathBuf::new(), None);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_default();
        match argument.as_str() {
            "--release" => build.release = value().parse().expect("a number"),
            "--own-rules-only" => build.own_rules_only = true,
            "--status-fails" => build.status_fails = true,
            "--status-hangs" => build.status_hangs = true,
            "--handler-fails" => build.handler_fails = true,
            "--ignores-stop" => build.ignores_stop = true,
            "--ignores-term" => build.ignores_term = true,
            "--pre-upgrade" => build.pre_upgrade = value().parse().ok(),
            "--crash-at" => build.crash_at = value().parse().ok(),
            "--dies" => build.dies = value(),
            "--stands-by" => build.stands_by = true,
            "--address" => address = Some(value()),
            "--home" => home = value().into(),
            _ => words.push(argument),
        }
    }
    match words.first().map(String::as_str) {
        Some("status") => status(&build, &home),
        Some("version") => {
            let release = name(build.release);
            println!(
                "{}",
                json!({ "release": release, "version": "0.0.1", "said": words, "standby": build.stands_by })
            );
            ExitCode::SUCCESS
        }
        Some("pre-upgrade") => {
            eprintln!("pre-upgrade of {}", name(build.release));
            ExitCode::from(build.pre_upgrade.unwrap_or(0))
        }
        Some("precompile") => {
            std::fs::write(home.join("precompiled"), name(build.release)).expect("written");
            ExitCode::SUCCESS
        }
        Some("start") => ExitCode::from(start(build, &home, address.as_deref())),
        // An example without arguments has nothing to do.
        None => ExitCode::SUCCESS,
        Some(other) => {
            eprintln!("there is no command {other}");
            ExitCode::from(2)
        }
    }
}

fn name(release: u64) -> String {
    format!("version-{release}")
}

fn decide(build: &Build, state: &State) -> Decision {
    let own = name(build.release);
    let next = state.committed_height + 1;
    let plan = state.plan.as_ref();
    if let Some(plan) = plan.filter(|plan| plan.height <= next) {
        if plan.name != own {
            let line = format!("UPGRADE \"{}\" NEEDED at height: {}: {}", plan.name, plan.height, plan.info);
            return Decision::Stop(40, line);
        }
        return Decision::Apply;
    }
    if state.app_version > build.release {
        return Decision::Stop(42, format!("wrong app version {}", state.app_version));
    }
    let runs = state.app_version == build.release || !build.own_rules_only;
    match plan {
        Some(plan) if plan.name == own && !runs => Decision::Stop(41, "BINARY UPDATED BEFORE TRIGGER!".to_owned()),
        _ if !runs => Decision::Stop(42, format!("{own} does not run the rules of {}", state.app_version)),
        _ => Decision::Continue,
    }
}

fn status(build: &Build, home: &Path) -> ExitCode {
    if build.status_hangs {
        loop {
            std::thread::park();
        }
    }
    if build.status_fails {
        eprintln!("the database cannot be read");
        return ExitCode::FAILURE;
    }
    println!("{}", status_json(build, &State::load(home)));
    ExitCode::SUCCESS
}

/// What it says of a state.
fn status_json(build: &Build, state: &State) -> Value {
    let stop = match decide(build, state) {
        Decision::Stop(code, line) => json!({ "exit_code": code, "lines": [line] }),
        Decision::Continue | Decision::Apply => Value::Null,
    };
    let told = |plan: &Plan| {
        let id = plan.id.map(|id| id.to_string());
        json!({
            "id": id,
            "name": plan.name,
            "height": plan.height.to_string(),
            "info": plan.info,
            "readiness": plan.readiness,
        })
    };
    let plan = state.plan.as_ref().map(told);
    let plans: Vec<Value> = state.plan.iter().chain(&state.later).map(told).collect();
    json!({
        "sync_info": { "latest_app_hash": state.app_hash(), "latest_block_height": state.committed_height.to_string() },
        "application": {
            "release": name(build.release),
            "committed_height": state.committed_height.to_string(),
            "plan": plan,
            "plans": plans,
            "stop": stop,
            "checkpoint": state.checkpoint,
        },
    })
}

/// Serves CometBFT, or makes blocks, until something ends it; gives the exit code.
fn start(build: Build, home: &Path, address: Option<&str>) -> u8 {
    let term = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&term)).expect("a signal handler");
    let _serving = http::serve(name(build.release));
    match address {
        Some(address) if !standby::goes(&build, home) => {
            eprintln!("{} is not needed, and does not serve {address}", name(build.release));
            0
        }
        Some(address) => abci::serve(build, home, address, &term),
        None => make_blocks(&build, home, &term),
    }
}

fn make_blocks(build: &Build, home: &Path, term: &AtomicBool) -> u8 {
    let mut state = State::load(home);
    state::note(home, &format!("start {} at {}", name(build.release), state.committed_height));
    loop {
        match decide(build, &state) {
            Decision::Stop(..) if build.ignores_stop => wait_for(term),
            Decision::Stop(code, line) => {
                eprintln!("{line}");
                state::note(home, &format!("stop {} with {code} at {}", name(build.release), state.committed_height));
                return code;
            }
            Decision::Apply if build.handler_fails => return 43,
            Decision::Apply => {
                state.app_version = build.release;
                state.plan = None;
                state::note(home, &format!("apply {} at {}", name(build.release), state.committed_height + 1));
            }
            Decision::Continue => {}
        }
        if state.until.is_some_and(|until| state.committed_height >= until) {
            return 0;
        }
        if build.crash_at == Some(state.committed_height + 1) {
            return 7;
        }
        state.committed_height += 1;
        state.store(home);
        std::thread::park_timeout(Duration::from_millis(state.block_ms));
        if term.load(Ordering::SeqCst) {
            if build.ignores_term {
                wait_for(&AtomicBool::new(false));
            }
            return 0;
        }
    }
}

fn wait_for(told: &AtomicBool) {
    while !told.load(Ordering::SeqCst) {
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
