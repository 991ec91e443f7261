//! Balances and supply in state, and every way in which coins move. Source: x/bank keeper.
//!
//! # Invariants
//! - The supply of a denom is the sum of its balances: only [`mint_coins`] and [`burn_coins`] change it, both with a balance.
//! - A balance of zero has no entry.

use super::{events, keys, msg::Send};
use crate::{
    address::{Address, Party, module_address, module_party},
    error::Failure,
    math::{Coin, Coins, Int},
    modules::auth::keeper as auth,
    sdk_error::SdkError,
    state::{State, StateError, StateRead},
};

fn decode_amount(key: &[u8], bytes: &[u8]) -> Result<Int, StateError> {
    Int::from_be_bytes(bytes).map_err(|error| StateError::Storage(format!("amount at {}: {error}", hex::encode(key))))
}

fn amount_at(state: &dyn StateRead, key: &[u8]) -> Result<Int, StateError> {
    state.get(key)?.map_or(Ok(Int::ZERO), |bytes| decode_amount(key, &bytes))
}

fn set_amount(state: &mut State<'_>, key: Vec<u8>, amount: Int) -> Result<(), StateError> {
    if amount.is_zero() { state.delete(key) } else { state.set(key, amount.to_be_bytes_trimmed()) }
}

/// An account's balance of one denom.
///
/// # Errors
/// Storage, out of gas.
pub fn balance(state: &dyn StateRead, address: &Address, denom: &str) -> Result<Int, StateError> {
    amount_at(state, &keys::balance(address, denom))
}

/// All balances of an account.
///
/// # Errors
/// Storage, out of gas.
pub fn balances(state: &dyn StateRead, address: &Address) -> Result<Coins, StateError> {
    amounts_under(state, &keys::balances(address))
}

/// The supply of one denom.
///
/// # Errors
/// Storage, out of gas.
pub fn supply(state: &dyn StateRead, denom: &str) -> Result<Int, StateError> {
    amount_at(state, &keys::supply(denom))
}

/// The supply of every denom.
///
/// # Errors
/// Storage, out of gas.
pub fn total_supply(state: &dyn StateRead) -> Result<Coins, StateError> {
    amounts_under(state, keys::SUPPLIES)
}

fn amounts_under(state: &dyn StateRead, prefix: &[u8]) -> Result<Coins, StateError> {
    let mut coins = Vec::new();
    for entry in state.prefix(prefix) {
        let (key, value) = entry?;
        let denom = key.strip_prefix(prefix).and_then(|denom| std::str::from_utf8(denom).ok());
        let denom = denom.ok_or_else(|| StateError::Storage(format!("denom in {}", hex::encode(&key))))?;
        coins.push(Coin { denom: denom.to_owned(), amount: decode_amount(&key, &value)? });
    }
    Coins::new(coins).map_err(|error| StateError::Storage(format!("coins under {}: {error}", hex::encode(prefix))))
}

/// Takes coins from an account; emits nothing.
fn take(state: &mut State<'_>, from: &Address, coins: &Coins) -> Result<(), Failure> {
    for coin in coins {
        let key = keys::balance(from, &coin.denom);
        let have = amount_at(state, &key)?;
        let left = have.sub(coin.amount).map_err(|_| {
            let have = Coin { denom: coin.denom.clone(), amount: have };
            SdkError::InsufficientFunds.wrap(format!("spendable balance {have} is smaller than {coin}"))
        })?;
        set_amount(state, key, left)?;
    }
    Ok(())
}

/// Gives coins to an account; emits nothing.
fn give(state: &mut State<'_>, to: &Address, coins: &Coins) -> Result<(), Failure> {
    for coin in coins {
        let key = keys::balance(to, &coin.denom);
        let sum = amount_at(state, &key)?.add(coin.amount)?;
        set_amount(state, key, sum)?;
    }
    Ok(())
}

