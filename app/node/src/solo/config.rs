//! The settings of `config.toml` that the solo engine and its RPC server follow.

use std::time::Duration;

use crate::{
    config::{ConfigError, Home, toml_file::TomlFile},
    rpc::RpcConfig,
};

/// When blocks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From a commit to the next block (`consensus.timeout_commit`).
    pub timeout_commit: Duration,
    /// Whether a block is made when there is nothing to put in it (`consensus.create_empty_blocks`).
    pub create_empty_blocks: bool,
    /// Without empty blocks: after how long one is made nevertheless; zero for never (`consensus.create_empty_blocks_interval`).
    pub create_empty_blocks_interval: Duration,
}

/// The mempool's bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MempoolLimits {
    /// Transactions.
    pub count_max: usize,
    /// Bytes of all transactions.
    pub bytes_max: usize,
    /// Bytes of one transaction.
    pub tx_bytes_max: usize,
    /// Hashes remembered of transactions seen before.
    pub cache_max: usize,
    /// Whether those that remain are checked again after each block.
    pub recheck: bool,
}

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoloConfig {
    /// The node's name.
    pub moniker: String,
    /// Where it would listen for peers; shown by `status`.
    pub p2p_laddr: String,
    /// When blocks are made.
    pub pace: Pace,
    /// The mempool's bounds.
    pub mempool: MempoolLimits,
    /// The RPC server.
    pub rpc: RpcConfig,
}

impl SoloConfig {
    /// Reads `config.toml`; a setting that is not there has CometBFT's default.
    ///
    /// # Errors
    /// The file is not readable, not TOML, or a value makes no sense.
    pub fn load(home: &Home) -> Result<Self, ConfigError> {
        let file = Settings(TomlFile::load(home.config_toml())?);
        Ok(SoloConfig {
            moniker: file.text("moniker", ""),
            p2p_laddr: file.text("p2p.laddr", "tcp://0.0.0.0:26656"),
            pace: Pace {
                timeout_commit: file.duration("consensus.timeout_commit", "1s")?,
                create_empty_blocks: file.flag("consensus.create_empty_blocks", true)?,
                create_empty_blocks_interval: file.duration("consensus.create_empty_blocks_interval", "0s")?,
            },
            mempool: MempoolLimits {
                count_max: file.number("mempool.size", 5_000)?,
                bytes_max: file.number("mempool.max_txs_bytes", 1 << 30)?,
                tx_bytes_max: file.number("mempool.max_tx_bytes", 1 << 20)?,
                cache_max: file.number("mempool.cache_size", 10_000)?,
                recheck: file.flag("mempool.recheck", true)?,
            },
            rpc: RpcConfig {
                laddr: file.text("rpc.laddr", "tcp://127.0.0.1:26657"),
                connections_max: file.number("rpc.max_open_connections", 900)?,
                body_bytes_max: file.number("rpc.max_body_bytes", 1_000_000)?,
                batch_max: file.number("rpc.max_request_batch_size", 10)?,
                timeout_broadcast_tx_commit: file.duration("rpc.timeout_broadcast_tx_commit", "10s")?,
            },
        })
    }
}

struct Settings(TomlFile);

impl Settings {
    fn text(&self, key: &str, default: &str) -> String {
        self.0.get(key).unwrap_or_else(|| default.to_owned())
    }

    fn parsed<T>(
        &self,
        key: &str,
        default: T,
        what: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        match self.0.get(key) {
            None => Ok(default),
            Some(text) => parse(&text)
                .ok_or_else(|| ConfigError::content(self.0.path(), format!("{key}: {text:?} is not {what}"))),
        }
    }

    fn number(&self, key: &str, default: usize) -> Result<usize, ConfigError> {
        self.parsed(key, default, "a number of 0 or more", |text| text.parse().ok())
    }

    fn flag(&self, key: &str, default: bool) -> Result<bool, ConfigError> {
        self.parsed(key, default, "true or false", |text| text.parse().ok())
    }

    fn duration(&self, key: &str, default: &str) -> Result<Duration, ConfigError> {
        let default = duration(default).unwrap_or(Duration::ZERO);
        self.parsed(key, default, "a duration such as 500ms or 1m30s", duration)
    }
}

/// A duration as Go writes it: numbers with units, largest first, such as `1m30s`, `500ms`, `1.5s`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut nanos = 0u128;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit_len = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_len);
        let unit = match unit {
            "ns" => 1,
            "us" | "µs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        nanos = nanos.checked_add(scaled(number, unit)?)?;
        rest = tail;
    }
    (!text.trim().is_empty()).then_some(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

/// A decimal number times a unit.
fn scaled(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 9 || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    digits.checked_mul(unit)?.checked_div(10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::cometbft;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        #[track_caller]
        fn check(text: &str, millis: Option<u64>) {
            assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}");
        }
        check("5s", Some(5_000));
        check("500ms", Some(500));
        check("1m30s", Some(90_000));
        check("1.5s", Some(1_500));
        check("0", Some(0));
        check("0s", Some(0));
        for wrong in ["", "5", "s", "-1s", "1d", "1.s.", ".s", "99999999999999999999h"] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_new_home_has_settings_that_can_be_loaded_and_a_wrong_one_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::new(folder.path());
        let mut file = cometbft::new_file(&home, "me").expect("the template is valid");
        file.save().expect("it can be written");
        let config = SoloConfig::load(&home).expect("it is complete");
        assert_eq!((config.moniker.as_str(), config.pace.create_empty_blocks), ("me", true));
        file.set("consensus.timeout_commit", "soon").expect("a text");
        file.save().expect("it can be written");
        let error = SoloConfig::load(&home).expect_err("not a duration").to_string();
        assert!(
            error.ends_with("consensus.timeout_commit: \"soon\" is not a duration such as 500ms or 1m30s"),
            "{error}"
        );
    }
}
