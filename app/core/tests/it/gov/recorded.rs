//! The recorded proposal, from submission to the scheduled plan, in the recorded events, export and REST bodies.

use super::*;

struct Recorded {
    messages: Vec<Any>,
    time: Time,
    events: Vec<String>,
}

/// A recorded transaction: its messages, its block's time and its messages' own events.
fn recorded(name: &str, time: (i64, u32)) -> Recorded {
    let all = parse(include_str!("../../../../../tests/vectors/txs.json"));
    let one = all.as_array().and_then(|all| all.iter().find(|one| one["name"] == name)).expect("recorded");
    let raw = STANDARD.decode(one["tx_base64"].as_str().expect("text")).expect("base64");
    let raw = TxRaw::decode(raw.as_slice()).expect("a transaction");
    let body = TxBody::decode(raw.body_bytes.as_slice()).expect("a body");
    let events = one["result"]["events"].as_array().expect("a list");
    let own = |event: &&Value| {
        event["attributes"].as_array().is_some_and(|all| all.iter().any(|one| one["key"] == "msg_index"))
    };
    let lines = events.iter().filter(own).skip(1).map(|event| {
        let attributes = event["attributes"].as_array().expect("a list").iter().filter(|one| one["key"] != "msg_index");
        let attributes = attributes.map(|one| {
            (one["key"].as_str().unwrap_or_default().to_owned(), one["value"].as_str().unwrap_or_default().to_owned())
        });
        line(&Event { kind: event["type"].as_str().unwrap_or_default().to_owned(), attributes: attributes.collect() })
    });
    Recorded { messages: body.messages, time: Time { seconds: time.0, nanos: time.1 }, events: lines.collect() }
}

#[track_caller]
fn replay(memory: &mut Memory, recorded: &Recorded) {
    let block = BlockContext { time: recorded.time, ..block(20) };
    let (_, events) =
        message(memory, &block, |context| router::handle(context, &recorded.messages[0])).expect("code 0");
    assert_eq!(events.iter().map(line).collect::<Vec<_>>(), recorded.events);
}

fn rest(path: &str) -> Value {
    let all = parse(include_str!("../../../../../tests/vectors/rest.json"));
    all.as_array().and_then(|all| all.iter().find(|one| one["path"] == path)).expect("recorded")["body"].clone()
}

#[test]
fn the_recorded_proposal_runs_as_recorded_and_schedules_the_plan() {
    let mut memory = chain();
    // 2026-11-23T11:34:29.290200764Z
    let submitted = (1_795_433_669, 290_200_764);
    replay(&mut memory, &recorded("submit", submitted));
    replay(&mut memory, &recorded("vote", (submitted.0 + 1, 0)));
    replay(&mut memory, &recorded("weighted", (submitted.0 + 1, 5)));

    let ends = Time { seconds: submitted.0 + 6, nanos: submitted.1 };
    let just_before = Time { nanos: submitted.1 - 1, ..ends };
    assert_eq!(end_at(&mut memory, just_before), Vec::<String>::new());
    let events = end_at(&mut memory, ends);
    assert_eq!(
        events.last().expect("some"),
        "active_proposal proposal_id=1 proposal_result=proposal_passed proposal_log=passed"
    );
    assert!(events.iter().any(|event| event == "schedule_upgrade name=version-2 height=76"), "{events:?}");
    check_as_recorded(&memory);
}

/// Export and REST bodies after the recorded proposal.
#[track_caller]
fn check_as_recorded(memory: &Memory) {
    assert_eq!(genesis::export(memory).expect("memory"), parse(EXPORT)["app_state"]["gov"]);
    assert_eq!(upgrade::state::plan(memory).expect("memory").map(|plan| plan.height), Some(76));
    let one = QueryProposalRequest { proposal_id: 1 };
    assert_eq!(ask(memory, "cosmos.gov.v1", "Proposal", &one), Ok(rest("/cosmos/gov/v1/proposals/1")));
    assert_eq!(ask(memory, "cosmos.gov.v1beta1", "Proposal", &one), Ok(rest("/cosmos/gov/v1beta1/proposals/1")));
    let tally = QueryTallyResultRequest { proposal_id: 1 };
    assert_eq!(ask(memory, "cosmos.gov.v1", "TallyResult", &tally), Ok(rest("/cosmos/gov/v1/proposals/1/tally")));
    let votes = QueryVotesRequest { proposal_id: 1, pagination: None };
    assert_eq!(ask(memory, "cosmos.gov.v1", "Votes", &votes), Ok(rest("/cosmos/gov/v1/proposals/1/votes")));
    let voting = QueryParamsRequest { params_type: "voting".to_owned() };
    assert_eq!(ask(memory, "cosmos.gov.v1", "Params", &voting), Ok(rest("/cosmos/gov/v1/params/voting")));
    let none = ask(memory, "cosmos.gov.v1", "Proposal", &QueryProposalRequest { proposal_id: 99 });
    assert_eq!(none, Err("proposal 99 doesn't exist".to_owned()));
}
