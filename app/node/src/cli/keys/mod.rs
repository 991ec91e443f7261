//! `keys`: the keys of accounts.

mod add;
mod parse;
mod transfer;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    Context, Failure,
    context::{confirm, note},
    flags::{KeyringArgs, OutputArgs},
    output,
};
use crate::keyring::{Mnemonic, Record};

/// Commands of `keys`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key, or recover one from its mnemonic
    Add(add::AddArgs),
    /// List all keys
    List(ListArgs),
    /// Show a key
    Show(ShowArgs),
    /// Delete keys
    Delete(DeleteArgs),
    /// Print a key's secret
    Export(transfer::ExportArgs),
    /// Keep a key whose secret is given in hex
    #[command(visible_alias = "import-hex")]
    Import(transfer::ImportArgs),
    /// Print a new mnemonic of 24 words
    Mnemonic,
    /// Convert an address between hex and bech32
    Parse(parse::ParseArgs),
}

/// Arguments of `keys list`.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Show names only
    #[arg(short = 'n', long)]
    list_names: bool,
    #[command(flatten)]
    keyring: KeyringArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// The prefix of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Bech {
    /// Account
    #[default]
    Acc,
    /// Validator's operator
    Val,
    /// Consensus
    Cons,
}

/// Arguments of `keys show`.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The key's name or address
    name_or_address: String,
    /// Show the address only
    #[arg(short, long, conflicts_with = "pubkey")]
    address: bool,
    /// Show the public key only
    #[arg(short, long)]
    pubkey: bool,
    /// The prefix of the address
    #[arg(long, value_enum, default_value = "acc")]
    bech: Bech,
    #[command(flatten)]
    keyring: KeyringArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Arguments of `keys delete`.
#[derive(Args, Debug)]
pub struct DeleteArgs {
    /// The keys' names
    #[arg(required = true)]
    names: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    keyring: KeyringArgs,
}

/// Runs one.
pub fn run(context: &Context, command: &KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::Add(arguments) => add::run(context, arguments),
        KeysCommand::List(arguments) => list(context, arguments),
        KeysCommand::Show(arguments) => show(context, arguments),
        KeysCommand::Delete(arguments) => delete(context, arguments),
        KeysCommand::Export(arguments) => transfer::export(context, arguments),
        KeysCommand::Import(arguments) => transfer::import(context, arguments),
        KeysCommand::Mnemonic => output::line(&Mnemonic::generate()?.words()),
        KeysCommand::Parse(arguments) => parse::run(context, arguments),
    }
}

/// A key in the shape of the SDK's `KeyOutput`.
fn key_output(record: &Record, bech: Bech) -> Value {
    json!({
        "name": record.name,
        "type": record.kind(),
        "address": encode_address(record, bech),
        "pubkey": public_key_json(record).to_string(),
    })
}

fn public_key_json(record: &Record) -> Value {
    json!({"@type": "/cosmos.crypto.secp256k1.PubKey", "key": BASE64.encode(record.public_key)})
}

fn encode_address(record: &Record, bech: Bech) -> String {
    let address = record.address();
    match bech {
        Bech::Acc => address.to_string(),
        Bech::Val => address.to_operator(),
        Bech::Cons => address.to_consensus(),
    }
}

fn list(context: &Context, arguments: &ListArgs) -> Result<(), Failure> {
    let records = context.keyring(&arguments.keyring)?.list()?;
    let format = arguments.output.format(context)?;
    if arguments.list_names {
        let names: Vec<_> = records.iter().map(|record| record.name.as_str()).collect();
        return match format {
            output::Format::Json => output::value(format, &json!(names)),
            output::Format::Text => names.iter().try_for_each(|name| output::line(name)),
        };
    }
    if records.is_empty() && format == output::Format::Text {
        note("No records were found in keyring");
        return Ok(());
    }
    output::value(format, &records.iter().map(|record| key_output(record, Bech::Acc)).collect())
}

fn show(context: &Context, arguments: &ShowArgs) -> Result<(), Failure> {
    let record = context.keyring(&arguments.keyring)?.get(&arguments.name_or_address)?;
    if arguments.address {
        return output::line(&encode_address(&record, arguments.bech));
    }
    if arguments.pubkey {
        return output::line(&public_key_json(&record).to_string());
    }
    print_key(arguments.output.format(context)?, key_output(&record, arguments.bech))
}

/// As the SDK: a list of one in text, an object in JSON.
fn print_key(format: output::Format, key: Value) -> Result<(), Failure> {
    match format {
        output::Format::Json => output::value(format, &key),
        output::Format::Text => output::value(format, &json!([key])),
    }
}

fn delete(context: &Context, arguments: &DeleteArgs) -> Result<(), Failure> {
    let keyring = context.keyring(&arguments.keyring)?;
    // All are looked up before the first is deleted.
    let records = arguments.names.iter().map(|name| keyring.get(name)).collect::<Result<Vec<_>, _>>()?;
    for record in records {
        if !arguments.yes && !confirm(&format!("Key {} will be deleted for ever. Continue?", record.name)) {
            return Err(Failure::new(format!("key {} is kept: aborted", record.name)));
        }
        keyring.delete(&record.name)?;
        note(&format!("Key {} deleted", record.name));
    }
    Ok(())
}
