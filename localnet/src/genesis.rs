//! Prepares the homes of a new network through the command line: init, keys, gentx, collect, validate.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    binaries::Binaries,
    swingd::{Swingd, text},
    validator::{Engine, Ports, Validator},
};

/// What a network is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its chain ID.
    pub chain_id: String,
    /// How many validators.
    pub validators: usize,
    /// What makes the blocks.
    pub engine: Engine,
    /// Accounts beside the validators' own, each a name of a key that is made in the first home.
    pub accounts: Vec<String>,
    /// CometBFT's `timeout_commit`, and the solo engine's block interval, in milliseconds.
    pub block_interval_ms: u64,
    /// Governance's voting period in seconds.
    pub voting_period_s: u64,
    /// The most transactions in a mempool, where it is not CometBFT's default.
    pub mempool_txs_max: Option<u32>,
    /// The most gas of a block's transactions, where there is a limit.
    pub block_gas_max: Option<u64>,
}

impl Plan {
    /// A network with quick blocks and votes, for scenarios.
    pub fn quick(validators: usize, engine: Engine) -> Self {
        Plan {
            chain_id: "localnet-1".into(),
            validators,
            engine,
            accounts: vec!["load".into()],
            block_interval_ms: 500,
            voting_period_s: 6,
            mempool_txs_max: None,
            block_gas_max: None,
        }
    }
}

/// Balance of each account.
const BALANCE: &str = "1000000000000uswing";
/// What each validator bonds.
const BOND: &str = "100000000uswing";

/// Makes all homes under `folder` with the binary `program`; gives the validators, not started.
///
/// # Errors
/// When a command fails, with what it said.
pub fn prepare(plan: &Plan, folder: &Path, binaries: &Binaries, program: &str) -> Result<Vec<Validator>> {
    fs::create_dir_all(folder)?;
    let mut validators = Vec::new();
    for index in 0..plan.validators {
        let name = format!("validator-{index}");
        let swingd = Swingd { program: binaries.path(program), home: folder.join(&name) };
        swingd.run(&["init", &name, "--chain-id", &plan.chain_id, "--default-denom", "uswing"])?;
        swingd.run(&["keys", "add", "operator", "--keyring-backend", "test"])?;
        validators.push(Validator::new(name, swingd, plan.engine, Ports::free()?));
    }
    let first = validators.first().context("a network has at least one validator")?.swingd.clone();
    for account in &plan.accounts {
        first.run(&["keys", "add", account, "--keyring-backend", "test"])?;
        first.run(&["genesis", "add-account", account, BALANCE, "--keyring-backend", "test"])?;
    }
    for validator in &validators {
        let key = validator.swingd.run(&["keys", "show", "operator", "-a", "--keyring-backend", "test"])?;
        first.run(&["genesis", "add-account", key.trim(), BALANCE])?;
    }
    edit_genesis(plan, &first)?;
    collect_gentxs(plan, &validators, &first)?;
    for validator in &validators {
        if validator.swingd.home != first.home {
            fs::copy(first.home.join("config/genesis.json"), validator.swingd.home.join("config/genesis.json"))?;
        }
        validator.swingd.run(&["genesis", "validate"])?;
    }
    configure(plan, &validators)?;
    Ok(validators)
}

fn collect_gentxs(plan: &Plan, validators: &[Validator], first: &Swingd) -> Result<()> {
    let gentxs = first.home.join("config/gentx");
    fs::create_dir_all(&gentxs)?;
    for validator in validators {
        let genesis = validator.swingd.home.join("config/genesis.json");
        if validator.swingd.home != first.home {
            fs::copy(first.home.join("config/genesis.json"), &genesis)?;
        }
        let document = gentxs.join(format!("{}.json", validator.name));
        validator.swingd.run(&[
            "genesis",
            "gentx",
            "operator",
            BOND,
            "--chain-id",
            &plan.chain_id,
            "--moniker",
            &validator.name,
            "--keyring-backend",
            "test",
            "--output-document",
            text(&document)?,
        ])?;
    }
    first.run(&["genesis", "collect-gentxs"])?;
    Ok(())
}

/// How long an expedited vote lasts, seconds: half as long as an ordinary one, and less in any case.
pub fn expedited_period_s(voting_period_s: u64) -> u64 {
    voting_period_s.div_ceil(2).min(voting_period_s.saturating_sub(1))
}

fn edit_genesis(plan: &Plan, first: &Swingd) -> Result<()> {
    let path = first.home.join("config/genesis.json");
    let mut genesis: Value = serde_json::from_slice(&fs::read(&path)?)?;
    let params = &mut genesis["app_state"]["gov"]["params"];
    params["voting_period"] = json!(format!("{}s", plan.voting_period_s));
    params["expedited_voting_period"] = json!(format!("{}s", expedited_period_s(plan.voting_period_s)));
    params["max_deposit_period"] = json!(format!("{}s", plan.voting_period_s));
    params["min_deposit"] = json!([{ "denom": "uswing", "amount": "10000000" }]);
    params["expedited_min_deposit"] = json!([{ "denom": "uswing", "amount": "50000000" }]);
    if let Some(gas) = plan.block_gas_max {
        genesis["consensus_params"]["block"]["max_gas"] = json!(gas.to_string());
    }
    fs::write(&path, serde_json::to_vec_pretty(&genesis)?)?;
    Ok(())
}

