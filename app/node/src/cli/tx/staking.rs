//! `tx staking`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use swing_core::math::{Coin, Dec};

use super::{
    flags::TxFlags,
    message,
    submit::{Signer, coin_json, submit},
};
use crate::cli::{Context, Failure, context::read_input};

/// What `MsgEditValidator` takes for "as before". Source: the SDK's `DoNotModifyDesc`.
const AS_BEFORE: &str = "[do-not-modify]";

/// Commands of `tx staking`.
#[derive(Debug, Subcommand)]
pub enum StakingCommand {
    /// Become a validator
    CreateValidator {
        /// JSON file: {"pubkey":{…},"amount":"1000000uswing","moniker":"…","commission-rate":"0.1","commission-max-rate":"0.2",
        /// "commission-max-change-rate":"0.01","min-self-delegation":"1"}
        file: PathBuf,
    },
    /// Bond coins to a validator
    Delegate(AmountArgs),
    /// Take bonded coins back, after the unbonding time
    Unbond(AmountArgs),
    /// Change what a validator says of itself
    EditValidator(EditArgs),
}

/// Arguments of `tx staking delegate` and `unbond`.
#[derive(Args, Debug)]
pub struct AmountArgs {
    /// Address of the validator's operator
    validator_address: String,
    /// Amount, such as 1000uswing
    amount: String,
}

/// Arguments of `tx staking edit-validator`.
#[derive(Args, Debug)]
pub struct EditArgs {
    /// The validator's name
    #[arg(long, default_value = AS_BEFORE)]
    new_moniker: String,
    /// Identity
    #[arg(long, default_value = AS_BEFORE)]
    identity: String,
    /// Website
    #[arg(long, default_value = AS_BEFORE)]
    website: String,
    /// Contact for security matters
    #[arg(long, default_value = AS_BEFORE)]
    security_contact: String,
    /// Details
    #[arg(long, default_value = AS_BEFORE)]
    details: String,
    /// Commission's rate
    #[arg(long)]
    commission_rate: Option<String>,
    /// The least that the validator keeps bonded of its own
    #[arg(long)]
    min_self_delegation: Option<u64>,
}

/// Runs one.
pub fn run(context: &Context, flags: &TxFlags, command: &StakingCommand) -> Result<(), Failure> {
    let signer = Signer::resolve(context, flags, None)?;
    let address = signer.address();
    let value = match command {
        StakingCommand::CreateValidator { file } => {
            let text = read_input(file)?;
            let value: Value = serde_json::from_slice(&text)
                .map_err(|error| Failure::new(format!("{}: not JSON: {error}", file.display())))?;
            create(&value, &address.to_operator())
                .map_err(|failure| Failure::new(format!("{}: {failure}", file.display())))?
        }
        StakingCommand::Delegate(arguments) => {
            amount("/cosmos.staking.v1beta1.MsgDelegate", arguments, &address.to_string())?
        }
        StakingCommand::Unbond(arguments) => {
            amount("/cosmos.staking.v1beta1.MsgUndelegate", arguments, &address.to_string())?
        }
        StakingCommand::EditValidator(arguments) => edit(arguments, &address.to_operator())?,
    };
    submit(context, flags, &signer, vec![message(&value)?])
}

fn amount(type_url: &str, arguments: &AmountArgs, delegator: &str) -> Result<Value, Failure> {
    let coin = Coin::parse(&arguments.amount)
        .map_err(|error| Failure::new(format!("invalid amount {:?}: {error}", arguments.amount)))?;
    swing_core::address::Address::parse_operator(&arguments.validator_address).map_err(|error| {
        Failure::new(format!("invalid validator address {:?}: {error}", arguments.validator_address))
    })?;
    Ok(json!({
        "@type": type_url,
        "delegator_address": delegator,
        "validator_address": arguments.validator_address,
        "amount": coin_json(&coin),
    }))
}

fn decimal(name: &str, text: &str) -> Result<String, Failure> {
    Dec::parse(text).map(|rate| rate.to_string()).map_err(|error| Failure::new(format!("{name}: {error}")))
}

fn edit(arguments: &EditArgs, operator: &str) -> Result<Value, Failure> {
    let rate = arguments.commission_rate.as_ref().map(|text| decimal("--commission-rate", text)).transpose()?;
    Ok(json!({
        "@type": "/cosmos.staking.v1beta1.MsgEditValidator",
        "description": {
            "moniker": arguments.new_moniker,
            "identity": arguments.identity,
            "website": arguments.website,
            "security_contact": arguments.security_contact,
            "details": arguments.details,
        },
        "validator_address": operator,
        "commission_rate": rate,
        "min_self_delegation": arguments.min_self_delegation.map(|number| number.to_string()),
    }))
}

fn create(file: &Value, operator: &str) -> Result<Value, Failure> {
    const FIELDS: [&str; 11] = [
        "pubkey",
        "amount",
        "moniker",
        "identity",
        "website",
        "security",
        "details",
        "commission-rate",
        "commission-max-rate",
        "commission-max-change-rate",
        "min-self-delegation",
    ];
    let fields = file.as_object().ok_or_else(|| Failure::new("expected an object"))?;
    if let Some(name) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(Failure::new(format!("unknown field {name:?}: expected {}", FIELDS.join(", "))));
    }
    let text = |name: &str, default: Option<&str>| match fields.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(Failure::new(format!("{name}: expected a text"))),
        None => default.map(str::to_owned).ok_or_else(|| Failure::new(format!("{name} is missing"))),
    };
    let coin = Coin::parse(&text("amount", None)?).map_err(|error| Failure::new(format!("amount: {error}")))?;
    let pubkey = fields.get("pubkey").ok_or_else(|| Failure::new("pubkey is missing"))?;
    let rate = |name: &str, default: &str| decimal(name, &text(name, Some(default))?);
    Ok(json!({
        "@type": "/cosmos.staking.v1beta1.MsgCreateValidator",
        "description": {
            "moniker": text("moniker", None)?,
            "identity": text("identity", Some(""))?,
            "website": text("website", Some(""))?,
            "security_contact": text("security", Some(""))?,
            "details": text("details", Some(""))?,
        },
        "commission": {
            "rate": rate("commission-rate", "0.1")?,
            "max_rate": rate("commission-max-rate", "0.2")?,
            "max_change_rate": rate("commission-max-change-rate", "0.01")?,
        },
        "min_self_delegation": text("min-self-delegation", Some("1"))?,
        "delegator_address": "",
        "validator_address": operator,
        "pubkey": pubkey,
        "value": coin_json(&coin),
    }))
}
