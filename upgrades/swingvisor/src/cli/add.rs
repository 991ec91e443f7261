//! `add-upgrade` and `add-batch-upgrade`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::Tools;
use crate::{
    config::Config,
    core::{Slot, folder_of_plan},
};

/// Arguments of `add-upgrade`.
#[derive(Args, Debug)]
pub(super) struct AddArgs {
    /// The plan's name
    name: String,
    /// The binary
    executable: PathBuf,
    /// Replace a binary that is there
    #[arg(long)]
    force: bool,
    /// Taken for the sake of scripts written for cosmovisor; the height is the plan's in committed state
    #[arg(long, value_name = "HEIGHT")]
    upgrade_height: Option<u64>,
}

/// Arguments of `add-batch-upgrade`.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(super) struct BatchArgs {
    /// Upgrades as NAME:PATH:HEIGHT, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    upgrade_list: Vec<String>,
    /// A file with one NAME,PATH,HEIGHT a line
    #[arg(long, value_name = "FILE")]
    upgrade_file: Option<PathBuf>,
}

/// Installs one binary.
pub(super) fn one(config: &Config, arguments: &AddArgs) -> Result<()> {
    if let Some(height) = arguments.upgrade_height {
        note_height(&arguments.name, height);
    }
    add(config, &arguments.name, &arguments.executable, arguments.force)
}

/// Installs several. The list is read whole before the first is installed.
pub(super) fn batch(config: &Config, arguments: &BatchArgs) -> Result<()> {
    let (lines, separator) = match &arguments.upgrade_file {
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            (text.lines().map(str::to_owned).filter(|line| !line.trim().is_empty()).collect(), ',')
        }
        None => (arguments.upgrade_list.clone(), ':'),
    };
    let mut upgrades = Vec::new();
    for line in &lines {
        let parts: Vec<&str> = line.split(separator).map(str::trim).collect();
        let [name, path, height] = parts[..] else { bail!("{line:?} is not NAME{separator}PATH{separator}HEIGHT") };
        let height: u64 = height.parse().with_context(|| format!("{line:?}: {height:?} is no height"))?;
        upgrades.push((name, Path::new(path), height));
    }
    for (name, path, height) in upgrades {
        note_height(name, height);
        add(config, name, path, true)?;
    }
    Ok(())
}

fn note_height(name: &str, height: u64) {
    eprintln!(
        "note: {name} takes over at the height of its plan in committed state; the height {height} given here changes nothing"
    );
}

fn add(config: &Config, name: &str, executable: &Path, force: bool) -> Result<()> {
    let slot = Slot::Upgrade(folder_of_plan(name, config.policy.keep_case)?);
    let tools = Tools::new(config);
    let identity = tools.installer(config).add(executable, &slot, force)?;
    println!(
        "installed {} for {name}: release {}, SHA-256 {}",
        config.layout.binary(&slot).display(),
        identity.release,
        identity.sha256
    );
    Ok(())
}
