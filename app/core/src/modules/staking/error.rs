//! The registered errors of x/staking (codespace `staking`).

use crate::error::Rejected;

/// A registered error. The discriminant is its ABCI code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[expect(missing_docs, reason = "the words say it")]
pub enum StakingError {
    NoValidatorFound = 3,
    ValidatorOwnerExists = 4,
    ValidatorPubKeyExists = 5,
    ValidatorPubKeyTypeNotSupported = 6,
    CommissionNegative = 9,
    CommissionHuge = 10,
    CommissionGtMaxRate = 11,
    CommissionUpdateTime = 12,
    CommissionChangeRateGtMaxRate = 14,
    CommissionGtMaxChangeRate = 15,
    SelfDelegationBelowMinimum = 16,
    MinSelfDelegationDecreased = 17,
    NoDelegation = 19,
    NoDelegatorForAddress = 21,
    InsufficientShares = 22,
    NotEnoughDelegationShares = 24,
    MaxUnbondingDelegationEntries = 27,
    SelfRedelegation = 29,
    TinyRedelegationAmount = 30,
    BadRedelegationDst = 31,
    TransitiveRedelegation = 32,
    MaxRedelegationEntries = 33,
    DelegatorShareExRateInvalid = 34,
    EmptyValidatorPubKey = 39,
    CommissionLtMinRate = 40,
}

impl StakingError {
    /// The registered words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoValidatorFound => "validator does not exist",
            Self::ValidatorOwnerExists => {
                "validator already exist for this operator address; must use new validator operator address"
            }
            Self::ValidatorPubKeyExists => "validator already exist for this pubkey; must use new validator pubkey",
            Self::ValidatorPubKeyTypeNotSupported => "validator pubkey type is not supported",
            Self::CommissionNegative => "commission must be positive",
            Self::CommissionHuge => "commission cannot be more than 100%",
            Self::CommissionGtMaxRate => "commission cannot be more than the max rate",
            Self::CommissionUpdateTime => "commission cannot be changed more than once in 24h",
            Self::CommissionChangeRateGtMaxRate => "commission change rate cannot be more than the max rate",
            Self::CommissionGtMaxChangeRate => "commission cannot be changed more than max change rate",
            Self::SelfDelegationBelowMinimum => {
                "validator's self delegation must be greater than their minimum self delegation"
            }
            Self::MinSelfDelegationDecreased => "minimum self delegation cannot be decrease",
            Self::NoDelegation => "no delegation for (address, validator) tuple",
            Self::NoDelegatorForAddress => "delegator does not contain delegation",
            Self::InsufficientShares => "insufficient delegation shares",
            Self::NotEnoughDelegationShares => "not enough delegation shares",
            Self::MaxUnbondingDelegationEntries => {
                "too many unbonding delegation entries for (delegator, validator) tuple"
            }
            Self::SelfRedelegation => "cannot redelegate to the same validator",
            Self::TinyRedelegationAmount => "too few tokens to redelegate (truncates to zero tokens)",
            Self::BadRedelegationDst => "redelegation destination validator not found",
            Self::TransitiveRedelegation => {
                "redelegation to this validator already in progress; first redelegation to this validator must complete \
                 before next redelegation"
            }
            Self::MaxRedelegationEntries => {
                "too many redelegation entries for (delegator, src-validator, dst-validator) tuple"
            }
            Self::DelegatorShareExRateInvalid => "cannot delegate to validators with invalid (zero) ex-rate",
            Self::EmptyValidatorPubKey => "empty validator public key",
            Self::CommissionLtMinRate => "commission cannot be less than min rate",
        }
    }

    /// The refusal with a reason before the registered words.
    pub fn wrap(self, reason: impl std::fmt::Display) -> Rejected {
        Rejected { codespace: "staking", code: self as u32, log: format!("{reason}: {}", self.words()) }
    }

    /// The refusal with the registered words alone.
    pub fn bare(self) -> Rejected {
        Rejected { codespace: "staking", code: self as u32, log: self.words().to_owned() }
    }
}
