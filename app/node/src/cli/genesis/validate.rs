//! `genesis validate`.

use std::{collections::BTreeSet, path::PathBuf};

use clap::Args;
use swing_core::{address::Address, math::Coins};
use swing_proto::{
    cosmos::{
        auth::v1beta1::{BaseAccount, GenesisState as AuthGenesis},
        bank::v1beta1::GenesisState as BankGenesis,
    },
    unpack,
};

use super::{dry_run, gentx, sections};
use crate::{
    cli::{Context, Failure, output},
    config::GenesisDoc,
};

/// Arguments of `genesis validate`.
#[derive(Args, Debug)]
pub struct ValidateArgs {
    /// The file; config/genesis.json by default
    file: Option<PathBuf>,
}

/// Runs it.
pub fn run(context: &Context, arguments: &ValidateArgs) -> Result<(), Failure> {
    let path = arguments.file.clone().unwrap_or_else(|| context.home.genesis());
    let doc = GenesisDoc::load(&path)?;
    let in_file = |failure: Failure| Failure::new(format!("{}: {failure}", path.display()));
    check(&doc).map_err(in_file)?;
    dry_run::run(context, &doc).map_err(in_file)?;
    output::line(&format!("File at {} is a valid genesis file", path.display()))
}

/// Checks the sections and what holds between them.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(doc: &GenesisDoc) -> Result<(), Failure> {
    sections::check_all(doc)?;
    check_accounts(doc)?;
    check_supply(doc)?;
    for (index, tx) in sections::gen_txs(doc)?.iter().enumerate() {
        gentx::check(tx, doc)
            .map_err(|failure| Failure::new(format!("app_state.genutil.gen_txs[{index}]: {failure}")))?;
    }
    Ok(())
}

fn check_accounts(doc: &GenesisDoc) -> Result<(), Failure> {
    let auth: AuthGenesis = sections::read(doc, "auth")?;
    let mut addresses = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    for (index, account) in auth.accounts.iter().enumerate() {
        let wrong = |reason: String| Failure::new(format!("app_state.auth.accounts[{index}]: {reason}"));
        let Ok(account) = unpack::<BaseAccount>(account) else {
            continue;
        };
        Address::parse(&account.address).map_err(|error| wrong(error.to_string()))?;
        if !addresses.insert(account.address.clone()) {
            return Err(wrong(format!("duplicate account {}", account.address)));
        }
        if !numbers.insert(account.account_number) {
            return Err(wrong(format!("account number {} is another account's", account.account_number)));
        }
    }
    Ok(())
}

fn check_supply(doc: &GenesisDoc) -> Result<(), Failure> {
    let bank: BankGenesis = sections::read(doc, "bank")?;
    let mut addresses = BTreeSet::new();
    for (index, balance) in bank.balances.iter().enumerate() {
        let wrong = |reason: String| Failure::new(format!("app_state.bank.balances[{index}]: {reason}"));
        Address::parse(&balance.address).map_err(|error| wrong(error.to_string()))?;
        Coins::from_proto(&balance.coins).map_err(|error| wrong(error.to_string()))?;
        if !addresses.insert(&balance.address) {
            return Err(wrong(format!("duplicate balance for address {}", balance.address)));
        }
    }
    let total = sections::sum(bank.balances.iter().map(|balance| balance.coins.as_slice()))?;
    let supply =
        Coins::from_proto(&bank.supply).map_err(|error| Failure::new(format!("app_state.bank.supply: {error}")))?;
    // SDK: an empty supply is made from the balances.
    if !supply.is_empty() && supply != total {
        return Err(Failure::new(format!("app_state.bank.supply is {supply}, the balances' sum is {total}")));
    }
    Ok(())
}
