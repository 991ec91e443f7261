//! Non-negative decimals of 18 places, as the SDK's `LegacyDec` without its sign.

use std::{cmp::Ordering, fmt, str::FromStr};

use ruint::Uint;

use super::{Int, MathError};

/// The stored value: up to 315 bits, the SDK's limit.
type Scaled = Uint<320, 5>;
/// Room for a product of two, and for a dividend scaled twice.
type Wide = Uint<640, 10>;

const PLACES: usize = 18;
const ONE: u64 = 1_000_000_000_000_000_000;
const BITS_MAX: usize = 315;

/// A non-negative decimal of 18 places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dec(Scaled);

fn narrow(value: Wide) -> Result<Dec, MathError> {
    if value.bit_len() > BITS_MAX {
        return Err(MathError::Overflow);
    }
    Ok(Dec(value.to::<Scaled>()))
}

/// `value / 10^18`, rounded half to even. Source: SDK `chopPrecisionAndRound`.
fn chop_round(value: Wide) -> Wide {
    let (quotient, remainder) = value.div_rem(Wide::from(ONE));
    match remainder.cmp(&Wide::from(ONE / 2)) {
        Ordering::Less => quotient,
        Ordering::Greater => quotient + Wide::from(1),
        Ordering::Equal => quotient + (quotient & Wide::from(1)),
    }
}

impl Dec {
    /// Zero.
    pub const ZERO: Dec = Dec(Scaled::ZERO);

    /// One.
    pub fn one() -> Self {
        Dec(Scaled::from(ONE))
    }

    fn wide(self) -> Wide {
        self.0.to::<Wide>()
    }

    /// The whole number.
    ///
    /// # Errors
    /// Overflow: more than 315 bits when scaled.
    pub fn from_int(value: Int) -> Result<Self, MathError> {
        narrow(value.to_u256().to::<Wide>() * Wide::from(ONE))
    }

    /// `numerator / 10^places`.
    ///
    /// # Errors
    /// More than 18 places.
    pub fn with_places(numerator: u64, places: u32) -> Result<Self, MathError> {
        let scale = 18_u32.checked_sub(places).map(|rest| 10_u64.pow(rest)).ok_or(MathError::Overflow)?;
        narrow(Wide::from(numerator) * Wide::from(scale))
    }

    /// The number as people write it, `0.334` or `0.334000000000000000`.
    ///
    /// # Errors
    /// Not digits with at most one point, more than 18 places, or too large.
    pub fn parse(text: &str) -> Result<Self, MathError> {
        let error = || MathError::parse(text, "a decimal of at most 18 places");
        let (whole, places) = match text.split_once('.') {
            Some((whole, places)) if !whole.is_empty() && !places.is_empty() => (whole, places),
            Some(_) => return Err(error()),
            None => (text, ""),
        };
        if whole.is_empty() || places.len() > PLACES || whole.len() > 80 {
            return Err(error());
        }
        let digits = format!("{whole}{places:0<PLACES$}");
        Self::parse_scaled(&digits).map_err(|_| error())
    }