/// Gives each home its ports and the others' addresses.
fn configure(plan: &Plan, validators: &[Validator]) -> Result<()> {
    let peers = peer_addresses(validators)?;
    for (index, validator) in validators.iter().enumerate() {
        let others: Vec<String> =
            peers.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, peer)| peer.clone()).collect();
        configure_home(plan, validator, &others)?;
    }
    Ok(())
}

/// Where the nodes meet: `id@host:port` of each.
fn peer_addresses(validators: &[Validator]) -> Result<Vec<String>> {
    validators
        .iter()
        .map(|validator| {
            let id = validator.swingd.run(&["comet", "show-node-id"])?;
            Ok(format!("{}@127.0.0.1:{}", id.trim(), validator.ports.p2p))
        })
        .collect()
}

fn configure_home(plan: &Plan, validator: &Validator, peers: &[String]) -> Result<()> {
    let path = validator.swingd.home.join("config/config.toml");
    let mut config: toml::Table = fs::read_to_string(&path)?.parse()?;
    config.insert("proxy_app".into(), validator.abci_address().into());
    set(&mut config, "rpc", "laddr", format!("tcp://127.0.0.1:{}", validator.ports.rpc));
    set(&mut config, "rpc", "pprof_laddr", "");
    set(&mut config, "p2p", "laddr", format!("tcp://127.0.0.1:{}", validator.ports.p2p));
    set(&mut config, "p2p", "persistent_peers", peers.join(","));
    set(&mut config, "p2p", "addr_book_strict", false);
    set(&mut config, "p2p", "allow_duplicate_ip", true);
    set(&mut config, "p2p", "pex", false);
    set(&mut config, "consensus", "timeout_commit", format!("{}ms", plan.block_interval_ms));
    set(&mut config, "instrumentation", "prometheus", false);
    if let Some(txs) = plan.mempool_txs_max {
        set(&mut config, "mempool", "size", i64::from(txs));
    }
    fs::write(&path, toml::to_string(&config)?)?;
    serve_clients(validator)
}

/// Has the node serve REST and gRPC at ports of its own.
///
/// # Errors
/// When `app.toml` cannot be read or written.
pub fn serve_clients(validator: &Validator) -> Result<()> {
    let path = validator.swingd.home.join("config/app.toml");
    let mut config: toml::Table = fs::read_to_string(&path)?.parse()?;
    set(&mut config, "api", "enable", true);
    set(&mut config, "api", "address", format!("tcp://127.0.0.1:{}", validator.ports.api));
    set(&mut config, "grpc", "enable", true);
    set(&mut config, "grpc", "address", format!("127.0.0.1:{}", validator.ports.grpc));
    fs::write(&path, toml::to_string(&config)?)?;
    Ok(())
}

/// Makes the home of a node that is no validator and knows `validators` as peers. It is not started.
///
/// # Errors
/// When a command fails.
pub fn prepare_full_node(
    plan: &Plan,
    folder: &Path,
    name: &str,
    program: &Path,
    validators: &[Validator],
) -> Result<Validator> {
    let swingd = Swingd { program: program.to_owned(), home: folder.join(name) };
    swingd.run(&["init", name, "--chain-id", &plan.chain_id, "--default-denom", "uswing"])?;
    let first = validators.first().context("a network has at least one validator")?;
    fs::copy(first.swingd.home.join("config/genesis.json"), swingd.home.join("config/genesis.json"))?;
    let node = Validator::new(name.to_owned(), swingd, plan.engine, Ports::free()?);
    configure_home(plan, &node, &peer_addresses(validators)?)?;
    Ok(node)
}

fn set(config: &mut toml::Table, section: &str, key: &str, value: impl Into<toml::Value>) {
    let section = config.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if let Some(section) = section.as_table_mut() {
        section.insert(key.into(), value.into());
    }
}

/// Ports below those that the system gives to outgoing connections: one of these could be taken before its node listens there.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

impl Ports {
    /// Free loopback ports.
    ///
    /// # Errors
    /// When there are none.
    pub fn free() -> Result<Self> {
        Ok(Ports { rpc: free_port()?, p2p: free_port()?, pages: free_port()?, api: free_port()?, grpc: free_port()? })
    }
}

/// A port that is given once in this process; another process begins elsewhere.
fn free_port() -> Result<u16> {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(101);
    let candidates = PORTS.filter_map(|_| {
        let step = first.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
        u16::try_from(step % u32::from(PORTS.end.saturating_sub(PORTS.start))).ok()?.checked_add(PORTS.start)
    });
    let mut free = candidates.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().context("no free port")
}
