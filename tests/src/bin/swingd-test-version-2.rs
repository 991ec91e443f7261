//! `swingd` of release version-2 as it is, built for tests: it can be killed at a named point.

use std::process::ExitCode;

fn main() -> ExitCode {
    swing_tests::killable::run("version-2")
}
