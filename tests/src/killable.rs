//! The node's own entry with killpoints: `--kill-at POINT@HEIGHT` anywhere among the arguments is taken out and obeyed, the rest
//! is what `swingd` takes; `--as RELEASE` makes it another release, one of those that are broken on purpose; `--faults FOLDER` has it
//! announce its operations on files, and `--fault FAULT@N@OPERATION` has one of them go wrong. Production binaries know neither the
//! arguments nor the points.

use std::{ffi::OsString, process::ExitCode, sync::Arc};

use swing_node::Binary;

use crate::{
    faulted::{FAULT, FAULTS, Faults},
    points::{Announced, say},
    releases,
};

/// The argument that names where to wait.
pub const KILL_AT: &str = "--kill-at";

/// The argument that names another release.
pub const AS: &str = "--as";

/// Runs the node as this release.
pub fn run(release: &str) -> ExitCode {
    let (point, arguments) = split(std::env::args_os(), KILL_AT);
    let (other, arguments) = split(arguments, AS);
    let release = other.as_deref().unwrap_or(release);
    let Some(release) = releases::release(release) else { return refuse(&format!("no release {release}")) };
    let (folder, arguments) = split(arguments, FAULTS);
    let (fault, arguments) = split(arguments, FAULT);
    let points = match Announced::parse(point.as_deref()) {
        Ok(points) => points,
        Err(error) => return refuse(&error),
    };
    let Some(folder) = folder else {
        return swing_node::run(Binary { killpoints: Arc::new(points), ..Binary::new(release) }, arguments);
    };
    match Faults::new(folder.as_ref(), fault.as_deref()) {
        Ok(faults) => {
            let faults = Arc::new(faults);
            let binary = Binary { files: faults.port(), killpoints: faults, ..Binary::new(release) };
            swing_node::run(binary, arguments)
        }
        Err(error) => refuse(&error),
    }
}

fn refuse(reason: &str) -> ExitCode {
    say(&format!("error: {reason}"));
    ExitCode::FAILURE
}

/// The value after `name`, and the other arguments.
fn split(all: impl IntoIterator<Item = OsString>, name: &str) -> (Option<String>, Vec<OsString>) {
    let mut all = all.into_iter();
    let (mut value, mut arguments) = (None, Vec::new());
    while let Some(argument) = all.next() {
        if argument == name {
            value = all.next().map(|value| value.to_string_lossy().into_owned());
        } else {
            arguments.push(argument);
        }
    }
    (value, arguments)
}