/// Takes coins from an account, as one side of a transfer to many.
pub(super) fn spend(state: &mut State<'_>, from: &Address, coins: &Coins) -> Result<(), Failure> {
    take(state, from, coins)?;
    state.emit(events::coin_spent(&from.to_string(), &coins.to_string()));
    Ok(())
}

/// Gives coins to an account, as the other side.
pub(super) fn receive(state: &mut State<'_>, to: &Address, coins: &Coins) -> Result<(), Failure> {
    give(state, to, coins)?;
    state.emit(events::coin_received(&to.to_string(), &coins.to_string()));
    Ok(())
}

/// A transfer, with the texts that its events repeat.
struct Transfer<'a> {
    from: &'a Party,
    to: &'a Party,
    coins: &'a Coins,
    amount: &'a str,
    /// Module accounts are there since genesis.
    to_module: bool,
}

impl Transfer<'_> {
    fn run(&self, state: &mut State<'_>) -> Result<(), Failure> {
        let (sender, recipient) = (self.from.text.as_str(), self.to.text.as_str());
        take(state, &self.from.address, self.coins)?;
        state.emit(events::coin_spent(sender, self.amount));
        give(state, &self.to.address, self.coins)?;
        state.emit(events::coin_received(recipient, self.amount));
        if !self.to_module {
            auth::ensure_account(state, &self.to.address)?;
        }
        state.emit(events::transfer(recipient, sender, self.amount));
        state.emit(events::message_sender(sender));
        Ok(())
    }
}

fn transfer(state: &mut State<'_>, from: &Party, to: &Party, coins: &Coins, to_module: bool) -> Result<(), Failure> {
    Transfer { from, to, coins, amount: &coins.to_string(), to_module }.run(state)
}

/// As [`send_coins`], for a message that was read before.
///
/// # Errors
/// As [`send_coins`].
pub(super) fn send(state: &mut State<'_>, message: &Send) -> Result<(), Failure> {
    let Send { from, to, amount: coins, amount_text: amount } = message;
    Transfer { from, to, coins, amount, to_module: false }.run(state)
}

/// A fee to its collector: as [`send_from_account_to_module`], with texts that are there already.
///
/// # Errors
/// As [`send_coins`].
pub fn pay_fee(state: &mut State<'_>, payer: &Party, coins: &Coins, amount: &str) -> Result<(), Failure> {
    let collector = module_party(auth::FEE_COLLECTOR);
    Transfer { from: payer, to: &collector, coins, amount, to_module: true }.run(state)
}

/// Moves coins between accounts and makes the recipient's when there is none. Source: SDK `SendCoins`.
///
/// # Errors
/// SDK 5 (insufficient funds); storage, out of gas.
pub fn send_coins(state: &mut State<'_>, from: &Address, to: &Address, coins: &Coins) -> Result<(), Failure> {
    transfer(state, &(*from).into(), &(*to).into(), coins, false)
}

/// Source: SDK `SendCoinsFromAccountToModule`.
///
/// # Errors
/// As [`send_coins`].
pub fn send_from_account_to_module(
    state: &mut State<'_>,
    from: &Address,
    module: &str,
    coins: &Coins,
) -> Result<(), Failure> {
    transfer(state, &(*from).into(), &module_party(module), coins, true)
}

/// Source: SDK `SendCoinsFromModuleToAccount`.
///
/// # Errors
/// As [`send_coins`]; SDK 4 when the recipient may not receive.
pub fn send_from_module_to_account(
    state: &mut State<'_>,
    module: &str,
    to: &Address,
    coins: &Coins,
) -> Result<(), Failure> {
    if is_blocked(to) {
        return Err(SdkError::Unauthorized.wrap(format!("{to} is not allowed to receive funds")).into());
    }
    transfer(state, &module_party(module), &(*to).into(), coins, false)
}

/// Source: SDK `SendCoinsFromModuleToModule`.
///
/// # Errors
/// As [`send_coins`].
pub fn send_from_module_to_module(state: &mut State<'_>, from: &str, to: &str, coins: &Coins) -> Result<(), Failure> {
    transfer(state, &module_party(from), &module_party(to), coins, true)
}

