//! `genesis add-account`.

use clap::Args;
use swing_core::{address::Address, math::Coins};
use swing_proto::{
    cosmos::{
        auth::v1beta1::{BaseAccount, GenesisState as AuthGenesis},
        bank::v1beta1::{Balance, GenesisState as BankGenesis},
    },
    pack, unpack,
};

use super::sections;
use crate::{
    cli::{Context, Failure, flags::KeyringArgs},
    config::GenesisDoc,
};

/// Arguments of `genesis add-account`.
#[derive(Args, Debug)]
pub struct AddAccountArgs {
    /// The account's address, or the name of a key
    address_or_key: String,
    /// Its balance, such as 1000000uswing,5other
    coins: String,
    /// Add to the balance of an account that is there
    #[arg(long)]
    append: bool,
    #[command(flatten)]
    keyring: KeyringArgs,
}

/// Runs it.
pub fn add(context: &Context, arguments: &AddAccountArgs) -> Result<(), Failure> {
    let address = match Address::parse(&arguments.address_or_key) {
        Ok(address) => address,
        Err(_) => context.keyring(&arguments.keyring)?.get(&arguments.address_or_key)?.address(),
    };
    let coins = Coins::parse(&arguments.coins).map_err(|error| Failure::new(error.to_string()))?;
    let path = context.home.genesis();
    let mut doc = GenesisDoc::load(&path)?;
    add_to(&mut doc, &address, &coins, arguments.append)?;
    Ok(doc.save(&path)?)
}

/// Adds the account, its balance and the supply.
fn add_to(doc: &mut GenesisDoc, address: &Address, coins: &Coins, append: bool) -> Result<(), Failure> {
    let mut auth: AuthGenesis = sections::read(doc, "auth")?;
    let mut bank: BankGenesis = sections::read(doc, "bank")?;
    let text = address.to_string();
    let mut numbers = Vec::new();
    let mut there = false;
    for account in &auth.accounts {
        // Module accounts have no number of their own here.
        if let Ok(account) = unpack::<BaseAccount>(account) {
            there |= account.address == text;
            numbers.push(account.account_number);
        }
    }
    if there && !append {
        return Err(Failure::new(format!(
            "cannot add account at existing address {text}: pass --append to add to its balance"
        )));
    }
    if !there {
        let account_number = numbers.iter().max().map_or(0, |number| number.saturating_add(1));
        auth.accounts.push(pack(&BaseAccount { address: text.clone(), account_number, ..BaseAccount::default() }));
    }
    let too_large = |error: swing_core::math::MathError| Failure::new(error.to_string());
    match bank.balances.iter_mut().find(|balance| balance.address == text) {
        Some(balance) => {
            let old = sections::sum(std::iter::once(balance.coins.as_slice()))?;
            balance.coins = old.add(coins).map_err(too_large)?.to_proto();
        }
        None => bank.balances.push(Balance { address: text, coins: coins.to_proto() }),
    }
    bank.balances.sort_by(|a, b| a.address.cmp(&b.address));
    bank.supply = sections::sum(bank.balances.iter().map(|balance| balance.coins.as_slice()))?.to_proto();
    sections::write(doc, "auth", &auth)?;
    sections::write(doc, "bank", &bank)
}
