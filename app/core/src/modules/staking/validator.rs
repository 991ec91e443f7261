//! A validator and its exchange rate between tokens and shares. Source: x/staking `Validator`.

use prost::Message;
use swing_proto::{
    cosmos::{
        crypto::ed25519::PubKey,
        staking::v1beta1::{
            BondStatus, Commission as CommissionProto, CommissionRates as RatesProto, Description,
            Validator as ValidatorProto,
        },
    },
    google::protobuf::Any,
};

use super::error::StakingError;
use crate::{
    address::Address,
    block::{Time, ValidatorUpdate},
    error::Rejected,
    math::{Dec, Int, MathError},
    sdk_error::SdkError,
};

/// Tokens for one unit of power.
pub const POWER_REDUCTION: u64 = 1_000_000;
/// Bytes of an ed25519 key.
pub const CONSENSUS_KEY_LEN: usize = 32;
/// The most power that one validator may have: CometBFT's limit for the whole set.
pub const POWER_MAX: u64 = i64::MAX as u64 / 8;

/// Commission rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// The rate.
    pub rate: Dec,
    /// What it may never pass.
    pub max_rate: Dec,
    /// What it may change in a day.
    pub max_change_rate: Dec,
}

/// A validator.
#[derive(Clone, Debug, PartialEq)]
pub struct Validator {
    /// Its operator.
    pub operator: Address,
    /// Its ed25519 key.
    pub consensus_key: [u8; CONSENSUS_KEY_LEN],
    /// Out of the set until it is unjailed.
    pub jailed: bool,
    /// Its status.
    pub status: BondStatus,
    /// Tokens delegated to it.
    pub tokens: Int,
    /// Shares given for them.
    pub shares: Dec,
    /// How it presents itself.
    pub description: Description,
    /// When it last began to unbond.
    pub unbonding_height: u64,
    /// When it is unbonded.
    pub unbonding_time: Time,
    /// Commission rates.
    pub rates: Rates,
    /// When the rate was last changed.
    pub rates_time: Time,
    /// The operator's own delegation may not fall below this.
    pub min_self_delegation: Int,
}

impl Rates {
    /// From the wire.
    ///
    /// # Errors
    /// Staking 9 for what is no rate.
    pub fn from_proto(rates: &RatesProto) -> Result<Self, Rejected> {
        Ok(Rates {
            rate: dec(&rates.rate)?,
            max_rate: dec(&rates.max_rate)?,
            max_change_rate: dec(&rates.max_change_rate)?,
        })
    }

    /// For the wire.
    pub fn to_proto(&self) -> RatesProto {
        RatesProto {
            rate: self.rate.to_scaled_string(),
            max_rate: self.max_rate.to_scaled_string(),
            max_change_rate: self.max_change_rate.to_scaled_string(),
        }
    }

    /// Source: SDK `CommissionRates.Validate`.
    ///
    /// # Errors
    /// Staking 10, 11 or 14.
    pub fn validate(&self) -> Result<(), Rejected> {
        if self.max_rate > Dec::one() {
            return Err(StakingError::CommissionHuge.bare());
        }
        if self.rate > self.max_rate {
            return Err(StakingError::CommissionGtMaxRate.bare());
        }
        if self.max_change_rate > self.max_rate {
            return Err(StakingError::CommissionChangeRateGtMaxRate.bare());
        }
        Ok(())
    }
}

fn dec(text: &str) -> Result<Dec, Rejected> {
    Dec::parse_scaled(text).map_err(|error| StakingError::CommissionNegative.wrap(error))
}

/// The ed25519 key in an `Any`.
///
/// # Errors
/// Staking 39 or 6; SDK 8 for another length.
pub fn consensus_key(any: Option<&Any>) -> Result<[u8; CONSENSUS_KEY_LEN], Rejected> {
    let any = any.ok_or_else(|| StakingError::EmptyValidatorPubKey.bare())?;
    let key: PubKey = swing_proto::unpack(any).map_err(|_| {
        StakingError::ValidatorPubKeyTypeNotSupported.wrap(format!("got: {}, expected: [ed25519]", any.type_url))
    })?;
    let length = key.key.len();
    key.key.try_into().map_err(|_| {
        SdkError::InvalidPubKey.wrap(format!("an ed25519 key has {CONSENSUS_KEY_LEN} bytes, got {length}"))
    })
}

impl Validator {
    /// Its consensus address.
    pub fn consensus_address(&self) -> Address {
        Address::of_ed25519(&self.consensus_key)
    }

    /// Whether it is in the validator set.
    pub fn is_bonded(&self) -> bool {
        self.status == BondStatus::Bonded
    }

