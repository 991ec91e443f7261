//! `swingd` of a third release, which tests alone have: it carries on from version-2, and its migrations take several blocks.

use std::process::ExitCode;

fn main() -> ExitCode {
    swing_tests::killable::run(swing_tests::slow_release::NAME)
}
