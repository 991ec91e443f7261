//! What votes decide.

use super::*;

#[test]
fn a_delegators_own_vote_counts_instead_of_the_validators() {
    let mut memory = chain();
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 10));
    vote(&mut memory, id, ALICE, VoteOption::Yes);
    vote(&mut memory, id, BOB, VoteOption::No);
    // The last vote of an account is the one that counts.
    vote(&mut memory, id, BOB, VoteOption::Abstain);
    let present = ask(&memory, "cosmos.gov.v1", "TallyResult", &QueryTallyResultRequest { proposal_id: id });
    assert_eq!(present.expect("an answer")["tally"]["abstain_count"], json!("1000"));
    let vote = QueryVoteRequest { proposal_id: id, voter: BOB.to_owned() };
    let shown = ask(&memory, "cosmos.gov.v1", "Vote", &vote).expect("there is one");
    assert_eq!(shown["vote"]["options"], json!([{"option": "VOTE_OPTION_ABSTAIN", "weight": "1.000000000000000000"}]));
    end(&mut memory, 6);
    assert_eq!(counts(&memory, id), ["50000000", "1000", "0", "0"]);
    assert_eq!(stored(&memory, id).status(), ProposalStatus::Passed);
}

/// Runs one proposal to its end with these votes and this change of the parameters; gives status and burned coins.
fn outcome(votes: &[(&str, VoteOption)], change: impl FnOnce(&mut Params)) -> (ProposalStatus, u64) {
    let mut memory = chain();
    let mut params = state::params(&memory).expect("genesis ran");
    change(&mut params);
    write(&mut memory, |state| state::set_params(state, &params)).expect("memory");
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 1_000));
    for (voter, option) in votes {
        vote(&mut memory, id, voter, *option);
    }
    let before = keeper::supply(&memory, "uswing").expect("memory");
    end(&mut memory, 6);
    let burned = before.sub(keeper::supply(&memory, "uswing").expect("memory")).expect("nothing is minted");
    assert_eq!(balance(&memory, &module_address("gov")), 0);
    assert_eq!(balance(&memory, &address(ALICE)), 1_000_000_000 - burned.to_u64().expect("small"));
    assert!(state::votes(&memory, &gov::keys::votes(id)).expect("memory").is_empty());
    (stored(&memory, id).status(), burned.to_u64().expect("small"))
}

#[test]
fn quorum_threshold_and_veto_decide_as_in_the_sdk() {
    use ProposalStatus::{Passed, Rejected};
    let as_is = |_: &mut Params| {};
    assert_eq!(outcome(&[(ALICE, VoteOption::Yes)], as_is), (Passed, 0));
    assert_eq!(outcome(&[(ALICE, VoteOption::No)], as_is), (Rejected, 0));
    // Nobody, or too few.
    assert_eq!(outcome(&[], as_is), (Rejected, 0));
    assert_eq!(outcome(&[(BOB, VoteOption::Yes)], as_is), (Rejected, 0));
    assert_eq!(outcome(&[(BOB, VoteOption::Yes)], |params| params.burn_vote_quorum = true), (Rejected, 1_000));
    // Everybody abstains.
    assert_eq!(outcome(&[(ALICE, VoteOption::Abstain)], as_is), (Rejected, 0));
    // Abstaining counts for the quorum and not for the threshold.
    assert_eq!(outcome(&[(ALICE, VoteOption::Abstain), (BOB, VoteOption::Yes)], as_is), (Passed, 0));
    assert_eq!(outcome(&[(ALICE, VoteOption::NoWithVeto)], as_is), (Rejected, 1_000));
    assert_eq!(outcome(&[(ALICE, VoteOption::NoWithVeto)], |params| params.burn_vote_veto = false), (Rejected, 0));
    assert_eq!(outcome(&[(ALICE, VoteOption::Yes), (BOB, VoteOption::NoWithVeto)], as_is), (Passed, 0));
}

#[test]
fn exactly_half_does_not_pass() {
    let mut memory = chain();
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 10));
    let half = |option: VoteOption| WeightedVoteOption { option: option.into(), weight: "0.5".to_owned() };
    let request = MsgVoteWeighted {
        proposal_id: id,
        voter: ALICE.to_owned(),
        options: vec![half(VoteOption::Yes), half(VoteOption::No)],
        metadata: String::new(),
    };
    message(&mut memory, &at(1), |context| handler::vote_weighted(context, request)).expect("voted");
    end(&mut memory, 6);
    assert_eq!(stored(&memory, id).status(), ProposalStatus::Rejected);
    assert_eq!(stored(&memory, id).failed_reason, "proposal did not get enough votes to pass");
    assert_eq!(counts(&memory, id), ["25000500", "0", "25000500", "0"]);
}

#[test]
fn wallets_may_vote_and_deposit_with_the_messages_of_v1beta1() {
    let mut memory = chain();
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 4));
    let mut run = |any: Any| message(&mut memory, &at(1), |context| router::handle(context, &any));
    let deposit = v1beta1::MsgDeposit { proposal_id: id, depositor: BOB.to_owned(), amount: uswing(6) };
    let (response, _) = run(swing_proto::pack(&deposit)).expect("taken");
    assert_eq!(response.type_url, "/cosmos.gov.v1beta1.MsgDepositResponse");
    let half = |option| v1beta1::WeightedVoteOption { option, weight: "500000000000000000".to_owned() };
    let split = v1beta1::MsgVoteWeighted { proposal_id: id, voter: ALICE.to_owned(), options: vec![half(1), half(3)] };
    let (_, events) = run(swing_proto::pack(&split)).expect("voted");
    let expected = r#"[{"option":1,"weight":"0.500000000000000000"},{"option":3,"weight":"0.500000000000000000"}]"#;
    assert!(line(&events[0]).contains(expected), "{events:?}");
    let vote = v1beta1::MsgVote { proposal_id: id, voter: ALICE.to_owned(), option: 1 };
    run(swing_proto::pack(&vote)).expect("voted");
    end(&mut memory, 7);
    assert_eq!(stored(&memory, id).status(), ProposalStatus::Passed);
}

#[test]
fn a_vote_of_a_validator_without_shares_counts_for_nothing_and_ends_no_block() {
    let mut memory = chain();
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 10));
    vote(&mut memory, id, ALICE, VoteOption::Yes);
    let before = staking::state::bonded_validators(&memory).expect("memory").remove(0);
    let now = staking::validator::Validator { tokens: Int::from(0_u64), shares: Dec::ZERO, ..before.clone() };
    write(&mut memory, |state| {
        staking::state::set_delegation(state, &address(ALICE), &before.operator, Dec::ZERO)?;
        staking::state::set_validator(state, Some(&before), &now)
    })
    .expect("memory");
    end(&mut memory, 6);
    assert_eq!(counts(&memory, id), ["0", "0", "0", "0"]);
    assert_eq!(stored(&memory, id).status(), ProposalStatus::Rejected);
}
