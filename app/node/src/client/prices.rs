//! Gas prices: `0.025uswing`.

use swing_core::math::{Coin, Coins, Dec, validate_denom};

use super::ClientError;

/// What a unit of gas costs in one denomination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecCoin {
    /// The denomination.
    pub denom: String,
    /// The price.
    pub amount: Dec,
}

/// Prices, sorted by denomination.
pub type DecCoins = Vec<DecCoin>;

/// Prices separated by commas; none for an empty text.
///
/// # Errors
/// One of them is not a decimal amount followed by a denomination, or a denomination comes twice.
pub fn parse(text: &str) -> Result<DecCoins, ClientError> {
    let parts = text.split(',').map(str::trim).filter(|_| !text.trim().is_empty());
    let mut prices = parts.map(parse_one).collect::<Result<Vec<_>, _>>()?;
    prices.sort_by(|a, b| a.denom.cmp(&b.denom));
    match prices.windows(2).find(|pair| pair[0].denom == pair[1].denom) {
        Some(pair) => Err(wrong(text, &format!("denomination {} comes twice", pair[0].denom))),
        None => Ok(prices),
    }
}

fn parse_one(text: &str) -> Result<DecCoin, ClientError> {
    let end = text.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(text.len());
    let (amount, denom) = text.split_at(end);
    let amount = Dec::parse(amount).map_err(|error| wrong(text, &error.to_string()))?;
    validate_denom(denom).map_err(|error| wrong(text, &error.to_string()))?;
    Ok(DecCoin { denom: denom.to_owned(), amount })
}

/// The fee for this much gas at these prices, rounded up.
///
/// # Errors
/// A product that is too large.
pub fn fee_for_gas(prices: &[DecCoin], gas: u64) -> Result<Coins, ClientError> {
    let mut fee = Coins::EMPTY;
    for price in prices {
        let too_large = |_| wrong(&price.denom, "the fee is too large");
        let amount = price.amount.mul_int(gas.into()).and_then(Dec::ceil).map_err(too_large)?;
        fee.add_coin(&Coin { denom: price.denom.clone(), amount }).map_err(too_large)?;
    }
    Ok(fee)
}

fn wrong(text: &str, reason: &str) -> ClientError {
    ClientError::Input(format!("invalid gas prices {text:?}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_rounded_up() {
        #[track_caller]
        fn check(prices: &str, gas: u64, expected: &str) {
            let fee = fee_for_gas(&parse(prices).expect("prices"), gas).expect("a fee");
            assert_eq!(fee.to_string(), expected);
        }
        check("0.025uswing", 200_000, "5000uswing");
        check("0.025uswing", 1, "1uswing");
        check("1uswing, 0.5atom", 3, "2atom,3uswing");
        check("0uswing", 5, "");
        check("", 5, "");
    }

    #[test]
    fn texts_that_are_no_prices_are_refused() {
        for text in ["5", "uswing", "1.uswing", ".5uswing", "1uswing,2uswing", "1uswing,", "-1uswing", "1é"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
