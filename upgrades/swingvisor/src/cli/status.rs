//! `status`: from the running swingvisor, over the socket in its folder or its status pages, else from the home itself.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::Value;

use super::{OutputArgs, Tools};
use crate::{
    config::Config,
    core::{Action, Child, Facts, Slot, decide, folder_of_plan},
    files::Disk,
    home::{self, Lock},
    report::{Report, Seen},
    run::{self, Situation, arm, in_words, troubles},
};

/// How long the running swingvisor may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Arguments of `status`.
#[derive(Args, Debug)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    output: OutputArgs,
}

/// Prints the report.
pub(super) fn run(config: &Config, arguments: &StatusArgs) -> Result<()> {
    let supervised = Lock::is_held(&config.layout.lock())?;
    let told = supervised.then(|| run::ask(&config.layout.status_socket()));
    let report = match (told, config.listen.filter(|_| supervised)) {
        (Some(Ok(report)), _) => report,
        (_, Some(address)) => ask(address).with_context(|| format!("the swingvisor at {address} does not answer"))?,
        (told, None) => {
            if let Some(Err(error)) = told {
                eprintln!("note: the swingvisor that runs does not answer, so this is what the home shows: {error}");
            }
            serde_json::to_value(look(config, supervised)?)?
        }
    };
    if arguments.output.output == "json" {
        println!("{report}");
    } else {
        print_lines(&report);
    }
    Ok(())
}

fn ask(address: SocketAddr) -> Result<Value> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
    let text = agent.get(format!("http://{address}/status")).call()?.body_mut().read_to_string()?;
    Ok(serde_json::from_str(&text)?)
}

/// Looks at the home: reads, and asks the binaries; changes nothing.
fn look(config: &Config, supervised: bool) -> Result<Report> {
    let (layout, tools) = (&config.layout, Tools::new(config));
    let journal = if layout.journal().exists() { home::load_journal(&Disk, layout)? } else { Default::default() };
    let mut facts = Facts::new(config.policy.clone());
    facts.current = home::current(&Disk, layout)?;
    facts.installed = home::installed(&Disk, layout)?;
    facts.child = if supervised { Child::NotStarted } else { Child::Rested };
    let mut own = None;
    if let Some(current) = facts.current.clone() {
        let binary = layout.binary(&current);
        own = tools.prober.identify(&binary).ok();
        facts.asked.insert(current, tools.prober.status(&binary));
    }
    facts.not_planned = tools.planned.not_planned(&journal, &facts);
    // The next step that is more than a question.
    let mut action = decide(&journal, &facts);
    while let Action::Ask(slot) = &action {
        let answer = tools.prober.status(&layout.binary(slot));
        facts.asked.insert(slot.clone(), answer);
        action = decide(&journal, &facts);
    }
    let answer = facts.current.as_ref().and_then(|slot| facts.asked.get(slot));
    let plan = answer.and_then(|answer| answer.as_ref().ok()?.plan.clone());
    let found = plan.and_then(|plan| {
        let slot = Slot::Upgrade(folder_of_plan(&plan.name, config.policy.keep_case).ok()?);
        let binary = facts.installed.contains(&slot).then(|| layout.binary(&slot))?;
        let found = arm(&tools.prober, &tools.planned, &plan, &slot, &binary);
        Some((slot, found))
    });
    let (armed, problem) = match found {
        Some((slot, Ok(identity))) => (Some((slot, identity)), None),
        Some((slot, Err(problem))) => (None, Some(format!("{slot}: {problem}"))),
        None => (None, None),
    };
    let situation =
        Situation { home: &tools.prober.home, current: facts.current.as_ref(), answer, installed: &facts.installed };
    let troubles = troubles(config, &Disk, &situation);
    let mut report = Report {
        swingvisor: env!("CARGO_PKG_VERSION").to_owned(),
        supervised,
        mode: config.mode.name().to_owned(),
        switch: journal.upgrade.clone(),
        last_switch: journal.history.last().cloned(),
        next_action: if supervised { "watch the node that runs".to_owned() } else { in_words(&action) },
        ..Report::default()
    };
    let seen = Seen {
        answer,
        installed: &facts.installed,
        current: facts.current.as_ref(),
        own: own.as_ref(),
        armed: armed.as_ref(),
        problem: problem.as_deref(),
        block_ms: None,
        troubles: &troubles,
    };
    report.see(&seen, &config.policy);
    Ok(report)
}

/// One `name: value` a line; what is not known is left out.
fn print_lines(report: &Value) {
    for (name, value) in report.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::Object(fields) => {
                println!("{name}:");
                for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                    println!("  {name}: {}", plain(value));
                }
            }
            Value::Array(items) if items.is_empty() => println!("{name}: none"),
            Value::Array(items) => {
                println!("{name}:");
                items.iter().for_each(|item| println!("  - {}", plain(item)));
            }
            other => println!("{name}: {}", plain(other)),
        }
    }
}

/// A value in one line; what is not known is left out.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let known = fields.iter().filter(|(_, value)| !value.is_null());
            known.map(|(name, value)| format!("{name}: {}", plain(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
