//! Amounts: integers of up to 256 bits, decimals of 18 places, coins. All checked; none is negative, since nothing here owes.
//!
//! # Invariants
//! - No operation wraps or loses bits: each either gives the exact (or exactly rounded) value, or a [`MathError`].
//! - Rounding is the SDK's (`LegacyDec`): `mul` and `quo` round half to even, the `_truncate` forms toward zero.

#![expect(clippy::should_implement_trait, reason = "Rust's operators cannot fail; these do")]

mod coin;
mod dec;
mod int;

pub use coin::{Coin, CoinError, Coins, validate_denom};
pub use dec::Dec;
pub use int::Int;

use crate::error::{Failure, Rejected};

/// Why a number could not be computed or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MathError {
    /// The result has more bits than the type.
    #[error("integer overflow")]
    Overflow,
    /// The result would be below zero.
    #[error("negative result")]
    Negative,
    /// Division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// Not a number of this kind.
    #[error("\"{text}\" is not {expected}")]
    Parse {
        /// The text, at most 80 characters of it.
        text: String,
        /// What was expected.
        expected: &'static str,
    },
}

impl MathError {
    fn parse(text: &str, expected: &'static str) -> Self {
        MathError::Parse { text: text.chars().take(80).collect(), expected }
    }
}

impl From<MathError> for Rejected {
    /// A number that cannot be is the sender's fault: SDK code 18 (invalid request).
    fn from(error: MathError) -> Self {
        Rejected::sdk(18, format!("{error}: invalid request"))
    }
}

impl From<MathError> for Failure {
    fn from(error: MathError) -> Self {
        Failure::Rejected(error.into())
    }
}