/// Moves stake to a pool: `coin_spent` and `coin_received` only. Source: SDK `DelegateCoinsFromAccountToModule`.
///
/// # Errors
/// SDK 5 in the words of delegation; storage, out of gas.
pub fn delegate_from_account_to_module(
    state: &mut State<'_>,
    from: &Address,
    module: &str,
    coins: &Coins,
) -> Result<(), Failure> {
    for coin in coins {
        let have = balance(state, from, &coin.denom)?;
        if have < coin.amount {
            let have = Coin { denom: coin.denom.clone(), amount: have };
            let reason = format!("failed to delegate; {have} is smaller than {coin}");
            return Err(SdkError::InsufficientFunds.wrap(reason).into());
        }
    }
    move_stake(state, from, &module_address(module), coins)
}

/// Moves stake back from a pool. Source: SDK `UndelegateCoinsFromModuleToAccount`.
///
/// # Errors
/// As [`send_coins`].
pub fn undelegate_from_module_to_account(
    state: &mut State<'_>,
    module: &str,
    to: &Address,
    coins: &Coins,
) -> Result<(), Failure> {
    move_stake(state, &module_address(module), to, coins)
}

fn move_stake(state: &mut State<'_>, from: &Address, to: &Address, coins: &Coins) -> Result<(), Failure> {
    spend(state, from, coins)?;
    receive(state, to, coins)
}

fn check_permission(module: &str, permission: &str, deed: &str) -> Result<(), Failure> {
    if auth::permissions(module).is_some_and(|own| own.contains(&permission)) {
        Ok(())
    } else {
        let reason = format!("module account {module} does not have permissions to {deed} tokens");
        Err(SdkError::Unauthorized.wrap(reason).into())
    }
}

/// Makes new coins in a module's account. Source: SDK `MintCoins`.
///
/// # Errors
/// SDK 4 when the module may not; overflow; storage, out of gas.
pub fn mint_coins(state: &mut State<'_>, module: &str, coins: &Coins) -> Result<(), Failure> {
    check_permission(module, "minter", "mint")?;
    let (minter, amount) = (module_address(module), coins.to_string());
    give(state, &minter, coins)?;
    state.emit(events::coin_received(&minter.to_string(), &amount));
    for coin in coins {
        let sum = supply(state, &coin.denom)?.add(coin.amount)?;
        set_amount(state, keys::supply(&coin.denom), sum)?;
    }
    state.emit(events::coinbase(&minter, &amount));
    Ok(())
}

/// Destroys coins of a module's account. Source: SDK `BurnCoins`.
///
/// # Errors
/// SDK 4 when the module may not; SDK 5; storage, out of gas.
pub fn burn_coins(state: &mut State<'_>, module: &str, coins: &Coins) -> Result<(), Failure> {
    check_permission(module, "burner", "burn")?;
    let (burner, amount) = (module_address(module), coins.to_string());
    take(state, &burner, coins)?;
    state.emit(events::coin_spent(&burner.to_string(), &amount));
    for coin in coins {
        let left = supply(state, &coin.denom)?.sub(coin.amount)?;
        set_amount(state, keys::supply(&coin.denom), left)?;
    }
    state.emit(events::burn(&burner, &amount));
    Ok(())
}

/// Whether an account may not receive coins by a message: module accounts, except governance's.
pub fn is_blocked(address: &Address) -> bool {
    static BLOCKED: std::sync::LazyLock<Vec<Address>> = std::sync::LazyLock::new(|| {
        let names = auth::MODULE_ACCOUNTS.iter().map(|(name, _)| *name).filter(|name| *name != auth::GOV);
        names.map(module_address).collect()
    });
    BLOCKED.contains(address)
}

/// Sets a balance at genesis; the supply is set apart from it.
pub(super) fn set_balance(state: &mut State<'_>, address: &Address, coin: &Coin) -> Result<(), StateError> {
    set_amount(state, keys::balance(address, &coin.denom), coin.amount)
}

