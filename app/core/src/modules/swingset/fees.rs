//! What work costs. Prices are in beans; a fee unit is so many beans and costs so many coins. Source: upstream's `beansPerUnit`.

use swing_proto::swing::swingset::v1::Params;

use crate::{
    address::Address,
    error::{Failure, Halt},
    math::{Coin, Coins, Int, MathError},
    modules::{auth::keeper::FEE_COLLECTOR, bank::keeper as bank},
    state::State,
};

/// A kind of work that has a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// What the other prices are measured against.
    FeeUnit,
    /// A transaction that reaches the engine.
    InboundTx,
    /// A message of it.
    Message,
    /// A byte of the message.
    MessageByte,
    /// A byte that stays stored.
    StorageByte,
    /// A computron.
    Computron,
    /// A new vat.
    VatCreation,
}

impl Unit {
    /// All of them.
    pub const ALL: [Unit; 7] = [
        Unit::FeeUnit,
        Unit::InboundTx,
        Unit::Message,
        Unit::MessageByte,
        Unit::StorageByte,
        Unit::Computron,
        Unit::VatCreation,
    ];

    /// Its name in the parameters.
    pub const fn key(self) -> &'static str {
        match self {
            Unit::FeeUnit => "feeUnit",
            Unit::InboundTx => "inboundTx",
            Unit::Message => "message",
            Unit::MessageByte => "messageByte",
            Unit::StorageByte => "storageByte",
            Unit::Computron => "computron",
            Unit::VatCreation => "vatCreation",
        }
    }

    /// The unit of a name.
    pub fn from_key(key: &str) -> Option<Self> {
        Unit::ALL.into_iter().find(|unit| unit.key() == key)
    }

    /// Its price on a new chain.
    pub const fn default_beans(self) -> u64 {
        match self {
            Unit::FeeUnit => 1_000_000_000_000,
            Unit::InboundTx => 10_000_000_000,
            Unit::Message => 1_000_000_000,
            Unit::MessageByte => 20_000_000,
            Unit::StorageByte => 2_000_000_000,
            Unit::Computron => 100,
            Unit::VatCreation => 30_000_000,
        }
    }

    /// Its price; zero when the parameters have none.
    fn beans(self, params: &Params) -> Result<Int, Failure> {
        match params.beans_per_unit.iter().find(|beans| beans.key == self.key()) {
            Some(beans) => Int::parse(&beans.beans)
                .map_err(|error| Halt::new(format!("parameters of swingset: {}: {error}", beans.key)).into()),
            None => Ok(Int::ZERO),
        }
    }
}

/// What so much work costs, rounded up once.
///
/// # Errors
/// Overflow; parameters that were never valid.
pub fn price(params: &Params, work: &[(Unit, u64)]) -> Result<Coins, Failure> {
    let mut beans = Int::ZERO;
    for (unit, count) in work {
        beans = beans.add(unit.beans(params)?.mul(Int::from(*count))?)?;
    }
    let fee_unit = Unit::FeeUnit.beans(params)?;
    let fault = |error: String| Failure::Halt(Halt::new(format!("parameters of swingset: fee_unit_price: {error}")));
    let unit_price = Coins::from_proto(&params.fee_unit_price).map_err(|error| fault(error.to_string()))?;
    let mut coins = Coins::EMPTY;
    for coin in &unit_price {
        let amount = match beans.mul(coin.amount)?.div_ceil(fee_unit) {
            Err(MathError::DivisionByZero) => Int::ZERO,
            other => other?,
        };
        coins.add_coin(&Coin { denom: coin.denom.clone(), amount })?;
    }
    Ok(coins)
}

/// Takes the price of work from who asked for it.
///
/// # Errors
/// SDK 5; as [`price`].
pub fn charge(state: &mut State<'_>, params: &Params, payer: &Address, work: &[(Unit, u64)]) -> Result<(), Failure> {
    let coins = price(params, work)?;
    if coins.is_empty() { Ok(()) } else { bank::send_from_account_to_module(state, payer, FEE_COLLECTOR, &coins) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::swingset::state::default_params;

    #[track_caller]
    fn check(work: &[(Unit, u64)], coins: &str) {
        assert_eq!(price(&default_params(), work).unwrap().to_string(), coins);
    }

    #[test]
    fn prices_are_upstreams_and_round_up_once() {
        check(&[(Unit::InboundTx, 1)], "10000uswing");
        check(&[(Unit::InboundTx, 1), (Unit::Message, 1), (Unit::MessageByte, 100)], "13000uswing");
        check(&[(Unit::StorageByte, 1000)], "2000000uswing");
        check(&[(Unit::Computron, 1)], "1uswing");
        check(&[], "");
    }
}