    /// The power that its tokens give.
    ///
    /// # Errors
    /// More than CometBFT can count.
    pub fn power(&self) -> Result<u64, MathError> {
        let power = self.tokens.div(Int::from(POWER_REDUCTION))?;
        power.to_u64().filter(|power| *power <= POWER_MAX).ok_or(MathError::Overflow)
    }

    /// Tokens that these shares are worth.
    ///
    /// # Errors
    /// A validator without shares.
    pub fn tokens_from_shares(&self, shares: Dec) -> Result<Dec, MathError> {
        shares.mul_int(self.tokens)?.quo(self.shares)
    }

    /// Shares that these tokens are worth.
    ///
    /// # Errors
    /// A validator without tokens.
    pub fn shares_from_tokens(&self, tokens: Int) -> Result<Dec, MathError> {
        self.shares.mul_int(tokens)?.quo_int(self.tokens)
    }

    /// Adds delegated tokens; gives the shares issued for them.
    ///
    /// # Errors
    /// Overflow, a power that CometBFT cannot count.
    pub fn add_tokens(&mut self, tokens: Int) -> Result<Dec, MathError> {
        let issued = if self.shares.is_zero() { Dec::from_int(tokens)? } else { self.shares_from_tokens(tokens)? };
        self.tokens = self.tokens.add(tokens)?;
        self.shares = self.shares.add(issued)?;
        self.power()?;
        Ok(issued)
    }

    /// Takes shares away; gives the tokens that they were worth. The last shares take all that is left.
    ///
    /// # Errors
    /// More shares than there are.
    pub fn remove_shares(&mut self, shares: Dec) -> Result<Int, MathError> {
        let left = self.shares.sub(shares)?;
        let tokens = if left.is_zero() { self.tokens } else { self.tokens_from_shares(shares)?.truncate()? };
        self.tokens = self.tokens.sub(tokens)?;
        self.shares = left;
        Ok(tokens)
    }

    /// The change for CometBFT with this power.
    pub fn update(&self, power: u64) -> ValidatorUpdate {
        ValidatorUpdate { public_key: self.consensus_key.to_vec(), power }
    }

    /// On the wire and in state.
    pub fn to_proto(&self) -> ValidatorProto {
        ValidatorProto {
            operator_address: self.operator.to_operator(),
            consensus_pubkey: Some(swing_proto::pack(&PubKey { key: self.consensus_key.to_vec() })),
            jailed: self.jailed,
            status: self.status.into(),
            tokens: self.tokens.to_string(),
            delegator_shares: self.shares.to_scaled_string(),
            description: Some(self.description.clone()),
            unbonding_height: i64::try_from(self.unbonding_height).unwrap_or(i64::MAX),
            unbonding_time: Some(self.unbonding_time.to_proto()),
            commission: Some(CommissionProto {
                commission_rates: Some(self.rates.to_proto()),
                update_time: Some(self.rates_time.to_proto()),
            }),
            min_self_delegation: self.min_self_delegation.to_string(),
            unbonding_on_hold_ref_count: 0,
            unbonding_ids: Vec::new(),
        }
    }

    /// From genesis and from state.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_proto(proto: ValidatorProto) -> Result<Self, Rejected> {
        let invalid = |reason: &dyn std::fmt::Display| SdkError::InvalidRequest.wrap(reason);
        let operator = Address::parse_operator(&proto.operator_address)
            .map_err(|error| SdkError::InvalidAddress.wrap(format!("operator_address: {error}")))?;
        let commission = proto.commission.unwrap_or_default();
        let time = |time: Option<_>| Time::from_proto(&time.unwrap_or_default()).map_err(|error| invalid(&error));
        Ok(Validator {
            operator,
            consensus_key: consensus_key(proto.consensus_pubkey.as_ref())?,
            jailed: proto.jailed,
            status: BondStatus::try_from(proto.status)
                .ok()
                .filter(|status| *status != BondStatus::Unspecified)
                .ok_or_else(|| invalid(&"status must be unbonded, unbonding or bonded"))?,
            tokens: Int::parse(&proto.tokens)?,
            shares: Dec::parse_scaled(&proto.delegator_shares)?,
            description: proto.description.unwrap_or_default(),
            unbonding_height: u64::try_from(proto.unbonding_height)
                .map_err(|_| invalid(&"unbonding_height is negative"))?,
            unbonding_time: time(proto.unbonding_time)?,
            rates: Rates::from_proto(&commission.commission_rates.unwrap_or_default())?,
            rates_time: time(commission.update_time)?,
            min_self_delegation: Int::parse(&proto.min_self_delegation)?,
        })
    }

    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        self.to_proto().encode_to_vec()
    }
}
