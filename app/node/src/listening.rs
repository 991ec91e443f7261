//! Listening sockets: those that a supervisor holds and hands to each process that it starts, else this process's own.
//!
//! The convention is systemd's: descriptors from 3 on, their number in `LISTEN_FDS`, their names in `LISTEN_FDNAMES`, separated by
//! colons. `LISTEN_PID` may be missing, for a supervisor that starts this process cannot know its number before; where it names
//! another process the sockets are that one's.
//!
//! # Invariants
//! - A socket is taken over only when name and address are those that are asked for.
//! - No child of this process gets one.

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, TcpListener, ToSocketAddrs as _},
    os::fd::{FromRawFd as _, IntoRawFd as _, OwnedFd, RawFd},
    sync::{Mutex, OnceLock, PoisonError},
};

use rustix::io::{FdFlags, fcntl_setfd};

/// REST.
pub const API: &str = "api";
/// gRPC.
pub const GRPC: &str = "grpc";
/// The solo engine's RPC.
pub const RPC: &str = "rpc";

/// The variables of the convention, which no child of this process may see.
pub const VARIABLES: [&str; 3] = ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"];

/// The first descriptor. Source: systemd's `SD_LISTEN_FDS_START`.
const FIRST: RawFd = 3;
/// More are not taken for sockets.
const COUNT_MAX: usize = 16;

type Inherited = BTreeMap<String, TcpListener>;

/// The listening socket of this name and address: the inherited one, else a new one. It does not block.
///
/// # Errors
/// The system's: the address is not one of this machine's, or taken.
pub fn listen(name: &str, address: &str) -> io::Result<TcpListener> {
    let addresses: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
    let listener = match take(name, &addresses)? {
        Some(listener) => {
            tracing::info!(name, address, "the listening socket is the supervisor's");
            listener
        }
        None => TcpListener::bind(addresses.as_slice())?,
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Takes up what this process inherited. Must come before anything else is opened or started.
pub fn adopt() {
    inherited();
}

fn inherited() -> &'static Mutex<Inherited> {
    static INHERITED: OnceLock<Mutex<Inherited>> = OnceLock::new();
    INHERITED.get_or_init(|| Mutex::new(from_environment()))
}

fn take(name: &str, addresses: &[SocketAddr]) -> io::Result<Option<TcpListener>> {
    let mut inherited = inherited().lock().unwrap_or_else(PoisonError::into_inner);
    let Some(listener) = inherited.get(name) else { return Ok(None) };
    let at = listener.local_addr()?;
    if !addresses.contains(&at) {
        tracing::warn!(name, %at, ?addresses, "the supervisor's listening socket is at another address and not used");
        return Ok(None);
    }
    Ok(inherited.remove(name))
}

fn from_environment() -> Inherited {
    let [count, names, pid] =
        VARIABLES.map(|variable| std::env::var_os(variable).and_then(|text| text.into_string().ok()));
    let names = named(count.as_deref(), names.as_deref(), pid.as_deref(), std::process::id());
    (FIRST..).zip(names).filter_map(|(number, name)| Some((name, adopted(number)?))).collect()
}

/// The names of the inherited descriptors, in order; none where there are none.
fn named(count: Option<&str>, names: Option<&str>, pid: Option<&str>, own_pid: u32) -> Vec<String> {
    if pid.is_some_and(|pid| pid.parse() != Ok(own_pid)) {
        return Vec::new();
    }
    let count = count.and_then(|count| count.parse().ok()).unwrap_or(0_usize).min(COUNT_MAX);
    let names: Vec<String> = names.unwrap_or_default().split(':').map(str::to_owned).collect();
    if names.len() == count { names } else { Vec::new() }
}

#[allow(unsafe_code)]
fn adopted(number: RawFd) -> Option<TcpListener> {
    // SAFETY: whoever started this process says that the descriptor is open and for it; this comes before anything else is opened,
    // so nothing else in it owns one of these numbers, and each is adopted once.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    if let Err(error) = fcntl_setfd(&descriptor, FdFlags::CLOEXEC) {
        tracing::warn!(%error, number, "an inherited descriptor is none");
        // It must not be closed when it is somebody else's one day.
        let _ = descriptor.into_raw_fd();
        return None;
    }
    Some(TcpListener::from(descriptor))
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn descriptors_are_for_the_process_that_is_named_and_for_any_where_none_is() {
        #[track_caller]
        fn check(count: Option<&str>, names: Option<&str>, pid: Option<&str>, expected: &[&str]) {
            assert_eq!(named(count, names, pid, 7), expected);
        }
        check(Some("2"), Some("api:grpc"), None, &["api", "grpc"]);
        check(Some("2"), Some("api:grpc"), Some("7"), &["api", "grpc"]);
        check(Some("2"), Some("api:grpc"), Some("8"), &[]);
        check(Some("2"), Some("api"), None, &[]);
        check(Some("x"), Some("api"), None, &[]);
        check(None, None, None, &[]);
        check(Some("0"), None, None, &[]);
    }
}
