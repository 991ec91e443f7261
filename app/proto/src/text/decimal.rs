//! Integers of any size and fixed-point decimals, as text only: the arithmetic belongs to the state machine.

use super::TextError;

/// The decimals of a `LegacyDec`.
const DECIMALS: usize = 18;
/// 2^256 has 78 digits.
const INTEGER_DIGITS_MAX: usize = 78;
/// A `LegacyDec` has 256 bits and 60 more for the decimals, which is 96 digits.
const SCALED_DIGITS_MAX: usize = 96;

const INTEGER: TextError = TextError("an integer of at most 256 bits as decimal text");
const SCALED: TextError = TextError("an integer scaled by 10^18 as decimal text");
const DECIMAL: TextError = TextError("a decimal number with at most 18 decimals");

/// The canonical text of an integer: no leading zeros, no plus sign, no negative zero.
pub(crate) fn canonical_integer(text: &str) -> Result<String, TextError> {
    canonical(text, INTEGER_DIGITS_MAX).ok_or(INTEGER)
}

/// The decimal text of an integer scaled by 10^18, with all 18 decimals.
pub(crate) fn scaled_to_decimal(scaled: &str) -> Result<String, TextError> {
    let canonical = canonical(scaled, SCALED_DIGITS_MAX).ok_or(SCALED)?;
    let (sign, digits) = split_sign(&canonical);
    let padded = format!("{digits:0>width$}", width = DECIMALS + 1);
    let (whole, fraction) = padded.split_at(padded.len() - DECIMALS);
    Ok(format!("{sign}{whole}.{fraction}"))
}

/// The integer scaled by 10^18 of a decimal text.
pub(crate) fn decimal_to_scaled(text: &str) -> Result<String, TextError> {
    let (sign, unsigned) = split_sign(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        // Like the SDK, a point needs digits on both sides.
        Some((_, "")) => return Err(DECIMAL),
        Some((whole, fraction)) => (whole, fraction),
        None => (unsigned, ""),
    };
    if whole.is_empty() || fraction.len() > DECIMALS {
        return Err(DECIMAL);
    }
    let scaled = format!("{sign}{whole}{fraction:0<width$}", width = DECIMALS);
    canonical(&scaled, SCALED_DIGITS_MAX).ok_or(DECIMAL)
}

fn canonical(text: &str, digits_max: usize) -> Option<String> {
    let (sign, digits) = split_sign(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    if significant.len() > digits_max {
        return None;
    }
    if significant.is_empty() {
        return Some("0".to_string());
    }
    Some(format!("{sign}{significant}"))
}

fn split_sign(text: &str) -> (&str, &str) {
    match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_integers_are_shown_with_eighteen_decimals() {
        let cases = [
            ("0", "0.000000000000000000"),
            ("1", "0.000000000000000001"),
            ("-1", "-0.000000000000000001"),
            ("100000000000000000", "0.100000000000000000"),
            ("50001000000000000000000000", "50001000.000000000000000000"),
            ("-1500000000000000000", "-1.500000000000000000"),
        ];
        for (scaled, decimal) in cases {
            assert_eq!(scaled_to_decimal(scaled).as_deref(), Ok(decimal));
            assert_eq!(decimal_to_scaled(decimal).as_deref(), Ok(scaled));
        }
    }

    #[test]
    fn short_decimals_are_scaled_and_odd_ones_refused() {
        for (text, scaled) in [("1", "1000000000000000000"), ("0.5", "500000000000000000"), ("-0", "0")] {
            assert_eq!(decimal_to_scaled(text).as_deref(), Ok(scaled));
        }
        for text in ["", ".", ".5", "1.", "1.1.1", "1e3", "+1", " 1", "0.1234567890123456789", &"9".repeat(79)] {
            assert_eq!(decimal_to_scaled(text), Err(DECIMAL), "{text:?}");
        }
    }

    #[test]
    fn integers_have_one_text() {
        for (text, canonical) in [("0", "0"), ("-0", "0"), ("007", "7"), ("-12", "-12")] {
            assert_eq!(canonical_integer(text).as_deref(), Ok(canonical));
        }
        for text in ["", "-", "1.0", "0x1", "1 ", &"9".repeat(79)] {
            assert_eq!(canonical_integer(text), Err(INTEGER), "{text:?}");
        }
    }
}
