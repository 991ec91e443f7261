//! `tx`: builds, signs and sends transactions.

mod bank;
mod files;
mod flags;
mod gov;
mod governed;
mod plans;
mod staking;
mod submit;
mod swap;
mod swingset;
mod upgrade;

use clap::{Args, Subcommand};
use serde_json::Value;
use swing_proto::{google::protobuf::Any, json};

use super::{Context, Failure};

/// Arguments of `tx`.
#[derive(Args, Debug)]
pub struct TxCommand {
    #[command(flatten)]
    flags: flags::TxFlags,
    #[command(subcommand)]
    topic: Topic,
}

#[derive(Debug, Subcommand)]
enum Topic {
    /// Send coins
    #[command(subcommand)]
    Bank(bank::BankCommand),
    /// Propose, deposit and vote
    #[command(subcommand)]
    Gov(gov::GovCommand),
    /// Propose a software upgrade, or to cancel one
    #[command(subcommand)]
    Upgrade(upgrade::UpgradeCommand),
    /// Bond coins to validators
    #[command(subcommand)]
    Staking(staking::StakingCommand),
    /// Install bundles, send messages to vats
    #[command(subcommand)]
    Swingset(swingset::SwingsetCommand),
    /// Sign a transaction in a file
    Sign(files::SignArgs),
    /// Send a signed transaction in a file
    Broadcast(files::FileArgs),
    /// Encode a transaction in a file to base64
    Encode(files::FileArgs),
    /// Decode a transaction from base64
    Decode(files::DecodeArgs),
    /// Ask what gas a transaction in a file would use
    Simulate(files::FileArgs),
}

/// Runs one.
pub fn run(context: &Context, command: TxCommand) -> Result<(), Failure> {
    let TxCommand { flags, topic } = command;
    match topic {
        Topic::Bank(command) => bank::run(context, &flags, &command),
        Topic::Gov(command) => gov::run(context, &flags, &command),
        Topic::Upgrade(command) => upgrade::run(context, &flags, &command),
        Topic::Staking(command) => staking::run(context, &flags, &command),
        Topic::Swingset(command) => swingset::run(context, &flags, &command),
        Topic::Sign(arguments) => files::sign(context, &flags, &arguments),
        Topic::Broadcast(arguments) => files::broadcast(context, &flags, &arguments),
        Topic::Encode(arguments) => files::encode(&arguments),
        Topic::Decode(arguments) => files::decode(context, &flags, &arguments),
        Topic::Simulate(arguments) => files::simulate(context, &flags, &arguments),
    }
}

/// A message from its JSON, with every field checked.
fn message(value: &Value) -> Result<Any, Failure> {
    Ok(json::json_to_any(value)?)
}
