//! `pre-upgrade`: supervisors ask the new binary, before it takes over, whether it can. The exit codes are the SDK's.

use std::process::ExitCode;

use super::{Context, Failure, output};
use crate::status::Takeover;

/// Reads committed state as `start` will, and says whether this binary executes the next block.
pub fn run(context: &Context) -> ExitCode {
    let answer = Takeover::read(&context.home.data_folder(), context.release);
    let told = if answer.agrees() { output::line(&answer.said) } else { Err(Failure::new(answer.said)) };
    if let Err(failure) = told {
        // Its own exit code would mean that this command is not there.
        failure.report();
    }
    ExitCode::from(answer.exit_code)
}