    /// The number as the SDK puts it on the wire: its digits times 10^18, without a point.
    ///
    /// # Errors
    /// Not digits, or too large.
    pub fn parse_scaled(text: &str) -> Result<Self, MathError> {
        let error = || MathError::parse(text, "a decimal scaled by 10^18");
        if text.is_empty() || text.len() > 98 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error());
        }
        Wide::from_str_radix(text, 10).map_err(|_| error()).and_then(narrow)
    }

    /// The wire form: scaled by 10^18.
    pub fn to_scaled_string(&self) -> String {
        self.0.to_string()
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// Sum.
    ///
    /// # Errors
    /// Overflow.
    pub fn add(self, other: Dec) -> Result<Dec, MathError> {
        narrow(self.wide() + other.wide())
    }

    /// Difference.
    ///
    /// # Errors
    /// Below zero.
    pub fn sub(self, other: Dec) -> Result<Dec, MathError> {
        self.0.checked_sub(other.0).map(Dec).ok_or(MathError::Negative)
    }

    /// Product, rounded half to even.
    ///
    /// # Errors
    /// Overflow.
    pub fn mul(self, other: Dec) -> Result<Dec, MathError> {
        narrow(chop_round(self.wide() * other.wide()))
    }

    /// Product, rounded down.
    ///
    /// # Errors
    /// Overflow.
    pub fn mul_truncate(self, other: Dec) -> Result<Dec, MathError> {
        narrow(self.wide() * other.wide() / Wide::from(ONE))
    }

    /// Product with a whole number; exact.
    ///
    /// # Errors
    /// Overflow.
    pub fn mul_int(self, other: Int) -> Result<Dec, MathError> {
        narrow(self.wide() * other.to_u256().to::<Wide>())
    }

    /// Quotient, rounded half to even.
    ///
    /// # Errors
    /// Division by zero, overflow.
    pub fn quo(self, other: Dec) -> Result<Dec, MathError> {
        let scaled = self.wide() * Wide::from(ONE) * Wide::from(ONE);
        narrow(chop_round(scaled.checked_div(other.wide()).ok_or(MathError::DivisionByZero)?))
    }

    /// Quotient, rounded down.
    ///
    /// # Errors
    /// Division by zero, overflow.
    pub fn quo_truncate(self, other: Dec) -> Result<Dec, MathError> {
        let scaled = self.wide() * Wide::from(ONE);
        narrow(scaled.checked_div(other.wide()).ok_or(MathError::DivisionByZero)?)
    }

    /// Quotient by a whole number, rounded down.
    ///
    /// # Errors
    /// Division by zero.
    pub fn quo_int(self, other: Int) -> Result<Dec, MathError> {
        narrow(self.wide().checked_div(other.to_u256().to::<Wide>()).ok_or(MathError::DivisionByZero)?)
    }

    /// The whole part.
    ///
    /// # Errors
    /// More than 256 bits.
    pub fn truncate(self) -> Result<Int, MathError> {
        to_int(self.wide() / Wide::from(ONE))
    }

    /// The nearest whole number, half to even.
    ///
    /// # Errors
    /// More than 256 bits.
    pub fn round(self) -> Result<Int, MathError> {
        to_int(chop_round(self.wide()))
    }

    /// The next whole number up.
    ///
    /// # Errors
    /// More than 256 bits.
    pub fn ceil(self) -> Result<Int, MathError> {
        to_int(self.wide().div_ceil(Wide::from(ONE)))
    }
}

fn to_int(value: Wide) -> Result<Int, MathError> {
    if value.bit_len() > 256 { Err(MathError::Overflow) } else { Ok(Int::from_u256(value.to())) }
}

impl fmt::Display for Dec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, places) = self.0.div_rem(Scaled::from(ONE));
        write!(f, "{whole}.{:0>PLACES$}", places.to_string())
    }
}

impl FromStr for Dec {
    type Err = MathError;
    fn from_str(text: &str) -> Result<Self, MathError> {
        Dec::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    #[test]
    fn texts_are_the_sdks() {
        assert_eq!(dec("0.334").to_string(), "0.334000000000000000");
        assert_eq!(dec("1000").to_string(), "1000.000000000000000000");
        assert_eq!(dec("1000").to_scaled_string(), "1000000000000000000000");
        assert_eq!(Dec::parse_scaled("600000000000000000").unwrap(), dec("0.6"));
        for bad in ["", ".", "1.", ".5", "-1", "1.2.3", "1.0000000000000000001", "1e3", &"1".repeat(500)] {
            assert!(Dec::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn products_and_quotients_round_half_to_even() {
        // 0.5e-18 and 1.5e-18: to the even neighbour.
        let tiny = dec("0.000000000000000001");
        let three = dec("0.000000000000000003");
        assert_eq!(tiny.mul(dec("0.5")).unwrap(), Dec::ZERO);
        assert_eq!(three.mul(dec("0.5")).unwrap(), dec("0.000000000000000002"));
        assert_eq!(three.mul_truncate(dec("0.5")).unwrap(), tiny);
        assert_eq!(dec("2").quo(dec("3")).unwrap(), dec("0.666666666666666667"));
        assert_eq!(dec("2").quo_truncate(dec("3")).unwrap(), dec("0.666666666666666666"));
        assert_eq!(dec("2.5").round().unwrap(), Int::from(2_u64));
        assert_eq!(dec("3.5").round().unwrap(), Int::from(4_u64));
        assert_eq!(dec("2.000000000000000001").ceil().unwrap(), Int::from(3_u64));
        assert_eq!(dec("2.9").truncate().unwrap(), Int::from(2_u64));
    }

    #[test]
    fn nothing_wraps() {
        let half = Int::MAX.div(Int::from(2_u64)).unwrap();
        let max = Dec::from_int(half).unwrap();
        assert_eq!(max.truncate().unwrap(), half);
        assert_eq!(Dec::from_int(Int::MAX), Err(MathError::Overflow));
        assert_eq!(max.mul(max), Err(MathError::Overflow));
        assert_eq!(max.quo(dec("0.000000000000000001")), Err(MathError::Overflow));
        assert_eq!(Dec::one().quo(Dec::ZERO), Err(MathError::DivisionByZero));
        assert_eq!(Dec::ZERO.sub(Dec::one()), Err(MathError::Negative));
    }
}
