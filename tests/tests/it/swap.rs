//! The kernel is replaced by votes on a running chain: the real application, engine and database in one process.

use std::{path::Path, time::Duration};

use swing_localnet::wait;
use swing_node::app::AppOptions;
use swing_proto::{
    cosmos::gov::v1::ProposalStatus,
    swing::swingset::v1::{EngineStatus, SwapOutcome},
};
use swing_tests::{
    governed::{Governed, set_kernel, set_kernel_at},
    releases, script,
};
use swingset_bundles::{release, test_bundle};
use swingset_host::{
    EngineRuntime,
    bundle::{Bundle, BundleKind, Manifest},
    engine::CodeCache,
};

/// The binary of version-1 makes all these chains: no new software is needed.
fn open(data: &Path) -> Governed {
    Governed::open(data, releases::release("version-1").expect("a release")).expect("the application opens")
}

fn chain(folder: &tempfile::TempDir) -> Governed {
    let mut chain = open(folder.path());
    chain.block(Vec::new()).expect("a first block");
    chain
}

fn kernel_of(version: &str) -> &'static [u8] {
    release(version).expect("a release").kernel
}

fn fault(name: &str) -> &'static [u8] {
    test_bundle(name).expect("a bundle for tests")
}

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Swaps to a kernel of schema 2 with messages in every block; gives all app hashes. The process is ended and started again after
/// each block, if asked to.
fn swapped(restarting: bool) -> Vec<String> {
    let folder = temporary();
    let version_1 = releases::release("version-1").expect("a release");
    let mut chain = chain(&folder);
    let next = chain.install(kernel_of("version-2")).expect("installed");
    chain.send().expect("taken");
    let proposal = chain.decide_kernel(&next).expect("decided");
    assert_eq!(proposal.status(), ProposalStatus::Passed, "{}", proposal.failed_reason);
    for _ in 0..4 {
        if restarting {
            chain = chain.restarted(folder.path(), version_1).expect("it starts again");
        }
        chain.send().expect("taken");
    }
    let kernel = chain.kernel().expect("a kernel");
    assert_eq!((kernel.kernel_bundle_id, kernel.schema_version), (next, 2));
    assert_eq!(kernel.engine_status, i32::from(EngineStatus::Running));
    let sent = chain.messages();
    assert_eq!(chain.counted().expect("the contract answers"), (sent, sent), "none lost, none twice");
    chain.hashes().to_vec()
}

#[test]
fn a_vote_replaces_the_kernel_of_a_running_chain_and_no_message_is_lost() {
    swapped(false);
}

#[test]
fn a_node_that_is_restarted_around_the_swap_comes_to_the_same_hashes() {
    assert_eq!(swapped(false), swapped(true));
}

/// A kernel that stops the engine in its first crank is voted out again, and no message is lost.
#[track_caller]
fn check_replaced(bad: &[u8]) {
    let folder = temporary();
    let mut chain = chain(&folder);
    let good = kernel_of("version-1");
    let bad = chain.install(bad).expect("installed");
    chain.send().expect("taken");
    chain.decide_kernel(&bad).expect("decided");
    chain.send().expect("taken");
    let stopped = chain.kernel().expect("a kernel");
    assert_eq!((stopped.kernel_bundle_id.as_str(), stopped.engine_status()), (bad.as_str(), EngineStatus::Stopped));
    for _ in 0..5 {
        chain.send().expect("the chain does not stop, and takes messages");
    }
    let good = chain.install(good).expect("it is there: genesis installed it");
    chain.decide_kernel(&good).expect("decided while the engine is stopped");
    chain.send().expect("taken");
    assert_eq!(chain.kernel().expect("a kernel").engine_status(), EngineStatus::Running);
    let sent = chain.messages();
    assert_eq!(chain.counted().expect("the contract answers"), (sent, sent), "none lost, none twice");
    let outcomes: Vec<_> = chain.swaps().expect("answers").iter().map(|swap| swap.outcome()).collect();
    assert_eq!(outcomes, [SwapOutcome::Done; 2]);
}

