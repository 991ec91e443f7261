//! What one vat may do in one crank: at a limit it lives, beyond it the syscall is illegal. The figures are consensus, hence literal.

use swingset_abi::{
    kernel::ResolutionPolicy,
    vat::{CapData, Resolution, SyscallReply, VatSyscall},
};

use crate::{
    illegal::{check, check_in},
    stored::{delete, store},
    world::{World, data, send, settle},
};

const MIB: usize = 1024 * 1024;

fn get(key: &str) -> VatSyscall {
    VatSyscall::VatstoreGet { key: key.to_owned() }
}

fn next(prior: &str) -> VatSyscall {
    VatSyscall::VatstoreGetNextKey {
        prior: prior.to_owned(),
    }
}

fn of_bytes(bytes: usize) -> CapData {
    data(&"x".repeat(bytes), &[])
}

fn of_slots(slots: usize) -> CapData {
    data("#[]", &vec!["o+1"; slots])
}

/// The syscalls that bring data into the kernel; `d-71` is the timer.
fn with(data: &CapData) -> [VatSyscall; 4] {
    [
        VatSyscall::Send {
            target: "o-50".to_owned(),
            methargs: data.clone(),
            result: None,
        },
        VatSyscall::Resolve {
            resolutions: vec![Resolution {
                promise: "p-61".to_owned(),
                rejected: true,
                data: data.clone(),
            }],
        },
        VatSyscall::CallNow {
            target: "d-71".to_owned(),
            method: "getCurrentTime".to_owned(),
            args: data.clone(),
        },
        VatSyscall::Exit {
            failure: false,
            info: data.clone(),
        },
    ]
}

/// All of these are executed. What they sent waits.
#[track_caller]
fn check_allowed(syscalls: Vec<VatSyscall>) {
    check_allowed_in(World::started(&["bootstrap", "b"]), syscalls);
}

#[track_caller]
fn check_allowed_in(mut world: World, syscalls: Vec<VatSyscall>) {
    world.ask("bootstrap", "go");
    world.acts("v1", vec![syscalls]);
    let before = world.vats.borrow().replies.len();
    world.step();
    let crank = world.step();
    assert_eq!((crank.aborted, crank.panic), (false, None), "{:?}", crank.terminated);
    let replies = &world.vats.borrow().replies[before..];
    assert!(!replies.iter().any(|reply| matches!(reply, SyscallReply::Error { .. })));
}

#[test]
fn syscalls_in_a_crank() {
    check(vec![get("k"); 100_000], "too many syscalls in a crank");
    check_allowed(vec![get("k"); 100_000]);
}

#[test]
fn messages_in_a_crank() {
    let message = || send("o-50", "#[]", &[], None);
    check(vec![message(); 10_000], "too many messages in a crank");
    check_allowed(vec![message(); 10_000]);
}

#[test]
fn bytes_in_a_crank() {
    // Four values with their keys are 16 MiB to the byte; what `check` sends before them is more.
    let four = |less: usize| [0, 0, 0, less].map(|less| store("k", 4 * MIB - 1 - less)).to_vec();
    check_allowed(four(0));
    check(four(0), "too many bytes in a crank");
    // A reference counts for 32.
    let with_slot = |less| [four(less), vec![send("o-50", "", &["o+1"], None)]].concat();
    check_allowed(with_slot(32));
    check(with_slot(32), "too many bytes in a crank");
}

#[test]
fn keys_passed_over_in_a_crank() {
    let filled = || {
        let mut world = World::started(&["bootstrap", "b"]);
        world.queue("bootstrap", "fill", ResolutionPolicy::None {});
        world.acts("v1", vec![(0..1000).map(|n| store(&format!("k{n:03}"), 1)).collect()]);
        world.run();
        world
    };
    let deletes = |count: usize| (0..count).map(|n| delete(&format!("k{n:03}"))).collect::<Vec<_>>();
    // Each call passes 999 entries that this crank deleted, and finds the last.
    let syscalls = [deletes(999), vec![next(""); 101]].concat();
    check_in(filled(), syscalls, "too many keys scanned in a crank");
    check_allowed_in(filled(), [deletes(999), vec![next(""); 100]].concat());
}

#[test]
fn bytes_of_a_body() {
    for syscall in with(&of_bytes(4 * MIB + 1)) {
        check(vec![syscall], "body too large");
    }
    for syscall in with(&of_bytes(4 * MIB)) {
        check_allowed(vec![syscall]);
    }
}

#[test]
fn references_in_a_body() {
    for syscall in with(&of_slots(4_097)) {
        check(vec![syscall], "too many slots");
    }
    for syscall in with(&of_slots(4_096)) {
        check_allowed(vec![syscall]);
    }
}

#[test]
fn promises_settled_at_once() {
    let all = |count: usize| {
        let resolutions = (0..count).map(|n| match settle(&format!("p+{}", n + 1), false, "#1", &[]) {
            VatSyscall::Resolve { mut resolutions } => resolutions.remove(0),
            other => panic!("{other:?} settles nothing"),
        });
        VatSyscall::Resolve {
            resolutions: resolutions.collect(),
        }
    };
    check(vec![all(1_025)], "too many resolutions");
    check_allowed(vec![all(1_024)]);
}

#[test]
fn bytes_of_a_vatstore_key() {
    for key in [String::new(), "k".repeat(513)] {
        for syscall in [get(&key), store(&key, 1), delete(&key)] {
            check(vec![syscall], "vatstore key empty or too long");
        }
    }
    check(vec![next(&"k".repeat(513))], "vatstore key empty or too long");
    let longest = "k".repeat(512);
    check_allowed(vec![get(&longest), store(&longest, 1), delete(&longest), next(&longest), next("")]);
}

#[test]
fn bytes_of_a_vatstore_value() {
    check(vec![store("k", 4 * MIB + 1)], "vatstore value too large");
    check_allowed(vec![store("k", 4 * MIB)]);
}
