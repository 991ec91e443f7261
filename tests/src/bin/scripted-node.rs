//! The scripted chain in a process of its own, so that it can be killed: `scripted-node DATA RELEASE [POINT@HEIGHT]`. It goes on
//! from the committed height, prints `height HASH` after every commit and every point that it passes, and ends with 0 when the
//! script is over, with 40 when the release refuses to go on, with 43 when the upgrade fails.

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context as _, Result, anyhow};
use swing_node::lifecycle::StopReason;
use swing_tests::{
    chain::{Chain, refusal_in},
    points::{Announced, say},
    releases, script,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<u8> {
    let (Some(data), Some(release)) = (arguments.first(), arguments.get(1)) else {
        return Err(anyhow!("usage: scripted-node DATA RELEASE [POINT@HEIGHT]"));
    };
    let points = Announced::parse(arguments.get(2).map(String::as_str)).map_err(|error| anyhow!(error))?;
    let release = releases::release(release).with_context(|| format!("no release {release}"))?;
    let mut chain = match Chain::open(Path::new(data), release, Arc::new(points)) {
        Ok(chain) => chain,
        Err(error) => match refusal_in(&error) {
            Some(refusal) => return refused(&refusal.lines(), refusal.exit_code().code()),
            None => return Err(error),
        },
    };
    let committed = chain.height()?;
    for block in script::blocks().iter().filter(|block| block.height > committed) {
        match chain.execute(block) {
            Ok(executed) => {
                say(&format!("{} {}", block.height, hex::encode(&executed.answer.app_hash)));
                if let Some(StopReason::Upgrade(refusal)) = executed.then {
                    return refused(&refusal.lines(), refusal.exit_code().code());
                }
            }
            Err(stop) => return refused(&[stop.to_string()], stop.exit_code().code()),
        }
    }
    Ok(0)
}

fn refused(lines: &[String], code: u8) -> Result<u8> {
    for line in lines {
        say(line);
    }
    Ok(code)
}
