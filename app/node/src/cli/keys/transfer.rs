//! `keys export` and `keys import`: secrets in hex.

use clap::Args;

use super::{Bech, key_output, print_key};
use crate::{
    cli::{
        Context, Failure,
        context::{confirm, note, read_input},
        flags::{KeyringArgs, OutputArgs},
        output,
    },
    keyring::{Record, SecretKey},
};

/// Arguments of `keys export`.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The key's name
    name: String,
    /// Print the secret in hex, not encrypted
    #[arg(long)]
    unarmored_hex: bool,
    /// Yes, the secret may be seen
    #[arg(long = "unsafe")]
    not_safe: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    keyring: KeyringArgs,
}

/// Arguments of `keys import`.
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// The key's name
    name: String,
    /// The secret in hex; better read from standard input, with -, than left in the shell's history
    #[arg(default_value = "-")]
    hex: String,
    #[command(flatten)]
    keyring: KeyringArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Prints a secret.
pub fn export(context: &Context, arguments: &ExportArgs) -> Result<(), Failure> {
    if !(arguments.unarmored_hex && arguments.not_safe) {
        return Err(Failure::new(
            "an encrypted export is not available: pass --unarmored-hex and --unsafe to print the secret in hex",
        ));
    }
    let record = context.keyring(&arguments.keyring)?.get(&arguments.name)?;
    let secret = record.secret()?;
    if !arguments.yes && !confirm("WARNING: the secret will be printed in the clear. Continue?") {
        return Err(Failure::new("aborted"));
    }
    output::line(&hex::encode(secret.secret_bytes()))
}

/// Keeps a secret.
pub fn import(context: &Context, arguments: &ImportArgs) -> Result<(), Failure> {
    let format = arguments.output.format(context)?;
    let keyring = context.keyring(&arguments.keyring)?;
    let text = match arguments.hex.as_str() {
        "-" => String::from_utf8_lossy(&read_input("-".as_ref())?).into_owned(),
        text => text.to_owned(),
    };
    let bytes = hex::decode(text.trim()).map_err(|_| Failure::new("the secret is not hex"))?;
    let record = Record::local(&arguments.name, SecretKey::from_bytes(&bytes)?);
    note(
        "Warning: keyring backend \"test\" keeps secrets in plain files (mode 0600): keys in it are for tests, not for value",
    );
    keyring.add(&record)?;
    print_key(format, key_output(&record, Bech::Acc))
}
