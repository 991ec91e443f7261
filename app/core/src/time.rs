//! Block time as protobuf has it, as keys have it, and moved on by a duration.

use swing_proto::google::protobuf::{Duration, Timestamp};

use crate::block::Time;

/// Bytes of a time in a key.
pub const TIME_KEY_LEN: usize = 12;

/// Seconds of the last instant of the year 9999, the latest that protobuf's text can show.
const SECONDS_MAX: i64 = 253_402_300_799;
/// Seconds of the first instant of the year 1: Go's zero time.
pub const GO_ZERO_SECONDS: i64 = -62_135_596_800;

const NANOS: i128 = 1_000_000_000;

/// A time or duration that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Outside of the years 1 to 9999, or nanoseconds outside of a second.
    #[error("{seconds}s {nanos}ns is no time between the years 1 and 9999")]
    Time {
        /// Seconds since the epoch.
        seconds: i64,
        /// Nanoseconds.
        nanos: i64,
    },
    /// Not above zero, or not well-formed.
    #[error("{seconds}s {nanos}ns is no duration above zero that 64 bits of nanoseconds hold (292 years)")]
    Duration {
        /// Seconds.
        seconds: i64,
        /// Nanoseconds.
        nanos: i32,
    },
}

impl Time {
    /// From the wire.
    ///
    /// # Errors
    /// [`TimeError::Time`].
    pub fn from_proto(timestamp: &Timestamp) -> Result<Self, TimeError> {
        let error = TimeError::Time { seconds: timestamp.seconds, nanos: i64::from(timestamp.nanos) };
        let nanos = u32::try_from(timestamp.nanos).ok().filter(|nanos| i128::from(*nanos) < NANOS);
        match nanos {
            Some(nanos) if (GO_ZERO_SECONDS..=SECONDS_MAX).contains(&timestamp.seconds) => {
                Ok(Time { seconds: timestamp.seconds, nanos })
            }
            _ => Err(error),
        }
    }

    /// For the wire.
    pub fn to_proto(self) -> Timestamp {
        Timestamp { seconds: self.seconds, nanos: i32::try_from(self.nanos).unwrap_or(i32::MAX) }
    }

    /// The time so much later.
    ///
    /// # Errors
    /// After the year 9999.
    pub fn plus(self, duration: &Duration) -> Result<Self, TimeError> {
        let nanos = i128::from(self.seconds) * NANOS + i128::from(self.nanos) + nanos_of(duration);
        let (seconds, rest) = (nanos.div_euclid(NANOS), nanos.rem_euclid(NANOS));
        let error = TimeError::Time { seconds: self.seconds, nanos: i64::from(self.nanos) };
        match (i64::try_from(seconds), u32::try_from(rest)) {
            (Ok(seconds), Ok(nanos)) if (GO_ZERO_SECONDS..=SECONDS_MAX).contains(&seconds) => {
                Ok(Time { seconds, nanos })
            }
            _ => Err(error),
        }
    }

    /// The time as Go's `time.RFC3339` writes it, without a fraction: `2026-11-23T11:34:17Z`.
    pub fn to_rfc3339(self) -> String {
        let (days, second) = (self.seconds.div_euclid(86_400), self.seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
    }

    /// The time in a key: byte order is the order of time.
    pub fn to_key(self) -> [u8; TIME_KEY_LEN] {
        let mut key = [0; TIME_KEY_LEN];
        let (seconds, nanos) = key.split_at_mut(8);
        // Flipping the sign bit puts times before the epoch first.
        seconds.copy_from_slice(&(self.seconds ^ i64::MIN).to_be_bytes());
        nanos.copy_from_slice(&self.nanos.to_be_bytes());
        key
    }
}

/// Year, month and day of a day since the epoch, in the proleptic Gregorian calendar: years begin in March, so that the leap day
/// is the last, and 400 years are 146,097 days.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A duration in nanoseconds.
pub fn nanos_of(duration: &Duration) -> i128 {
    i128::from(duration.seconds) * NANOS + i128::from(duration.nanos)
}

/// A duration that is there and above zero.
///
/// # Errors
/// [`TimeError::Duration`].
pub fn check_positive(duration: Option<&Duration>) -> Result<Duration, TimeError> {
    let duration = duration.copied().unwrap_or_default();
    let error = TimeError::Duration { seconds: duration.seconds, nanos: duration.nanos };
    let (seconds, nanos) = (duration.seconds, i128::from(duration.nanos));
    let well_formed = (0..NANOS).contains(&nanos) && seconds >= 0;
    // CometBFT and the SDK hold a duration in 64 bits of nanoseconds: a longer one would end every node that reads it.
    let fits = nanos_of(&duration) <= i128::from(i64::MAX);
    if well_formed && fits && nanos_of(&duration) > 0 { Ok(duration) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(seconds: i64, nanos: u32) -> Time {
        Time { seconds, nanos }
    }

    fn duration(seconds: i64, nanos: i32) -> Duration {
        Duration { seconds, nanos }
    }

    #[test]
    fn times_move_on_across_the_second_and_not_out_of_range() {
        assert_eq!(time(5, 999_999_999).plus(&duration(1, 1)), Ok(time(7, 0)));
        assert_eq!(time(5, 0).plus(&duration(0, 0)), Ok(time(5, 0)));
        assert!(time(SECONDS_MAX, 999_999_999).plus(&duration(0, 1)).is_err());
        assert!(time(i64::MAX, 0).plus(&duration(i64::MAX, i32::MAX)).is_err());
    }

    #[test]
    fn keys_are_in_the_order_of_time() {
        let times =
            [time(i64::MIN, 0), time(-1, 0), time(-1, 1), time(0, 0), time(0, 5), time(1, 0), time(i64::MAX, 9)];
        assert!(times.map(Time::to_key).is_sorted());
        assert_eq!(hex::encode(time(1, 2).to_key()), "800000000000000100000002");
    }

    #[test]
    fn times_are_written_as_go_does() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_795_433_657, "2026-11-23T11:34:17Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (GO_ZERO_SECONDS, "0001-01-01T00:00:00Z"),
            (SECONDS_MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(time(seconds, 5).to_rfc3339(), text);
        }
    }

    #[test]
    fn what_is_no_time_or_duration_is_refused() {
        for (seconds, nanos) in [(0, -1), (0, 1_000_000_000), (SECONDS_MAX + 1, 0), (GO_ZERO_SECONDS - 1, 0)] {
            assert!(Time::from_proto(&Timestamp { seconds, nanos }).is_err(), "{seconds} {nanos}");
        }
        for bad in [None, Some(duration(0, 0)), Some(duration(-1, 0)), Some(duration(1, 1_000_000_000))] {
            assert!(check_positive(bad.as_ref()).is_err(), "{bad:?}");
        }
        assert_eq!(check_positive(Some(&duration(0, 1))), Ok(duration(0, 1)));
    }
}
