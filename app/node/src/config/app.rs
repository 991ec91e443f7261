//! `config/app.toml`: the application's own settings.

use swing_core::ante::GasPrices;
use swing_store::Pruning;

use super::{ConfigError, Home, toml_file::TomlFile};

const TEMPLATE: &str = include_str!("templates/app.toml");

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppConfig {
    /// The least that a unit of gas must pay to enter this node's mempool.
    pub minimum_gas_prices: GasPrices,
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
        let in_file = |setting: &str, error: &dyn std::fmt::Display| {
            ConfigError::content(file.path(), format!("{setting}: {error}"))
        };
        let blocks = |setting: &str| {
            let text = text(setting, "0");
            text.parse::<u64>().map_err(|_| in_file(setting, &format!("{text:?} is not a number of blocks")))
        };
        let pruning = Pruning::from_settings(
            &text("pruning", "default"),
            blocks("pruning-keep-recent")?,
            blocks("pruning-interval")?,
        );
        Ok(AppConfig {
            minimum_gas_prices: GasPrices::parse(&text("minimum-gas-prices", ""))
                .map_err(|error| in_file("minimum-gas-prices", &error))?,
            pruning: pruning.map_err(|error| in_file("pruning", &error))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(edit: impl FnOnce(&mut TomlFile)) -> Result<AppConfig, ConfigError> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::new(folder.path());
        let mut file = new_file(&home).expect("the template is valid");
        edit(&mut file);
        file.save().expect("it can be written");
        AppConfig::load(&home)
    }

    #[test]
    fn a_new_file_is_read_back_with_the_defaults() {
        let config = load(|_| ()).expect("it is complete");
        assert_eq!(config.pruning, Pruning::Default);
    }

    #[test]
    fn a_wrong_setting_is_named() {
        #[track_caller]
        fn check(key: &str, value: &str, part: &str) {
            let error = load(|file| file.set(key, value).expect("a text")).expect_err("it is wrong").to_string();
            assert!(error.contains(&format!("app.toml: {key}: ")) && error.contains(part), "{error}");
        }
        check("pruning", "all", "unknown setting \"all\"");
        check("pruning-interval", "-1", "is not a number of blocks");
        check("minimum-gas-prices", "1", "1");
    }
}
