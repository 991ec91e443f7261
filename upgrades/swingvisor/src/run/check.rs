//! The checks that may refuse an upgrade: the operator's program, and the new binary's `pre-upgrade`.

use std::{path::Path, process::Command, time::Duration};

use crate::{
    command::{self, CommandError, Told},
    config::Config,
    core::{Plan, rest_ms},
    files::{Files, Kind},
};

/// Longest rest between two tries of `pre-upgrade`.
const RETRY_REST_MS_MAX: u64 = 5_000;

/// What the exit code of `pre-upgrade` means; the codes are the SDK's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// 0, or 1: the binary has no such command.
    GoOn,
    /// 31.
    Retry,
    /// 30, and every code that means nothing: an unknown answer is no consent.
    Refused,
}

/// The verdict of an exit code.
pub fn verdict(code: u8) -> Verdict {
    match code {
        0 | 1 => Verdict::GoOn,
        31 => Verdict::Retry,
        _ => Verdict::Refused,
    }
}

/// How a check ended when it did not refuse.
pub enum Checked {
    /// The upgrade may go on.
    GoOn,
    /// It refused, and why.
    Refused(String),
    /// It could not be run, or was interrupted: to be tried again.
    Again(String),
}

/// Runs the operator's own check (`COSMOVISOR_CUSTOM_PREUPGRADE`), with the plan's name and height as arguments.
pub fn custom(config: &Config, files: &dyn Files, plan: &Plan, told: &Told) -> Checked {
    let Some(name) = &config.custom_pre_upgrade else { return Checked::GoOn };
    let program = config.layout.root().join(name);
    match files.kind(&program) {
        Ok(Some(Kind::File(_))) => {}
        Ok(_) => return Checked::Refused(format!("COSMOVISOR_CUSTOM_PREUPGRADE: {} is no file", program.display())),
        Err(error) => return Checked::Again(error.to_string()),
    }
    if let Err(error) = files.make_executable(&program) {
        return Checked::Again(format!("{}: {error}", program.display()));
    }
    let mut command = Command::new(&program);
    command.arg(&plan.name).arg(plan.height.to_string()).current_dir(config.layout.home());
    match command::run(&mut command, Duration::from_millis(config.pre_upgrade_timeout_ms), told) {
        Ok(output) if output.status.success() => Checked::GoOn,
        Ok(output) => Checked::Refused(format!(
            "COSMOVISOR_CUSTOM_PREUPGRADE: {} ended with {}: {}",
            program.display(),
            output.status,
            output.last_words()
        )),
        Err(CommandError::Told { program }) => Checked::Again(format!("{program}: told to stop")),
        Err(error) => Checked::Refused(format!("COSMOVISOR_CUSTOM_PREUPGRADE: {error}")),
    }
}

/// Runs the new binary's `pre-upgrade`, again after each exit code 31 as often as the operator allows.
pub fn pre_upgrade(config: &Config, binary: &Path, home: &Path, told: &Told) -> Checked {
    let limit = Duration::from_millis(config.pre_upgrade_timeout_ms);
    let mut tries: u32 = 0;
    loop {
        let mut command = Command::new(binary);
        command.arg("pre-upgrade").arg("--home").arg(home);
        let output = match command::run(&mut command, limit, told) {
            Ok(output) => output,
            Err(CommandError::Told { program }) => return Checked::Again(format!("{program}: told to stop")),
            Err(error) => return Checked::Refused(format!("pre-upgrade: {error}")),
        };
        let code = command::exit_code(output.status);
        let said = output.last_words();
        match verdict(code) {
            Verdict::GoOn => {
                tracing::info!(code, "pre-upgrade agrees");
                return Checked::GoOn;
            }
            Verdict::Refused => {
                return Checked::Refused(format!("pre-upgrade ended with exit code {code}: {said}"));
            }
            Verdict::Retry if tries >= config.pre_upgrade_retries_max => {
                return Checked::Refused(format!(
                    "pre-upgrade wanted another try {} times: {said}",
                    tries.saturating_add(1)
                ));
            }
            Verdict::Retry => {
                tries = tries.saturating_add(1);
                tracing::warn!(tries, said, "pre-upgrade wants another try");
                std::thread::park_timeout(Duration::from_millis(rest_ms(&config.policy, tries).min(RETRY_REST_MS_MAX)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, verdict};

    #[test]
    fn only_0_and_1_let_an_upgrade_go_on_and_only_31_asks_for_another_try() {
        for code in 0..=u8::MAX {
            let expected = match code {
                0 | 1 => Verdict::GoOn,
                31 => Verdict::Retry,
                _ => Verdict::Refused,
            };
            assert_eq!(verdict(code), expected, "exit code {code}");
        }
    }
}
