//! Coins: sorted by denom, each positive, each denom once; the SDK's text form `5atom,3000uswing`.

use std::fmt;

use super::{Int, MathError};
use swing_proto::cosmos::base::v1beta1::Coin as CoinProto;

/// An amount of one denom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coin {
    /// The denom.
    pub denom: String,
    /// The amount, in the denom's own unit.
    pub amount: Int,
}

/// Why a list of coins is not valid. Source: SDK `Coins.Validate`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoinError {
    /// A denom that no coin can have.
    #[error("invalid denom: {0}")]
    Denom(String),
    /// A zero amount.
    #[error("coin {0} amount is not positive")]
    NotPositive(String),
    /// Not in order of the denoms.
    #[error("denomination {0} is not sorted")]
    Unsorted(String),
    /// A denom twice.
    #[error("duplicate denomination {0}")]
    Duplicate(String),
    /// Not a coin's text.
    #[error("invalid decimal coin expression: {0}")]
    Expression(String),
    /// The amount.
    #[error(transparent)]
    Amount(#[from] MathError),
}

/// Whether a text may be a denom: a letter, then 2 to 127 of letters, digits and `/:._-`.
///
/// # Errors
/// [`CoinError::Denom`].
pub fn validate_denom(denom: &str) -> Result<(), CoinError> {
    let error = || CoinError::Denom(denom.chars().take(128).collect());
    let bytes = denom.as_bytes();
    let Some((first, rest)) = bytes.split_first() else { return Err(error()) };
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"/:._-".contains(byte);
    if first.is_ascii_alphabetic() && (2..=127).contains(&rest.len()) && rest.iter().all(allowed) {
        Ok(())
    } else {
        Err(error())
    }
}

impl Coin {
    /// A coin; its denom is checked.
    ///
    /// # Errors
    /// The denom.
    pub fn new(denom: impl Into<String>, amount: impl Into<Int>) -> Result<Self, CoinError> {
        let denom = denom.into();
        validate_denom(&denom)?;
        Ok(Coin { denom, amount: amount.into() })
    }

    /// From the wire. A zero amount is allowed here, as in the SDK's `Coin.Validate`.
    ///
    /// # Errors
    /// The denom or the amount.
    pub fn from_proto(coin: &CoinProto) -> Result<Self, CoinError> {
        validate_denom(&coin.denom)?;
        Ok(Coin { denom: coin.denom.clone(), amount: Int::parse(&coin.amount)? })
    }

    /// For the wire.
    pub fn to_proto(&self) -> CoinProto {
        CoinProto { denom: self.denom.clone(), amount: self.amount.to_string() }
    }

    /// A text like `3000uswing`.
    ///
    /// # Errors
    /// No digits first, a wrong denom, too large an amount.
    pub fn parse(text: &str) -> Result<Self, CoinError> {
        let at = text.find(|char: char| !char.is_ascii_digit()).filter(|at| *at > 0);
        let Some((digits, denom)) = at.and_then(|at| text.split_at_checked(at)) else {
            return Err(CoinError::Expression(text.chars().take(80).collect()));
        };
        validate_denom(denom)?;
        Ok(Coin { denom: denom.to_owned(), amount: Int::parse(digits)? })
    }
}

impl fmt::Display for Coin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.amount, self.denom)
    }
}

/// Several coins: sorted by denom, all positive, no denom twice. May be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coins(Vec<Coin>);

impl Coins {
    /// None.
    pub const EMPTY: Coins = Coins(Vec::new());

