//! `swingd-version-1` as it is, built for tests: it can be killed at a named point.

use std::process::ExitCode;

fn main() -> ExitCode {
    swing_tests::killable::run("version-1")
}
