//! Listing, export and genesis.

use super::*;

#[test]
fn proposals_are_listed_by_status_voter_and_depositor() {
    let mut memory = chain();
    let active = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 10));
    let waiting = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 4));
    vote(&mut memory, active, BOB, VoteOption::Yes);
    let ids = |request: QueryProposalsRequest| -> Vec<u64> {
        let answer = ask(&memory, "cosmos.gov.v1", "Proposals", &request).expect("an answer");
        let list = answer["proposals"].as_array().expect("a list").clone();
        list.iter().map(|one| one["id"].as_str().and_then(|id| id.parse().ok()).expect("a number")).collect()
    };
    let request = QueryProposalsRequest::default;
    assert_eq!(ids(request()), [active, waiting]);
    assert_eq!(
        ids(QueryProposalsRequest { proposal_status: ProposalStatus::DepositPeriod.into(), ..request() }),
        [waiting]
    );
    assert_eq!(ids(QueryProposalsRequest { voter: BOB.to_owned(), ..request() }), [active]);
    assert_eq!(ids(QueryProposalsRequest { voter: ALICE.to_owned(), ..request() }), [0_u64; 0]);
    assert_eq!(ids(QueryProposalsRequest { depositor: ALICE.to_owned(), ..request() }), [active, waiting]);
    assert!(
        ask(&memory, "cosmos.gov.v1", "Proposals", &QueryProposalsRequest { voter: "x".to_owned(), ..request() })
            .is_err()
    );
    let unknown = QueryParamsRequest { params_type: "x".to_owned() };
    assert_eq!(ask(&memory, "cosmos.gov.v1", "Params", &unknown), Err("unknown params type: x".to_owned()));
}

#[test]
fn an_export_is_a_genesis_that_goes_on_in_the_same_way() {
    let mut memory = chain();
    let active = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 10));
    submit(&mut memory, 0, proposal(vec![upgrade_message("w", 95)], 4));
    vote(&mut memory, active, ALICE, VoteOption::Yes);
    let section = genesis::export(&memory).expect("memory");
    let mut copy: Memory = memory
        .iter()
        .filter(|(key, _)| !key.starts_with(b"gov/"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    init(&mut copy, &section).expect("its own export");
    assert_eq!(copy, memory);
    for seconds in [5, 6, 9, 10] {
        assert_eq!(end(&mut copy, seconds), end(&mut memory, seconds), "second {seconds}");
    }
    assert_eq!(copy, memory);
}

#[track_caller]
fn check_genesis_refused(change: impl FnOnce(&mut Value), words: &str) {
    let mut section = parse(EXPORT)["app_state"]["gov"].clone();
    change(&mut section);
    let error = init(&mut Memory::new(), &section).expect_err("refused");
    assert!(error.contains(words), "{error}");
}

#[test]
fn a_genesis_that_cannot_be_is_refused_with_its_path() {
    check_genesis_refused(|gov| gov["extra"] = json!(1), "app_state.gov: ");
    check_genesis_refused(|gov| gov["voting_params"] = json!({"voting_period": "1s"}), "app_state.gov.voting_params");
    check_genesis_refused(|gov| gov["params"]["quorum"] = json!("2"), "app_state.gov.params: quorum too large");
    check_genesis_refused(|gov| gov["starting_proposal_id"] = json!("1"), "app_state.gov.proposals[0].id");
    let vote = json!([{"proposal_id": "1", "voter": ALICE, "options": [{"option": "VOTE_OPTION_YES", "weight": "1"}], "metadata": ""}]);
    check_genesis_refused(|gov| gov["votes"] = vote, "app_state.gov.votes[0]: proposal 1 is not voted on");
    let deposit = json!([{"proposal_id": "1", "depositor": ALICE, "amount": [{"denom": "uswing", "amount": "5"}]}]);
    check_genesis_refused(|gov| gov["deposits"] = deposit, "the gov account has , its deposits are 5uswing");
}

#[test]
fn the_default_section_is_valid() {
    let mut memory = Memory::new();
    init(&mut memory, &genesis::default()).expect("the default section");
    assert_eq!(state::next_id(&memory), Ok(1));
}
