//! The life of a proposal: deposits, periods, execution, expedition, cancelling.

use super::*;

#[test]
fn messages_take_effect_all_together_or_not_at_all() {
    let mut memory = chain();
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90), upgrade_message("", 91)], 10));
    vote(&mut memory, id, ALICE, VoteOption::Yes);
    let events = end(&mut memory, 6);
    assert_eq!(
        events.last().expect("some"),
        "active_proposal proposal_id=1 proposal_result=proposal_failed proposal_log=passed, but msg 1 \
         (/cosmos.upgrade.v1beta1.MsgSoftwareUpgrade) failed on execution: plan: name cannot be empty: invalid request"
    );
    assert!(!events.iter().any(|event| event.starts_with("schedule_upgrade")), "{events:?}");
    assert_eq!(upgrade::state::plan(&memory), Ok(None));
    assert_eq!(stored(&memory, id).status(), ProposalStatus::Failed);
    assert_eq!(stored(&memory, id).failed_reason, "plan: name cannot be empty: invalid request");
    assert_eq!(balance(&memory, &module_address("gov")), 0);
}

#[test]
fn voting_begins_with_the_minimum_deposit_and_ends_after_its_own_period() {
    let mut memory = chain();
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 4));
    assert_eq!(stored(&memory, id).status(), ProposalStatus::DepositPeriod);
    let too_soon = MsgVote { proposal_id: id, voter: ALICE.to_owned(), option: 1, metadata: String::new() };
    let refused = refusal(message(&mut memory, &at(1), |context| handler::vote(context, too_soon)));
    assert_eq!(refused, Rejected { codespace: "gov", code: 3, log: "1: inactive proposal".to_owned() });
    let deposit = MsgDeposit { proposal_id: id, depositor: BOB.to_owned(), amount: uswing(6) };
    let (_, events) = message(&mut memory, &at(9), |context| handler::deposit(context, &deposit)).expect("taken");
    let lines: Vec<String> = events.iter().map(line).collect();
    assert_eq!(
        lines.split_at(lines.len() - 2).1,
        [
            format!("proposal_deposit depositor={BOB} amount=6uswing proposal_id=1"),
            "proposal_deposit voting_period_start=1".to_owned()
        ]
    );
    // Its deposit period ends, and means nothing any more.
    assert_eq!(end(&mut memory, 10), Vec::<String>::new());
    assert_eq!(stored(&memory, id).voting_end_time, Some(Timestamp { seconds: 1_700_000_015, nanos: 0 }));
    assert_eq!(end(&mut memory, 15).len(), 9);
    assert_eq!((balance(&memory, &address(ALICE)), balance(&memory, &address(BOB))), (1_000_000_000, 1_000_000_000));
}

#[test]
fn a_proposal_without_enough_deposits_is_dropped_and_refunded_or_burned() {
    for (burn, left) in [(false, 1_000_000_000), (true, 999_999_996)] {
        let mut memory = chain();
        let params = Params { burn_proposal_deposit_prevote: burn, ..state::params(&memory).expect("genesis ran") };
        write(&mut memory, |state| state::set_params(state, &params)).expect("memory");
        let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 4));
        assert_eq!(end(&mut memory, 9), Vec::<String>::new());
        let events = end(&mut memory, 10);
        assert_eq!(events.last().expect("some"), "inactive_proposal proposal_id=1 proposal_result=proposal_dropped");
        assert_eq!(state::proposal(&memory, id), Ok(None));
        assert_eq!(balance(&memory, &address(ALICE)), left);
        // The number is used up.
        assert_eq!(submit(&mut memory, 20, proposal(vec![upgrade_message("v", 90)], 4)), 2);
    }
}

