//! `version`, `config` and `show-upgrade-info`.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::{Value, json};

use super::{OutputArgs, run::once};
use crate::{
    command::{self, Told},
    config::Config,
    core::Slot,
    files::Disk,
    home,
};

/// The cosmovisor that this one stands in for: scripts look for a version of it.
const COSMOVISOR: &str = "v1.5.0";

/// Arguments of `version`.
#[derive(Args, Debug)]
pub(super) struct VersionArgs {
    #[command(flatten)]
    output: OutputArgs,
    /// Without the node's
    #[arg(long, visible_alias = "cosmovisor-only")]
    swingvisor_only: bool,
}

/// Prints both versions. Gives the exit code.
pub(super) fn version(config: &Config, arguments: &VersionArgs) -> Result<u8> {
    let own = env!("CARGO_PKG_VERSION");
    if arguments.output.output == "text" {
        println!("swingvisor version: {own}");
        return if arguments.swingvisor_only { Ok(0) } else { once(config, &["version".into()]) };
    }
    let mut answer = json!({ "cosmovisor_version": COSMOVISOR, "swingvisor_version": own });
    if !arguments.swingvisor_only {
        let slot = home::current(&Disk, &config.layout)?.unwrap_or(Slot::Genesis);
        answer["app_version"] = app_version(config, &config.layout.binary(&slot))?;
    }
    println!("{answer}");
    Ok(0)
}

fn app_version(config: &Config, binary: &Path) -> Result<Value> {
    let mut command = Command::new(binary);
    command.args(["version", "--long", "-o", "json"]);
    let output = command::run(&mut command, Duration::from_millis(config.probe_timeout_ms), &Told::new())?;
    serde_json::from_slice(&output.stdout).with_context(|| format!("{}'s version is no JSON", binary.display()))
}

/// Prints the configuration.
pub(super) fn config(config: &Config) {
    print!("{}", super::values::lines(config));
}

/// Prints the file as it is.
pub(super) fn upgrade_info(config: &Config) -> Result<()> {
    let path = config.layout.info_file();
    println!("{}", std::fs::read_to_string(&path).with_context(|| path.display().to_string())?);
    Ok(())
}
