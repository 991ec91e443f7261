//! RFC 3339 timestamps, from the year 1 to 9999.

use super::TextError;

const EXPECTED: TextError = TextError("an RFC 3339 time such as \"2006-01-02T15:04:05.999999999Z\"");
const OUT_OF_RANGE: TextError = TextError("a time from year 1 to 9999 with nanoseconds below a second");

const SECONDS_PER_DAY: i64 = 86_400;
/// 0001-01-01T00:00:00Z, which is also the zero value of Go's time.
pub(crate) const ZERO_TIME_SECONDS: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z.
const LAST_SECONDS: i64 = 253_402_300_799;

/// How many digits the fraction of a second has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fraction {
    /// None, 3, 6 or 9: proto3 JSON.
    Groups,
    /// As many as needed: Go's `RFC3339Nano`, which amino uses.
    Shortest,
}

/// The RFC 3339 text of seconds since 1970 and nanoseconds.
pub(crate) fn format(seconds: i64, nanos: i32, fraction: Fraction) -> Result<String, TextError> {
    if !(ZERO_TIME_SECONDS..=LAST_SECONDS).contains(&seconds) || !(0..1_000_000_000).contains(&nanos) {
        return Err(OUT_OF_RANGE);
    }
    let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
    let second_of_day = seconds.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    let fraction = format_fraction(nanos.unsigned_abs(), fraction);
    Ok(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"))
}

/// The digits of a fraction of a second with their point, or nothing.
pub(crate) fn format_fraction(nanos: u32, fraction: Fraction) -> String {
    if nanos == 0 {
        return String::new();
    }
    let digits = format!("{nanos:09}");
    let mut kept = digits.as_str();
    match fraction {
        Fraction::Shortest => kept = kept.trim_end_matches('0'),
        Fraction::Groups => {
            while let Some(shorter) = kept.strip_suffix("000") {
                kept = shorter;
            }
        }
    }
    format!(".{kept}")
}

/// Seconds since 1970 and nanoseconds of an RFC 3339 text, with any offset.
pub(crate) fn parse(text: &str) -> Result<(i64, i32), TextError> {
    let (date, rest) = text.split_once('T').ok_or(EXPECTED)?;
    let zone_at = rest.find(['Z', '+', '-']).ok_or(EXPECTED)?;
    let (clock, zone) = rest.split_at(zone_at);
    let (clock, nanos) = match clock.split_once('.') {
        Some((clock, digits)) => (clock, parse_fraction(digits)?),
        None => (clock, 0),
    };
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = fields(clock, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 || day == 0 || day > days_in_month(year, month)? {
        return Err(EXPECTED);
    }
    let local = days_from_civil(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
    let seconds = local - zone_offset_seconds(zone)?;
    if !(ZERO_TIME_SECONDS..=LAST_SECONDS).contains(&seconds) {
        return Err(OUT_OF_RANGE);
    }
    Ok((seconds, nanos))
}

fn zone_offset_seconds(zone: &str) -> Result<i64, TextError> {
    if zone == "Z" {
        return Ok(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let [hours, minutes] = fields(zone.get(1..).ok_or(EXPECTED)?, ':', [2, 2])?;
    if hours > 23 || minutes > 59 {
        return Err(EXPECTED);
    }
    Ok(sign * (hours * 3600 + minutes * 60))
}

/// Numbers of fixed widths between separators.
fn fields<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Result<[i64; N], TextError> {
    let mut numbers = [0; N];
    let mut parts = text.split(separator);
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next().ok_or(EXPECTED)?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(EXPECTED);
        }
        *number = part.parse().map_err(|_| EXPECTED)?;
    }
    if parts.next().is_some() { Err(EXPECTED) } else { Ok(numbers) }
}

fn parse_fraction(digits: &str) -> Result<i32, TextError> {
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(EXPECTED);
    }
    format!("{digits:0<9}").parse().map_err(|_| EXPECTED)
}

fn days_in_month(year: i64, month: i64) -> Result<i64, TextError> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => Ok(30),
        2 => Ok(if leap { 29 } else { 28 }),
        1..=12 => Ok(31),
        _ => Err(EXPECTED),
    }
}

// The two functions below count in years that start on the first of March, so that the leap day is the last day of a
// year, and in eras of 400 years, which all have 146,097 days.

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times_have_known_texts() {
        let cases = [
            (ZERO_TIME_SECONDS, 0, "0001-01-01T00:00:00Z"),
            (0, 0, "1970-01-01T00:00:00Z"),
            (951_782_400, 0, "2000-02-29T00:00:00Z"),
            (-1, 500_000_000, "1969-12-31T23:59:59.500Z"),
            (1_795_433_657, 848_967_689, "2026-11-23T11:34:17.848967689Z"),
            (LAST_SECONDS, 1_000, "9999-12-31T23:59:59.000001Z"),
        ];
        for (seconds, nanos, text) in cases {
            assert_eq!(format(seconds, nanos, Fraction::Groups).as_deref(), Ok(text));
            assert_eq!(parse(text), Ok((seconds, nanos)), "{text}");
        }
        assert_eq!(format(0, 500_000_000, Fraction::Shortest).as_deref(), Ok("1970-01-01T00:00:00.5Z"));
        assert_eq!(parse("1970-01-01T02:00:00.5+02:00"), Ok((0, 500_000_000)));
    }

    #[test]
    fn every_day_of_the_calendar_round_trips() {
        for day in ZERO_TIME_SECONDS / SECONDS_PER_DAY..=LAST_SECONDS / SECONDS_PER_DAY {
            let (year, month, day_of_month) = civil_from_days(day);
            assert_eq!(days_from_civil(year, month, day_of_month), day);
            assert!((1..=days_in_month(year, month).unwrap()).contains(&day_of_month));
        }
    }

    #[test]
    fn texts_that_are_no_times_are_refused() {
        let texts = [
            "",
            "2006-01-02",
            "2006-01-02 15:04:05Z",
            "2006-01-02T15:04:05",
            "2006-13-02T15:04:05Z",
            "2006-02-29T15:04:05Z",
            "2006-01-00T15:04:05Z",
            "2006-01-02T24:04:05Z",
            "2006-01-02T15:04:05.Z",
            "2006-01-02T15:04:05.1234567890Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "2006-01-02T15:04:05Zjunk",
            "2006-01-02T15:04:05+é1:00",
        ];
        for text in texts {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert_eq!(format(LAST_SECONDS + 1, 0, Fraction::Groups), Err(OUT_OF_RANGE));
        assert_eq!(format(0, 1_000_000_000, Fraction::Groups), Err(OUT_OF_RANGE));
    }
}
