//! `init`: the files of a new node.

use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    Context, Failure,
    context::{ask, note},
};
use crate::{
    config::{
        GenesisDoc, app, client, cometbft, consensus_params, genesis,
        node_keys::{self, NodeKey},
    },
    keyring::{HdPath, Mnemonic, hd},
};

/// Denomination of the default genesis.
const DEFAULT_DENOM: &str = "uswing";

/// Arguments of `init`.
#[derive(Args, Debug)]
pub struct InitArgs {
    /// The node's name, shown to its peers
    moniker: String,
    /// The chain's ID; a random one by default
    #[arg(long)]
    chain_id: Option<String>,
    /// Replace a genesis file that is there; keys are kept
    #[arg(short, long)]
    overwrite: bool,
    /// Denomination of the bonded coin
    #[arg(long, default_value = DEFAULT_DENOM)]
    default_denom: String,
    /// The first block's height
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=i64::MAX as u64))]
    initial_height: u64,
    /// Make the consensus key from a mnemonic, read from standard input
    #[arg(long)]
    recover: bool,
}

/// Runs it.
pub fn run(context: &Context, arguments: &InitArgs) -> Result<(), Failure> {
    let home = &context.home;
    if home.genesis().exists() && !arguments.overwrite {
        return Err(Failure::new(format!("genesis.json file already exists: {}", home.genesis().display())));
    }
    let chain_id = match &arguments.chain_id {
        Some(chain_id) => chain_id.clone(),
        None => Some(context.client_config()?.chain_id).filter(|id| !id.is_empty()).map_or_else(random_chain_id, Ok)?,
    };
    genesis::check_chain_id(&chain_id).map_err(Failure::Usage)?;
    if swing_core::math::validate_denom(&arguments.default_denom).is_err() {
        return Err(Failure::Usage(format!("--default-denom {:?} is not a denomination", arguments.default_denom)));
    }
    let validator_seed = if arguments.recover { Some(recovered_seed()?) } else { None };

    let config_toml = cometbft::new_file(home, &arguments.moniker)?;
    let node_key = load_or_make(&home.node_key(), None)?;
    node_key.save_node_key(&home.node_key())?;
    let validator_key = load_or_make(&home.priv_validator_key(), validator_seed)?;
    validator_key.save_validator_key(&home.priv_validator_key())?;
    node_keys::save_new_validator_state(&home.priv_validator_state())?;
    config_toml.save()?;
    app::new_file(home)?.save()?;
    client::new_file(home, &chain_id)?.save()?;
    let doc = GenesisDoc {
        genesis_time: now(),
        chain_id: chain_id.clone(),
        initial_height: arguments.initial_height,
        consensus_params: consensus_params::default_json(context.release.app_version()),
        validators: Vec::new(),
        app_state: app_state(&arguments.default_denom)?,
    };
    // Last: with it the home is whole.
    doc.save(&home.genesis())?;
    print(&arguments.moniker, &chain_id, &node_key.id(), &doc.app_state);
    Ok(())
}

/// Every section of a new chain, with this denomination in the place of the usual one.
fn app_state(denom: &str) -> Result<Map<String, Value>, Failure> {
    let mut state = swing_core::genesis::default_app_state();
    if denom != DEFAULT_DENOM {
        replace_text(&mut state, DEFAULT_DENOM, denom);
    }
    match state {
        Value::Object(sections) => Ok(sections),
        _ => Err(Failure::new("the default genesis is not an object of sections")),
    }
}

fn replace_text(value: &mut Value, old: &str, new: &str) {
    match value {
        Value::String(text) if text == old => new.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| replace_text(item, old, new)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace_text(field, old, new)),
        _ => {}
    }
}

/// As the SDK: what was made, as JSON on standard error.
fn print(moniker: &str, chain_id: &str, node_id: &str, app_state: &Map<String, Value>) {
    let value = json!({
        "moniker": moniker,
        "chain_id": chain_id,
        "node_id": node_id,
        "gentxs_dir": "",
        "app_message": app_state,
    });
    note(&format!("{value:#}"));
}

/// A key that is there is kept: a validator's identity is not replaced by a second `init`.
fn load_or_make(path: &std::path::Path, seed: Option<[u8; 32]>) -> Result<NodeKey, Failure> {
    match seed {
        Some(seed) if path.exists() => {
            let there = NodeKey::load(path)?;
            if there.public_key() == NodeKey::from_seed(seed).public_key() {
                return Ok(there);
            }
            Err(Failure::new(format!("{} holds another key: move it away before recovering one", path.display())))
        }
        Some(seed) => Ok(NodeKey::from_seed(seed)),
        None if path.exists() => Ok(NodeKey::load(path)?),
        None => Ok(NodeKey::generate()?),
    }
}

fn recovered_seed() -> Result<[u8; 32], Failure> {
    let mnemonic = Mnemonic::parse(&ask("> Enter your bip39 mnemonic\n")?)?;
    Ok(mnemonic.derive(&HdPath::bip44(hd::COIN_TYPE, 0, 0)?)?.secret_bytes())
}

fn random_chain_id() -> Result<String, Failure> {
    let mut bytes = [0u8; 3];
    getrandom::fill(&mut bytes).map_err(|error| Failure::new(format!("no randomness for a chain ID: {error}")))?;
    Ok(format!("test-chain-{}", hex::encode(bytes)))
}

#[allow(
    clippy::disallowed_types,
    reason = "the time of a new genesis is the operator's clock; consensus reads it from the file"
)]
pub fn now() -> String {
    swing_proto::google::protobuf::Timestamp::from(std::time::SystemTime::now()).to_string()
}
