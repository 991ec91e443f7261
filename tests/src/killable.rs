//! The node's own entry with killpoints: `--kill-at POINT@HEIGHT` anywhere among the arguments is taken out and obeyed, the rest
//! is what `swingd` takes. Production binaries know neither the argument nor the points.

use std::{ffi::OsString, process::ExitCode, sync::Arc};

use swing_node::Binary;

use crate::{
    points::{Announced, say},
    releases,
};

/// The argument that names where to wait.
pub const KILL_AT: &str = "--kill-at";

/// Runs the node as this release.
pub fn run(release: &str) -> ExitCode {
    let Some(release) = releases::release(release) else { return refuse(&format!("no release {release}")) };
    let (point, arguments) = split(std::env::args_os());
    match Announced::parse(point.as_deref()) {
        Ok(points) => swing_node::run(Binary { killpoints: Arc::new(points), ..Binary::new(release) }, arguments),
        Err(error) => refuse(&error),
    }
}

fn refuse(reason: &str) -> ExitCode {
    say(&format!("error: {reason}"));
    ExitCode::FAILURE
}

fn split(all: impl IntoIterator<Item = OsString>) -> (Option<String>, Vec<OsString>) {
    let mut all = all.into_iter();
    let (mut point, mut arguments) = (None, Vec::new());
    while let Some(argument) = all.next() {
        if argument == KILL_AT {
            point = all.next().map(|point| point.to_string_lossy().into_owned());
        } else {
            arguments.push(argument);
        }
    }
    (point, arguments)
}
