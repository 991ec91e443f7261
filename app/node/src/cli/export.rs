//! `export`: committed state as a genesis document.

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use clap::Args;
use serde_json::{Value, json};
use swing_core::{
    chain,
    genesis::{Exported, export},
    state::StateRead,
};
use swing_store::{Store, StoreOptions};

use super::{Context, Failure, init, output};
use crate::{
    app::DATABASE_FOLDER,
    config::{AppConfig, GenesisDoc, consensus_params, files},
};

/// Arguments of `export`.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Prepare the state to start again at height 1: pending plans are dropped
    #[arg(long)]
    for_zero_height: bool,
    /// Export this kept height; the last committed one by default
    #[arg(long)]
    height: Option<u64>,
    /// Write here instead of to standard output
    #[arg(long)]
    output_document: Option<PathBuf>,
}

/// Runs it. The node must not be running: the database is locked by it.
pub fn run(context: &Context, arguments: &ExportArgs) -> Result<(), Failure> {
    let folder = context.home.data_folder().join(DATABASE_FOLDER);
    if !folder.exists() {
        return Err(Failure::new(format!("{} is not there: this node has no state yet", folder.display())));
    }
    let pruning = AppConfig::load(&context.home)?.pruning;
    let failed = |error: swing_store::StoreError| Failure::new(error.to_string());
    let store = Store::open(&folder, StoreOptions::with_pruning(pruning)).map_err(failed)?;
    let view = match arguments.height {
        Some(height) => store.at(height).map_err(failed)?,
        None => store.latest(),
    };
    let doc = document(&view, arguments.for_zero_height)?;
    let text = format!("{:#}", doc.to_value());
    match &arguments.output_document {
        Some(path) => Ok(files::write(path, format!("{text}\n").as_bytes(), files::MODE_PLAIN)?),
        None => output::line(&text),
    }
}

fn document(state: &dyn StateRead, for_zero_height: bool) -> Result<GenesisDoc, Failure> {
    let exported = export(state, for_zero_height).map_err(|error| Failure::new(error.to_string()))?;
    let last = chain::last_block(state).map_err(|error| Failure::new(error.to_string()))?;
    let genesis_time = if for_zero_height { init::now() } else { last.time.to_rfc3339() };
    let Value::Object(app_state) = exported.app_state.clone() else {
        return Err(Failure::new("the exported state is not an object of sections"));
    };
    Ok(GenesisDoc {
        genesis_time,
        chain_id: exported.chain_id.clone(),
        initial_height: exported.initial_height,
        consensus_params: consensus_params::to_json(&exported.consensus_params),
        validators: validators(&exported),
        app_state,
    })
}

fn validators(exported: &Exported) -> Vec<Value> {
    let one = |validator: &swing_core::genesis::ExportedValidator| {
        json!({
            "address": hex::encode_upper(validator.address.as_bytes()),
            "pub_key": {"type": "tendermint/PubKeyEd25519", "value": BASE64.encode(&validator.public_key)},
            "power": validator.power.to_string(),
            "name": validator.name,
        })
    };
    exported.validators.iter().map(one).collect()
}