#[test]
fn a_kernel_that_traps_in_its_first_crank_is_replaced_by_a_vote() {
    check_replaced(fault("kernel-trap"));
}

#[test]
fn a_kernel_that_refuses_its_first_crank_is_replaced_by_a_vote() {
    check_replaced(&made_up(
        r#"(module (memory (export "memory") 1 1) (data (i32.const 0) "\01\01k\01\01\01") (data (i32.const 16) "\07\09\02no")
          (func (export "kernel_alloc") (param i32) (result i32) i32.const 1024)
          (func (export "kernel_call") (param $command i32) (param i32) (result i64)
            (select (i64.const 0x1000000005) (i64.const 6) (i32.load8_u (local.get $command)))))"#,
        1,
    ));
}

#[test]
fn a_kernel_that_traps_a_hundred_blocks_later_is_replaced_by_a_vote() {
    let folder = temporary();
    let mut chain = chain(&folder);
    let late = chain.install(fault("kernel-trap-late")).expect("installed");
    chain.decide_kernel(&late).expect("decided");
    let swapped_after = chain.height().expect("a height");
    let mut ran = 0;
    while chain.kernel().expect("a kernel").engine_status() != EngineStatus::Stopped {
        chain.block(Vec::new()).expect("blocks go on");
        ran = chain.height().expect("a height") - swapped_after;
        assert!(ran <= 200, "it was to trap");
    }
    assert_eq!(ran, 101, "a hundred blocks went well");
    for _ in 0..5 {
        chain.send().expect("the chain does not stop, and takes messages");
    }
    let repaired = chain.install(kernel_of("version-2")).expect("installed");
    chain.decide_kernel(&repaired).expect("decided");
    chain.send().expect("taken");
    let sent = chain.messages();
    assert_eq!(chain.counted().expect("the contract answers"), (sent, sent), "none lost, none twice");
    assert_eq!(chain.kernel().expect("a kernel").schema_version, 2);
}

/// Votes for a kernel that fails at the swap; gives all app hashes.
#[track_caller]
fn check_fails(kernel: &[u8], reason: &str) -> Vec<String> {
    let folder = temporary();
    let mut chain = chain(&folder);
    let before = chain.kernel().expect("a kernel").kernel_bundle_id;
    let id = chain.install(kernel).expect("its manifest and its code are in order");
    let proposal = chain.decide_kernel(&id).expect("decided");
    assert_eq!(proposal.status(), ProposalStatus::Passed, "{}", proposal.failed_reason);
    chain.send().expect("the block goes on");
    let [swap] = chain.swaps().expect("answers").try_into().expect("one swap");
    assert_eq!((swap.outcome(), swap.reason.as_str()), (SwapOutcome::Failed, reason));
    let kernel = chain.kernel().expect("a kernel");
    assert_eq!((kernel.kernel_bundle_id.as_str(), kernel.schema_version), (before.as_str(), 1));
    assert_eq!(kernel.engine_status(), EngineStatus::Running);
    assert_eq!(chain.counted().expect("the old kernel runs"), (1, 1));
    chain.hashes().to_vec()
}

#[test]
fn a_kernel_that_traps_in_its_migration_leaves_the_old_one_running() {
    check_fails(fault("kernel-trap-migration"), "kernel failed: unreachable");
}

/// A kernel's bundle of this text, which starts from schema 1 and leads to another.
fn made_up(module: &str, schema_to: u32) -> Vec<u8> {
    let content = wat::parse_str(module).expect("a module");
    let manifest = Manifest {
        kind: BundleKind::Kernel {},
        name: "k".to_owned(),
        host_abi: 1,
        supervisor_abis: vec![1],
        schema_from: 1,
        schema_to,
    };
    Bundle::single(manifest, content).and_then(|bundle| bundle.encode()).expect("a bundle")
}

