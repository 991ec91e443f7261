//! `tx sign`, `broadcast`, `encode`, `decode`, `simulate`: transactions in files.

use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use clap::Args;
use serde_json::{Value, json};
use swing_core::address::Address;
use swing_proto::{
    Message, Signer as MessageSigner,
    cosmos::tx::v1beta1::{SimulateRequest, Tx},
    json as proto_json, signers,
};

use super::{
    flags::TxFlags,
    submit::{self, Signer, signer_data},
};
use crate::{
    cli::{Context, Failure, context::read_input, output},
    client::sign,
    config::files,
};

const TX: &str = "cosmos.tx.v1beta1.Tx";

/// A file.
#[derive(Args, Debug)]
pub struct FileArgs {
    /// The transaction in JSON; - for standard input
    file: PathBuf,
}

/// Arguments of `tx sign`.
#[derive(Args, Debug)]
pub struct SignArgs {
    /// The transaction in JSON; - for standard input
    file: PathBuf,
    /// Write here instead of to standard output
    #[arg(long)]
    output_document: Option<PathBuf>,
}

/// Arguments of `tx decode`.
#[derive(Args, Debug)]
pub struct DecodeArgs {
    /// The encoded transaction
    text: String,
    /// It is hex, not base64
    #[arg(short = 'x', long)]
    hex: bool,
}

fn read(path: &Path) -> Result<Tx, Failure> {
    let wrong = |reason: String| Failure::new(format!("{}: {reason}", path.display()));
    let value: Value =
        serde_json::from_slice(&read_input(path)?).map_err(|error| wrong(format!("not JSON: {error}")))?;
    proto_json::from_json(&value).map_err(|error| wrong(error.to_string()))
}

/// Signs a transaction that one account has to sign.
pub fn sign(context: &Context, flags: &TxFlags, arguments: &SignArgs) -> Result<(), Failure> {
    let tx = read(&arguments.file)?;
    let Signer::Key(record) = Signer::resolve(context, flags, None)? else {
        return Err(Failure::new("only a key of the keyring can sign"));
    };
    let body = tx.body.unwrap_or_default();
    let needed = signers_of(&body)?;
    if needed != [record.address()] {
        let needed: Vec<_> = needed.iter().map(ToString::to_string).collect();
        return Err(Failure::new(format!(
            "key {} ({}) is not the one signer of this transaction: it is signed by {}",
            record.name,
            record.address(),
            needed.join(", ")
        )));
    }
    let fee = tx.auth_info.and_then(|info| info.fee).unwrap_or_default();
    let data = signer_data(context, flags, &record.address())?;
    let raw = sign::sign(&body, &fee, &data, flags.sign_mode.into(), record.secret()?)?;
    let text = proto_json::wire_to_json(TX, &raw.encode_to_vec())?.to_string();
    match &arguments.output_document {
        Some(path) => Ok(files::write(path, format!("{text}\n").as_bytes(), files::MODE_PLAIN)?),
        None => output::line(&text),
    }
}

/// The accounts that have to sign, each once, in order.
fn signers_of(body: &swing_proto::cosmos::tx::v1beta1::TxBody) -> Result<Vec<Address>, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
    let mut all = Vec::new();
    for message in &body.messages {
        for signer in signers(message).map_err(|error| wrong(&error))? {
            let address = match signer {
                MessageSigner::Account(bytes) => Address::from_slice(&bytes),
                MessageSigner::Address(text) => Address::parse(&text).or_else(|_| Address::parse_operator(&text)),
            };
            let address = address.map_err(|error| wrong(&error))?;
            if !all.contains(&address) {
                all.push(address);
            }
        }
    }
    Ok(all)
}

/// Sends a signed transaction.
pub fn broadcast(context: &Context, flags: &TxFlags, arguments: &FileArgs) -> Result<(), Failure> {
    let tx = read(&arguments.file)?;
    if tx.signatures.is_empty() {
        return Err(Failure::new(format!("{}: the transaction is not signed", arguments.file.display())));
    }
    let answer = submit::broadcast(&flags.client(context)?, flags.mode(context)?, &tx.encode_to_vec())?;
    submit::print(context, flags, &answer)
}

/// Prints the encoded transaction in base64.
pub fn encode(arguments: &FileArgs) -> Result<(), Failure> {
    output::line(&BASE64.encode(read(&arguments.file)?.encode_to_vec()))
}

/// Prints an encoded transaction as JSON.
pub fn decode(context: &Context, flags: &TxFlags, arguments: &DecodeArgs) -> Result<(), Failure> {
    let text = arguments.text.trim();
    let bytes = if arguments.hex {
        hex::decode(text).map_err(|error| Failure::new(format!("not hex: {error}")))?
    } else {
        BASE64.decode(text).map_err(|error| Failure::new(format!("not base64: {error}")))?
    };
    output::value(flags.format(context)?, &proto_json::wire_to_json(TX, &bytes)?)
}

/// Prints the gas that a transaction would use.
#[allow(deprecated, reason = "the message keeps the deprecated field of the SDK's")]
pub fn simulate(context: &Context, flags: &TxFlags, arguments: &FileArgs) -> Result<(), Failure> {
    let mut tx = read(&arguments.file)?;
    if tx.signatures.is_empty() {
        tx.signatures.push(Vec::new());
    }
    let request = SimulateRequest { tx_bytes: tx.encode_to_vec(), ..SimulateRequest::default() };
    let path = "/cosmos.tx.v1beta1.Service/Simulate";
    let answer = flags.client(context)?.abci_query(path, &request.encode_to_vec(), 0)?;
    let value = proto_json::wire_to_json("cosmos.tx.v1beta1.SimulateResponse", &answer.value)?;
    output::value(flags.format(context)?, &json!({"gas_info": value["gas_info"]}))
}
