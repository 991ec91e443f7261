//! `tx bank`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use swing_core::{
    address::Address,
    math::{Coin, Coins, Int},
};

use super::{
    flags::TxFlags,
    message,
    submit::{Signer, coin_json, submit},
};
use crate::cli::{Context, Failure};

/// Commands of `tx bank`.
#[derive(Debug, Subcommand)]
pub enum BankCommand {
    /// Send coins from one account to another
    Send(SendArgs),
    /// Send coins from one account to several
    MultiSend(MultiSendArgs),
}

/// Arguments of `tx bank send`.
#[derive(Args, Debug)]
pub struct SendArgs {
    /// Name or address of the key that pays and signs
    from_key_or_address: String,
    /// Address that receives
    to_address: String,
    /// Amount, such as 100uswing
    amount: String,
}

/// Arguments of `tx bank multi-send`.
#[derive(Args, Debug)]
pub struct MultiSendArgs {
    /// Name or address of the key that pays and signs
    from_key_or_address: String,
    /// Addresses that receive, then the amount that each receives
    #[arg(required = true, num_args = 2..)]
    addresses_and_amount: Vec<String>,
    /// Divide the amount among them
    #[arg(long)]
    split: bool,
}

/// Runs one.
pub fn run(context: &Context, flags: &TxFlags, command: &BankCommand) -> Result<(), Failure> {
    let from = match command {
        BankCommand::Send(arguments) => &arguments.from_key_or_address,
        BankCommand::MultiSend(arguments) => &arguments.from_key_or_address,
    };
    let signer = Signer::resolve(context, flags, Some(from))?;
    let value = match command {
        BankCommand::Send(arguments) => send(arguments, &signer.address())?,
        BankCommand::MultiSend(arguments) => multi_send(arguments, &signer.address())?,
    };
    submit(context, flags, &signer, vec![message(&value)?])
}

fn send(arguments: &SendArgs, from: &Address) -> Result<Value, Failure> {
    let to = parse_address(&arguments.to_address)?;
    let coins = parse_positive(&arguments.amount)?;
    Ok(json!({
        "@type": "/cosmos.bank.v1beta1.MsgSend",
        "from_address": from.to_string(),
        "to_address": to.to_string(),
        "amount": list(&coins),
    }))
}

fn multi_send(arguments: &MultiSendArgs, from: &Address) -> Result<Value, Failure> {
    let Some((amount, addresses)) = arguments.addresses_and_amount.split_last() else {
        return Err(Failure::Usage("expected addresses and an amount".to_owned()));
    };
    let addresses = addresses.iter().map(|text| parse_address(text)).collect::<Result<Vec<_>, _>>()?;
    let wrong = |error: swing_core::math::MathError| Failure::new(format!("{amount}: {error}"));
    let count = Int::from(addresses.len() as u64);
    let mut each = Coins::EMPTY;
    let mut total = Coins::EMPTY;
    for coin in parse_positive(amount)?.iter() {
        let share = if arguments.split { coin.amount.div(count).map_err(wrong)? } else { coin.amount };
        let sum = share.mul(count).map_err(wrong)?;
        each.add_coin(&Coin { denom: coin.denom.clone(), amount: share }).map_err(wrong)?;
        total.add_coin(&Coin { denom: coin.denom.clone(), amount: sum }).map_err(wrong)?;
    }
    if each.is_empty() {
        return Err(Failure::new(format!("{amount} divided among {} is nothing", addresses.len())));
    }
    let outputs: Vec<_> =
        addresses.iter().map(|address| json!({"address": address.to_string(), "coins": list(&each)})).collect();
    Ok(json!({
        "@type": "/cosmos.bank.v1beta1.MsgMultiSend",
        "inputs": [{"address": from.to_string(), "coins": list(&total)}],
        "outputs": outputs,
    }))
}

fn list(coins: &Coins) -> Value {
    coins.iter().map(coin_json).collect()
}

fn parse_address(text: &str) -> Result<Address, Failure> {
    Address::parse(text).map_err(|error| Failure::new(format!("invalid address {text:?}: {error}")))
}

fn parse_positive(text: &str) -> Result<Coins, Failure> {
    let coins = Coins::parse(text).map_err(|error| Failure::new(format!("invalid amount {text:?}: {error}")))?;
    if coins.is_empty() { Err(Failure::new(format!("invalid amount {text:?}: it is nothing"))) } else { Ok(coins) }
}
