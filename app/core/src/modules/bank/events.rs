//! Events of transfers, with the types, attributes and order of the SDK.

use crate::{address::Address, event::Event};

/// Coins left an account.
pub fn coin_spent(spender: &str, amount: &str) -> Event {
    Event::new("coin_spent").with("spender", spender).with("amount", amount)
}

/// Coins reached an account.
pub fn coin_received(receiver: &str, amount: &str) -> Event {
    Event::new("coin_received").with("receiver", receiver).with("amount", amount)
}

/// A transfer between two accounts.
pub fn transfer(recipient: &str, sender: &str, amount: &str) -> Event {
    Event::new("transfer").with("recipient", recipient).with("sender", sender).with("amount", amount)
}

/// A recipient of a transfer to many: the SDK does not repeat the sender here.
pub fn transfer_without_sender(recipient: &str, amount: &str) -> Event {
    Event::new("transfer").with("recipient", recipient).with("amount", amount)
}

/// Who acted.
pub fn message_sender(sender: &str) -> Event {
    Event::new("message").with("sender", sender)
}

/// New coins.
pub fn coinbase(minter: &Address, amount: &str) -> Event {
    Event::new("coinbase").with("minter", minter.to_string()).with("amount", amount)
}

/// Coins destroyed.
pub fn burn(burner: &Address, amount: &str) -> Event {
    Event::new("burn").with("burner", burner.to_string()).with("amount", amount)
}
