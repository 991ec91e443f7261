//! `genesis collect-gentxs`.

use std::{collections::BTreeSet, path::PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::{gentx, sections};
use crate::{
    cli::{Context, Failure, context::note},
    config::{GenesisDoc, files, node_keys::NodeKey, toml_file::TomlFile},
};

/// Arguments of `genesis collect-gentxs`.
#[derive(Args, Debug)]
pub struct CollectArgs {
    /// Folder of the signed transactions; config/gentx by default
    #[arg(long)]
    gentx_dir: Option<PathBuf>,
}

/// Runs it.
pub fn run(context: &Context, arguments: &CollectArgs) -> Result<(), Failure> {
    let folder = arguments.gentx_dir.clone().unwrap_or_else(|| context.home.gentx_folder());
    let path = context.home.genesis();
    let mut doc = GenesisDoc::load(&path)?;
    let node_id = NodeKey::load(&context.home.node_key())?.id();
    let mut peers = BTreeSet::new();
    let mut operators = BTreeSet::new();
    let mut consensus_keys = BTreeSet::new();
    let mut txs = Vec::new();
    for file in json_files(&folder)? {
        let in_file = |reason: String| Failure::new(format!("{}: {reason}", file.display()));
        let tx: Value =
            serde_json::from_slice(&files::read(&file)?).map_err(|error| in_file(format!("not JSON: {error}")))?;
        let checked = gentx::check(&tx, &doc).map_err(|failure| in_file(failure.to_string()))?;
        if !operators.insert(checked.operator) {
            return Err(in_file(format!("a second transaction of operator {}", checked.operator.to_operator())));
        }
        if !consensus_keys.insert(checked.consensus_key) {
            return Err(in_file("its consensus public key is also another validator's".to_owned()));
        }
        if !checked.memo.starts_with(&format!("{node_id}@")) {
            peers.insert(checked.memo);
        }
        txs.push(tx);
    }
    if txs.is_empty() {
        return Err(Failure::new(format!("there must be at least one genesis tx in {}", folder.display())));
    }
    doc.app_state.insert("genutil".to_owned(), json!({"gen_txs": txs}));
    sections::check_all(&doc)?;
    let mut config = TomlFile::load(context.home.config_toml())?;
    config.set("p2p.persistent_peers", &peers.into_iter().collect::<Vec<_>>().join(","))?;
    doc.save(&path)?;
    config.save()?;
    let value = json!({
        "moniker": config.get("moniker"),
        "chain_id": doc.chain_id,
        "node_id": node_id,
        "gentxs_dir": folder.display().to_string(),
        "app_message": doc.app_state,
    });
    note(&format!("{value:#}"));
    Ok(())
}

/// The folder's JSON files, by name: the order is that of the validators in the genesis.
fn json_files(folder: &std::path::Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("cannot read {}: {error}", folder.display()));
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
