//! `config/app.toml`: the application's own settings.

use super::{ConfigError, Home, toml_file::TomlFile};
use crate::client::prices::{self, DecCoins};

const TEMPLATE: &str = include_str!("templates/app.toml");

/// Which versions of state are kept. Source: the SDK's `pruning` setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruning {
    /// Versions to keep beside the current one; 0 keeps all.
    pub keep_recent: u64,
    /// Blocks between two prunings.
    pub interval: u64,
}

impl Pruning {
    /// The last 100 versions.
    pub const DEFAULT: Pruning = Pruning { keep_recent: 100, interval: 10 };
    /// Nothing is pruned.
    pub const NOTHING: Pruning = Pruning { keep_recent: 0, interval: 0 };
    /// All but the last two.
    pub const EVERYTHING: Pruning = Pruning { keep_recent: 2, interval: 10 };

    /// From the three settings as text.
    ///
    /// # Errors
    /// An unknown strategy, or `custom` with numbers that make no sense.
    pub fn parse(strategy: &str, keep_recent: &str, interval: &str) -> Result<Self, ConfigError> {
        let number = |name: &str, text: &str| {
            text.parse::<u64>().map_err(|_| ConfigError::Setting(format!("{name}: {text:?} is not a number of blocks")))
        };
        match strategy {
            "default" => Ok(Self::DEFAULT),
            "nothing" => Ok(Self::NOTHING),
            "everything" => Ok(Self::EVERYTHING),
            "custom" => {
                let pruning = Pruning {
                    keep_recent: number("pruning-keep-recent", keep_recent)?,
                    interval: number("pruning-interval", interval)?,
                };
                // SDK: the same minima; keeping fewer would take the state away from under a query.
                if pruning.keep_recent < 2 || pruning.interval < 10 {
                    return Err(ConfigError::Setting(
                        "pruning custom needs pruning-keep-recent of 2 or more and pruning-interval of 10 or more".to_owned(),
                    ));
                }
                Ok(pruning)
            }
            other => Err(ConfigError::Setting(format!(
                "unknown pruning strategy {other:?}: expected default, nothing, everything or custom"
            ))),
        }
    }
}

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppConfig {
    /// The least that a unit of gas must pay to enter this node's mempool.
    pub minimum_gas_prices: DecCoins,
    /// Which versions of state are kept.
    pub pruning: Pruning,
}

/// A new `app.toml`, not yet written.
///
/// # Errors
/// Never for a valid template (a test holds it).
pub fn new_file(home: &Home) -> Result<TomlFile, ConfigError> {
    TomlFile::from_text(home.app_toml(), TEMPLATE)
}

impl AppConfig {
    /// Reads `app.toml`; a setting that is not there has its default.
    ///
    /// # Errors
    /// It is not readable, not TOML, or a value makes no sense.
    pub fn load(home: &Home) -> Result<Self, ConfigError> {
        let file = TomlFile::load(home.app_toml())?;
        let text = |key: &str, default: &str| file.get(key).unwrap_or_else(|| default.to_owned());
        let in_file = |error: &dyn std::fmt::Display| ConfigError::content(file.path(), error);
        Ok(AppConfig {
            minimum_gas_prices: prices::parse(&text("minimum-gas-prices", ""))
                .map_err(|error| in_file(&format!("minimum-gas-prices: {error}")))?,
            pruning: Pruning::parse(
                &text("pruning", "default"),
                &text("pruning-keep-recent", "0"),
                &text("pruning-interval", "0"),
            )
            .map_err(|error| in_file(&error))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_read_back_with_the_defaults() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::new(folder.path());
        new_file(&home).expect("the template is valid").save().expect("it can be written");
        let config = AppConfig::load(&home).expect("it is complete");
        assert_eq!(config.pruning, Pruning::DEFAULT);
        assert!(config.minimum_gas_prices.iter().all(|coin| coin.amount.is_zero()));
    }

    #[test]
    fn pruning_settings_are_checked() {
        #[track_caller]
        fn check(settings: [&str; 3], expected: Result<Pruning, &str>) {
            let got = Pruning::parse(settings[0], settings[1], settings[2]).map_err(|error| error.to_string());
            assert_eq!(got, expected.map_err(str::to_owned));
        }
        check(["nothing", "x", "y"], Ok(Pruning::NOTHING));
        check(["custom", "500", "20"], Ok(Pruning { keep_recent: 500, interval: 20 }));
        check(["custom", "1", "20"], Err("pruning custom needs pruning-keep-recent of 2 or more and pruning-interval of 10 or more"));
        check(["custom", "-1", "20"], Err("pruning-keep-recent: \"-1\" is not a number of blocks"));
        check(["all", "", ""], Err("unknown pruning strategy \"all\": expected default, nothing, everything or custom"));
    }
}
