//! `start` on an address that is taken: it goes as far as the port, and what it decided and said before is seen with no waiting.

use std::{
    net::TcpListener,
    path::Path,
    process::{Command, Output},
};

use swing_node::lifecycle::ExitCode;

/// What a node that came as far as the port says.
pub const AT_THE_PORT: &str = "in use by another process";

/// Runs it.
pub fn start(binary: &str, home: &Path, extra: &[&str]) -> Output {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("tcp://{}", taken.local_addr().expect("an address"));
    let mut command = Command::new(binary);
    command.args(["start", "--engine", "external", "--address", &address, "--home"]).arg(home).args(extra);
    command.output().expect("the binary runs")
}

/// All that it printed.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// It ended with this code and said this.
#[track_caller]
pub fn check_exit(output: &Output, expected: ExitCode, line: &str) {
    let text = said(output);
    assert_eq!(output.status.code(), Some(i32::from(expected.code())), "{text}");
    assert!(text.contains(line), "`{line}` is not in:\n{text}");
}
