//! Sections of `app_state` as messages.

use serde_json::Value;
use swing_core::{
    address::Address,
    math::{Coin, Coins, Int},
};
use swing_proto::{
    Message, Name,
    cosmos::{auth, bank, gov, staking},
    json, swing,
};

use crate::{cli::Failure, config::GenesisDoc};

/// The section as a message; an absent one is empty.
///
/// # Errors
/// It is not such a message; the error says where.
pub fn read<M: Message + Name + Default>(doc: &GenesisDoc, name: &str) -> Result<M, Failure> {
    match doc.app_state.get(name) {
        None | Some(Value::Null) => Ok(M::default()),
        Some(value) => json::from_json(value).map_err(|error| Failure::new(format!("app_state.{name}: {error}"))),
    }
}

/// Replaces the section.
///
/// # Errors
/// The message has no JSON.
pub fn write<M: Message + Name>(doc: &mut GenesisDoc, name: &str, section: &M) -> Result<(), Failure> {
    doc.app_state.insert(name.to_owned(), json::to_json(section)?);
    Ok(())
}

/// Decodes every section, for what is wrong with their form.
///
/// # Errors
/// The first section that is wrong.
pub fn check_all(doc: &GenesisDoc) -> Result<(), Failure> {
    read::<auth::v1beta1::GenesisState>(doc, "auth")?;
    read::<bank::v1beta1::GenesisState>(doc, "bank")?;
    read::<gov::v1::GenesisState>(doc, "gov")?;
    read::<staking::v1beta1::GenesisState>(doc, "staking")?;
    read::<swing::swingset::v1::GenesisState>(doc, "swingset")?;
    Ok(())
}

/// The signed transactions of validators.
///
/// # Errors
/// `genutil.gen_txs` is not a list.
pub fn gen_txs(doc: &GenesisDoc) -> Result<Vec<Value>, Failure> {
    match doc.app_state.get("genutil").and_then(|section| section.get("gen_txs")) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(txs)) => Ok(txs.clone()),
        Some(_) => Err(Failure::new("app_state.genutil.gen_txs: expected a list")),
    }
}

/// What an account has of one denomination.
///
/// # Errors
/// The bank section is wrong.
pub fn balance(doc: &GenesisDoc, address: &Address, denom: &str) -> Result<Option<Int>, Failure> {
    let bank: bank::v1beta1::GenesisState = read(doc, "bank")?;
    let text = address.to_string();
    let Some(balance) = bank.balances.iter().find(|balance| balance.address == text) else {
        return Ok(None);
    };
    let coins =
        Coins::from_proto(&balance.coins).map_err(|error| Failure::new(format!("balance of {text}: {error}")))?;
    Ok(Some(coins.amount_of(denom)))
}

/// Sum of coins.
///
/// # Errors
/// A sum that is too large, or coins that are none.
pub fn sum<'a>(lists: impl Iterator<Item = &'a [swing_proto::cosmos::base::v1beta1::Coin]>) -> Result<Coins, Failure> {
    let mut total = Coins::EMPTY;
    for list in lists {
        for coin in list {
            let coin = Coin::from_proto(coin).map_err(|error| Failure::new(error.to_string()))?;
            total.add_coin(&coin).map_err(|error| Failure::new(error.to_string()))?;
        }
    }
    Ok(total)
}
