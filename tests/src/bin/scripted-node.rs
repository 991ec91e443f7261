//! The scripted chain in a process of its own, so that it can be killed: `scripted-node DATA RELEASE [POINT@HEIGHT]`. It goes on
//! from the committed height, prints `height HASH` after every commit and every point that it passes, and ends with 0 when the
//! script is over, with 40 when the release refuses to go on, with 43 when the upgrade fails. It ends as `swingd start` does, without
//! returning from `main`: a checkpoint may still be read in the background.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result, anyhow};
use swing_node::lifecycle::{ExitCode, StopReason, end_process};
use swing_tests::{
    chain::{Chain, refusal_in},
    points::{Announced, say},
    releases, script,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    end_process(run(&arguments).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::Failed
    }))
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let (Some(data), Some(release)) = (arguments.first(), arguments.get(1)) else {
        return Err(anyhow!("usage: scripted-node DATA RELEASE [POINT@HEIGHT]"));
    };
    let points = Announced::parse(arguments.get(2).map(String::as_str)).map_err(|error| anyhow!(error))?;
    let release = releases::release(release).with_context(|| format!("no release {release}"))?;
    let mut chain = match Chain::open(Path::new(data), release, Arc::new(points)) {
        Ok(chain) => chain,
        Err(error) => match refusal_in(&error) {
            Some(refusal) => return refused(&refusal.lines(), refusal.exit_code()),
            None => return Err(error),
        },
    };
    let committed = chain.height()?;
    for block in script::blocks().iter().filter(|block| block.height > committed) {
        match chain.execute(block) {
            Ok(executed) => {
                say(&format!("{} {}", block.height, hex::encode(&executed.answer.app_hash)));
                if let Some(StopReason::Upgrade(refusal)) = executed.then {
                    return refused(&refusal.lines(), refusal.exit_code());
                }
            }
            Err(stop) => return refused(&[stop.to_string()], stop.exit_code()),
        }
    }
    Ok(ExitCode::Ok)
}

fn refused(lines: &[String], code: ExitCode) -> Result<ExitCode> {
    for line in lines {
        say(line);
    }
    Ok(code)
}
