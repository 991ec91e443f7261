//! Queries that CometBFT answers: transactions and blocks.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use swing_proto::json as proto_json;

use super::Asker;
use crate::{
    cli::{Failure, output},
    client::{response, rpc::number, wait},
};

/// Arguments of `query tx`.
#[derive(Args, Debug)]
pub struct TxArgs {
    /// The transaction's hash
    hash: String,
}

/// Arguments of `query wait-tx`.
#[derive(Args, Debug)]
pub struct WaitTxArgs {
    /// The transaction's hash
    hash: String,
    /// How long to wait, such as 15s or 2m
    #[arg(long, default_value = "30s", value_parser = parse_timeout)]
    timeout: Duration,
}

/// Arguments of `query block` and `query block-results`.
#[derive(Args, Debug)]
pub struct BlockArgs {
    /// The block's height; the latest by default
    height: Option<u64>,
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    let (digits, unit_ms) = if let Some(digits) = text.strip_suffix("ms") {
        (digits, 1)
    } else if let Some(digits) = text.strip_suffix('s') {
        (digits, 1000)
    } else if let Some(digits) = text.strip_suffix('m') {
        (digits, 60_000)
    } else {
        (text, 1000)
    };
    let number: u64 = digits.parse().map_err(|_| "expected a time such as 15s, 500ms or 2m".to_owned())?;
    number.checked_mul(unit_ms).map(Duration::from_millis).ok_or_else(|| "too long".to_owned())
}

pub(super) fn tx(asker: &Asker, arguments: &TxArgs) -> Result<(), Failure> {
    let hash = arguments.hash.trim();
    match asker.client.tx(hash)? {
        Some(included) => output::value(asker.format, &tx_response(asker, &included)?),
        None => Err(Failure::new(format!("tx ({}) not found", hash.to_ascii_uppercase()))),
    }
}

pub(super) fn wait_tx(asker: &Asker, arguments: &WaitTxArgs) -> Result<(), Failure> {
    let included = wait::tx(&asker.client, arguments.hash.trim(), arguments.timeout)?;
    output::value(asker.format, &tx_response(asker, &included)?)
}

/// `TxResponse` of a transaction in a block.
fn tx_response(asker: &Asker, included: &Value) -> Result<Value, Failure> {
    let block = asker.client.block(number(&included["height"]))?;
    let time = block["block"]["header"]["time"].as_str().unwrap_or_default();
    // SDK: to the second.
    let seconds = time.split_once('.').map_or_else(|| time.to_owned(), |(seconds, _)| format!("{seconds}Z"));
    let decoded = proto_json::wire_to_json("cosmos.tx.v1beta1.Tx", &response::tx_bytes(included)?)?;
    let mut tx = json!({"@type": "/cosmos.tx.v1beta1.Tx"});
    for (name, value) in decoded.as_object().into_iter().flatten() {
        tx[name] = value.clone();
    }
    Ok(response::of_included(included, &seconds, tx)?)
}

pub(super) fn block(asker: &Asker, arguments: &BlockArgs) -> Result<(), Failure> {
    output::value(asker.format, &asker.client.block(arguments.height)?)
}

pub(super) fn block_results(asker: &Asker, arguments: &BlockArgs) -> Result<(), Failure> {
    output::value(asker.format, &asker.client.block_results(arguments.height)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_in_gos_words() {
        assert_eq!(parse_timeout("15s"), Ok(Duration::from_secs(15)));
        assert_eq!(parse_timeout("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_timeout("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(parse_timeout("7"), Ok(Duration::from_secs(7)));
        for text in ["", "s", "-1s", "1.5s", "99999999999999999999s", "18446744073709551615m"] {
            assert!(parse_timeout(text).is_err(), "{text}");
        }
    }
}
