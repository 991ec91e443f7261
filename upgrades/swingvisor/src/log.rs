//! Times in the log in the forms that cosmovisor's `COSMOVISOR_TIMEFORMAT_LOGS` names. All are of UTC: the zone of a machine is no
//! affair of a log that is compared with other machines'.

use std::fmt;

use tracing_subscriber::fmt::{
    format::Writer,
    time::{FormatTime, SystemTime},
};

use crate::clock;

/// cosmovisor's names, and the layouts that they stand for. Source: cosmovisor 1.5.0 `args.go`, Go's `time/format.go`.
const NAMED: [(&str, &str); 12] = [
    ("layout", "01/02 03:04:05PM '06 -0700"),
    ("ansic", "Mon Jan _2 15:04:05 2006"),
    ("unixdate", "Mon Jan _2 15:04:05 MST 2006"),
    ("rubydate", "Mon Jan 02 15:04:05 -0700 2006"),
    ("rfc822", "02 Jan 06 15:04 MST"),
    ("rfc822z", "02 Jan 06 15:04 -0700"),
    ("rfc850", "Monday, 02-Jan-06 15:04:05 MST"),
    ("rfc1123", "Mon, 02 Jan 2006 15:04:05 MST"),
    ("rfc1123z", "Mon, 02 Jan 2006 15:04:05 -0700"),
    ("rfc3339", "2006-01-02T15:04:05Z07:00"),
    ("rfc3339nano", "2006-01-02T15:04:05.999999999Z07:00"),
    ("kitchen", "3:04PM"),
];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// From the epoch's on.
const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
const DAY_SECONDS: u64 = 86_400;

/// How a line of the log says when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogTime {
    /// To the microsecond: the default.
    Full,
    /// Not at all.
    None,
    /// In this layout of Go's.
    Layout(&'static str),
}

impl LogTime {
    /// From the variable's value; the empty one is no time, as cosmovisor has it.
    ///
    /// # Errors
    /// Another name, with those that there are.
    pub fn parse(name: &str) -> Result<Self, String> {
        if name.is_empty() {
            return Ok(LogTime::None);
        }
        let layout = NAMED.iter().find(|(known, _)| *known == name).map(|(_, layout)| LogTime::Layout(layout));
        layout.ok_or_else(|| format!("{name:?} is none of {}", NAMED.map(|(known, _)| known).join(", ")))
    }

    /// As cosmovisor's `config` prints it.
    #[must_use]
    pub fn layout(self) -> &'static str {
        match self {
            LogTime::Full => "2006-01-02T15:04:05.000000Z07:00",
            LogTime::None => "",
            LogTime::Layout(layout) => layout,
        }
    }
}

impl FormatTime for LogTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        match self {
            LogTime::Full => SystemTime.format_time(writer),
            LogTime::None => Ok(()),
            LogTime::Layout(layout) => {
                let now = clock::since_the_epoch();
                writer.write_str(&written(layout, now.as_secs(), now.subsec_nanos()))
            }
        }
    }
}

/// A moment in a layout of Go's.
fn written(layout: &str, seconds: u64, nanos: u32) -> String {
    let (days, second) = (seconds / DAY_SECONDS, seconds % DAY_SECONDS);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let short = if hour % 12 == 0 { 12 } else { hour % 12 };
    let weekday = DAYS.get(usize::try_from(days % 7).unwrap_or_default()).copied().unwrap_or_default();
    let name = MONTHS.get(usize::try_from(month).unwrap_or_default().saturating_sub(1)).copied().unwrap_or_default();
    let fraction = format!(".{nanos:09}");
    let parts = [
        ("Monday", weekday.to_owned()),
        ("Mon", weekday.get(..3).unwrap_or_default().to_owned()),
        ("MST", "UTC".to_owned()),
        ("-0700", "+0000".to_owned()),
        ("Z07:00", "Z".to_owned()),
        ("2006", format!("{year:04}")),
        ("Jan", name.to_owned()),
        ("15", format!("{hour:02}")),
        ("01", format!("{month:02}")),
        ("02", format!("{day:02}")),
        ("_2", format!("{day:2}")),
        ("03", format!("{short:02}")),
        ("04", format!("{minute:02}")),
        ("05", format!("{second:02}")),
        ("06", format!("{:02}", year % 100)),
        (".999999999", fraction.trim_end_matches('0').trim_end_matches('.').to_owned()),
        ("PM", if hour < 12 { "AM" } else { "PM" }.to_owned()),
        ("3", short.to_string()),
    ];
    let (mut text, mut rest) = (String::new(), layout);
    while let Some(letter) = rest.chars().next() {
        let part = parts.iter().find_map(|(part, value)| Some((rest.strip_prefix(part)?, value)));
        match part {
            Some((after, value)) => {
                text.push_str(value);
                rest = after;
            }
            None => {
                text.push(letter);
                rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            }
        }
    }
    text
}

/// Year, month and day of the month, so many days after 1 January 1970.
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(719_468);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::{LogTime, NAMED, written};

    #[test]
    fn times_are_written_as_go_writes_them() {
        // 5 February 2024, 16:07:09.25 UTC, a Monday; what Go prints for it.
        let expected = [
            "02/05 04:07:09PM '24 +0000",
            "Mon Feb  5 16:07:09 2024",
            "Mon Feb  5 16:07:09 UTC 2024",
            "Mon Feb 05 16:07:09 +0000 2024",
            "05 Feb 24 16:07 UTC",
            "05 Feb 24 16:07 +0000",
            "Monday, 05-Feb-24 16:07:09 UTC",
            "Mon, 05 Feb 2024 16:07:09 UTC",
            "Mon, 05 Feb 2024 16:07:09 +0000",
            "2024-02-05T16:07:09Z",
            "2024-02-05T16:07:09.25Z",
            "4:07PM",
        ];
        for ((name, layout), expected) in NAMED.iter().zip(expected) {
            assert_eq!(LogTime::parse(name), Ok(LogTime::Layout(layout)));
            assert_eq!(written(layout, 1_707_149_229, 250_000_000), expected, "{name}");
        }
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(written("2006-01-02T15:04:05.999999999Z07:00", seconds, 0), expected);
        }
        assert_eq!(written("3:04PM", 60, 0), "12:01AM");
        assert_eq!(LogTime::parse(""), Ok(LogTime::None));
        assert!(LogTime::parse("Kitchen").is_err_and(|error| error.contains("rfc3339nano, kitchen")));
    }
}
