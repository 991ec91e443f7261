//! `checkpoint`: what there is to go back to.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use swing_store::checkpoint::{CheckpointError, Checkpoints, Manifest};

use super::{
    Context, Failure,
    output::{self, Format},
};
use crate::{
    checkpoint::{self, Outlook},
    status::Status,
};

/// Commands of `checkpoint`.
#[derive(Debug, Subcommand)]
pub enum CheckpointCommand {
    /// List the checkpoints of application state, the oldest first
    List(ListArgs),
    /// Read a checkpoint wholly: every block's checksum, every key against the tree; the node may run
    Verify(VerifyArgs),
}

/// Arguments of `checkpoint list`.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Arguments of `checkpoint verify`.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// The checkpoint; all of them by default
    id: Option<String>,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// The home's checkpoints.
pub fn of_home(context: &Context) -> Checkpoints {
    checkpoint::of_home(&context.home)
}

/// Runs one.
pub fn run(context: &Context, command: &CheckpointCommand) -> Result<(), Failure> {
    let checkpoints = of_home(context);
    match command {
        CheckpointCommand::List(arguments) => {
            let list = checkpoints.list().map_err(failed)?;
            let committed = Status::committed_height(&context.home.data_folder());
            let outlook = Outlook::of_home(&context.home, committed);
            let rows = list.iter().map(|entry| match entry {
                Ok(manifest) => {
                    let mut row = to_json(manifest);
                    row["verified"] = json!(checkpoints.is_verified(manifest));
                    row["rollback"] = json!(outlook.rollback(manifest.height));
                    row
                }
                Err(error) => json!({ "error": error.to_string() }),
            });
            output::value(arguments.output, &Value::Array(rows.collect()))
        }
        CheckpointCommand::Verify(arguments) => verify(&checkpoints, arguments),
    }
}

fn verify(checkpoints: &Checkpoints, arguments: &VerifyArgs) -> Result<(), Failure> {
    let manifests = match &arguments.id {
        Some(id) => vec![checkpoints.find(id).map_err(failed)?],
        None => checkpoints.list().and_then(|list| list.into_iter().collect()).map_err(failed)?,
    };
    let mut rows = Vec::new();
    for manifest in &manifests {
        let verified =
            checkpoints.verify(&manifest.id).map_err(|error| Failure::new(format!("{}: {error}", manifest.id)))?;
        checkpoints.note_verified(&manifest.id).map_err(failed)?;
        let mut row = to_json(manifest);
        row["verified"] = json!({
            "rows": verified.rows.to_string(), "bytes": verified.bytes.to_string(), "keys": verified.keys.to_string(),
        });
        rows.push(row);
    }
    output::value(arguments.output, &Value::Array(rows))
}

/// A manifest as it is answered: numbers of 64 bits as text, as everywhere in the SDK's JSON.
pub fn to_json(manifest: &Manifest) -> Value {
    json!({
        "id": manifest.id,
        "height": manifest.height.to_string(),
        "app_hash": manifest.app_hash,
        "app_version": manifest.label.app_version.to_string(),
        "release": manifest.label.release,
        "chain_id": manifest.label.chain_id,
        "created_by_height": manifest.label.created_by_height.to_string(),
    })
}

/// A checkpoint's failure as the command's.
pub fn failed(error: CheckpointError) -> Failure {
    Failure::Failed(error.into())
}
