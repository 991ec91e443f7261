//! Durations: printed in seconds, read in every unit that Go reads.

use super::TextError;
use super::time::{Fraction, format_fraction};

const EXPECTED: TextError = TextError("a duration such as \"6s\", \"1.5s\" or \"1h30m\"");
const OUT_OF_RANGE: TextError = TextError("a duration of less than 10,000 years with both parts of one sign");

const SECONDS_MAX: i64 = 315_576_000_000;
const NANOS_PER_SECOND: i128 = 1_000_000_000;
/// The units that Go's parser knows; longer names come before those that they start with.
const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("h", 3600 * NANOS_PER_SECOND),
];

/// The text in seconds, with no, 3, 6 or 9 decimals.
pub(crate) fn format(seconds: i64, nanos: i32) -> Result<String, TextError> {
    check(seconds, nanos)?;
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let fraction = format_fraction(nanos.unsigned_abs(), Fraction::Groups);
    Ok(format!("{sign}{}{fraction}s", seconds.unsigned_abs()))
}

/// The whole duration in nanoseconds.
pub(crate) fn total_nanos(seconds: i64, nanos: i32) -> Result<i128, TextError> {
    check(seconds, nanos)?;
    Ok(i128::from(seconds) * NANOS_PER_SECOND + i128::from(nanos))
}

fn check(seconds: i64, nanos: i32) -> Result<(), TextError> {
    let opposed = (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0);
    if seconds.unsigned_abs() > SECONDS_MAX.unsigned_abs() || nanos.unsigned_abs() >= 1_000_000_000 || opposed {
        return Err(OUT_OF_RANGE);
    }
    Ok(())
}

/// Seconds and nanoseconds of a text.
pub(crate) fn parse(text: &str) -> Result<(i64, i32), TextError> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut total: i128 = 0;
    if rest != "0" {
        if rest.is_empty() {
            return Err(EXPECTED);
        }
        while !rest.is_empty() {
            let (nanos, after) = parse_term(rest)?;
            total = total.checked_add(nanos).ok_or(OUT_OF_RANGE)?;
            rest = after;
        }
    }
    let total = if negative { -total } else { total };
    let seconds = i64::try_from(total / NANOS_PER_SECOND).map_err(|_| OUT_OF_RANGE)?;
    let nanos = i32::try_from(total % NANOS_PER_SECOND).map_err(|_| OUT_OF_RANGE)?;
    check(seconds, nanos)?;
    Ok((seconds, nanos))
}

/// One number with its unit, in nanoseconds, and what follows it.
fn parse_term(text: &str) -> Result<(i128, &str), TextError> {
    let unit_at = text.find(|character: char| !character.is_ascii_digit() && character != '.').ok_or(EXPECTED)?;
    let (number, rest) = text.split_at(unit_at);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // Eighteen digits are more nanoseconds than the range has seconds, and keep the arithmetic within 128 bits.
    if (whole.is_empty() && fraction.is_empty()) || whole.len() > 18 || fraction.contains('.') {
        return Err(EXPECTED);
    }
    let (unit, unit_nanos) = UNITS.iter().find(|(unit, _)| rest.starts_with(unit)).ok_or(EXPECTED)?;
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| EXPECTED)? };
    let mut nanos = whole * unit_nanos;
    let mut digit_nanos = *unit_nanos;
    for digit in fraction.bytes() {
        digit_nanos /= 10;
        nanos += i128::from(digit - b'0') * digit_nanos;
    }
    Ok((nanos, &rest[unit.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_printed_in_seconds() {
        let cases = [
            (6, 0, "6s"),
            (0, 0, "0s"),
            (1_814_400, 0, "1814400s"),
            (0, 500_000_000, "0.500s"),
            (0, -1, "-0.000000001s"),
            (-2, -250_000, "-2.000250s"),
        ];
        for (seconds, nanos, text) in cases {
            assert_eq!(format(seconds, nanos).as_deref(), Ok(text));
            assert_eq!(parse(text), Ok((seconds, nanos)), "{text}");
        }
        assert_eq!(total_nanos(6, 1), Ok(6_000_000_001));
    }

    #[test]
    fn durations_are_read_in_every_unit() {
        let cases = [
            ("1h30m", (5400, 0)),
            ("1.5s", (1, 500_000_000)),
            ("250ms", (0, 250_000_000)),
            ("3µs", (0, 3000)),
            ("0", (0, 0)),
            ("-1m", (-60, 0)),
            (".5m", (30, 0)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        for text in ["", "-", "6", "s", ".s", "1.2.3s", "1d", "6s ", "999999999999999999999h", "99999999999999h"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert_eq!(format(1, -1), Err(OUT_OF_RANGE));
    }
}