#[test]
fn an_expedited_proposal_that_fails_goes_on_as_a_regular_one() {
    let mut memory = chain();
    let mut request = proposal(vec![upgrade_message("v", 90)], 50_000_000);
    request.expedited = true;
    let id = submit(&mut memory, 0, request);
    vote(&mut memory, id, ALICE, VoteOption::No);
    let events = end(&mut memory, 3);
    assert_eq!(
        events,
        [
            "active_proposal proposal_id=1 proposal_result=expedited_proposal_rejected proposal_log=expedited proposal converted to regular"
        ]
    );
    let converted = stored(&memory, id);
    assert_eq!((converted.status(), converted.expedited), (ProposalStatus::VotingPeriod, false));
    assert_eq!(balance(&memory, &module_address("gov")), 50_000_000);
    vote(&mut memory, id, ALICE, VoteOption::Yes);
    assert_eq!(end(&mut memory, 5), Vec::<String>::new());
    end(&mut memory, 6);
    assert_eq!(stored(&memory, id).status(), ProposalStatus::Passed);
    assert_eq!(balance(&memory, &module_address("gov")), 0);
}

#[test]
fn an_expedited_proposal_needs_its_own_deposit_and_threshold() {
    let mut memory = chain();
    let mut request = proposal(vec![upgrade_message("v", 90)], 500_000);
    request.expedited = true;
    let id = submit(&mut memory, 0, request);
    assert_eq!(stored(&memory, id).status(), ProposalStatus::DepositPeriod);
    let deposit = MsgDeposit { proposal_id: id, depositor: BOB.to_owned(), amount: uswing(49_500_000) };
    message(&mut memory, &at(0), |context| handler::deposit(context, &deposit)).expect("taken");
    let split =
        |option: VoteOption, weight: &str| WeightedVoteOption { option: option.into(), weight: weight.to_owned() };
    let request = MsgVoteWeighted {
        proposal_id: id,
        voter: ALICE.to_owned(),
        options: vec![split(VoteOption::Yes, "0.6"), split(VoteOption::No, "0.4")],
        metadata: String::new(),
    };
    message(&mut memory, &at(1), |context| handler::vote_weighted(context, request)).expect("voted");
    end(&mut memory, 3);
    assert!(!stored(&memory, id).expedited, "six tenths are too few for an expedited one");
}

#[test]
fn cancelling_charges_the_deposits_and_is_the_proposers_alone() {
    let mut memory = chain();
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 101));
    vote(&mut memory, id, BOB, VoteOption::Yes);
    let cancel = |memory: &mut Memory, id: u64, proposer: &str, seconds| {
        let request = MsgCancelProposal { proposal_id: id, proposer: proposer.to_owned() };
        message(memory, &at(seconds), |context| handler::cancel_proposal(context, &request))
    };
    assert_eq!(refusal(cancel(&mut memory, id, BOB, 1)).code, 18);
    assert_eq!(refusal(cancel(&mut memory, 99, ALICE, 1)).code, 2);
    assert_eq!(refusal(cancel(&mut memory, id, ALICE, 7)).code, 20);
    let (response, events) = cancel(&mut memory, id, ALICE, 2).expect("cancelled");
    assert_eq!((response.proposal_id, response.canceled_height), (1, 5));
    assert_eq!(line(events.last().expect("some")), format!("cancel_proposal sender={ALICE} proposal_id=1"));
    // Half of 101, rounded down, is burned.
    assert_eq!(balance(&memory, &address(ALICE)), 1_000_000_000 - 50);
    assert_eq!(keeper::supply(&memory, "uswing"), Ok(Int::from(2_050_001_000_u64 - 50)));
    assert_eq!(state::proposal(&memory, id), Ok(None));
    assert_eq!(end(&mut memory, 100), Vec::<String>::new());
}

#[test]
fn deposits_that_cannot_be_given_back_do_not_stop_the_chain() {
    let mut memory = chain();
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 100));
    fund(&mut memory, &module_address("gov"), 99);
    let events = end(&mut memory, 6);
    assert!(
        events[0].starts_with("proposal_deposit proposal_id=1 proposal_deposit_error=failed to refund"),
        "{events:?}"
    );
    assert_eq!(stored(&memory, id).status(), ProposalStatus::Rejected);
    assert_eq!(balance(&memory, &module_address("gov")), 99);
}
