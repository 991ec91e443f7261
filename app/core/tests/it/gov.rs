//! Governance: the recorded proposal from submission to the scheduled plan, tallies, deposits, expedited proposals, export.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost::Message;
use serde_json::{Value, json};
use swing_core::{
    address::{Address, module_address},
    block::Time,
    error::Rejected,
    event::Event,
    math::Int,
    modules::{
        BlockContext, GenesisContext, QueryContext,
        bank::{self, keeper},
        gov::{self, genesis, handler, query, state},
        staking, upgrade,
    },
    router,
    state::State,
};
use swing_proto::{
    cosmos::{
        bank::v1beta1::MsgSend,
        gov::{
            v1::{
                MsgCancelProposal, MsgDeposit, MsgSubmitProposal, MsgUpdateParams, MsgVote, MsgVoteWeighted, Params,
                Proposal, ProposalStatus, QueryParamsRequest, QueryProposalRequest, QueryProposalsRequest,
                QueryTallyResultRequest, QueryVoteRequest, QueryVotesRequest, VoteOption, WeightedVoteOption,
            },
            v1beta1,
        },
        tx::v1beta1::{TxBody, TxRaw},
        upgrade::v1beta1::{MsgSoftwareUpgrade, Plan},
    },
    google::protobuf::{Any, Duration, Timestamp},
};

use crate::support::{Memory, NoEngine, TestRelease, block, commit, gov as authority, line, message, refusal, write};

const ALICE: &str = "swing19rl4cm2hmr8afy4kldpxz3fka4jguq0aptwtvd";
const BOB: &str = "swing1avgyh77ycn997ja45q5q8ss8y9mr424ja3p9xe";
const EXPORT: &str = include_str!("../../../../tests/vectors/export.json");
const GENESIS: &str = include_str!("../../../../tests/vectors/genesis.json");

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}

fn fund(memory: &mut Memory, to: &Address, amount: u64) {
    let bytes = Int::from(amount).to_be_bytes_trimmed();
    write(memory, |state| state.set(bank::keys::balance(to, "uswing"), bytes)).expect("memory");
}

fn balance(memory: &Memory, of: &Address) -> u64 {
    keeper::balance(memory, of, "uswing")
        .expect("memory")
        .to_u64()
        .expect("small")
}

fn init(memory: &mut Memory, section: &Value) -> Result<(), String> {
    let (mut engine, release, block) = (NoEngine, TestRelease::default(), block(0));
    let mut state = State::new(memory);
    let mut context = GenesisContext {
        state: &mut state,
        block: &block,
        engine: &mut engine,
        release: &release,
    };
    genesis::init(&mut context, section).map_err(|error| error.to_string())?;
    let changes = state.into_changes();
    commit(memory, changes);
    Ok(())
}

/// The recorded chain's governance over its one validator: 50,001,000 tokens, 1,000 of them bob's.
fn chain() -> Memory {
    let mut memory = Memory::new();
    fund(&mut memory, &address(ALICE), 1_000_000_000);
    fund(&mut memory, &address(BOB), 1_000_000_000);
    fund(&mut memory, &module_address("bonded_tokens_pool"), 50_001_000);
    write(&mut memory, |state| {
        state.set(
            bank::keys::supply("uswing"),
            Int::from(2_050_001_000_u64).to_be_bytes_trimmed(),
        )
    })
    .expect("memory");
    let (mut engine, release, start) = (NoEngine, TestRelease::default(), block(0));
    let mut state = State::new(&memory);
    let mut context = GenesisContext {
        state: &mut state,
        block: &start,
        engine: &mut engine,
        release: &release,
    };
    staking::genesis::init(&mut context, &parse(EXPORT)["app_state"]["staking"]).expect("an SDK export");
    let changes = state.into_changes();
    commit(&mut memory, changes);
    init(&mut memory, &parse(GENESIS)["app_state"]["gov"]).expect("an SDK genesis");
    memory
}

