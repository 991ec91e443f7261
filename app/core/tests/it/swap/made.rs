//! The swap at its height: made, failing, repairing.

use super::*;
use crate::swingset::deliver;

#[test]
fn a_swap_is_made_at_the_begin_of_the_block_after_the_vote() {
    let mut voting = Voting::with(&[NEXT]);
    let proposal = voting.decide(vec![set(NEXT, 0)]);
    assert_eq!(proposal.status(), ProposalStatus::Passed, "{}", proposal.failed_reason);
    let decided = voting.chain.height;
    let pending = voting.pending().expect("one is pending");
    assert_eq!(
        (pending.height, pending.scheduled_height),
        (i64::try_from(decided + 1).unwrap(), i64::try_from(decided).unwrap())
    );
    assert_eq!(voting.kernel(), "b1-kernel", "nothing is swapped yet");

    let result = voting.run(deliver(&Account::new(1), "counter", "increment"));
    assert_eq!(result.code, 0, "{}", result.log);
    assert_eq!(voting.told(), ["swingset_swap_done"]);
    let event = voting.event("swingset_swap_done");
    assert_eq!(attribute(event, "kernel_bundle_id_before"), "b1-kernel");
    assert_eq!(attribute(event, "kernel_bundle_id_after"), bundle_id(NEXT));
    assert_eq!((attribute(event, "schema_before"), attribute(event, "schema")), ("1", "2"));
    assert_eq!(attribute(event, "mode"), "BeginBlock");
    assert_eq!((voting.kernel(), voting.schema(), voting.pending()), (bundle_id(NEXT), "2".to_owned(), None));
    let [record] = voting.history().try_into().expect("one swap");
    assert_eq!((record.number, record.outcome(), record.reason.as_str()), (1, SwapOutcome::Done, ""));
    assert_eq!((record.schema_version_before, record.schema_version_after), (1, 2));
    assert_eq!(u64::try_from(record.height), Ok(voting.chain.height));
    assert_eq!(record.swap, Some(pending));
}

#[test]
fn a_swap_waits_for_its_height() {
    let mut voting = Voting::with(&[NEXT]);
    let height = i64::try_from(voting.chain.height).unwrap() + 6;
    voting.decide(vec![set(NEXT, height)]);
    while voting.chain.height + 1 < u64::try_from(height).unwrap() {
        voting.chain.block(Vec::new());
        assert_eq!(voting.kernel(), "b1-kernel");
    }
    voting.chain.block(Vec::new());
    assert_eq!(voting.kernel(), bundle_id(NEXT));
}

#[test]
fn a_kernel_that_fails_leaves_the_old_one_in_place_and_the_reason_in_state() {
    let traps = "kernel 1 2 traps";
    let mut voting = Voting::with(&[traps]);
    voting.decide(vec![set(traps, 0)]);
    let before: Vec<_> = voting
        .chain
        .state
        .iter()
        .filter(|(key, _)| key.starts_with(b"swingset/h/"))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let result = voting.run(deliver(&Account::new(1), "counter", "increment"));
    assert_eq!(result.code, 0, "the block goes on: {}", result.log);
    assert_eq!(voting.told(), ["swingset_swap_failed"]);
    assert_eq!(attribute(voting.event("swingset_swap_failed"), "code"), "13");
    let after: Vec<_> = voting
        .chain
        .state
        .iter()
        .filter(|(key, _)| key.starts_with(b"swingset/h/"))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    assert_eq!(after, before, "the engine is made of what it was made of");
    assert_eq!((voting.schema(), voting.pending()), ("1".to_owned(), None));
    let [record] = voting.history().try_into().expect("one swap");
    assert_eq!(
        (record.outcome(), record.codespace.as_str(), record.code),
        (SwapOutcome::Failed, "swingset-engine", 13)
    );
    assert!(record.reason.starts_with("kernel failed: unreachable"), "{}", record.reason);
    assert!(record.reason.len() <= 300, "what a kernel says is cut: {} bytes", record.reason.len());
    assert_eq!(voting.chain.get("swingset/k/crankNumber").as_deref(), Some(b"1".as_slice()), "the old kernel ran");
}

#[test]
fn what_became_impossible_after_the_vote_fails_at_the_swap() {
    let mut voting = Voting::with(&[SAME]);
    voting.decide(vec![set(SAME, 0)]);
    voting.chain.state.insert(b"swingset/k/version".to_vec(), bytes::Bytes::from_static(b"2"));
    voting.chain.block(Vec::new());
    let [record] = voting.history().try_into().expect("one swap");
    assert_eq!(record.outcome(), SwapOutcome::Failed);
    assert_eq!(record.reason, "kernel starts from 1 to 1, the state has 2");
}

