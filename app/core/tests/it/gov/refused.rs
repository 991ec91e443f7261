//! What is refused, with the SDK's codes and words.

use super::*;

#[track_caller]
fn check_refused(change: impl FnOnce(&mut MsgSubmitProposal), codespace: &str, code: u32, words: &str) {
    let mut memory = chain();
    let mut request = proposal(vec![upgrade_message("v", 90)], 10);
    change(&mut request);
    let before = memory.clone();
    let refused = refusal(message(&mut memory, &at(0), |context| handler::submit_proposal(context, request)));
    assert_eq!((refused.codespace, refused.code), (codespace, code), "{}", refused.log);
    assert!(refused.log.contains(words), "{}", refused.log);
    assert_eq!(memory, before);
}

#[test]
fn proposals_that_cannot_be_are_refused_with_the_sdks_codes() {
    let send = |from: &str| {
        let amount = uswing(1);
        swing_proto::pack(&MsgSend { from_address: from.to_owned(), to_address: BOB.to_owned(), amount })
    };
    check_refused(|m| m.title.clear(), "sdk", 18, "proposal title cannot be empty");
    check_refused(|m| m.summary.clear(), "sdk", 18, "proposal summary cannot be empty");
    check_refused(|m| m.proposer = "x".to_owned(), "sdk", 7, "invalid proposer address");
    check_refused(|m| m.messages.clear(), "gov", 11, "either metadata or Msgs");
    check_refused(|m| m.metadata = "x".repeat(256), "gov", 15, "got metadata with length 256");
    check_refused(|m| m.title = "x".repeat(256), "gov", 15, "got metadata with length 256");
    check_refused(|m| m.summary = "x".repeat(10_201), "gov", 22, "got summary with length 10201");
    check_refused(|m| m.metadata = r#"{"title":"other"}"#.to_owned(), "gov", 5, "metadata title 'other' must equal");
    check_refused(|m| m.messages = vec![send(ALICE)], "gov", 13, ALICE);
    let unknown = Any { type_url: "/cosmos.mint.v1beta1.MsgUpdateParams".to_owned(), value: Vec::new() };
    check_refused(|m| m.messages = vec![unknown], "gov", 10, "/cosmos.mint.v1beta1.MsgUpdateParams");
    let torn = Any { value: vec![0xff], ..upgrade_message("v", 90) };
    check_refused(|m| m.messages = vec![torn], "gov", 12, "invalid proposal message");
    check_refused(
        |m| m.initial_deposit[0].denom = "uatom".to_owned(),
        "gov",
        23,
        "deposited 10uatom, but gov accepts only the following denom(s): [uswing]",
    );
    check_refused(|m| m.initial_deposit[0].amount = "-1".to_owned(), "sdk", 10, "-1uswing");
    check_refused(|m| m.initial_deposit = uswing(2_000_000_000), "sdk", 5, "insufficient funds");
    check_refused(
        |m| m.initial_deposit.clear(),
        "gov",
        16,
        "received  but need at least one of the following: 0uswing",
    );
}

#[test]
fn an_initial_deposit_must_reach_its_share() {
    let mut memory = chain();
    let params = Params {
        min_initial_deposit_ratio: "0.55".to_owned(),
        min_deposit_ratio: "0.25".to_owned(),
        ..state::params(&memory).expect("genesis ran")
    };
    write(&mut memory, |state| state::set_params(state, &params)).expect("memory");
    let mut run = |amount| {
        let request = proposal(vec![upgrade_message("v", 90)], amount);
        message(&mut memory, &at(0), |context| handler::submit_proposal(context, request))
    };
    // 5.5 is rounded to the even 6.
    assert_eq!(refusal(run(5)).log, "was (5uswing), need (6uswing): minimum deposit is too small");
    run(6).expect("enough");
    let deposit = |amount| MsgDeposit { proposal_id: 1, depositor: BOB.to_owned(), amount: uswing(amount) };
    let refused = refusal(message(&mut memory, &at(0), |context| handler::deposit(context, &deposit(1))));
    assert_eq!(
        refused.log,
        "received 1uswing but need at least one of the following: 2uswing: minimum deposit is too small"
    );
    message(&mut memory, &at(0), |context| handler::deposit(context, &deposit(2))).expect("enough");
}

#[test]
fn votes_that_cannot_be_are_refused_with_the_sdks_codes() {
    let mut memory = chain();
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 10));
    let mut check = |options: &[(i32, &str)], code: u32, words: &str| {
        let options =
            options.iter().map(|(option, weight)| WeightedVoteOption { option: *option, weight: (*weight).to_owned() });
        let request = MsgVoteWeighted {
            proposal_id: id,
            voter: ALICE.to_owned(),
            options: options.collect(),
            metadata: String::new(),
        };
        let refused = refusal(message(&mut memory, &at(1), |context| handler::vote_weighted(context, request)));
        assert_eq!(refused.code, code, "{}", refused.log);
        assert!(refused.log.contains(words), "{}", refused.log);
    };
    check(&[], 18, "invalid request");
    check(&[(0, "1")], 7, "invalid vote option");
    check(&[(5, "1")], 7, "invalid vote option");
    check(&[(1, "x")], 7, "invalid weight");
    check(&[(1, "-1")], 7, "invalid weight");
    check(&[(1, "0"), (3, "1")], 7, "weight 0");
    check(&[(1, "0.5"), (1, "0.5")], 7, "duplicated vote option");
    check(&[(1, "0.5"), (3, "0.6")], 7, "total weight overflow 1.00");
    check(&[(1, "0.5"), (3, "0.4")], 7, "total weight lower than 1.00");
    let late = MsgVote { proposal_id: 99, voter: ALICE.to_owned(), option: 1, metadata: String::new() };
    assert_eq!(
        refusal(message(&mut memory, &at(1), |context| handler::vote(context, late))).log,
        "99: inactive proposal"
    );
}

