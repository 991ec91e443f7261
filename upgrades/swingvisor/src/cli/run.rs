//! `run`.

use std::{ffi::OsString, process::Command, sync::Arc};

use anyhow::{Context as _, Result, bail};

use crate::{
    command::{self, Told},
    config::Config,
    files::Disk,
    home::{self, Lock},
    run::{Events, Supervisor, runs_a_node},
};

/// Supervises a node, or runs another command of the current binary once. Gives the exit code.
pub(super) fn run(config: Config, arguments: Vec<OsString>) -> Result<u8> {
    if !config.layout.root().is_dir() {
        bail!("{} is not there: make it with `swingvisor init FILE`", config.layout.root().display());
    }
    if !runs_a_node(&arguments) {
        return once(&config, &arguments);
    }
    if config.policy.backup
        && let Err(problem) = crate::backup::check_folder(&Disk, config.layout.backups())
    {
        bail!("DAEMON_DATA_BACKUP_DIR: {problem}");
    }
    let _lock = Lock::take(&config.layout)?;
    let (events, told) = (Events::new(), Told::new());
    events.watch_signals(&told).context("signals")?;
    let supervisor = Supervisor::new(config, Arc::new(Disk), arguments, events, told)?;
    Ok(supervisor.run())
}

/// Runs a command that ends by itself; its output and exit code are ours.
pub(super) fn once(config: &Config, arguments: &[OsString]) -> Result<u8> {
    let slot = home::current(&Disk, &config.layout)?.unwrap_or(crate::core::Slot::Genesis);
    let binary = config.layout.binary(&slot);
    let mut child = command::spawn(Command::new(&binary).args(arguments))
        .with_context(|| format!("running {}", binary.display()))?;
    Ok(command::exit_code(child.wait()?))
}
