//! The operator's commands around a switch. They are told and may fail; the upgrade does not wait for more than their time limit.

use std::{process::Command, time::Duration};

use crate::{
    command::{self, Told},
    config::Config,
    core::Upgrade,
};

/// Runs a hook with the switch in its environment. A hook may run again after a crash.
pub fn run(config: &Config, name: &str, hook: Option<&str>, upgrade: &Upgrade, told: &Told) {
    let Some(hook) = hook else { return };
    let plan = upgrade.plan();
    let mut command = Command::new("/bin/sh");
    command
        .arg("-c")
        .arg(hook)
        .current_dir(config.layout.home())
        .env("SWINGVISOR_PLAN", plan.map(|plan| plan.name.as_str()).unwrap_or_default())
        .env("SWINGVISOR_HEIGHT", plan.map(|plan| plan.height.to_string()).unwrap_or_default())
        .env("SWINGVISOR_FROM", config.layout.binary(&upgrade.from))
        .env("SWINGVISOR_TO", config.layout.binary(&upgrade.to));
    match command::run(&mut command, Duration::from_millis(config.hook_timeout_ms), told) {
        Ok(output) if output.status.success() => tracing::info!(hook = name, "hook done"),
        Ok(output) => {
            tracing::warn!(hook = name, status = %output.status, said = output.last_words(), "hook failed: the upgrade goes on")
        }
        Err(error) => tracing::warn!(hook = name, %error, "hook failed: the upgrade goes on"),
    }
}
