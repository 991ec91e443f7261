//! `upgrade`: what an operator does about an upgrade before its height.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use swing_store::{Store, StoreOptions, checkpoint::Label};

use super::{
    Context, Failure, checkpoint,
    context::note,
    output::{self, Format},
};
use crate::{
    app::DATABASE_FOLDER,
    checkpoint::priority,
    control::{ControlError, ask_for_copy},
    rehearsal::{self, Place},
    status::Status,
};

/// The last lines of what a rehearsing binary said that are passed on when it gave no report.
const LINES_TOLD: usize = 10;

/// Commands of `upgrade`.
#[derive(Debug, Subcommand)]
pub enum UpgradeCommand {
    /// Run the pending upgrade on a copy of this home's data, and report what it does; the node may run
    Rehearse(RehearseArgs),
    /// The half of it that runs in a process of its own
    #[command(hide = true)]
    RehearseOn(RehearseOnArgs),
}

/// Arguments of `upgrade rehearse`.
#[derive(Args, Debug)]
pub struct RehearseArgs {
    /// The binary that will apply the upgrade; this one by default
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// A plan that is not pending, or not the one that is
    #[arg(long, value_name = "NAME")]
    plan: Option<String>,
    /// Rehearse on the state that is committed at this height, so that digests compare; waits for it. Where the plan's info names
    /// a height (rehearsal.height) and it is to come, that one is taken
    #[arg(long, value_name = "HEIGHT", conflicts_with = "checkpoint")]
    at_height: Option<u64>,
    /// Rehearse on this checkpoint
    #[arg(long, value_name = "ID")]
    checkpoint: Option<String>,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Arguments of `upgrade rehearse-on`.
#[derive(Args, Debug)]
pub struct RehearseOnArgs {
    /// The folder of the copy
    folder: PathBuf,
    /// As in `upgrade rehearse`
    #[arg(long)]
    plan: Option<String>,
}

/// Runs one.
pub fn run(context: &Context, command: &UpgradeCommand) -> Result<(), Failure> {
    match command {
        UpgradeCommand::Rehearse(arguments) => rehearse(context, arguments),
        UpgradeCommand::RehearseOn(arguments) => rehearse_on(context, arguments),
    }
}

fn failed(error: impl Into<anyhow::Error>) -> Failure {
    Failure::Failed(error.into())
}

fn rehearse(context: &Context, arguments: &RehearseArgs) -> Result<(), Failure> {
    let data = context.home.data_folder();
    let place = Place::take(context.home.files(), &data).map_err(failed)?;
    let folder = copy(context, arguments, &place)?;
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => std::env::current_exe()?,
    };
    let mut report = run_binary(&binary, &folder, arguments.plan.as_deref())?;
    report["binary"] = json!(binary.display().to_string());
    report["binary_sha256"] = json!(hex::encode(Sha256::digest(std::fs::read(&binary)?)));
    // The copy goes before anything is said of it.
    drop(place);
    let passed = report["passed"] == json!(true);
    output::value(arguments.output, &report)?;
    if passed { Ok(()) } else { Err(Failure::new("the rehearsal failed: see `failure` and `invariants` above")) }
}

/// Makes the copy: of a checkpoint, by the running node, or, where none runs, by this process. Gives its folder.
fn copy(context: &Context, arguments: &RehearseArgs, place: &Place) -> Result<PathBuf, Failure> {
    if let Some(id) = &arguments.checkpoint {
        let folder = place.copy(&format!("of-{id}"));
        context.home.files().make_folder(&folder)?;
        let kept = checkpoint::of_home(context);
        kept.copy_database(id, &folder.join(DATABASE_FOLDER)).map_err(checkpoint::failed)?;
        return Ok(folder);
    }
    let status =
        Status::read(&context.home.data_folder(), context.release).map_err(|halt| Failure::new(halt.reason))?;
    let at_height = arguments.at_height.or_else(|| planned_height(&status));
    let mut waiting = |committed| {
        note(&format!("waiting for height {}; {committed} is committed", at_height.unwrap_or_default()));
    };
    match ask_for_copy(&context.home, at_height, &mut waiting) {
        Ok(id) => Ok(place.copy(&id)),
        Err(ControlError::NoNode { .. }) => copy_of_stopped(context, place, at_height),
        Err(error) => Err(failed(error)),
    }
}

/// The height that the pending plan's info names for rehearsals, if it is to come.
fn planned_height(status: &Status) -> Option<u64> {
    let info: Value = serde_json::from_str(&status.plan.as_ref()?.info).ok()?;
    let height = info.get("rehearsal")?.get("height")?.as_str()?.parse().ok()?;
    (height > status.height).then_some(height)
}

fn copy_of_stopped(context: &Context, place: &Place, at_height: Option<u64>) -> Result<PathBuf, Failure> {
    let database = context.home.data_folder().join(DATABASE_FOLDER);
    if !database.is_dir() {
        return Err(Failure::new(format!("{}: there is no chain to rehearse on", database.display())));
    }
    let store = Store::open(&database, StoreOptions::default()).map_err(failed)?;
    let height = store.version();
    if let Some(wanted) = at_height.filter(|wanted| *wanted != height) {
        return Err(Failure::new(format!("the node is stopped at height {height}, and {wanted} was asked for")));
    }
    let status =
        Status::read(&context.home.data_folder(), context.release).map_err(|halt| Failure::new(halt.reason))?;
    let label = Label {
        chain_id: status.chain_id,
        app_version: status.app_version,
        release: context.release.name().to_owned(),
        created_by_height: height.saturating_add(1),
    };
    let manifest = store.checkpoint(&place.copies(), label).map_err(checkpoint::failed)?;
    Ok(place.copy(&manifest.id))
}

/// Runs the binary's half on the copy. It gets the folder and nothing else: no home, no environment, no input.
fn run_binary(binary: &Path, folder: &Path, plan: Option<&str>) -> Result<Value, Failure> {
    let mut command = Command::new(binary);
    command.args(["upgrade", "rehearse-on"]).arg(std::path::absolute(folder)?).env_clear();
    command.stdin(std::process::Stdio::null()).arg("--home").arg(folder);
    if let Some(plan) = plan {
        command.args(["--plan", plan]);
    }
    let output = command.output().map_err(|error| Failure::new(format!("{}: {error}", binary.display())))?;
    let said = String::from_utf8_lossy(&output.stderr);
    match serde_json::from_slice(&output.stdout) {
        Ok(report) => Ok(report),
        Err(_) => {
            let lines: Vec<&str> = said.trim().lines().collect();
            let told = lines.get(lines.len().saturating_sub(LINES_TOLD)..).unwrap_or_default().join("\n");
            Err(Failure::new(format!("{} gave no report ({}): {told}", binary.display(), output.status)))
        }
    }
}

fn rehearse_on(context: &Context, arguments: &RehearseOnArgs) -> Result<(), Failure> {
    priority::lower();
    let report = rehearsal::run(&arguments.folder, context.release, arguments.plan.as_deref()).map_err(failed)?;
    output::value(Format::Json, &report.to_json())
}
