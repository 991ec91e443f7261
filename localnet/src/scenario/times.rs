//! Times of blocks, from their headers.
//!
//! A header has the time at which the validators signed the block before. What delays the proposal of block H therefore lies between
//! the headers of H and H+1, and what executing H takes between those of H+1 and H+2.

use anyhow::{Context, Result};

use crate::rpc::Rpc;

/// The time of block `height` in milliseconds of its day: differences within a day are right.
///
/// # Errors
/// When the block is not there.
pub fn time_ms(rpc: &Rpc, height: u64) -> Result<i64> {
    let time = rpc.block_time(height)?;
    millis(&time).with_context(|| format!("block {height} has the time {time}"))
}

/// Milliseconds of a day in an RFC 3339 time; the day is left out.
fn millis(time: &str) -> Result<i64> {
    let (_, clock) = time.split_once('T').context("no time of day")?;
    let (seconds, fraction) = clock.trim_end_matches('Z').split_once('.').unwrap_or((clock.trim_end_matches('Z'), "0"));
    let mut total: i64 = 0;
    for part in seconds.split(':') {
        total = total * 60 + part.parse::<i64>()?;
    }
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    Ok(total * 1_000 + thousandths.parse::<i64>()?)
}

/// Milliseconds from each block to the next, from block `from` to block `to`.
///
/// # Errors
/// When one is not there.
pub fn intervals(rpc: &Rpc, from: u64, to: u64) -> Result<Vec<i64>> {
    let times = (from..=to).map(|at| time_ms(rpc, at)).collect::<Result<Vec<_>>>()?;
    Ok(times.iter().zip(times.iter().skip(1)).map(|(before, after)| after - before).collect())
}

/// The middle one of some figures; the upper of two.
///
/// # Errors
/// When there is none.
pub fn median(mut figures: Vec<i64>) -> Result<i64> {
    figures.sort_unstable();
    figures.get(figures.len() / 2).copied().context("no figures")
}

#[cfg(test)]
mod tests {
    use super::{median, millis};

    #[test]
    fn a_headers_time_is_read_to_the_millisecond_whatever_digits_it_has() {
        assert_eq!(millis("2026-01-02T00:00:01.5Z").expect("a time"), 1_500);
        assert_eq!(millis("2026-01-02T01:00:00.123456789Z").expect("a time"), 3_600_123);
        assert_eq!(millis("2026-01-02T00:01:00Z").expect("a time"), 60_000);
        assert!(millis("yesterday").is_err() && millis("T1:x:3").is_err());
        assert_eq!(median(vec![3, 1, 2]).expect("figures"), 2);
        assert!(median(Vec::new()).is_err());
    }
}