fn at(seconds: i64) -> BlockContext {
    BlockContext {
        time: Time {
            seconds: 1_700_000_000 + seconds,
            nanos: 0,
        },
        ..block(5)
    }
}

fn uswing(amount: u64) -> Vec<swing_proto::cosmos::base::v1beta1::Coin> {
    vec![swing_proto::cosmos::base::v1beta1::Coin {
        denom: "uswing".to_owned(),
        amount: amount.to_string(),
    }]
}

fn upgrade_message(name: &str, height: i64) -> Any {
    // Clients of the SDK send Go's zero time.
    let time = Some(Timestamp {
        seconds: -62_135_596_800,
        nanos: 0,
    });
    let plan = Plan {
        name: name.to_owned(),
        time,
        height,
        ..Plan::default()
    };
    swing_proto::pack(&MsgSoftwareUpgrade {
        authority: authority(),
        plan: Some(plan),
    })
}

fn proposal(messages: Vec<Any>, deposit: u64) -> MsgSubmitProposal {
    MsgSubmitProposal {
        messages,
        initial_deposit: uswing(deposit),
        proposer: ALICE.to_owned(),
        title: "t".to_owned(),
        summary: "s".to_owned(),
        ..MsgSubmitProposal::default()
    }
}

#[track_caller]
fn submit(memory: &mut Memory, seconds: i64, request: MsgSubmitProposal) -> u64 {
    message(memory, &at(seconds), |context| {
        handler::submit_proposal(context, request)
    })
    .expect("submitted")
    .0
    .proposal_id
}

#[track_caller]
fn vote(memory: &mut Memory, proposal_id: u64, voter: &str, option: VoteOption) {
    let request = MsgVote {
        proposal_id,
        voter: voter.to_owned(),
        option: option.into(),
        metadata: String::new(),
    };
    message(memory, &at(1), |context| handler::vote(context, request)).expect("voted");
}

#[track_caller]
fn end(memory: &mut Memory, seconds: i64) -> Vec<String> {
    end_at(memory, at(seconds).time)
}

#[track_caller]
fn end_at(memory: &mut Memory, time: Time) -> Vec<String> {
    let mut engine = NoEngine;
    let mut state = State::new(memory);
    let start = state.mark();
    gov::end_block(&mut state, &BlockContext { time, ..block(33) }, &mut engine).expect("no fault");
    let events = state.take_events(start).iter().map(line).collect();
    let changes = state.into_changes();
    commit(memory, changes);
    events
}

fn stored(memory: &Memory, id: u64) -> Proposal {
    state::proposal(memory, id).expect("memory").expect("a proposal")
}

fn counts(memory: &Memory, id: u64) -> [String; 4] {
    let result = stored(memory, id).final_tally_result.expect("set since submission");
    [
        result.yes_count,
        result.abstain_count,
        result.no_count,
        result.no_with_veto_count,
    ]
}

// ---- the recorded transactions ----

struct Recorded {
    messages: Vec<Any>,
    time: Time,
    events: Vec<String>,
}

/// A recorded transaction: its messages, its block's time and its messages' own events.
fn recorded(name: &str, time: (i64, u32)) -> Recorded {
    let all = parse(include_str!("../../../../tests/vectors/txs.json"));
    let one = all
        .as_array()
        .and_then(|all| all.iter().find(|one| one["name"] == name))
        .expect("recorded");
    let raw = STANDARD
        .decode(one["tx_base64"].as_str().expect("text"))
        .expect("base64");
    let raw = TxRaw::decode(raw.as_slice()).expect("a transaction");
    let body = TxBody::decode(raw.body_bytes.as_slice()).expect("a body");
    let events = one["result"]["events"].as_array().expect("a list");
    let own = |event: &&Value| {
        event["attributes"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["key"] == "msg_index"))
    };
    let lines = events.iter().filter(own).skip(1).map(|event| {
        let attributes = event["attributes"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|one| one["key"] != "msg_index");
        let attributes = attributes.map(|one| {
            (
                one["key"].as_str().unwrap_or_default().to_owned(),
                one["value"].as_str().unwrap_or_default().to_owned(),
            )
        });
        line(&Event {
            kind: event["type"].as_str().unwrap_or_default().to_owned(),
            attributes: attributes.collect(),
        })
    });
    Recorded {
        messages: body.messages,
        time: Time {
            seconds: time.0,
            nanos: time.1,
        },
        events: lines.collect(),
    }
}

