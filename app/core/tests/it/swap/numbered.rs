//! Votes about plans with numbers: what a cancel needs to pass in time, and what swaps and plans are to each other.

use prost::Message as _;
use swing_core::{
    address::Address,
    modules::{
        consensus,
        upgrade::{self, keys, migrations},
    },
    state::State,
};
use swing_proto::swing::upgrade::v1::{
    Attestation, Migration, MsgCancelPlan, MsgSchedulePlan, MsgUpdateParams, Params, PlanStatus, QueryHistoryRequest,
    QueryHistoryResponse,
};

use super::*;

/// A chain whose votes take two blocks, expedited ones one, under the rules that version-2 brings.
fn voting(bundles: &[&str]) -> Voting {
    let mut voting = Voting::with(bundles);
    let base = voting.chain.state.clone();
    let mut state = State::new(&base);
    let versions = [("bank".to_owned(), 4), ("upgrade".to_owned(), 3)];
    upgrade::state::set_versions(&mut state, &versions.into()).expect("memory");
    consensus::state::set_app_version(&mut state, 2).expect("memory");
    migrations::to_3(&mut state).expect("memory");
    for (key, value) in state.into_changes() {
        match value {
            Some(value) => voting.chain.state.insert(key, value),
            None => voting.chain.state.remove(&key),
        };
    }
    voting
}

fn schedule(height: i64) -> Any {
    let plan = Plan { name: "version-3".to_owned(), height, ..Plan::default() };
    pack(&MsgSchedulePlan { authority: gov(), plan: Some(plan), replaces: 0 })
}

fn records(voting: &Voting) -> Vec<(u64, PlanStatus)> {
    let answer: QueryHistoryResponse =
        voting.chain.query("/swing.upgrade.v1.Query/History", &QueryHistoryRequest::default()).expect("answers");
    answer.plans.iter().map(|record| (record.id, record.status())).collect()
}

fn present(voting: &Voting) -> i64 {
    i64::try_from(voting.chain.height).expect("small")
}

#[test]
fn an_expedited_vote_takes_a_plan_back_within_the_least_notice() {
    let mut voting = voting(&[]);
    // The vote takes three blocks; when it has passed, exactly the least notice is left.
    let height = present(&voting) + 3 + 10;
    assert_eq!(voting.decide(vec![schedule(height - 1)]).status(), ProposalStatus::Failed, "a block too early");
    let height = height + 3;
    assert_eq!(voting.decide(vec![schedule(height)]).status(), ProposalStatus::Passed);
    let cancel = MsgCancelPlan { authority: gov(), id: 1, reason: "a fault was found".to_owned() };
    let result = voting.run(pack(&MsgSubmitProposal {
        messages: vec![pack(&cancel)],
        initial_deposit: vec![Coin { denom: "uswing".to_owned(), amount: "2000".to_owned() }],
        proposer: voting.alice.text(),
        title: "t".to_owned(),
        summary: "s".to_owned(),
        expedited: true,
        ..MsgSubmitProposal::default()
    }));
    assert_eq!(result.code, 0, "{}", result.log);
    voting.proposals += 1;
    voting.cast(voting.proposals);
    assert_eq!(voting.proposal(voting.proposals).status(), ProposalStatus::Passed, "in the block of its second height");
    assert_eq!(records(&voting), [(1, PlanStatus::Cancelled)]);
    assert!(present(&voting) < height - 1, "no node has stopped for it");
}

#[test]
fn an_urgent_plan_changes_the_notice_in_the_same_proposal() {
    let mut voting = voting(&[]);
    let height = present(&voting) + 5;
    let params = MsgUpdateParams { authority: gov(), params: Some(Params { notice_blocks_min: 1 }) };
    assert_eq!(voting.decide(vec![pack(&params), schedule(height)]).status(), ProposalStatus::Passed);
    assert_eq!(records(&voting), [(1, PlanStatus::Pending)]);
}

#[test]
fn a_swap_that_is_made_voids_what_was_attested_and_one_that_fails_does_not() {
    let traps = "kernel 1 1 traps";
    for (kernel, left) in [(traps, 1), (SAME, 0)] {
        let mut voting = voting(&[kernel]);
        voting.decide(vec![schedule(500)]);
        let attestation = Attestation { plan_id: 1, ..Attestation::default() }.encode_to_vec();
        voting.chain.state.insert(keys::attestation(1, &Address::new([9; 20])), attestation.into());
        voting.decide(vec![set(kernel, 0)]);
        voting.chain.block(Vec::new());
        let attested = voting.chain.state.keys().filter(|key| key.starts_with(keys::ATTESTATIONS)).count();
        assert_eq!(attested, left, "{kernel}");
        let told = voting.chain.last.events.iter().any(|event| event.kind == "void_upgrade_attestations");
        assert_eq!(told, left == 0, "{kernel}");
    }
}

#[test]
fn no_swap_is_decided_or_made_while_the_migration_of_a_module_is_under_way() {
    let mut voting = voting(&[SAME]);
    let height = present(&voting) + 6;
    voting.decide(vec![set(SAME, height)]);
    let migration = Migration { module: "bank".to_owned(), ..Migration::default() }.encode_to_vec();
    voting.chain.state.insert(keys::MIGRATION.to_vec(), migration.into());
    let result = voting.submit(vec![set(SAME, 90)]);
    assert!(result.log.contains("the migration of module bank is under way; a swap must wait"), "{}", result.log);
    while present(&voting) < height {
        voting.chain.block(Vec::new());
    }
    let [record] = voting.history().try_into().expect("one swap");
    assert_eq!(record.outcome(), SwapOutcome::Failed);
    assert!(record.reason.contains("the migration of module bank is under way"), "{}", record.reason);
}

#[test]
fn a_later_plan_is_not_held_against_the_schema_that_an_earlier_one_will_change() {
    let mut voting = voting(&[]);
    let named = |name: &str, height, info: &str| {
        let plan = Plan { name: name.to_owned(), height, info: info.to_owned(), ..Plan::default() };
        pack(&MsgSchedulePlan { authority: gov(), plan: Some(plan), replaces: 0 })
    };
    let info = r#"{"kernel_schemas":"2"}"#;
    let refused = voting.submit(vec![named("version-4", 200, info)]);
    assert!(refused.log.contains("and the kernel's would be 1"), "{}", refused.log);
    voting.decide(vec![named("version-3", 100, r#"{"kernel_schemas":"1"}"#)]);
    assert_eq!(voting.decide(vec![named("version-4", 200, info)]).status(), ProposalStatus::Passed);
}
