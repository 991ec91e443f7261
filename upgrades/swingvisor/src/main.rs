//! `swingvisor`: runs a node, and the right binary of it.

use std::process::ExitCode;

fn main() -> ExitCode {
    swingvisor::cli::run(std::env::args_os())
}