#[track_caller]
fn replay(memory: &mut Memory, recorded: &Recorded) {
    let block = BlockContext {
        time: recorded.time,
        ..block(20)
    };
    let (_, events) =
        message(memory, &block, |context| router::handle(context, &recorded.messages[0])).expect("code 0");
    assert_eq!(events.iter().map(line).collect::<Vec<_>>(), recorded.events);
}

fn rest(path: &str) -> Value {
    let all = parse(include_str!("../../../../tests/vectors/rest.json"));
    all.as_array()
        .and_then(|all| all.iter().find(|one| one["path"] == path))
        .expect("recorded")["body"]
        .clone()
}

#[track_caller]
fn ask(memory: &Memory, package: &str, method: &str, request: &impl Message) -> Result<Value, String> {
    let (block, path) = (at(100), format!("/{package}.Query/{method}"));
    let context = QueryContext {
        state: memory,
        block: &block,
    };
    let bytes = query::query(&context, &path, &request.encode_to_vec()).map_err(|error| error.message)?;
    let response = format!("{package}.Query{method}Response");
    Ok(swing_proto::json::wire_to_json(&response, &bytes).expect("its own encoding"))
}

#[test]
fn the_recorded_proposal_runs_as_recorded_and_schedules_the_plan() {
    let mut memory = chain();
    // 2026-11-23T11:34:29.290200764Z
    let submitted = (1_795_433_669, 290_200_764);
    replay(&mut memory, &recorded("submit", submitted));
    replay(&mut memory, &recorded("vote", (submitted.0 + 1, 0)));
    replay(&mut memory, &recorded("weighted", (submitted.0 + 1, 5)));

    let ends = Time {
        seconds: submitted.0 + 6,
        nanos: submitted.1,
    };
    let just_before = Time {
        nanos: submitted.1 - 1,
        ..ends
    };
    assert_eq!(end_at(&mut memory, just_before), Vec::<String>::new());
    let events = end_at(&mut memory, ends);
    assert_eq!(
        events.last().expect("some"),
        "active_proposal proposal_id=1 proposal_result=proposal_passed proposal_log=passed"
    );
    assert!(
        events
            .iter()
            .any(|event| event == "schedule_upgrade name=version-2 height=76"),
        "{events:?}"
    );
    check_as_recorded(&memory);
}

/// Export and REST bodies after the recorded proposal.
#[track_caller]
fn check_as_recorded(memory: &Memory) {
    assert_eq!(
        genesis::export(memory).expect("memory"),
        parse(EXPORT)["app_state"]["gov"]
    );
    assert_eq!(
        upgrade::state::plan(memory).expect("memory").map(|plan| plan.height),
        Some(76)
    );
    let one = QueryProposalRequest { proposal_id: 1 };
    assert_eq!(
        ask(memory, "cosmos.gov.v1", "Proposal", &one),
        Ok(rest("/cosmos/gov/v1/proposals/1"))
    );
    assert_eq!(
        ask(memory, "cosmos.gov.v1beta1", "Proposal", &one),
        Ok(rest("/cosmos/gov/v1beta1/proposals/1"))
    );
    let tally = QueryTallyResultRequest { proposal_id: 1 };
    assert_eq!(
        ask(memory, "cosmos.gov.v1", "TallyResult", &tally),
        Ok(rest("/cosmos/gov/v1/proposals/1/tally"))
    );
    let votes = QueryVotesRequest {
        proposal_id: 1,
        pagination: None,
    };
    assert_eq!(
        ask(memory, "cosmos.gov.v1", "Votes", &votes),
        Ok(rest("/cosmos/gov/v1/proposals/1/votes"))
    );
    let voting = QueryParamsRequest {
        params_type: "voting".to_owned(),
    };
    assert_eq!(
        ask(memory, "cosmos.gov.v1", "Params", &voting),
        Ok(rest("/cosmos/gov/v1/params/voting"))
    );
    let none = ask(
        memory,
        "cosmos.gov.v1",
        "Proposal",
        &QueryProposalRequest { proposal_id: 99 },
    );
    assert_eq!(none, Err("proposal 99 doesn't exist".to_owned()));
}

