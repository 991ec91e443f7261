//! `config/config.toml`: CometBFT 0.38's configuration, every setting with its value.

use super::{ConfigError, Home, toml_file::TomlFile};

const TEMPLATE: &str = include_str!("templates/config.toml");

/// A new `config.toml` for a node of this name, not yet written. Other settings are changed by [`TomlFile::set`].
///
/// # Errors
/// Never for a valid template (a test holds it).
pub fn new_file(home: &Home, moniker: &str) -> Result<TomlFile, ConfigError> {
    let mut file = TomlFile::from_text(home.config_toml(), TEMPLATE)?;
    file.set("moniker", moniker)?;
    Ok(file)
}

/// What the node itself needs to know of CometBFT's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CometConfig {
    /// The node's name.
    pub moniker: String,
    /// Where CometBFT looks for the application: `tcp://…` or `unix://…`.
    pub proxy_app: String,
    /// Where CometBFT serves RPC.
    pub rpc_laddr: String,
    /// Where it listens for peers.
    pub p2p_laddr: String,
}

impl CometConfig {
    /// Reads `config.toml`.
    ///
    /// # Errors
    /// It is not readable, not TOML, or lacks one of these settings.
    pub fn load(home: &Home) -> Result<Self, ConfigError> {
        let file = TomlFile::load(home.config_toml())?;
        let required = |key: &str| {
            file.get(key).ok_or_else(|| ConfigError::content(file.path(), format!("setting {key} is missing")))
        };
        Ok(CometConfig {
            moniker: required("moniker")?,
            proxy_app: required("proxy_app")?,
            rpc_laddr: required("rpc.laddr")?,
            p2p_laddr: required("p2p.laddr")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_has_the_moniker_and_can_be_loaded() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::new(folder.path());
        new_file(&home, "it's \"me\"").expect("the template is valid").save().expect("it can be written");
        let config = CometConfig::load(&home).expect("it is complete");
        assert_eq!(config.moniker, "it's \"me\"");
        assert_eq!(config.proxy_app, "tcp://127.0.0.1:26658");
    }
}
