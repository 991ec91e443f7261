//! A home for `swingd start --engine solo` whose chain is about to be upgraded, to be copied for each run.
//!
//! # Invariants
//! - From the home's height on, the chain is the same in every copy: blocks are empty, and since genesis lies far in the future
//!   block time takes its least step from block to block, whatever the clock says.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::json;
use swing_localnet::{
    binaries::{Binaries, VERSION_1},
    genesis::serve_clients,
    rpc::{Rpc, number},
    swingd::Swingd,
    validator::{Engine, Ports, Validator},
    wait,
};
use swing_node::config::{GenesisDoc, Home, node_keys::NodeKey, toml_file::TomlFile};

use crate::script;

/// The height of the plan `version-2`.
pub const UPGRADE_HEIGHT: u64 = 12;
/// Messages that are queued before the plan's height: so many that some are delivered after it.
pub const MESSAGES: u64 = 24;
/// The budget of a block: a message or two. The rest waits.
const COMPUTRONS_PER_BLOCK: u64 = 1;
/// What a vote may take. Blocks are a millisecond of chain time apart.
const VOTING_PERIOD: &str = "0.003s";

/// How long anything may take on a loaded machine of two cores.
pub const SOON: Duration = Duration::from_secs(240);

/// A stopped home below the plan's height.
#[derive(Debug)]
pub struct SoloHome {
    home: Home,
    /// Its committed height.
    pub height: u64,
}

impl SoloHome {
    /// Makes it under `folder` with the released version-1.
    ///
    /// # Errors
    /// When a command fails, or the chain does not do as it should.
    pub fn make(folder: &Path, binaries: &Binaries) -> Result<Self> {
        Self::make_with(folder, binaries, &[])
    }

    /// The same with settings of `app.toml`.
    ///
    /// # Errors
    /// As [`SoloHome::make`].
    pub fn make_with(folder: &Path, binaries: &Binaries, settings: &[(&str, &str)]) -> Result<Self> {
        let home = Home::new(folder.join("origin"));
        let swingd = Swingd { program: binaries.path(VERSION_1), home: home.root().to_owned() };
        swingd.run(&["init", "solo", "--chain-id", script::CHAIN_ID, "--default-denom", "uswing"])?;
        write_genesis(&home)?;
        swingd.run(&["genesis", "validate"])?;
        set(&home, &[("consensus.timeout_commit", "1ms"), ("consensus.create_empty_blocks", "false")])?;
        write_settings(home.app_toml(), settings)?;
        let mut made = SoloHome { home, height: 0 };
        let mut node = made.node(made.home.clone(), swingd)?;
        node.start(binaries, VERSION_1, &[])?;
        begin(&node.rpc()).with_context(|| node.node().map(|node| node.output_tail(20)).unwrap_or_default())?;
        node.stop(SOON)?;
        made.height = number(&node.swingd.json(&["status"])?["application"]["committed_height"])?;
        ensure!(made.height + 2 < UPGRADE_HEIGHT, "the chain is at height {} already", made.height);
        // From here on blocks come by themselves.
        set(&made.home, &[("consensus.create_empty_blocks", "true")])?;
        Ok(made)
    }

    /// A node on a copy of the home, not started.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn copy(&self, to: &Path) -> Result<Validator> {
        copy_folder(self.home.root(), to)?;
        let swingd = Swingd { program: "swingd".into(), home: to.to_owned() };
        self.node(Home::new(to), swingd)
    }

    /// Takes compiled code over from a run, so that the next ones need not compile it again.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn learn_from(&self, ran: &Validator) -> Result<()> {
        let cache = |home: &Path| home.join("data/code-cache");
        std::fs::remove_dir_all(cache(self.home.root()))?;
        copy_folder(&cache(&ran.swingd.home), &cache(self.home.root()))
    }

    fn node(&self, home: Home, swingd: Swingd) -> Result<Validator> {
        let ports = Ports::free()?;
        set(&home, &[("rpc.laddr", &format!("tcp://127.0.0.1:{}", ports.rpc))])?;
        let node = Validator::new("solo".into(), swingd, Engine::Solo, ports);
        serve_clients(&node)?;
        Ok(node)
    }
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    // With modes: the folder of compiled code must be its owner's alone.
    let status = Command::new("cp").arg("-Rp").args([from, to]).status()?;
    ensure!(status.success(), "copying {} to {}: {status}", from.display(), to.display());
    Ok(())
}

fn set(home: &Home, settings: &[(&str, &str)]) -> Result<()> {
    write_settings(home.config_toml(), settings)
}

/// Writes settings to a file that is there.
///
/// # Errors
/// A file or a setting that cannot be.
pub fn write_settings(path: PathBuf, settings: &[(&str, &str)]) -> Result<()> {
    let mut config = TomlFile::load(path)?;
    for (key, value) in settings {
        config.set(key, value)?;
    }
    Ok(config.save()?)
}

fn write_genesis(home: &Home) -> Result<()> {
    let mut genesis = GenesisDoc::load(&home.genesis())?;
    genesis.genesis_time = "2100-01-01T00:00:00Z".into();
    let key = NodeKey::load(&home.priv_validator_key())?.public_key();
    let mut state = script::app_state_of(&BASE64.encode(key));
    state["gov"]["params"]["voting_period"] = json!(VOTING_PERIOD);
    state["gov"]["params"]["expedited_voting_period"] = json!("0.001s");
    state["swingset"]["params"]["computrons_per_block"] = json!(COMPUTRONS_PER_BLOCK.to_string());
    genesis.app_state = state.as_object().cloned().ok_or_else(|| anyhow!("app_state is an object"))?;
    Ok(genesis.save(&home.genesis())?)
}

/// Has the opening transactions taken; no block comes after the one that follows them.
fn begin(rpc: &Rpc) -> Result<()> {
    wait::until_ok("the first block", SOON, || rpc.height().map(|at| (at > 0).then_some(())))?;
    let mut last = 0;
    for tx in script::opening_txs(UPGRADE_HEIGHT, MESSAGES) {
        let sent = rpc.call("broadcast_tx_commit", json!({ "tx": BASE64.encode(tx) }))?;
        ensure!(sent["check_tx"]["code"] == 0 && sent["tx_result"]["code"] == 0, "it was refused: {sent}");
        last = number(&sent["height"])?;
    }
    wait::until_ok("the block after them", SOON, || rpc.height().map(|at| (at > last).then_some(())))
}