// ---- tallies ----

#[test]
fn a_delegators_own_vote_counts_instead_of_the_validators() {
    let mut memory = chain();
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 10));
    vote(&mut memory, id, ALICE, VoteOption::Yes);
    vote(&mut memory, id, BOB, VoteOption::No);
    // The last vote of an account is the one that counts.
    vote(&mut memory, id, BOB, VoteOption::Abstain);
    let present = ask(
        &memory,
        "cosmos.gov.v1",
        "TallyResult",
        &QueryTallyResultRequest { proposal_id: id },
    );
    assert_eq!(present.expect("an answer")["tally"]["abstain_count"], json!("1000"));
    let vote = QueryVoteRequest {
        proposal_id: id,
        voter: BOB.to_owned(),
    };
    let shown = ask(&memory, "cosmos.gov.v1", "Vote", &vote).expect("there is one");
    assert_eq!(
        shown["vote"]["options"],
        json!([{"option": "VOTE_OPTION_ABSTAIN", "weight": "1.000000000000000000"}])
    );
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
    let burned = before
        .sub(keeper::supply(&memory, "uswing").expect("memory"))
        .expect("nothing is minted");
    assert_eq!(balance(&memory, &module_address("gov")), 0);
    assert_eq!(
        balance(&memory, &address(ALICE)),
        1_000_000_000 - burned.to_u64().expect("small")
    );
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
    assert_eq!(
        outcome(&[(BOB, VoteOption::Yes)], |params| params.burn_vote_quorum = true),
        (Rejected, 1_000)
    );
    // Everybody abstains.
    assert_eq!(outcome(&[(ALICE, VoteOption::Abstain)], as_is), (Rejected, 0));
    // Abstaining counts for the quorum and not for the threshold.
    assert_eq!(
        outcome(&[(ALICE, VoteOption::Abstain), (BOB, VoteOption::Yes)], as_is),
        (Passed, 0)
    );
    assert_eq!(outcome(&[(ALICE, VoteOption::NoWithVeto)], as_is), (Rejected, 1_000));
    assert_eq!(
        outcome(&[(ALICE, VoteOption::NoWithVeto)], |params| params.burn_vote_veto =
            false),
        (Rejected, 0)
    );
    assert_eq!(
        outcome(&[(ALICE, VoteOption::Yes), (BOB, VoteOption::NoWithVeto)], as_is),
        (Passed, 0)
    );
}

#[test]
fn exactly_half_does_not_pass() {
    let mut memory = chain();
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 10));
    let half = |option: VoteOption| WeightedVoteOption {
        option: option.into(),
        weight: "0.5".to_owned(),
    };
    let request = MsgVoteWeighted {
        proposal_id: id,
        voter: ALICE.to_owned(),
        options: vec![half(VoteOption::Yes), half(VoteOption::No)],
        metadata: String::new(),
    };
    message(&mut memory, &at(1), |context| handler::vote_weighted(context, request)).expect("voted");
    end(&mut memory, 6);
    assert_eq!(stored(&memory, id).status(), ProposalStatus::Rejected);
    assert_eq!(
        stored(&memory, id).failed_reason,
        "proposal did not get enough votes to pass"
    );
    assert_eq!(counts(&memory, id), ["25000500", "0", "25000500", "0"]);
}

