//! Descriptors for a child: systemd's convention, from 3 on, with their number in `LISTEN_FDS` and their names in `LISTEN_FDNAMES`.
//!
//! `LISTEN_PID` is taken out and not set: the child's number is not known before it runs, and a node takes its absence for consent.

use std::{
    io,
    mem::ManuallyDrop,
    os::{
        fd::{FromRawFd as _, OwnedFd, RawFd},
        unix::process::CommandExt as _,
    },
    process::Command,
};

use rustix::io::{dup2, fcntl_dupfd_cloexec};

use super::Held;

/// The first descriptor. Source: systemd's `SD_LISTEN_FDS_START`.
const FIRST: RawFd = 3;

pub(super) fn pass(held: &[Held], command: &mut Command) -> io::Result<()> {
    for variable in ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"] {
        command.env_remove(variable);
    }
    if held.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = held.iter().map(|held| held.name).collect();
    command.env("LISTEN_FDS", held.len().to_string()).env("LISTEN_FDNAMES", names.join(":"));
    // Copies above the places that they go to, so that no place is still the source of another.
    let above = FIRST.saturating_add(i32::try_from(held.len()).unwrap_or(i32::MAX));
    let copies = held.iter().map(|held| fcntl_dupfd_cloexec(&held.listener, above));
    put(copies.collect::<Result<_, _>>()?, command);
    Ok(())
}

/// What stands in a place before is the parent's and would be closed by exec: only the pipe over which a failed exec is told is of
/// use there, and a child whose exec failed ends all the same.
#[allow(unsafe_code)]
fn put(copies: Vec<OwnedFd>, command: &mut Command) {
    // SAFETY: between fork and exec only async-signal-safe calls are allowed; `dup2` is a bare system call, nothing is allocated, and
    // a place is not closed by its owner, which is made for the call alone.
    unsafe {
        command.pre_exec(move || {
            for (place, copy) in (FIRST..).zip(&copies) {
                let mut place = ManuallyDrop::new(OwnedFd::from_raw_fd(place));
                dup2(copy, &mut place)?;
            }
            Ok(())
        });
    }
}
