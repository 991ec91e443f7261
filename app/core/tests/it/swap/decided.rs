//! What a proposal may ask for, when it is submitted and when it has passed.

use super::*;

#[track_caller]
fn check_refused_at_submission(voting: &mut Voting, message: &MsgSetKernelBundle, code: u32, part: &str) {
    let message = MsgSetKernelBundle { authority: gov(), ..message.clone() };
    let result = voting.submit(vec![pack(&message)]);
    assert_eq!((result.codespace.as_str(), result.code), ("gov", code), "{}", result.log);
    assert!(result.log.contains(part), "{}", result.log);
    assert_eq!((voting.pending(), voting.history()), (None, Vec::new()));
}

fn kernel(id: String) -> MsgSetKernelBundle {
    MsgSetKernelBundle { kernel_bundle_id: id, ..MsgSetKernelBundle::default() }
}

#[test]
fn a_swap_that_cannot_be_is_refused_when_it_is_proposed() {
    let mut voting = Voting::with(&[SAME, LATER, "lockdown a"]);
    let mut check = |message: &MsgSetKernelBundle, part: &str| {
        check_refused_at_submission(&mut voting, message, 12, part);
    };
    check(&MsgSetKernelBundle::default(), "at least one of kernel, lockdown and supervisor must be named");
    for id in ["b1-", "b1-00", "b2-00", "kernel", &bundle_id(SAME).to_uppercase(), &format!("{}0", bundle_id(SAME))] {
        check(&kernel(id.to_owned()), "kernel_bundle_id: b1- and 128 lower-case hex digits expected");
    }
    let lockdown = MsgSetKernelBundle { lockdown_bundle_id: "b1-".to_owned(), ..MsgSetKernelBundle::default() };
    check(&lockdown, "lockdown_bundle_id: b1- and 128");
    check(&kernel(bundle_id(NEXT)), "bundle is not installed");
    check(&kernel(bundle_id("lockdown a")), "bundle is not a kernel");
    let supervisor = MsgSetKernelBundle { supervisor_bundle_id: bundle_id(SAME), ..MsgSetKernelBundle::default() };
    check(&supervisor, "bundle is not a supervisor");
    check(&kernel(bundle_id(LATER)), "kernel starts from 2 to 3, the state has 1: invalid proposal message");
    for height in [-1, 1, i64::MIN] {
        check(&MsgSetKernelBundle { height, ..kernel(bundle_id(SAME)) }, "is not after the present one");
    }
}

#[test]
fn only_governance_decides_and_takes_back() {
    let mut voting = Voting::with(&[SAME]);
    let alice = voting.alice.text();
    let set = MsgSetKernelBundle { authority: alice.clone(), ..kernel(bundle_id(SAME)) };
    let cancel = MsgCancelKernelBundle { authority: alice };
    for message in [pack(&set), pack(&cancel)] {
        let result = voting.run(message.clone());
        assert_eq!((result.codespace.as_str(), result.code), ("gov", 13), "{}", result.log);
        let result = voting.submit(vec![message]);
        assert_eq!((result.codespace.as_str(), result.code), ("gov", 13), "{}", result.log);
    }
    assert_eq!(voting.pending(), None);
}

#[test]
fn what_became_impossible_during_the_vote_fails_with_the_proposal() {
    let mut voting = Voting::with(&[SAME]);
    let height = i64::try_from(voting.chain.height).expect("small") + 2;
    assert_eq!(voting.submit(vec![set(SAME, height)]).code, 0);
    check_failed(&voting.vote(), &format!("height {height} is not after the present one, {}", height + 1));

    assert_eq!(voting.submit(vec![set(SAME, 0)]).code, 0);
    voting.chain.state.insert(b"swingset/h/migration".to_vec(), bytes::Bytes::from_static(b"1"));
    check_failed(&voting.vote(), "a schema migration is under way");
    assert_eq!((voting.pending(), voting.history()), (None, Vec::new()));
}

#[test]
fn no_swap_is_proposed_while_a_migration_is_under_way() {
    let mut voting = Voting::with(&[SAME]);
    voting.chain.state.insert(b"swingset/h/migration".to_vec(), bytes::Bytes::from_static(b"1"));
    check_refused_at_submission(&mut voting, &kernel(bundle_id(SAME)), 12, "a schema migration is under way");
}

#[test]
fn a_pending_swap_is_replaced_and_taken_back_by_votes_and_all_is_told() {
    let mut voting = Voting::with(&[SAME, NEXT]);
    voting.decide(vec![set(SAME, 1_000)]);
    assert_eq!(voting.told(), ["swingset_swap_scheduled"]);
    voting.decide(vec![set(NEXT, 2_000)]);
    assert_eq!(voting.told(), ["swingset_swap_replaced", "swingset_swap_scheduled"]);
    assert_eq!(attribute(voting.event("swingset_swap_replaced"), "height"), "1000");
    let pending = voting.pending().expect("one is pending");
    assert_eq!((pending.kernel_bundle_id, pending.height, pending.schema_version), (bundle_id(NEXT), 2_000, 2));

    voting.decide(vec![cancel()]);
    assert_eq!(voting.told(), ["swingset_swap_cancelled"]);
    assert_eq!(voting.pending(), None);
    assert_eq!(voting.outcomes(), [SwapOutcome::Replaced, SwapOutcome::Cancelled]);
    let history = voting.history();
    assert_eq!(history.iter().map(|record| record.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(u64::try_from(history[1].height), Ok(voting.chain.height));

    check_failed(&voting.decide(vec![cancel()]), "no swap is pending");
    voting.chain.block(Vec::new());
    assert_eq!(voting.kernel(), "b1-kernel");
}

#[test]
fn a_proposal_of_two_swaps_decides_the_second() {
    let mut voting = Voting::with(&[SAME, NEXT]);
    voting.decide(vec![set(SAME, 1_000), set(NEXT, 0)]);
    assert_eq!(voting.outcomes(), [SwapOutcome::Replaced]);
    voting.chain.block(Vec::new());
    assert_eq!(voting.kernel(), bundle_id(NEXT));
}

#[test]
fn a_proposal_of_a_swap_can_be_simulated_and_costs_what_it_reads() {
    let mut voting = Voting::with(&[SAME]);
    let submit = |messages| MsgSubmitProposal {
        messages,
        initial_deposit: vec![Coin { denom: "uswing".to_owned(), amount: "1000".to_owned() }],
        proposer: voting.alice.text(),
        title: "t".to_owned(),
        summary: "s".to_owned(),
        ..MsgSubmitProposal::default()
    };
    let draft = Draft::new(vec![pack(&submit(vec![set(SAME, 0)]))]);
    let tx = voting.chain.sign(&draft, &voting.alice);
    let simulated = swing_core::execute::simulate(&voting.chain.state, &tx).expect("no fault");
    assert_eq!(simulated.code, 0, "{}", simulated.log);
    let real = voting.chain.deliver(tx);
    assert_eq!(real.code, 0, "{}", real.log);
    assert!(real.gas_used <= simulated.gas_used + simulated.gas_used / 10, "{} {}", real.gas_used, simulated.gas_used);
}