#[test]
fn wallets_may_vote_and_deposit_with_the_messages_of_v1beta1() {
    let mut memory = chain();
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 4));
    let mut run = |any: Any| message(&mut memory, &at(1), |context| router::handle(context, &any));
    let deposit = v1beta1::MsgDeposit {
        proposal_id: id,
        depositor: BOB.to_owned(),
        amount: uswing(6),
    };
    let (response, _) = run(swing_proto::pack(&deposit)).expect("taken");
    assert_eq!(response.type_url, "/cosmos.gov.v1beta1.MsgDepositResponse");
    let half = |option| v1beta1::WeightedVoteOption {
        option,
        weight: "500000000000000000".to_owned(),
    };
    let split = v1beta1::MsgVoteWeighted {
        proposal_id: id,
        voter: ALICE.to_owned(),
        options: vec![half(1), half(3)],
    };
    let (_, events) = run(swing_proto::pack(&split)).expect("voted");
    let expected = r#"[{"option":1,"weight":"0.500000000000000000"},{"option":3,"weight":"0.500000000000000000"}]"#;
    assert!(line(&events[0]).contains(expected), "{events:?}");
    let vote = v1beta1::MsgVote {
        proposal_id: id,
        voter: ALICE.to_owned(),
        option: 1,
    };
    run(swing_proto::pack(&vote)).expect("voted");
    end(&mut memory, 7);
    assert_eq!(stored(&memory, id).status(), ProposalStatus::Passed);
}

// ---- the life of a proposal ----

#[test]
fn messages_take_effect_all_together_or_not_at_all() {
    let mut memory = chain();
    let id = submit(
        &mut memory,
        0,
        proposal(vec![upgrade_message("v", 90), upgrade_message("", 91)], 10),
    );
    vote(&mut memory, id, ALICE, VoteOption::Yes);
    let events = end(&mut memory, 6);
    assert_eq!(
        events.last().expect("some"),
        "active_proposal proposal_id=1 proposal_result=proposal_failed proposal_log=passed, but msg 1 \
         (/cosmos.upgrade.v1beta1.MsgSoftwareUpgrade) failed on execution: plan: name cannot be empty: invalid request"
    );
    assert!(
        !events.iter().any(|event| event.starts_with("schedule_upgrade")),
        "{events:?}"
    );
    assert_eq!(upgrade::state::plan(&memory), Ok(None));
    assert_eq!(stored(&memory, id).status(), ProposalStatus::Failed);
    assert_eq!(
        stored(&memory, id).failed_reason,
        "plan: name cannot be empty: invalid request"
    );
    assert_eq!(balance(&memory, &module_address("gov")), 0);
}

#[test]
fn voting_begins_with_the_minimum_deposit_and_ends_after_its_own_period() {
    let mut memory = chain();
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 4));
    assert_eq!(stored(&memory, id).status(), ProposalStatus::DepositPeriod);
    let too_soon = MsgVote {
        proposal_id: id,
        voter: ALICE.to_owned(),
        option: 1,
        metadata: String::new(),
    };
    let refused = refusal(message(&mut memory, &at(1), |context| handler::vote(context, too_soon)));
    assert_eq!(
        refused,
        Rejected {
            codespace: "gov",
            code: 3,
            log: "1: inactive proposal".to_owned()
        }
    );
    let deposit = MsgDeposit {
        proposal_id: id,
        depositor: BOB.to_owned(),
        amount: uswing(6),
    };
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
    assert_eq!(
        stored(&memory, id).voting_end_time,
        Some(Timestamp {
            seconds: 1_700_000_015,
            nanos: 0
        })
    );
    assert_eq!(end(&mut memory, 15).len(), 9);
    assert_eq!(
        (balance(&memory, &address(ALICE)), balance(&memory, &address(BOB))),
        (1_000_000_000, 1_000_000_000)
    );
}

