//! `swingd`: the node as the newest release.

use std::process::ExitCode;

fn main() -> ExitCode {
    swing_node::run(swing_node::Binary::new(swing_node::releases::newest()), std::env::args_os())
}
