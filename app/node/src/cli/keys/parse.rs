//! `keys parse`.

use clap::Args;
use serde_json::json;
use swing_core::{
    address::{ACCOUNT_PREFIX, CONSENSUS_PREFIX, OPERATOR_PREFIX},
    bech32,
};

use crate::cli::{Context, Failure, flags::OutputArgs, output};

/// Arguments of `keys parse`.
#[derive(Args, Debug)]
pub struct ParseArgs {
    /// An address in hex or bech32
    address: String,
    #[command(flatten)]
    output: OutputArgs,
}

/// Converts an address.
pub fn run(context: &Context, arguments: &ParseArgs) -> Result<(), Failure> {
    let format = arguments.output.format(context)?;
    let text = arguments.address.trim();
    if let Ok((human, bytes)) = bech32::decode(text) {
        return output::value(format, &json!({"human": human, "bytes": hex::encode_upper(bytes)}));
    }
    let bytes = hex::decode(text)
        .ok()
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| Failure::new(format!("{text:?} is neither hex nor bech32")))?;
    let prefixes = [ACCOUNT_PREFIX, OPERATOR_PREFIX, CONSENSUS_PREFIX];
    let formats: Vec<_> = prefixes.iter().map(|prefix| bech32::encode(prefix, &bytes)).collect();
    output::value(format, &json!({"formats": formats}))
}