#[test]
fn a_fault_of_this_node_in_a_swap_ends_the_node_and_is_no_failed_swap() {
    let halts = "kernel 1 1 halts";
    let mut voting = Voting::with(&[halts]);
    voting.decide(vec![set(halts, 0)]);
    let halt = voting.chain.try_block(Vec::new()).expect_err("this node cannot execute the block");
    assert!(halt.reason.contains("the disk is gone"), "{halt}");
}

#[test]
fn governance_replaces_a_kernel_that_stopped_the_engine_and_no_message_is_lost() {
    let stops = "kernel 1 1 stops";
    let mut voting = Voting::with(&[stops, SAME]);
    voting.decide(vec![set(stops, 0)]);
    voting.chain.block(Vec::new());
    assert_eq!(voting.outcomes(), [SwapOutcome::Done], "it passes");
    for _ in 0..3 {
        assert_eq!(voting.run(deliver(&Account::new(1), "counter", "increment")).code, 0);
    }
    assert_eq!(voting.chain.get("swingset/k/crankNumber"), None, "and stops");
    voting.decide(vec![set(SAME, 0)]);
    voting.chain.block(Vec::new());
    assert_eq!(voting.chain.get("swingset/k/crankNumber").as_deref(), Some(b"3".as_slice()));
    assert!(voting.chain.last.events.iter().any(|event| event.kind == "swingset_engine_running"));
}

#[test]
fn lockdown_and_supervisor_are_swapped_alone_and_start_no_stopped_engine() {
    let stops = "kernel 1 1 stops";
    let mut voting = Voting::with(&[stops, "lockdown a", "supervisor b"]);
    voting.decide(vec![set(stops, 0)]);
    let others = MsgSetKernelBundle {
        authority: gov(),
        lockdown_bundle_id: bundle_id("lockdown a"),
        supervisor_bundle_id: bundle_id("supervisor b"),
        ..MsgSetKernelBundle::default()
    };
    voting.decide(vec![pack(&others)]);
    voting.chain.block(Vec::new());
    assert_eq!(voting.outcomes(), [SwapOutcome::Done; 2]);
    assert_eq!(voting.kernel(), bundle_id(stops));
    let text = |name: &str| voting.chain.get(&format!("swingset/h/{name}BundleID")).map(|bytes| bytes.to_vec());
    assert_eq!(text("lockdown"), Some(bundle_id("lockdown a").into_bytes()));
    assert_eq!(text("supervisor"), Some(bundle_id("supervisor b").into_bytes()));
    assert!(voting.chain.get("swingset/h/status").is_some());
}

#[test]
fn an_export_keeps_the_pending_swap_and_the_history_and_one_for_height_zero_the_history() {
    let mut voting = Voting::with(&[SAME, NEXT]);
    voting.decide(vec![set(SAME, 0)]);
    voting.chain.block(Vec::new());
    voting.decide(vec![set(NEXT, 1_000)]);
    for (for_zero_height, pending) in [(false, voting.pending()), (true, None)] {
        let exported = swing_core::genesis::export(&voting.chain.state, for_zero_height).expect("exports");
        let genesis = Genesis {
            app_state: exported.app_state,
            max_gas: -1,
            chain_id: "test-1".to_owned(),
            initial_height: exported.initial_height,
            validators: Vec::new(),
        };
        let again =
            Voting { chain: genesis.start().expect("an export is a genesis"), alice: Account::new(1), proposals: 2 };
        assert_eq!((again.pending(), again.history()), (pending, voting.history()));
    }
}

#[test]
fn a_genesis_with_a_swap_that_cannot_be_read_is_refused() {
    let mut voting = Voting::with(&[SAME]);
    voting.decide(vec![set(SAME, 1_000)]);
    voting.chain.state.insert(b"swingset/m/pendingSwap".to_vec(), bytes::Bytes::from_static(b"\xff"));
    let exported = swing_core::genesis::export(&voting.chain.state, false).expect("exports");
    let genesis = Genesis {
        app_state: exported.app_state,
        max_gas: -1,
        chain_id: "test-1".to_owned(),
        initial_height: exported.initial_height,
        validators: Vec::new(),
    };
    let refused = genesis.start().map(|_| ()).expect_err("nothing of a genesis is guessed").to_string();
    assert!(refused.contains("swingset.kernel_state") && refused.contains("pending swap"), "{refused}");
}
