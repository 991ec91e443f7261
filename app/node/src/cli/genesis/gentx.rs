//! `genesis gentx`: a validator's signed place in the genesis.

use std::{net::UdpSocket, path::PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use clap::Args;
use serde_json::{Value, json};
use swing_core::{
    address::Address,
    math::{Coin, Dec, Int},
};
use swing_proto::{
    Message,
    cosmos::{
        staking::v1beta1::MsgCreateValidator,
        tx::v1beta1::{Tx, TxBody, TxRaw},
    },
    json as proto_json, unpack,
};

use super::sections;
use crate::{
    cli::{Context, Failure, context::note, flags::KeyringArgs},
    client::{
        Fee, TxPlan,
        sign::{self, SignMode, SignerData},
    },
    config::{GenesisDoc, cometbft::CometConfig, files, node_keys::NodeKey},
};

const GAS_LIMIT: u64 = 200_000;

/// What a validator says of itself.
#[derive(Args, Debug)]
pub struct DescriptionArgs {
    /// The validator's name; the node's by default
    #[arg(long)]
    moniker: Option<String>,
    /// Identity, such as a Keybase fingerprint
    #[arg(long, default_value = "")]
    identity: String,
    /// Website
    #[arg(long, default_value = "")]
    website: String,
    /// Contact for security matters
    #[arg(long, default_value = "")]
    security_contact: String,
    /// Details
    #[arg(long, default_value = "")]
    details: String,
}

/// Arguments of `genesis gentx`.
#[derive(Args, Debug)]
pub struct GentxArgs {
    /// The operator's key
    key: String,
    /// What the validator bonds of its own, such as 100000000uswing
    amount: String,
    /// The chain's ID, to be sure; the genesis file's by default
    #[arg(long)]
    chain_id: Option<String>,
    #[command(flatten)]
    description: DescriptionArgs,
    /// Commission's rate
    #[arg(long, default_value = "0.1")]
    commission_rate: String,
    /// The highest rate that it may ever have
    #[arg(long, default_value = "0.2")]
    commission_max_rate: String,
    /// The most that it may change a day
    #[arg(long, default_value = "0.01")]
    commission_max_change_rate: String,
    /// The least that the validator keeps bonded of its own
    #[arg(long, default_value = "1")]
    min_self_delegation: String,
    /// Address that peers reach this node at
    #[arg(long)]
    ip: Option<String>,
    /// Port that peers reach this node at; that of p2p.laddr by default
    #[arg(long)]
    p2p_port: Option<u16>,
    /// The node's ID; that of node_key.json by default
    #[arg(long)]
    node_id: Option<String>,
    /// Consensus public key as JSON; that of priv_validator_key.json by default
    #[arg(long)]
    pubkey: Option<String>,
    /// Write here instead of config/gentx/
    #[arg(long)]
    output_document: Option<PathBuf>,
    #[command(flatten)]
    keyring: KeyringArgs,
}

/// Runs it.
pub fn run(context: &Context, arguments: &GentxArgs) -> Result<(), Failure> {
    let doc = GenesisDoc::load(&context.home.genesis())?;
    if let Some(chain_id) = arguments.chain_id.as_ref().filter(|chain_id| **chain_id != doc.chain_id) {
        return Err(Failure::new(format!("--chain-id is {chain_id}, the genesis file's is {}", doc.chain_id)));
    }
    let record = context.keyring(&arguments.keyring)?.get(&arguments.key)?;
    let amount = Coin::parse(&arguments.amount).map_err(|error| Failure::new(error.to_string()))?;
    check_funds(&doc, &record.address(), &amount)?;
    let node_id = match &arguments.node_id {
        Some(id) => id.clone(),
        None => NodeKey::load(&context.home.node_key())?.id(),
    };
    let message = create_validator(context, arguments, &record.address(), &amount)?;
    let fee = Fee { amount: Vec::new(), gas_limit: GAS_LIMIT };
    let plan = TxPlan {
        memo: format!("{node_id}@{}", peer_address(context, arguments)?),
        ..TxPlan::new(vec![proto_json::json_to_any(&message)?], fee)
    };
    let signer = SignerData { chain_id: doc.chain_id.clone(), ..SignerData::default() };
    let raw = plan.sign(&signer, SignMode::Direct, record.secret()?)?;
    let tx = proto_json::wire_to_json("cosmos.tx.v1beta1.Tx", &raw.encode_to_vec())?;
    let checked = check(&tx, &doc)?;
    let path = arguments
        .output_document
        .clone()
        .unwrap_or_else(|| context.home.gentx_folder().join(format!("gentx-{node_id}.json")));
    if path.exists() {
        return Err(Failure::new(format!("{} exists already: move it away first", path.display())));
    }
    files::write(&path, format!("{tx}\n").as_bytes(), files::MODE_PLAIN)?;
    note(&format!("Genesis transaction of {} written to {:?}", checked.moniker, path.display().to_string()));
    Ok(())
}

fn create_validator(
    context: &Context,
    arguments: &GentxArgs,
    operator: &Address,
    amount: &Coin,
) -> Result<Value, Failure> {
    let pubkey: Value = match &arguments.pubkey {
        Some(text) => serde_json::from_str(text).map_err(|error| Failure::new(format!("--pubkey: {error}")))?,
        None => {
            let key = NodeKey::load(&context.home.priv_validator_key())?;
            json!({"@type": "/cosmos.crypto.ed25519.PubKey", "key": BASE64.encode(key.public_key())})
        }
    };
    let description = &arguments.description;
    let moniker = match &description.moniker {
        Some(moniker) => moniker.clone(),
        None => CometConfig::load(&context.home)?.moniker,
    };
    let rate = |name: &str, text: &str| {
        Dec::parse(text).map(|rate| rate.to_string()).map_err(|error| Failure::new(format!("--{name}: {error}")))
    };
    Int::parse(&arguments.min_self_delegation)
        .map_err(|error| Failure::new(format!("--min-self-delegation: {error}")))?;
    Ok(json!({
        "@type": "/cosmos.staking.v1beta1.MsgCreateValidator",
        "description": {
            "moniker": moniker,
            "identity": description.identity,
            "website": description.website,
            "security_contact": description.security_contact,
            "details": description.details,
        },
        "commission": {
            "rate": rate("commission-rate", &arguments.commission_rate)?,
            "max_rate": rate("commission-max-rate", &arguments.commission_max_rate)?,
            "max_change_rate": rate("commission-max-change-rate", &arguments.commission_max_change_rate)?,
        },
        "min_self_delegation": arguments.min_self_delegation,
        "delegator_address": "",
        "validator_address": operator.to_operator(),
        "pubkey": pubkey,
        "value": {"denom": amount.denom, "amount": amount.amount.to_string()},
    }))
}

fn peer_address(context: &Context, arguments: &GentxArgs) -> Result<String, Failure> {
    let laddr = CometConfig::load(&context.home)?.p2p_laddr;
    let port = match arguments.p2p_port {
        Some(port) => port.to_string(),
        None => laddr.rsplit(':').next().unwrap_or("26656").to_owned(),
    };
    let ip = arguments.ip.clone().unwrap_or_else(own_address);
    Ok(format!("{ip}:{port}"))
}

/// The address that this machine would reach others from; loopback where it reaches nobody. Nothing is sent.
fn own_address() -> String {
    let address = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        // TEST-NET-1: an address that nobody has.
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    address.map_or_else(|_| "127.0.0.1".to_owned(), |address| address.ip().to_string())
}

/// What a valid genesis transaction says.
pub struct Checked {
    /// The validator's name.
    pub moniker: String,
    /// `node-id@host:port`.
    pub memo: String,
    /// The operator's account.
    pub operator: Address,
    /// The consensus key's bytes.
    pub consensus_key: Vec<u8>,
}

/// Checks a genesis transaction: one message, its signature for this chain, the funds that it bonds.
///
/// # Errors
/// What is wrong with it.
pub fn check(tx: &Value, doc: &GenesisDoc) -> Result<Checked, Failure> {
    let wire = proto_json::json_to_wire("cosmos.tx.v1beta1.Tx", tx)?;
    let decode = |error| Failure::new(format!("not a transaction: {error}"));
    let raw = TxRaw::decode(wire.as_slice()).map_err(decode)?;
    let body: TxBody = Tx::decode(wire.as_slice()).map_err(decode)?.body.unwrap_or_default();
    let [message] = body.messages.as_slice() else {
        return Err(Failure::new(format!("expected one message, found {}", body.messages.len())));
    };
    let message: MsgCreateValidator = unpack(message).map_err(|error| Failure::new(error.to_string()))?;
    let operator = Address::parse_operator(&message.validator_address)
        .map_err(|error| Failure::new(format!("validator_address: {error}")))?;
    let signer = SignerData { chain_id: doc.chain_id.clone(), ..SignerData::default() };
    let signed_by = sign::verify(&raw, &signer)
        .map_err(|error| Failure::new(format!("{error} (chain ID {}, account number 0, sequence 0)", doc.chain_id)))?;
    if Address::of_secp256k1(&signed_by) != operator {
        return Err(Failure::new(format!(
            "it is signed by {}, not by its operator {operator}",
            Address::of_secp256k1(&signed_by)
        )));
    }
    if body.memo.is_empty() {
        return Err(Failure::new("its memo has no peer address (node-id@host:port)"));
    }
    let coin = message.value.as_ref().ok_or_else(|| Failure::new("it bonds nothing: value is missing"))?;
    let coin = Coin::from_proto(coin).map_err(|error| Failure::new(format!("value: {error}")))?;
    check_funds(doc, &operator, &coin)?;
    let consensus_key = message.pubkey.map(|key| key.value).unwrap_or_default();
    Ok(Checked { moniker: message.description.unwrap_or_default().moniker, memo: body.memo, operator, consensus_key })
}

fn check_funds(doc: &GenesisDoc, address: &Address, coin: &Coin) -> Result<(), Failure> {
    if coin.amount.is_zero() {
        return Err(Failure::new("a validator bonds more than zero"));
    }
    match sections::balance(doc, address, &coin.denom)? {
        None => Err(Failure::new(format!(
            "account {address} has no balance in the genesis file: add it first (swingd genesis add-account {address} {coin})"
        ))),
        Some(balance) if balance < coin.amount => Err(Failure::new(format!(
            "account {address} has {balance}{} in the genesis file and cannot bond {coin}",
            coin.denom
        ))),
        Some(_) => Ok(()),
    }
}
