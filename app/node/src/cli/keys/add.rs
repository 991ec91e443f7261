//! `keys add`.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use clap::Args;
use serde_json::{Value, json};

use super::{Bech, key_output, print_key};
use crate::{
    cli::{
        Context, Failure,
        context::{ask, note},
        flags::{KeyringArgs, OutputArgs},
        output::Format,
    },
    keyring::{HdPath, Keyring, KeyringError, Mnemonic, Record, hd, secret},
};

/// Arguments of `keys add`.
#[derive(Args, Debug)]
pub struct AddArgs {
    /// The key's name
    name: String,
    /// Read the mnemonic from standard input instead of making a new one
    #[arg(long, conflicts_with = "pubkey")]
    recover: bool,
    /// Keep this public key only, as {"@type":"/cosmos.crypto.secp256k1.PubKey","key":"…"}
    #[arg(long, value_name = "JSON")]
    pubkey: Option<String>,
    /// Do not print the mnemonic
    #[arg(long)]
    no_backup: bool,
    /// Show the key and keep nothing
    #[arg(long)]
    dry_run: bool,
    /// Coin type of the derivation path
    #[arg(long, default_value_t = hd::COIN_TYPE)]
    coin_type: u32,
    /// Account of the derivation path
    #[arg(long, default_value_t = 0)]
    account: u32,
    /// Index of the derivation path
    #[arg(long, default_value_t = 0)]
    index: u32,
    /// The whole derivation path
    #[arg(long, value_name = "PATH", conflicts_with_all = ["coin_type", "account", "index"])]
    hd_path: Option<String>,
    /// Algorithm of the key
    #[arg(long, default_value = "secp256k1", value_parser = ["secp256k1"])]
    key_type: String,
    #[command(flatten)]
    keyring: KeyringArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs it.
pub fn run(context: &Context, arguments: &AddArgs) -> Result<(), Failure> {
    let format = arguments.output.format(context)?;
    let keyring = context.keyring(&arguments.keyring)?;
    if keyring.list()?.iter().any(|record| record.name == arguments.name) {
        return Err(KeyringError::Exists(arguments.name.clone()).into());
    }
    if let Some(text) = &arguments.pubkey {
        let record = Record::offline(&arguments.name, parse_public_key(text)?);
        keep(arguments, &keyring, &record)?;
        return print_key(format, key_output(&record, Bech::Acc));
    }
    if !arguments.dry_run {
        note(
            "Warning: keyring backend \"test\" keeps secrets in plain files (mode 0600): keys in it are for tests, not for value",
        );
    }
    let mnemonic = if arguments.recover {
        Mnemonic::parse(&ask("> Enter your bip39 mnemonic\n")?)?
    } else {
        Mnemonic::generate()?
    };
    let path = match &arguments.hd_path {
        Some(path) => HdPath::parse(path)?,
        None => HdPath::bip44(arguments.coin_type, arguments.account, arguments.index)?,
    };
    let record = Record::local(&arguments.name, mnemonic.derive(&path)?);
    keep(arguments, &keyring, &record)?;
    let shown = (!arguments.recover && !arguments.no_backup).then_some(mnemonic);
    print_created(format, &record, shown.as_ref())
}

fn keep(arguments: &AddArgs, keyring: &Keyring, record: &Record) -> Result<(), KeyringError> {
    if arguments.dry_run { Ok(()) } else { keyring.add(record) }
}

fn parse_public_key(text: &str) -> Result<[u8; 33], Failure> {
    let expected =
        || Failure::new("--pubkey: expected {\"@type\":\"/cosmos.crypto.secp256k1.PubKey\",\"key\":\"<base64>\"}");
    let value: Value = serde_json::from_str(text).map_err(|_| expected())?;
    if value["@type"] != "/cosmos.crypto.secp256k1.PubKey" {
        return Err(expected());
    }
    let bytes = value["key"].as_str().and_then(|key| BASE64.decode(key).ok()).ok_or_else(expected)?;
    Ok(secret::check_public_key(&bytes)?)
}

fn print_created(format: Format, record: &Record, mnemonic: Option<&Mnemonic>) -> Result<(), Failure> {
    let mut key = key_output(record, Bech::Acc);
    match (format, mnemonic) {
        (Format::Json, Some(mnemonic)) => key["mnemonic"] = json!(mnemonic.words()),
        (Format::Text, Some(mnemonic)) => {
            print_key(format, key)?;
            note("\n**Important** write this mnemonic phrase in a safe place.");
            note("It is the only way to recover this account if the keyring is lost.\n");
            note(&mnemonic.words());
            return Ok(());
        }
        (_, None) => {}
    }
    print_key(format, key)
}