#[test]
fn a_proposal_without_enough_deposits_is_dropped_and_refunded_or_burned() {
    for (burn, left) in [(false, 1_000_000_000), (true, 999_999_996)] {
        let mut memory = chain();
        let params = Params {
            burn_proposal_deposit_prevote: burn,
            ..state::params(&memory).expect("genesis ran")
        };
        write(&mut memory, |state| state::set_params(state, &params)).expect("memory");
        let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 4));
        assert_eq!(end(&mut memory, 9), Vec::<String>::new());
        let events = end(&mut memory, 10);
        assert_eq!(
            events.last().expect("some"),
            "inactive_proposal proposal_id=1 proposal_result=proposal_dropped"
        );
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
    assert_eq!(
        (converted.status(), converted.expedited),
        (ProposalStatus::VotingPeriod, false)
    );
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
    let deposit = MsgDeposit {
        proposal_id: id,
        depositor: BOB.to_owned(),
        amount: uswing(49_500_000),
    };
    message(&mut memory, &at(0), |context| handler::deposit(context, &deposit)).expect("taken");
    let split = |option: VoteOption, weight: &str| WeightedVoteOption {
        option: option.into(),
        weight: weight.to_owned(),
    };
    let request = MsgVoteWeighted {
        proposal_id: id,
        voter: ALICE.to_owned(),
        options: vec![split(VoteOption::Yes, "0.6"), split(VoteOption::No, "0.4")],
        metadata: String::new(),
    };
    message(&mut memory, &at(1), |context| handler::vote_weighted(context, request)).expect("voted");
    end(&mut memory, 3);
    assert!(
        !stored(&memory, id).expedited,
        "six tenths are too few for an expedited one"
    );
}

#[test]
fn cancelling_charges_the_deposits_and_is_the_proposers_alone() {
    let mut memory = chain();
    let id = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 101));
    vote(&mut memory, id, BOB, VoteOption::Yes);
    let cancel = |memory: &mut Memory, id: u64, proposer: &str, seconds| {
        let request = MsgCancelProposal {
            proposal_id: id,
            proposer: proposer.to_owned(),
        };
        message(memory, &at(seconds), |context| {
            handler::cancel_proposal(context, &request)
        })
    };
    assert_eq!(refusal(cancel(&mut memory, id, BOB, 1)).code, 18);
    assert_eq!(refusal(cancel(&mut memory, 99, ALICE, 1)).code, 2);
    assert_eq!(refusal(cancel(&mut memory, id, ALICE, 7)).code, 20);
    let (response, events) = cancel(&mut memory, id, ALICE, 2).expect("cancelled");
    assert_eq!((response.proposal_id, response.canceled_height), (1, 5));
    assert_eq!(
        line(events.last().expect("some")),
        format!("cancel_proposal sender={ALICE} proposal_id=1")
    );
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

// ---- refusals ----

#[track_caller]
fn check_refused(change: impl FnOnce(&mut MsgSubmitProposal), codespace: &str, code: u32, words: &str) {
    let mut memory = chain();
    let mut request = proposal(vec![upgrade_message("v", 90)], 10);
    change(&mut request);
    let before = memory.clone();
    let refused = refusal(message(&mut memory, &at(0), |context| {
        handler::submit_proposal(context, request)
    }));
    assert_eq!((refused.codespace, refused.code), (codespace, code), "{}", refused.log);
    assert!(refused.log.contains(words), "{}", refused.log);
    assert_eq!(memory, before);
}

