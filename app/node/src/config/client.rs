//! `config/client.toml`: defaults of the client commands.

use super::{ConfigError, Home, toml_file::TomlFile};

const TEMPLATE: &str = include_str!("templates/client.toml");
/// The settings, in the order in which they are shown.
pub const SETTINGS: [&str; 5] = ["chain-id", "keyring-backend", "output", "node", "broadcast-mode"];

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// The network's chain ID; empty when it must come from a flag.
    pub chain_id: String,
    /// Where keys are kept.
    pub keyring_backend: String,
    /// `text` or `json`.
    pub output: String,
    /// CometBFT's RPC.
    pub node: String,
    /// `sync` or `async`.
    pub broadcast_mode: String,
}

/// A new `client.toml`, not yet written.
///
/// # Errors
/// Never for a valid template (a test holds it).
pub fn new_file(home: &Home, chain_id: &str) -> Result<TomlFile, ConfigError> {
    let mut file = TomlFile::from_text(home.client_toml(), TEMPLATE)?;
    file.set("chain-id", chain_id)?;
    Ok(file)
}

/// Opens `client.toml`, or the defaults where there is none.
///
/// # Errors
/// It is there and not readable or not TOML.
pub fn open(home: &Home) -> Result<TomlFile, ConfigError> {
    if home.client_toml().exists() { TomlFile::load(home.client_toml()) } else { new_file(home, "") }
}

impl ClientConfig {
    /// Reads `client.toml`; the defaults where there is none.
    ///
    /// # Errors
    /// It is there and not readable or not TOML.
    pub fn load(home: &Home) -> Result<Self, ConfigError> {
        let file = open(home)?;
        let text = |key: &str, default: &str| file.get(key).unwrap_or_else(|| default.to_owned());
        Ok(ClientConfig {
            chain_id: text("chain-id", ""),
            keyring_backend: text("keyring-backend", "test"),
            output: text("output", "text"),
            node: text("node", "tcp://localhost:26657"),
            broadcast_mode: text("broadcast-mode", "sync"),
        })
    }
}

/// Checks a value before it is set.
///
/// # Errors
/// An unknown setting, or a value that it cannot have.
pub fn check_setting(key: &str, value: &str) -> Result<(), ConfigError> {
    let one_of = |allowed: &[&str]| {
        if allowed.contains(&value) {
            return Ok(());
        }
        Err(ConfigError::Setting(format!("{key}: {value:?} is not allowed: expected {}", allowed.join(" or "))))
    };
    match key {
        "chain-id" | "node" => Ok(()),
        "keyring-backend" => one_of(&["test"]),
        "output" => one_of(&["text", "json"]),
        "broadcast-mode" => one_of(&["sync", "async"]),
        _ => Err(ConfigError::Setting(format!("unknown setting {key:?}: expected one of {}", SETTINGS.join(", ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_without_the_file_has_the_defaults() {
        let config = ClientConfig::load(&Home::new("/nonexistent")).expect("defaults need no file");
        assert_eq!((config.chain_id.as_str(), config.node.as_str()), ("", "tcp://localhost:26657"));
    }

    #[test]
    fn values_are_checked_by_setting() {
        assert!(check_setting("output", "json").is_ok());
        let error = check_setting("output", "yaml").expect_err("yaml is no output").to_string();
        assert_eq!(error, "output: \"yaml\" is not allowed: expected text or json");
        assert!(check_setting("colour", "red").is_err());
    }
}
