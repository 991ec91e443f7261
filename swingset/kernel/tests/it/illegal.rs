//! Illegal syscalls, one row each: the crank is undone, the vat terminated, the message splats.

use swingset_abi::{
    kernel::{CrankKind, PromiseState},
    vat::{SyscallReply, VatSyscall},
};

use crate::world::{World, data, send, settle, subscribe};

/// `v1` (bootstrap) does this when asked `go`; `p-61` is its own result, `o-50` is v2's root.
#[track_caller]
pub fn check(syscalls: Vec<VatSyscall>, word: &str) {
    check_in(World::started(&["bootstrap", "b"]), syscalls, word);
}

/// The same in this world.
#[track_caller]
pub fn check_in(mut world: World, syscalls: Vec<VatSyscall>, word: &str) {
    let kpid = world.ask("bootstrap", "go");
    let marker = send("o-50", "#[\"never\",[]]", &[], None);
    let count = syscalls.len();
    world.acts("v1", vec![[vec![marker.clone()], syscalls, vec![marker]].concat()]);
    let reports = world.run();
    let crank = reports
        .iter()
        .find(|report| report.kind == (CrankKind::Delivery {}))
        .expect("it was delivered");
    let expected = format!("illegal syscall: {word}");
    assert_eq!(
        (crank.aborted, crank.terminated.as_deref()),
        (true, Some(expected.as_str()))
    );
    assert_eq!(crank.computrons, 7, "an undone crank is charged");
    let replies = world.vats.borrow().replies.clone();
    let refusals = replies
        .iter()
        .filter(|reply| {
            **reply
                == SyscallReply::Error {
                    problem: expected.clone(),
                }
        })
        .count();
    assert!(
        (2..=count + 1).contains(&refusals),
        "the illegal syscall and all after it are refused"
    );
    assert!(
        !world.messages().iter().any(|line| line.contains("never")),
        "nothing that it sent is left"
    );
    let splat = data("#{\"#error\":\"vat terminated\",\"name\":\"Error\"}", &[]);
    assert_eq!(world.promise(&kpid), PromiseState::Rejected { data: splat });
    assert_eq!(world.vats.borrow().abandoned, ["v1"]);
}

fn vrefs(list: &[&str]) -> Vec<String> {
    list.iter().map(|vref| (*vref).to_owned()).collect()
}

#[test]
fn sending_to_an_import_that_was_never_given() {
    check(
        vec![send("o-99", "#[]", &[], None)],
        "vref was not allocated by the kernel",
    );
}

#[test]
fn sending_to_text_that_is_no_vref() {
    check(vec![send("ko20", "#[]", &[], None)], "malformed vref");
}

#[test]
fn naming_a_forged_slot() {
    check(
        vec![send("o-50", "#[]", &["p-77"], None)],
        "vref was not allocated by the kernel",
    );
}

#[test]
fn exporting_a_device() {
    check(vec![send("o-50", "#[]", &["d+1"], None)], "a vat exports no devices");
}

#[test]
fn a_result_that_is_no_promise() {
    check(vec![send("o-50", "#[]", &[], Some("o+4"))], "wrong kind of reference");
}

#[test]
fn a_result_that_is_a_queued_messages_result_already() {
    check(
        vec![
            send("o-50", "#[]", &[], Some("p+4")),
            send("o-50", "#[]", &[], Some("p+4")),
        ],
        "not the promise's decider",
    );
}

#[test]
fn settling_a_promise_that_another_decides() {
    check(
        vec![send("o-50", "#[]", &[], Some("p+4")), settle("p+4", false, "#1", &[])],
        "not the promise's decider",
    );
}

#[test]
fn settling_twice_in_one_syscall() {
    let VatSyscall::Resolve { mut resolutions } = settle("p-61", false, "#1", &[]) else {
        return;
    };
    resolutions.push(resolutions[0].clone());
    check(vec![VatSyscall::Resolve { resolutions }], "promise is settled");
}

#[test]
fn settling_a_promise_whose_entry_was_retired() {
    check(
        vec![settle("p-61", false, "#1", &[]), settle("p-61", false, "#1", &[])],
        "vref was not allocated by the kernel",
    );
}

#[test]
fn fulfilling_with_a_promise() {
    check(
        vec![settle("p-61", false, "#\"&0\"", &["p+4"])],
        "promise fulfilled with a promise",
    );
}

#[test]
fn subscribing_to_a_promise_of_its_own_that_the_kernel_does_not_know() {
    check(vec![subscribe("p+4")], "unknown vref");
}

#[test]
fn subscribing_to_an_object() {
    check(vec![subscribe("o-50")], "wrong kind of reference");
}

#[test]
fn calling_what_is_no_device() {
    let call = |target: &str| VatSyscall::CallNow {
        target: target.to_owned(),
        method: "x".to_owned(),
        args: data("#[]", &[]),
    };
    check(vec![call("o-50")], "wrong kind of reference");
    check(vec![call("d-99")], "vref was not allocated by the kernel");
}

#[test]
fn using_an_import_after_dropping_it() {
    let drop = VatSyscall::DropImports {
        vrefs: vrefs(&["o-50"]),
    };
    check(vec![drop, send("o-50", "#[]", &[], None)], "import was dropped");
}

#[test]
fn retiring_an_import_that_was_not_dropped() {
    check(
        vec![VatSyscall::RetireImports {
            vrefs: vrefs(&["o-50"]),
        }],
        "reference is still reachable",
    );
}

#[test]
fn dropping_an_export() {
    check(
        vec![VatSyscall::DropImports { vrefs: vrefs(&["o+0"]) }],
        "not an import",
    );
}

#[test]
fn retiring_an_export_that_is_reachable() {
    check(
        vec![VatSyscall::RetireExports { vrefs: vrefs(&["o+0"]) }],
        "reference is still reachable",
    );
}

#[test]
fn abandoning_an_import() {
    check(
        vec![VatSyscall::AbandonExports {
            vrefs: vrefs(&["o-50"]),
        }],
        "not an export",
    );
}