/// A kernel of schema 2 whose migration never answers: it burns fuel, as fast as that is possible, until it is cut off.
fn looping() -> Vec<u8> {
    made_up(
        r#"(module (memory (export "memory") 1 1) (data (i32.const 0) "\01\01k\02\01\01")
          (func (export "kernel_alloc") (param i32) (result i32) i32.const 1024)
          (func (export "kernel_call") (param $command i32) (param i32) (result i64)
            (if (i32.load8_u (local.get $command))
              (then (loop $on (memory.fill (i32.const 16384) (i32.const 0) (i32.const 49152)) (br $on))))
            (i64.const 6)))"#,
        2,
    )
}

#[test]
fn a_kernel_that_passes_its_cap_in_its_migration_fails_alike_everywhere_and_leaves_the_old_one_running() {
    let fails = || check_fails(&looping(), "kernel failed: kernel passed its cap");
    assert_eq!(fails(), fails());
}

#[test]
fn a_kernel_whose_migration_does_not_end_leaves_the_old_one_running() {
    let reason = "the migration did not end within 16 slices; use a software upgrade";
    check_fails(fault("kernel-endless-migration"), reason);
}

#[test]
fn a_kernel_that_describes_itself_otherwise_leaves_the_old_one_running() {
    check_fails(fault("kernel-lying"), "the kernel describes itself otherwise than its manifest does");
}

#[test]
fn what_is_no_kernel_for_this_state_is_refused_when_it_is_proposed() {
    let folder = temporary();
    let mut chain = chain(&folder);
    let mut check = |id: &str, part: &str| {
        let result = chain.propose(vec![set_kernel(id)]).expect("the block executes");
        assert_eq!((result.codespace.as_str(), result.code), ("gov", 12), "{}", result.log);
        assert!(result.log.contains(part), "{}", result.log);
    };
    check(&format!("b1-{}", "0".repeat(128)), "is not installed; install it first: invalid proposal message");
    let supervisor = swingset_host::bundle::bundle_id(release("version-1").expect("a release").supervisor);
    check(&supervisor, "is a supervisor bundle, not a kernel");
    check("b1-0", "128 lower-case hex digits expected");
    let next = chain.install(kernel_of("version-2")).expect("installed");
    chain.decide_kernel(&next).expect("decided");
    chain.block(Vec::new()).expect("the swap is made");
    let first = swingset_host::bundle::bundle_id(kernel_of("version-1"));
    let result = chain.propose(vec![set_kernel(&first)]).expect("the block executes");
    assert!(
        result.log.contains("starts from the schemas 1 to 1; the state has 2"),
        "there is only forward: {}",
        result.log
    );
}

#[test]
fn a_kernel_that_is_decided_is_compiled_while_its_height_is_waited_for() {
    let folder = temporary();
    let kept = folder.path().join("code");
    let runtime = EngineRuntime::with_cache(Some(CodeCache::open(&kept).expect("a cache"))).expect("an engine");
    let version_1 = releases::release("version-1").expect("a release");
    let options = AppOptions { runtime: Some(runtime), ..AppOptions::new(folder.path(), version_1) };
    let mut chain = Governed::begin(options, script::app_state()).expect("the application opens");
    chain.block(Vec::new()).expect("a first block");
    let next = chain.install(kernel_of("version-2")).expect("installed");
    let compiled = || std::fs::read_dir(&kept).expect("a folder").count();
    let before = compiled();
    let height = i64::try_from(chain.height().expect("a height")).expect("it fits") + 50;
    let proposal = chain.decide(vec![set_kernel_at(&next, height)]).expect("decided");
    assert_eq!(proposal.status(), ProposalStatus::Passed, "{}", proposal.failed_reason);
    let more =
        wait::until("the kernel's code", Duration::from_secs(60), || Ok(Some(compiled()).filter(|now| *now > before)));
    assert_eq!(more.expect("it is compiled with no block in between"), before + 1);
    assert_ne!(chain.kernel().expect("a kernel").kernel_bundle_id, next, "its height is not yet there");
}
