//! `rollback`: application state back to a checkpoint. CometBFT's data, its log and the signing state are left as they are; where
//! its state must go back one height too, CometBFT's own command does it.

use std::{path::PathBuf, process::Command};

use clap::Args;
use serde_json::json;
use swing_store::checkpoint::{Checkpoints, Manifest};

use super::{
    Context, Failure, checkpoint,
    context::note,
    output::{self, Format},
};
use crate::{
    app::DATABASE_FOLDER,
    checkpoint::{
        Heights,
        rollback::{CometStep, Question, decide},
    },
    comet::{CometBinary, CometError, HomeLock},
    signing::has_remote_signer,
};

/// Arguments of `rollback`.
#[derive(Args, Debug)]
#[group(id = "target", required = true, multiple = false)]
pub struct Target {
    /// The checkpoint
    #[arg(long, value_name = "ID")]
    to: Option<String>,
    /// The newest checkpoint of this height
    #[arg(long, value_name = "HEIGHT")]
    height: Option<u64>,
}

/// Arguments of `rollback`.
#[derive(Args, Debug)]
pub struct RollbackArgs {
    #[command(flatten)]
    target: Target,
    /// The last height at which this validator's key has signed, where a remote signer holds it
    #[arg(long, value_name = "HEIGHT")]
    signed_height: Option<u64>,
    /// The CometBFT program, for its own rollback of one height; else $COMETBFT, else the one on the PATH
    #[arg(long, value_name = "PATH")]
    cometbft: Option<PathBuf>,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Runs it. No node and no CometBFT may run on this home.
pub fn run(context: &Context, arguments: &RollbackArgs) -> Result<(), Failure> {
    let checkpoints = checkpoint::of_home(context);
    let manifest = find(&checkpoints, &arguments.target)?;
    let _home = HomeLock::take(&context.home).map_err(|error| Failure::Failed(error.into()))?;
    let database = context.home.data_folder().join(DATABASE_FOLDER);
    let prepared = checkpoints.prepare(&manifest.id, &database).map_err(checkpoint::failed)?;
    let question = Question {
        checkpoint: manifest.height,
        heights: Heights::read(&context.home).map_err(|error| Failure::Failed(error.into()))?,
        remote_signer: has_remote_signer(&context.home)?,
        stated_signed: arguments.signed_height,
    };
    let step = decide(&question).map_err(|refused| Failure::Failed(refused.into()))?;
    let comet = match step {
        CometStep::Nothing => "nothing to do".to_owned(),
        // Before the application: a CometBFT that was set back alone finds the application at H and goes on from there.
        CometStep::SoftRollback => roll_back_cometbft(context, arguments)?,
    };
    let restored = prepared.put_in_place().map_err(checkpoint::failed)?;
    let mut answer = checkpoint::to_json(&restored.manifest);
    answer["replaced"] = json!(restored.replaced.as_ref().map(|path| path.display().to_string()));
    answer["cometbft"] = json!(comet);
    output::value(arguments.output, &answer)
}

fn find(checkpoints: &Checkpoints, target: &Target) -> Result<Manifest, Failure> {
    if let Some(id) = &target.to {
        return checkpoints.find(id).map_err(checkpoint::failed);
    }
    let height = target.height.unwrap_or_default();
    let list = checkpoints.list().map_err(checkpoint::failed)?;
    let of_height = list.into_iter().flatten().filter(|manifest| manifest.height == height);
    of_height.last().ok_or_else(|| {
        let folder = checkpoints.folder().display();
        Failure::new(format!(
            "no checkpoint of height {height} in {folder}: `swingd checkpoint list` shows those that there are"
        ))
    })
}

/// Sets CometBFT's state back by one height, softly, where its program is found. Says what was done, or what is left to do.
fn roll_back_cometbft(context: &Context, arguments: &RollbackArgs) -> Result<String, Failure> {
    let home = std::path::absolute(context.home.root())?;
    let by_hand = format!("cometbft rollback --home {}", home.display());
    let found =
        CometBinary::find(arguments.cometbft.as_deref(), std::env::var_os("COMETBFT"), std::env::var_os("PATH"));
    let binary = match found {
        Ok(binary) => binary,
        Err(CometError::NotFound) if arguments.cometbft.is_none() => {
            note(&format!(
                "CometBFT's state is that after the block that is to be executed again, and its program is not found. Run this \
                 before you start the node, without --hard, which would remove a decided block:\n  {by_hand}"
            ));
            return Ok(format!("to do: {by_hand}"));
        }
        Err(error) => return Err(Failure::Failed(error.into())),
    };
    let output = Command::new(binary.path()).args(["rollback", "--home"]).arg(&home).output()?;
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    if !output.status.success() {
        let said = said.join(" ");
        return Err(Failure::new(format!(
            "{} rollback: {}: {said}; nothing is changed",
            binary.path().display(),
            output.status
        )));
    }
    Ok(said.concat())
}
