//! `swingd-version-1`: the node as the release that chains begin with.

use std::process::ExitCode;

fn main() -> ExitCode {
    match swing_node::releases::release("version-1") {
        Some(release) => swing_node::run(swing_node::Binary::new(release), std::env::args_os()),
        // Only a registry without it can lead here, which a test excludes.
        None => ExitCode::FAILURE,
    }
}