#[test]
fn proposals_that_cannot_be_are_refused_with_the_sdks_codes() {
    let send = |from: &str| {
        let amount = uswing(1);
        swing_proto::pack(&MsgSend {
            from_address: from.to_owned(),
            to_address: BOB.to_owned(),
            amount,
        })
    };
    check_refused(|m| m.title.clear(), "sdk", 18, "proposal title cannot be empty");
    check_refused(|m| m.summary.clear(), "sdk", 18, "proposal summary cannot be empty");
    check_refused(|m| m.proposer = "x".to_owned(), "sdk", 7, "invalid proposer address");
    check_refused(|m| m.messages.clear(), "gov", 11, "either metadata or Msgs");
    check_refused(
        |m| m.metadata = "x".repeat(256),
        "gov",
        15,
        "got metadata with length 256",
    );
    check_refused(|m| m.title = "x".repeat(256), "gov", 15, "got metadata with length 256");
    check_refused(
        |m| m.summary = "x".repeat(10_201),
        "gov",
        22,
        "got summary with length 10201",
    );
    check_refused(
        |m| m.metadata = r#"{"title":"other"}"#.to_owned(),
        "gov",
        5,
        "metadata title 'other' must equal",
    );
    check_refused(|m| m.messages = vec![send(ALICE)], "gov", 13, ALICE);
    let unknown = Any {
        type_url: "/cosmos.mint.v1beta1.MsgUpdateParams".to_owned(),
        value: Vec::new(),
    };
    check_refused(
        |m| m.messages = vec![unknown],
        "gov",
        10,
        "/cosmos.mint.v1beta1.MsgUpdateParams",
    );
    let torn = Any {
        value: vec![0xff],
        ..upgrade_message("v", 90)
    };
    check_refused(|m| m.messages = vec![torn], "gov", 12, "invalid proposal message");
    check_refused(
        |m| m.initial_deposit[0].denom = "uatom".to_owned(),
        "gov",
        23,
        "deposited 10uatom, but gov accepts only the following denom(s): [uswing]",
    );
    check_refused(|m| m.initial_deposit[0].amount = "-1".to_owned(), "sdk", 10, "-1uswing");
    check_refused(
        |m| m.initial_deposit = uswing(2_000_000_000),
        "sdk",
        5,
        "insufficient funds",
    );
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
        message(&mut memory, &at(0), |context| {
            handler::submit_proposal(context, request)
        })
    };
    // 5.5 is rounded to the even 6.
    assert_eq!(
        refusal(run(5)).log,
        "was (5uswing), need (6uswing): minimum deposit is too small"
    );
    run(6).expect("enough");
    let deposit = |amount| MsgDeposit {
        proposal_id: 1,
        depositor: BOB.to_owned(),
        amount: uswing(amount),
    };
    let refused = refusal(message(&mut memory, &at(0), |context| {
        handler::deposit(context, &deposit(1))
    }));
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
        let options = options.iter().map(|(option, weight)| WeightedVoteOption {
            option: *option,
            weight: (*weight).to_owned(),
        });
        let request = MsgVoteWeighted {
            proposal_id: id,
            voter: ALICE.to_owned(),
            options: options.collect(),
            metadata: String::new(),
        };
        let refused = refusal(message(&mut memory, &at(1), |context| {
            handler::vote_weighted(context, request)
        }));
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
    let late = MsgVote {
        proposal_id: 99,
        voter: ALICE.to_owned(),
        option: 1,
        metadata: String::new(),
    };
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
    let request = MsgUpdateParams {
        authority: authority(),
        params: Some(params),
    };
    let refused = refusal(message(&mut memory, &at(0), |context| {
        handler::update_params(context, &request)
    }));
    assert_eq!((refused.codespace, refused.code), ("sdk", 18));
    assert!(refused.log.contains(words), "{}", refused.log);
}

#[test]
fn parameters_that_cannot_be_are_refused() {
    let seconds = |seconds| Some(Duration { seconds, nanos: 0 });
    check_params_refused(|p| p.min_deposit.clear(), "invalid minimum deposit");
    check_params_refused(
        |p| p.expedited_min_deposit = uswing(10),
        "expedited minimum deposit must be greater",
    );
    check_params_refused(
        |p| p.max_deposit_period = None,
        "maximum deposit period must be positive",
    );
    check_params_refused(|p| p.voting_period = seconds(0), "voting period must be positive");
    check_params_refused(|p| p.expedited_voting_period = seconds(6), "strictly less");
    check_params_refused(|p| p.quorum = "1.1".to_owned(), "quorum too large");
    check_params_refused(|p| p.quorum = "-0.1".to_owned(), "invalid quorum string");
    check_params_refused(|p| p.threshold = "0".to_owned(), "vote threshold must be positive");
    check_params_refused(
        |p| p.expedited_threshold = "0.5".to_owned(),
        "must be greater than the regular threshold",
    );
    check_params_refused(|p| p.veto_threshold = String::new(), "invalid veto threshold string");
    check_params_refused(
        |p| p.proposal_cancel_dest = "x".to_owned(),
        "proposal cancel destination",
    );
    let request = MsgUpdateParams {
        authority: ALICE.to_owned(),
        params: None,
    };
    let refused = refusal(message(&mut chain(), &at(0), |context| {
        handler::update_params(context, &request)
    }));
    assert_eq!((refused.codespace, refused.code), ("gov", 13));
}

