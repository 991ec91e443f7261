//! `pre-upgrade`: supervisors ask the new binary, before it takes over, whether it can. The exit codes are the SDK's.

use std::process::ExitCode;

use super::{Context, Failure, output};
use crate::status::Status;

/// It can take over.
const AGREES: u8 = 0;
/// It cannot, and asking again changes nothing.
const REFUSES: u8 = 30;
/// It could not find out: ask again.
const ASK_AGAIN: u8 = 31;

/// Reads committed state as `start` will, and says whether this binary executes the next block.
pub fn run(context: &Context) -> ExitCode {
    let (code, said) = match Status::read(&context.home.data_folder(), context.release) {
        Err(halt) => (ASK_AGAIN, Err(halt.reason)),
        Ok(Status { refusal: Some(refusal), .. }) => (REFUSES, Err(refusal.to_string())),
        Ok(status) => (AGREES, Ok(format!("{} goes on from height {}", context.release.name(), status.height))),
    };
    let told = match said {
        Ok(line) => output::line(&line),
        Err(reason) => Err(Failure::new(reason)),
    };
    if let Err(failure) = told {
        // Its own exit code would mean that this command is not there.
        failure.report();
    }
    ExitCode::from(code)
}