    /// Checks a list that must be in order already, as one from a transaction must.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(coins: Vec<Coin>) -> Result<Self, CoinError> {
        for (index, coin) in coins.iter().enumerate() {
            validate_denom(&coin.denom)?;
            if coin.amount.is_zero() {
                return Err(CoinError::NotPositive(coin.denom.clone()));
            }
            match index.checked_sub(1).and_then(|before| coins.get(before)).map(|before| before.denom.cmp(&coin.denom))
            {
                Some(std::cmp::Ordering::Equal) => return Err(CoinError::Duplicate(coin.denom.clone())),
                Some(std::cmp::Ordering::Greater) => return Err(CoinError::Unsorted(coin.denom.clone())),
                _ => {}
            }
        }
        Ok(Coins(coins))
    }

    /// One coin, or none when its amount is zero.
    pub fn one(coin: Coin) -> Self {
        if coin.amount.is_zero() { Coins::EMPTY } else { Coins(vec![coin]) }
    }

    /// From the wire, checked.
    ///
    /// # Errors
    /// What is wrong with the list.
    pub fn from_proto(coins: &[CoinProto]) -> Result<Self, CoinError> {
        Self::new(coins.iter().map(Coin::from_proto).collect::<Result<_, _>>()?)
    }

    /// For the wire.
    pub fn to_proto(&self) -> Vec<CoinProto> {
        self.0.iter().map(Coin::to_proto).collect()
    }

    /// A text like `5atom,3000uswing`, in any order; empty for none. Zero amounts are left out, as in the SDK.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, CoinError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Coins::EMPTY);
        }
        let mut coins: Vec<Coin> = text.split(',').map(|part| Coin::parse(part.trim())).collect::<Result<_, _>>()?;
        coins.retain(|coin| !coin.amount.is_zero());
        coins.sort_by(|one, other| one.denom.cmp(&other.denom));
        Self::new(coins)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many denoms.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// In order of the denoms.
    pub fn iter(&self) -> std::slice::Iter<'_, Coin> {
        self.0.iter()
    }

    /// The amount of one denom, zero when it is not there.
    pub fn amount_of(&self, denom: &str) -> Int {
        self.0
            .binary_search_by(|coin| coin.denom.as_str().cmp(denom))
            .ok()
            .and_then(|at| self.0.get(at))
            .map_or(Int::ZERO, |coin| coin.amount)
    }

    /// Adds a coin.
    ///
    /// # Errors
    /// Overflow.
    pub fn add_coin(&mut self, coin: &Coin) -> Result<(), MathError> {
        if coin.amount.is_zero() {
            return Ok(());
        }
        match self.0.binary_search_by(|own| own.denom.cmp(&coin.denom)) {
            Ok(at) => {
                if let Some(own) = self.0.get_mut(at) {
                    own.amount = own.amount.add(coin.amount)?;
                }
            }
            Err(at) => self.0.insert(at, coin.clone()),
        }
        Ok(())
    }

    /// Sum.
    ///
    /// # Errors
    /// Overflow.
    pub fn add(mut self, other: &Coins) -> Result<Coins, MathError> {
        for coin in other {
            self.add_coin(coin)?;
        }
        Ok(self)
    }

    /// Difference.
    ///
    /// # Errors
    /// Any denom below zero.
    pub fn sub(mut self, other: &Coins) -> Result<Coins, MathError> {
        for coin in other {
            let own = self.0.iter_mut().find(|own| own.denom == coin.denom).ok_or(MathError::Negative)?;
            own.amount = own.amount.sub(coin.amount)?;
        }
        self.0.retain(|coin| !coin.amount.is_zero());
        Ok(self)
    }

    /// Whether each denom of `other` is there in at least its amount. True when `other` is empty.
    pub fn covers(&self, other: &Coins) -> bool {
        other.iter().all(|coin| self.amount_of(&coin.denom) >= coin.amount)
    }
}

impl<'a> IntoIterator for &'a Coins {
    type Item = &'a Coin;
    type IntoIter = std::slice::Iter<'a, Coin>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl From<Coin> for Coins {
    fn from(coin: Coin) -> Self {
        Coins::one(coin)
    }
}

impl fmt::Display for Coins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, coin) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{coin}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_sorted_and_round_trip() {
        let coins = Coins::parse("3000uswing, 5atom,0zero").unwrap();
        assert_eq!(coins.to_string(), "5atom,3000uswing");
        assert_eq!(coins.amount_of("uswing"), Int::from(3000_u64));
        assert_eq!(coins.amount_of("none"), Int::ZERO);
        assert_eq!(Coins::parse("").unwrap(), Coins::EMPTY);
    }

    #[track_caller]
    fn check_list(coins: &[(&str, u64)], error: &str) {
        let list =
            coins.iter().map(|(denom, amount)| Coin { denom: (*denom).into(), amount: Int::from(*amount) }).collect();
        assert_eq!(Coins::new(list).unwrap_err().to_string(), error);
    }

    #[test]
    fn lists_that_are_not_in_order_are_refused() {
        check_list(&[("uswing", 1), ("atom", 1)], "denomination atom is not sorted");
        check_list(&[("atom", 1), ("atom", 1)], "duplicate denomination atom");
        check_list(&[("atom", 0)], "coin atom amount is not positive");
        check_list(&[("a", 1)], "invalid denom: a");
        check_list(&[("1abc", 1)], "invalid denom: 1abc");
        check_list(&[("ab c", 1)], "invalid denom: ab c");
    }

    #[test]
    fn taking_more_than_there_is_fails() {
        let have = Coins::parse("5atom,10uswing").unwrap();
        assert_eq!(have.clone().sub(&Coins::parse("5atom").unwrap()).unwrap().to_string(), "10uswing");
        assert_eq!(have.clone().sub(&Coins::parse("11uswing").unwrap()), Err(MathError::Negative));
        assert_eq!(have.clone().sub(&Coins::parse("1other").unwrap()), Err(MathError::Negative));
        assert!(have.covers(&Coins::parse("10uswing").unwrap()));
        assert!(!have.covers(&Coins::parse("1other").unwrap()));
    }

    #[test]
    fn texts_that_are_no_coins_are_refused() {
        for bad in ["uswing", "-1uswing", "1.5uswing", "1", "1uswing,1uswing", "1uswing,,2atom"] {
            assert!(Coins::parse(bad).is_err(), "{bad}");
        }
    }
}
