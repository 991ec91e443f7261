//! The kernel is replaced by votes, on real processes under load: first by one that breaks, which is replaced, then by a new one.

use swing_localnet::{
    genesis::Plan,
    report::Narrator,
    scenario::swap::{self, Kernels, SwapReport, bundle},
    validator::Engine,
};

use super::network::{Stage, binaries};

fn run(plan: Plan, broken: &str) -> SwapReport {
    let stage = if plan.validators == 1 { Stage::of_one_node() } else { Stage::new() };
    let kernels = Kernels { broken: Some(bundle(broken)), ..Kernels::version_2() };
    let report = swap::run(plan, stage.folder(), binaries(), &kernels, &mut Narrator::new(false))
        .expect("the scenario reaches its end");
    assert!(report.messages_accepted > 0, "no message was sent: {report:?}");
    assert_eq!(report.engine_stopped.as_deref(), Some("unreachable"), "the broken kernel stopped the engine");
    assert_eq!(report.schema, [1, 2]);
    report
}

#[test]
fn a_solo_chain_replaces_a_kernel_that_traps_at_once_and_then_takes_a_new_one() {
    run(Plan::quick(1, Engine::Solo), "test/kernel-trap");
}

#[test]
fn four_validators_replace_a_kernel_that_traps_later_and_then_take_a_new_one_under_load() {
    let report = run(Plan::quick(4, Engine::CometChild), "test/kernel-trap-late");
    assert_eq!(report.processes.len(), 4, "all four ran from the first block to the last");
}