#[track_caller]
fn check_params_refused(change: impl FnOnce(&mut Params), words: &str) {
    let mut memory = chain();
    let mut params = state::params(&memory).expect("genesis ran");
    change(&mut params);
    let request = MsgUpdateParams { authority: authority(), params: Some(params) };
    let refused = refusal(message(&mut memory, &at(0), |context| handler::update_params(context, &request)));
    assert_eq!((refused.codespace, refused.code), ("sdk", 18));
    assert!(refused.log.contains(words), "{}", refused.log);
}

#[test]
fn parameters_that_cannot_be_are_refused() {
    let seconds = |seconds| Some(Duration { seconds, nanos: 0 });
    check_params_refused(|p| p.min_deposit.clear(), "invalid minimum deposit");
    check_params_refused(|p| p.expedited_min_deposit = uswing(10), "expedited minimum deposit must be greater");
    check_params_refused(|p| p.max_deposit_period = None, "maximum deposit period must be positive");
    check_params_refused(|p| p.voting_period = seconds(0), "voting period must be positive");
    check_params_refused(|p| p.expedited_voting_period = seconds(6), "strictly less");
    check_params_refused(|p| p.quorum = "1.1".to_owned(), "quorum too large");
    check_params_refused(|p| p.quorum = "-0.1".to_owned(), "invalid quorum string");
    check_params_refused(|p| p.threshold = "0".to_owned(), "vote threshold must be positive");
    check_params_refused(|p| p.expedited_threshold = "0.5".to_owned(), "must be greater than the regular threshold");
    check_params_refused(|p| p.veto_threshold = String::new(), "invalid veto threshold string");
    check_params_refused(|p| p.proposal_cancel_dest = "x".to_owned(), "proposal cancel destination");
    let request = MsgUpdateParams { authority: ALICE.to_owned(), params: None };
    let refused = refusal(message(&mut chain(), &at(0), |context| handler::update_params(context, &request)));
    assert_eq!((refused.codespace, refused.code), ("gov", 13));
}
