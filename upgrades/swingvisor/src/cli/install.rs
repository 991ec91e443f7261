//! `init` and `prepare-upgrade`.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::Tools;
use crate::{
    config::Config,
    core::{Slot, folder_of_plan},
    fetch::FetchError,
    files::{self, Disk},
    home, run,
};

/// Makes the layout. What is there stays.
pub(super) fn init(config: &Config, executable: &Path) -> Result<()> {
    let layout = &config.layout;
    let tools = Tools::new(config);
    match tools.installer(config).add(executable, &Slot::Genesis, false) {
        Ok(identity) => {
            println!("installed {} with SHA-256 {}", layout.binary(&Slot::Genesis).display(), identity.sha256)
        }
        Err(FetchError::Occupied { .. }) => println!("{} is there and stays", layout.binary(&Slot::Genesis).display()),
        Err(error) => return Err(error.into()),
    }
    files::make_synced_folder(&Disk, &layout.upgrades())?;
    if home::current(&Disk, layout)?.is_none() {
        files::replace_link(&Disk, &layout.slot(&Slot::Genesis), &layout.link())?;
    }
    println!("{} points at {}", layout.link().display(), std::fs::read_link(layout.link())?.display());
    Ok(())
}

/// Makes ready for the plan that committed state has, whether a node runs or not.
pub(super) fn prepare(config: &Config) -> Result<()> {
    let layout = &config.layout;
    let tools = Tools::new(config);
    let current = home::current(&Disk, layout)?.unwrap_or(Slot::Genesis);
    let status = tools.prober.status(&layout.binary(&current));
    let status = status.map_err(anyhow::Error::msg).context("committed state cannot be asked for")?;
    let Some(plan) = status.plan else {
        println!("committed state at height {} has no plan", status.committed_height);
        return Ok(());
    };
    let slot = Slot::Upgrade(folder_of_plan(&plan.name, config.policy.keep_case)?);
    if !home::installed(&Disk, layout)?.contains(&slot) {
        if !config.policy.download {
            bail!("{slot} has no binary, and DAEMON_ALLOW_DOWNLOAD_BINARIES is not true");
        }
        tools.installer(config).fetch(&plan, &slot)?;
    }
    let identity =
        run::arm(&tools.prober, &tools.planned, &plan, &slot, &layout.binary(&slot)).map_err(anyhow::Error::msg)?;
    println!(
        "{slot} is ready for plan {} at height {}: release {}, SHA-256 {}",
        plan.name, plan.height, identity.release, identity.sha256
    );
    Ok(())
}
