//! What the node's arguments say that swingvisor must know too.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use crate::{
    command::Told,
    config::Config,
    fetch::{Planned, Transfer},
    files::Files,
    probe::Prober,
};

/// The home that the node is started with: its `--home`, else DAEMON_HOME.
pub fn home_of(config: &Config, arguments: &[OsString]) -> PathBuf {
    value_of(arguments, "--home").map_or_else(|| config.layout.home().to_owned(), PathBuf::from)
}

/// The heights of the node's `--unsafe-skip-upgrades`.
pub fn skip_heights_of(arguments: &[OsString]) -> std::collections::BTreeSet<u64> {
    let text = value_of(arguments, "--unsafe-skip-upgrades").unwrap_or_default();
    text.to_string_lossy().split(',').filter_map(|height| height.trim().parse().ok()).collect()
}

/// The value of a flag, as `--flag value` or `--flag=value`.
pub(crate) fn value_of(arguments: &[OsString], flag: &str) -> Option<OsString> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == OsStr::new(flag) {
            return arguments.next().cloned();
        }
        let with_value = argument.to_str().and_then(|text| text.strip_prefix(flag)?.strip_prefix('='));
        if let Some(value) = with_value {
            return Some(value.into());
        }
    }
    None
}

/// The node's arguments without these flags and their values.
pub(super) fn without(arguments: &[OsString], flags: &[&str]) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        if flags.contains(&&*text) {
            arguments.next();
        } else if !flags.iter().any(|flag| text.strip_prefix(flag).is_some_and(|rest| rest.starts_with('='))) {
            kept.push(argument.clone());
        }
    }
    kept
}

/// Asks binaries about the home that the node is started with.
pub fn prober(config: &Config, arguments: &[OsString], told: &Told) -> Prober {
    Prober {
        home: home_of(config, arguments),
        limit: Duration::from_millis(config.probe_timeout_ms),
        told: told.clone(),
    }
}

/// Brings downloads as the operator configured it.
pub fn transfer(config: &Config, told: &Told) -> Transfer {
    Transfer { bytes_max: config.download_bytes_max, certificates: config.certificates.clone(), told: told.clone() }
}

/// Holds binaries against plans.
pub fn planned(config: &Config, files: &Arc<dyn Files>) -> Planned {
    Planned::new(Arc::clone(files), config.layout.clone(), config.accepted.clone())
}

/// Whether the arguments run a node, which is supervised. Any other command is run once.
pub fn runs_a_node(arguments: &[OsString]) -> bool {
    // The first word that is no flag; the one flag that may stand before it takes a value.
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == OsStr::new("--home") {
            words.next();
        } else if !word.to_string_lossy().starts_with('-') {
            return word == OsStr::new("start");
        }
    }
    false
}