// ---- queries and genesis ----

#[test]
fn proposals_are_listed_by_status_voter_and_depositor() {
    let mut memory = chain();
    let active = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 10));
    let waiting = submit(&mut memory, 0, proposal(vec![upgrade_message("v", 90)], 4));
    vote(&mut memory, active, BOB, VoteOption::Yes);
    let ids = |request: QueryProposalsRequest| -> Vec<u64> {
        let answer = ask(&memory, "cosmos.gov.v1", "Proposals", &request).expect("an answer");
        let list = answer["proposals"].as_array().expect("a list").clone();
        list.iter()
            .map(|one| one["id"].as_str().and_then(|id| id.parse().ok()).expect("a number"))
            .collect()
    };
    let request = QueryProposalsRequest::default;
    assert_eq!(ids(request()), [active, waiting]);
    assert_eq!(
        ids(QueryProposalsRequest {
            proposal_status: ProposalStatus::DepositPeriod.into(),
            ..request()
        }),
        [waiting]
    );
    assert_eq!(
        ids(QueryProposalsRequest {
            voter: BOB.to_owned(),
            ..request()
        }),
        [active]
    );
    assert_eq!(
        ids(QueryProposalsRequest {
            voter: ALICE.to_owned(),
            ..request()
        }),
        [0_u64; 0]
    );
    assert_eq!(
        ids(QueryProposalsRequest {
            depositor: ALICE.to_owned(),
            ..request()
        }),
        [active, waiting]
    );
    assert!(
        ask(
            &memory,
            "cosmos.gov.v1",
            "Proposals",
            &QueryProposalsRequest {
                voter: "x".to_owned(),
                ..request()
            }
        )
        .is_err()
    );
    let unknown = QueryParamsRequest {
        params_type: "x".to_owned(),
    };
    assert_eq!(
        ask(&memory, "cosmos.gov.v1", "Params", &unknown),
        Err("unknown params type: x".to_owned())
    );
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
    check_genesis_refused(
        |gov| gov["voting_params"] = json!({"voting_period": "1s"}),
        "app_state.gov.voting_params",
    );
    check_genesis_refused(
        |gov| gov["params"]["quorum"] = json!("2"),
        "app_state.gov.params: quorum too large",
    );
    check_genesis_refused(
        |gov| gov["starting_proposal_id"] = json!("1"),
        "app_state.gov.proposals[0].id",
    );
    let vote = json!([{"proposal_id": "1", "voter": ALICE, "options": [{"option": "VOTE_OPTION_YES", "weight": "1"}], "metadata": ""}]);
    check_genesis_refused(
        |gov| gov["votes"] = vote,
        "app_state.gov.votes[0]: proposal 1 is not voted on",
    );
    let deposit = json!([{"proposal_id": "1", "depositor": ALICE, "amount": [{"denom": "uswing", "amount": "5"}]}]);
    check_genesis_refused(
        |gov| gov["deposits"] = deposit,
        "the gov account has , its deposits are 5uswing",
    );
}

#[test]
fn the_default_section_is_valid() {
    let mut memory = Memory::new();
    init(&mut memory, &genesis::default()).expect("the default section");
    assert_eq!(state::next_id(&memory), Ok(1));
}
