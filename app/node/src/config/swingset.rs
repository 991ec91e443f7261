//! `[swingset]` of `config/app.toml`: how the contract engine works on this node. None of it changes a block.

use std::{ffi::OsString, path::PathBuf};

use swingset_host::LIVE_VATS_DEFAULT;

use super::{ConfigError, Home, toml_file::TomlFile};

/// The variable that goes before the setting `slogfile`. Source: Agoric's `SLOGFILE`.
pub const SLOGFILE_VARIABLE: &str = "SLOGFILE";

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwingsetConfig {
    /// Vats that have an instance between two deliveries, at most.
    pub max_vats_online: usize,
    /// Where the trace of cranks goes, if anywhere.
    pub slogfile: Option<PathBuf>,
    /// Bytes of transcripts that are kept; 0 keeps none.
    pub transcript_bytes_max: u64,
}

impl Default for SwingsetConfig {
    fn default() -> Self {
        SwingsetConfig { max_vats_online: LIVE_VATS_DEFAULT, slogfile: None, transcript_bytes_max: 0 }
    }
}

impl SwingsetConfig {
    /// Reads `app.toml`, where there is one; `slogfile` is the variable [`SLOGFILE_VARIABLE`].
    ///
    /// # Errors
    /// It is not readable, not TOML, or a value makes no sense.
    pub fn load(home: &Home, slogfile: Option<OsString>) -> Result<Self, ConfigError> {
        let mut config = SwingsetConfig::default();
        if home.app_toml().exists() {
            let file = TomlFile::load(home.app_toml())?;
            if let Some(vats) = number(&file, "swingset.max-vats-online", 1)? {
                config.max_vats_online = usize::try_from(vats).unwrap_or(usize::MAX);
            }
            if let Some(mib) = number(&file, "swingset.vat-transcript-mib", 0)? {
                config.transcript_bytes_max = u64::from(mib) << 20;
            }
            let path = file.get("swingset.slogfile").filter(|path| !path.is_empty());
            config.slogfile = path.map(|path| home.root().join(path));
        }
        if let Some(path) = slogfile.filter(|path| !path.is_empty()) {
            config.slogfile = Some(PathBuf::from(path));
        }
        Ok(config)
    }
}

/// A setting that is a number of at least `least`; none when it is not there.
fn number(file: &TomlFile, key: &str, least: u32) -> Result<Option<u32>, ConfigError> {
    let Some(text) = file.get(key) else { return Ok(None) };
    match text.parse::<u32>() {
        Ok(number) if number >= least => Ok(Some(number)),
        _ => Err(ConfigError::content(file.path(), format!("{key}: {text:?} is not a number of at least {least}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::app;

    fn load(edit: impl FnOnce(&mut TomlFile), slogfile: Option<&str>) -> (Home, Result<SwingsetConfig, ConfigError>) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::new(folder.path());
        let mut file = app::new_file(&home).expect("the template is valid");
        edit(&mut file);
        file.save().expect("it can be written");
        let loaded = SwingsetConfig::load(&home, slogfile.map(OsString::from));
        (home, loaded)
    }

    #[test]
    fn a_new_home_has_the_defaults_and_so_has_one_without_a_file() {
        let (home, config) = load(|_| (), None);
        assert_eq!(config.expect("it is complete"), SwingsetConfig::default());
        // Its folder is gone by now.
        assert_eq!(SwingsetConfig::load(&home, None).expect("no file"), SwingsetConfig::default());
    }

    #[test]
    fn the_variable_goes_before_the_file_and_a_path_in_the_file_is_of_the_home() {
        let named = |file: &mut TomlFile| file.set("swingset.slogfile", "data/slog.jsonl").expect("a text");
        let (home, config) = load(named, None);
        assert_eq!(config.expect("good").slogfile, Some(home.root().join("data/slog.jsonl")));
        let (_, config) = load(named, Some("here.jsonl"));
        assert_eq!(config.expect("good").slogfile, Some(PathBuf::from("here.jsonl")));
        let (home, config) = load(named, Some(""));
        assert_eq!(config.expect("good").slogfile, Some(home.root().join("data/slog.jsonl")), "empty is as not set");
    }

    #[test]
    fn a_wrong_setting_is_named() {
        for (key, value) in [("swingset.max-vats-online", "0"), ("swingset.vat-transcript-mib", "-1")] {
            let (_, config) = load(|file| file.set(key, value).expect("a number"), None);
            let error = config.expect_err("it is wrong").to_string();
            assert!(error.contains(key) && error.contains("is not a number of at least"), "{error}");
        }
    }
}