/// Sets a supply at genesis.
pub(super) fn set_supply(state: &mut State<'_>, coin: &Coin) -> Result<(), StateError> {
    set_amount(state, keys::supply(&coin.denom), coin.amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::Rejected, state::Empty};

    const ALICE: Address = Address::new([1; 20]);
    const BOB: Address = Address::new([2; 20]);

    fn coins(text: &str) -> Coins {
        Coins::parse(text).unwrap()
    }

    fn funded<'a>(text: &str) -> State<'a> {
        let mut state = State::new(&Empty);
        for coin in &coins(text) {
            set_balance(&mut state, &ALICE, coin).unwrap();
            set_supply(&mut state, coin).unwrap();
        }
        state
    }

    fn kinds(state: &mut State<'_>) -> Vec<String> {
        let start = State::new(&Empty).mark();
        state.take_events(start).into_iter().map(|event| event.kind).collect()
    }

    #[test]
    fn sending_moves_coins_makes_the_account_and_tells_it_in_the_sdks_order() {
        let mut state = funded("10uswing,5atom");
        send_coins(&mut state, &ALICE, &BOB, &coins("10uswing,1atom")).unwrap();
        assert_eq!(balances(&state, &ALICE).unwrap(), coins("4atom"));
        assert_eq!(balances(&state, &BOB).unwrap(), coins("1atom,10uswing"));
        assert!(auth::exists(&state, &BOB).unwrap());
        assert_eq!(kinds(&mut state), ["coin_spent", "coin_received", "transfer", "message"]);
    }

    #[test]
    fn sending_to_oneself_changes_nothing() {
        let mut state = funded("10uswing");
        send_coins(&mut state, &ALICE, &ALICE, &coins("10uswing")).unwrap();
        assert_eq!(balances(&state, &ALICE).unwrap(), coins("10uswing"));
    }

    #[test]
    fn spending_more_than_there_is_is_refused_in_the_sdks_words() {
        let mut state = funded("1uswing");
        let refused = |denom: &str| Rejected::sdk(5, denom);
        assert_eq!(
            send_coins(&mut state, &ALICE, &BOB, &coins("2uswing")),
            Err(refused("spendable balance 1uswing is smaller than 2uswing: insufficient funds").into())
        );
        assert_eq!(
            send_coins(&mut state, &ALICE, &BOB, &coins("2atom")),
            Err(refused("spendable balance 0atom is smaller than 2atom: insufficient funds").into())
        );
        assert_eq!(
            delegate_from_account_to_module(&mut state, &ALICE, auth::BONDED_POOL, &coins("2uswing")),
            Err(refused("failed to delegate; 1uswing is smaller than 2uswing: insufficient funds").into())
        );
    }

    #[test]
    fn burning_takes_from_the_supply_and_needs_the_permission() {
        let mut state = funded("10uswing");
        send_from_account_to_module(&mut state, &ALICE, auth::GOV, &coins("4uswing")).unwrap();
        burn_coins(&mut state, auth::GOV, &coins("3uswing")).unwrap();
        assert_eq!(supply(&state, "uswing").unwrap(), Int::from(7_u64));
        assert_eq!(balance(&state, &module_address(auth::GOV), "uswing").unwrap(), Int::from(1_u64));
        assert!(
            matches!(mint_coins(&mut state, auth::GOV, &coins("3uswing")), Err(Failure::Rejected(refused)) if refused.code == 4)
        );
    }

    #[test]
    fn modules_do_not_pay_to_blocked_accounts() {
        let mut state = funded("10uswing");
        let to = module_address(auth::FEE_COLLECTOR);
        assert!(is_blocked(&to) && !is_blocked(&module_address(auth::GOV)));
        assert!(send_from_module_to_account(&mut state, auth::GOV, &to, &coins("1uswing")).is_err());
    }
}
