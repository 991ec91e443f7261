//! `snapshots`: what other nodes can begin from, under the SDK's verbs.

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use swing_store::{
    Store, StoreError, StoreOptions, View,
    snapshot::{FORMAT, Listed, Metadata, RestoreError, SnapshotError, Snapshots},
};

use super::{
    Context, Failure,
    context::note,
    output::{self, Format},
};
use crate::{
    app::{
        DATABASE_FOLDER,
        snapshots::{FOLDER, about, verify},
    },
    config::AppConfig,
};

/// Commands of `snapshots`.
#[derive(Debug, Subcommand)]
pub enum SnapshotsCommand {
    /// List the snapshots of application state, the lowest height first; the node may run
    List(ListArgs),
    /// Make a snapshot of a kept height; the node must be stopped, a running one makes its own (app.toml, [state-sync])
    Export(ExportArgs),
    /// Put a snapshot of this home in the place of state that is not there; the node must be stopped
    Restore(NamedArgs),
    /// Remove a snapshot; the node may run
    Delete(NamedArgs),
}

/// Arguments of `snapshots list`.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Arguments of `snapshots export`.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The kept height; the last committed one by default
    #[arg(long)]
    height: Option<u64>,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Arguments that name a snapshot.
#[derive(Args, Debug)]
pub struct NamedArgs {
    /// Its height
    height: u64,
    /// Its format
    #[arg(default_value_t = FORMAT)]
    format: u32,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

fn failed(error: SnapshotError) -> Failure {
    Failure::Failed(error.into())
}

fn stored(error: StoreError) -> Failure {
    Failure::Failed(error.into())
}

/// Runs one.
pub fn run(context: &Context, command: &SnapshotsCommand) -> Result<(), Failure> {
    let snapshots = Snapshots::through(Arc::clone(context.home.files()), context.home.data_folder().join(FOLDER));
    match command {
        SnapshotsCommand::List(arguments) => {
            let list = snapshots.list().map_err(failed)?;
            let rows = list.iter().map(|entry| match entry {
                Ok(listed) => to_json(&listed.metadata),
                Err(error) => json!({ "error": error.to_string() }),
            });
            output::value(arguments.output, &Value::Array(rows.collect()))
        }
        SnapshotsCommand::Export(arguments) => export(context, &snapshots, arguments),
        SnapshotsCommand::Restore(arguments) => restore(context, &snapshots, arguments),
        SnapshotsCommand::Delete(NamedArgs { height, format, output }) => {
            snapshots.delete(*height, *format).map_err(failed)?;
            output::value(*output, &json!({ "deleted": { "height": height.to_string(), "format": format } }))
        }
    }
}

fn to_json(metadata: &Metadata) -> Value {
    json!({
        "height": metadata.height.to_string(),
        "format": FORMAT,
        "chunks": metadata.chunks(),
        "hash": hex::encode_upper(metadata.hash()),
        "app_hash": hex::encode_upper(metadata.app_hash),
        "app_version": metadata.about.app_version.to_string(),
        "release": metadata.about.release,
        "chain_id": metadata.about.chain_id,
    })
}

fn export(context: &Context, snapshots: &Snapshots, arguments: &ExportArgs) -> Result<(), Failure> {
    let folder = context.home.data_folder().join(DATABASE_FOLDER);
    if !folder.exists() {
        return Err(Failure::new(format!("{} is not there: this node has no state yet", folder.display())));
    }
    let pruning = AppConfig::load(&context.home)?.pruning;
    let store = Store::open_through(context.home.files().as_ref(), &folder, StoreOptions::with_pruning(pruning))
        .map_err(stored)?;
    let view: View = match arguments.height {
        Some(height) => store.at(height).map_err(stored)?,
        None => store.latest(),
    };
    if view.version() == 0 {
        return Err(failed(SnapshotError::Empty));
    }
    let about = about(&view).map_err(|error| Failure::Failed(error.into()))?;
    let metadata = snapshots.make(&view, about).map_err(failed)?;
    output::value(arguments.output, &to_json(&metadata))
}

/// Restores from this home's own folder: its app hash is what the snapshot itself says, so that it is as trusted as the folder.
fn restore(context: &Context, snapshots: &Snapshots, arguments: &NamedArgs) -> Result<(), Failure> {
    let Listed { height, format, metadata } = snapshots.find(arguments.height, arguments.format).map_err(failed)?;
    let folder = context.home.data_folder().join(DATABASE_FOLDER);
    let refused = |error: RestoreError| Failure::Failed(error.into());
    let store = Store::open_through(context.home.files().as_ref(), &folder, StoreOptions::default()).map_err(stored)?;
    let mut restore = store.restore(metadata.clone()).map_err(refused)?;
    for index in 0..metadata.chunks() {
        let chunk = snapshots.chunk(height, format, index).map_err(failed)?;
        let chunk = chunk.ok_or_else(|| Failure::new(format!("chunk {index} is missing")))?;
        restore.apply(index, &chunk).map_err(refused)?;
    }
    restore.finish(&metadata.app_hash, |view| verify(view, &metadata)).map_err(refused)?;
    note(&format!(
        "the node goes on from height {height} where its CometBFT has the blocks from {} on; a home without them must state sync",
        height.saturating_add(1)
    ));
    output::value(arguments.output, &to_json(&metadata))
}
