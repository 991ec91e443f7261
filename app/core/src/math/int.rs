//! Non-negative integers of up to 256 bits, as the SDK's `math.Int` without its sign.

use std::{fmt, str::FromStr};

use ruint::aliases::U256;

use super::MathError;

/// A non-negative integer of up to 256 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Int(U256);

/// Decimal digits of the largest value.
const DIGITS_MAX: usize = 78;
/// As many digits always fit 128 bits; one more may not.
const DIGITS_U128: usize = 38;

impl Int {
    /// Zero.
    pub const ZERO: Int = Int(U256::ZERO);
    /// The largest value.
    pub const MAX: Int = Int(U256::MAX);

    pub(super) const fn from_u256(value: U256) -> Self {
        Int(value)
    }

    pub(super) const fn to_u256(self) -> U256 {
        self.0
    }

    /// A decimal text; leading zeros are allowed, signs are not.
    ///
    /// # Errors
    /// Not digits, or more than 256 bits.
    pub fn parse(text: &str) -> Result<Self, MathError> {
        let error = || MathError::parse(text, "an integer from 0 to 2^256-1");
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error());
        }
        let digits = text.trim_start_matches('0');
        match digits.len() {
            0 => Ok(Int::ZERO),
            1..=DIGITS_U128 => digits.parse::<u128>().map(Int::from).map_err(|_| error()),
            39..=DIGITS_MAX => U256::from_str_radix(digits, 10).map(Int).map_err(|_| error()),
            _ => Err(error()),
        }
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// Sum.
    ///
    /// # Errors
    /// Overflow.
    pub fn add(self, other: Int) -> Result<Int, MathError> {
        self.0.checked_add(other.0).map(Int).ok_or(MathError::Overflow)
    }

    /// Difference.
    ///
    /// # Errors
    /// Below zero.
    pub fn sub(self, other: Int) -> Result<Int, MathError> {
        self.0.checked_sub(other.0).map(Int).ok_or(MathError::Negative)
    }

    /// Product.
    ///
    /// # Errors
    /// Overflow.
    pub fn mul(self, other: Int) -> Result<Int, MathError> {
        self.0.checked_mul(other.0).map(Int).ok_or(MathError::Overflow)
    }

    /// Quotient, rounded down.
    ///
    /// # Errors
    /// Division by zero.
    pub fn div(self, other: Int) -> Result<Int, MathError> {
        self.0.checked_div(other.0).map(Int).ok_or(MathError::DivisionByZero)
    }

    /// Quotient, rounded up.
    ///
    /// # Errors
    /// Division by zero.
    pub fn div_ceil(self, other: Int) -> Result<Int, MathError> {
        if other.is_zero() { Err(MathError::DivisionByZero) } else { Ok(Int(self.0.div_ceil(other.0))) }
    }

    /// The value as 64 bits, when it fits.
    pub fn to_u64(&self) -> Option<u64> {
        u64::try_from(self.0).ok()
    }

    /// The value as 128 bits, when it fits.
    pub fn to_u128(&self) -> Option<u128> {
        u128::try_from(self.0).ok()
    }

    /// Big-endian bytes without leading zeros: how amounts are stored.
    pub fn to_be_bytes_trimmed(&self) -> Vec<u8> {
        let bytes = self.0.to_be_bytes::<32>();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.split_at(zeros).1.to_vec()
    }

    /// The value of big-endian bytes.
    ///
    /// # Errors
    /// More than 32 bytes.
    pub fn from_be_bytes(bytes: &[u8]) -> Result<Self, MathError> {
        U256::try_from_be_slice(bytes).map(Int).ok_or(MathError::Overflow)
    }
}

impl fmt::Display for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_u128() {
            Some(value) => fmt::Display::fmt(&value, f),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

impl FromStr for Int {
    type Err = MathError;
    fn from_str(text: &str) -> Result<Self, MathError> {
        Int::parse(text)
    }
}

impl From<u64> for Int {
    fn from(value: u64) -> Self {
        Int(U256::from(value))
    }
}

impl From<u128> for Int {
    fn from(value: u128) -> Self {
        Int(U256::from(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_round_trip_at_the_edges() {
        let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        for text in ["0", "1", "18446744073709551616", "340282366920938463463374607431768211456", max] {
            let value = Int::parse(text).unwrap();
            assert_eq!(value.to_string(), text);
            assert_eq!(Int::from_be_bytes(&value.to_be_bytes_trimmed()).unwrap(), value);
        }
        assert_eq!(Int::parse("0007").unwrap(), Int::from(7_u64));
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        let above = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
        for text in ["", "-1", "+1", "1.0", " 1", "0x1", "1e3", above, &"9".repeat(10_000)] {
            assert!(Int::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_wraps() {
        assert_eq!(Int::MAX.add(Int::from(1_u64)), Err(MathError::Overflow));
        assert_eq!(Int::MAX.mul(Int::from(2_u64)), Err(MathError::Overflow));
        assert_eq!(Int::ZERO.sub(Int::from(1_u64)), Err(MathError::Negative));
        assert_eq!(Int::MAX.div(Int::ZERO), Err(MathError::DivisionByZero));
        assert_eq!(Int::MAX.div_ceil(Int::ZERO), Err(MathError::DivisionByZero));
    }
}
