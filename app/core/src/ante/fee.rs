//! The fee. Source: SDK `DeductFeeDecorator` and its fee checker.

use super::{AnteContext, Mode};
use crate::{
    address::{Address, Party},
    error::{Failure, Rejected},
    event::Event,
    math::{Coin, CoinError, Coins, Dec, Int, MathError, validate_denom},
    modules::{auth::keeper as auth, bank::keeper as bank},
    sdk_error::SdkError,
    state::State,
    tx::Tx,
};

/// What one unit of gas costs in one denom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GasPrice {
    /// The denom.
    pub denom: String,
    /// Its price.
    pub amount: Dec,
}

/// This node's prices of gas (`minimum-gas-prices`): a fee in any one of the denoms is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GasPrices(Vec<GasPrice>);

/// As the SDK writes them: free ones are left out.
impl std::fmt::Display for GasPrices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut separator = "";
        for GasPrice { denom, amount } in self.0.iter().filter(|price| !price.amount.is_zero()) {
            write!(f, "{separator}{amount}{denom}")?;
            separator = ",";
        }
        Ok(())
    }
}

impl GasPrices {
    /// A text like `0.025uswing,0.001atom`; empty for none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, CoinError> {
        let mut prices = Vec::new();
        for part in text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()) {
            let at = part.find(|char: char| char.is_ascii_alphabetic());
            let split = at.and_then(|at| part.split_at_checked(at));
            let Some((amount, denom)) = split else { return Err(CoinError::Expression(part.to_owned())) };
            validate_denom(denom)?;
            prices.push(GasPrice { denom: denom.to_owned(), amount: Dec::parse(amount)? });
        }
        prices.sort_by(|one, other| one.denom.cmp(&other.denom));
        if let Some(pair) = prices.windows(2).find(|pair| matches!(pair, [one, other] if one.denom == other.denom)) {
            return Err(CoinError::Duplicate(pair.first().map(|price| price.denom.clone()).unwrap_or_default()));
        }
        Ok(GasPrices(prices))
    }

    /// The fees that this node asks for so much gas: any one of them.
    ///
    /// # Errors
    /// Overflow.
    pub fn required(&self, gas: u64) -> Result<Coins, MathError> {
        let mut coins = Coins::EMPTY;
        for price in &self.0 {
            let amount = price.amount.mul_int(Int::from(gas))?.ceil()?;
            coins.add_coin(&Coin { denom: price.denom.clone(), amount })?;
        }
        Ok(coins)
    }
}

fn check_price(context: &AnteContext<'_>, tx: &Tx, fee: &Coins) -> Result<(), Rejected> {
    if !matches!(context.mode, Mode::Check | Mode::Recheck) {
        return Ok(());
    }
    let required = context.gas_prices.required(tx.gas_limit())?;
    let enough = required.is_empty() || required.iter().any(|coin| fee.amount_of(&coin.denom) >= coin.amount);
    if enough {
        return Ok(());
    }
    Err(SdkError::InsufficientFee.wrap(format!("insufficient fees; got: {fee} required: {required}")))
}

/// Takes the fee from who pays it.
pub(super) fn deduct(
    state: &mut State<'_>,
    context: &AnteContext<'_>,
    tx: &Tx,
    signers: &[Party],
) -> Result<(), Failure> {
    if tx.gas_limit() == 0 && !matches!(context.mode, Mode::Simulate | Mode::Genesis) {
        return Err(SdkError::InvalidGasLimit.wrap("must provide positive gas").into());
    }
    let fee = tx.offered_fee()?;
    check_price(context, tx, &fee.coins)?;
    let first = || signers.first().cloned().ok_or_else(|| SdkError::NoSignatures.bare());
    let payer = tx.named_payer()?.map_or_else(first, |payer| Ok(payer.into()))?;
    let granter = tx.fee().map_or("", |fee| fee.granter.as_str());
    if !granter.is_empty() && Address::parse(granter) != Ok(payer.address) {
        return Err(SdkError::InvalidRequest.wrap("fee grants are not enabled").into());
    }
    if !auth::exists(state, &payer.address)? {
        let reason = format!("fee payer address: {} does not exist", payer.text);
        return Err(SdkError::UnknownAddress.wrap(reason).into());
    }
    if !fee.coins.is_empty() {
        bank::pay_fee(state, &payer, &fee.coins, &fee.text).map_err(|failure| match failure {
            Failure::Rejected(refused) if refused.code == SdkError::InsufficientFunds as u32 => {
                SdkError::InsufficientFunds.wrap(refused.log).into()
            }
            other => other,
        })?;
    }
    state.emit(Event::new("tx").with("fee", fee.text.as_str()).with("fee_payer", payer.text));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_round_the_fee_up() {
        let prices = GasPrices::parse("0.025uswing, 0.001atom").unwrap();
        assert_eq!(prices.required(200_001).unwrap().to_string(), "201atom,5001uswing");
        assert_eq!(GasPrices::parse("").unwrap().required(1).unwrap(), Coins::EMPTY);
    }

    #[test]
    fn texts_that_are_no_prices_are_refused() {
        for bad in ["uswing", "0.025", "1uswing,2uswing", "-1uswing", "1 u"] {
            assert!(GasPrices::parse(bad).is_err(), "{bad}");
        }
    }
}
