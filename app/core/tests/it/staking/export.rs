//! Genesis, export and queries.

use super::*;

#[test]
fn an_export_is_a_genesis_that_goes_on_in_the_same_way() {
    let mut memory = chain(2);
    for index in 1..=3 {
        create(&mut memory, index, u64::from(index) * 10 * POWER);
    }
    delegate(&mut memory, 9, 3, 7 * POWER);
    end(&mut memory, 1);
    undelegate(&mut memory, 2, 9, 3, POWER);
    delegate(&mut memory, 9, 1, 50 * POWER);
    end(&mut memory, 2);
    let move_on = redelegation(9, 3, 1, POWER);
    message(&mut memory, &block(3), |context| handler::begin_redelegate(context, &move_on)).expect("moved");
    end(&mut memory, 3);

    let section = genesis::export(&memory).expect("memory");
    let mut copy: Memory =
        memory.iter().filter(|(key, _)| key.starts_with(b"bank/")).map(|(k, v)| (k.clone(), v.clone())).collect();
    let updates = init(&mut copy, &section).expect("its own export");
    assert_eq!(updates.len(), 2);
    assert_eq!(genesis::export(&copy), Ok(section));
    check_invariants(&copy);
    for height in [4, 50, 102, 103, 200] {
        assert_eq!(end(&mut copy, height), end(&mut memory, height), "height {height}");
    }
    let staking = |memory: &Memory| {
        memory
            .iter()
            .filter(|(key, _)| key.starts_with(b"staking/"))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect::<Memory>()
    };
    assert_eq!(staking(&copy), staking(&memory));
}

#[test]
fn the_recorded_export_is_taken_and_given_back() {
    let document: Value = serde_json::from_str(include_str!("../../../../../tests/vectors/export.json")).expect("JSON");
    let section = &document["app_state"]["staking"];
    let mut memory = Memory::new();
    fund(&mut memory, &module_address("bonded_tokens_pool"), 50_001_000);
    let updates = init(&mut memory, section).expect("an SDK export");
    assert_eq!(updates.iter().map(|update| update.power).collect::<Vec<_>>(), [50]);
    assert_eq!(genesis::export(&memory).expect("memory"), *section);
    check_invariants(&memory);
}

/// Answers a query as REST's body has it.
#[track_caller]
fn ask(memory: &Memory, method: &str, request: &impl Message) -> Result<Value, String> {
    let (block, method_path) = (block(33), format!("/cosmos.staking.v1beta1.Query/{method}"));
    let context = QueryContext { state: memory, block: &block };
    let bytes = query::query(&context, &method_path, &request.encode_to_vec()).map_err(|error| error.message)?;
    let response = format!("cosmos.staking.v1beta1.Query{method}Response");
    Ok(swing_proto::json::wire_to_json(&response, &bytes).expect("its own encoding"))
}

fn recorded(path: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../../../../../tests/vectors/rest.json")).expect("JSON");
    let found = all.as_array().and_then(|all| all.iter().find(|one| one["path"] == path)).expect("recorded");
    found["body"].clone()
}

#[test]
fn queries_answer_as_recorded() {
    let document: Value = serde_json::from_str(include_str!("../../../../../tests/vectors/export.json")).expect("JSON");
    let mut memory = Memory::new();
    fund(&mut memory, &module_address("bonded_tokens_pool"), 50_001_000);
    init(&mut memory, &document["app_state"]["staking"]).expect("an SDK export");
    let (bob, operator) =
        ("swing1avgyh77ycn997ja45q5q8ss8y9mr424ja3p9xe", "swingvaloper19rl4cm2hmr8afy4kldpxz3fka4jguq0amqzpde");

    let validators = QueryValidatorsRequest::default();
    assert_eq!(ask(&memory, "Validators", &validators), Ok(recorded("/cosmos/staking/v1beta1/validators")));
    assert_eq!(ask(&memory, "Pool", &()), Ok(recorded("/cosmos/staking/v1beta1/pool")));
    let delegations = QueryDelegatorDelegationsRequest { delegator_addr: bob.to_owned(), pagination: None };
    let expected = recorded(&format!("/cosmos/staking/v1beta1/delegations/{bob}"));
    assert_eq!(ask(&memory, "DelegatorDelegations", &delegations), Ok(expected.clone()));
    let one = QueryDelegationRequest { delegator_addr: bob.to_owned(), validator_addr: operator.to_owned() };
    let answer = ask(&memory, "Delegation", &one).expect("there is one");
    assert_eq!(answer["delegation_response"], expected["delegation_responses"][0]);

    let unbonding = QueryValidatorsRequest { status: "BOND_STATUS_UNBONDING".to_owned(), pagination: None };
    assert_eq!(ask(&memory, "Validators", &unbonding).expect("an answer")["validators"], json!([]));
    let unknown = QueryValidatorsRequest { status: "BONDED".to_owned(), pagination: None };
    assert_eq!(ask(&memory, "Validators", &unknown), Err("invalid validator status BONDED".to_owned()));
    let none = QueryDelegationRequest { delegator_addr: account(9).to_string(), validator_addr: operator.to_owned() };
    assert!(
        ask(&memory, "Delegation", &none).expect_err("there is none").starts_with("delegation with delegator swing1")
    );
    assert_eq!(
        ask(&memory, "HistoricalInfo", &()),
        Err("unknown query path /cosmos.staking.v1beta1.Query/HistoricalInfo".to_owned())
    );
}

#[track_caller]
fn check_genesis_refused(change: impl FnOnce(&mut Value), expected: &str) {
    let mut document: Value =
        serde_json::from_str(include_str!("../../../../../tests/vectors/export.json")).expect("JSON");
    let section = &mut document["app_state"]["staking"];
    change(section);
    let mut memory = Memory::new();
    fund(&mut memory, &module_address("bonded_tokens_pool"), 50_001_000);
    let error = init(&mut memory, section).expect_err("refused");
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_genesis_that_cannot_be_is_refused_with_its_path() {
    check_genesis_refused(|section| section["extra"] = json!(1), "app_state.staking: ");
    check_genesis_refused(|section| section["params"]["max_validators"] = json!(0), "app_state.staking.params");
    check_genesis_refused(|section| section["validators"][0]["tokens"] = json!("50001001"), "app_state.bank.balances");
    check_genesis_refused(
        |section| section["delegations"][1]["shares"] = json!("999.0"),
        "app_state.staking.validators",
    );
    check_genesis_refused(
        |section| section["validators"] = json!([]),
        "app_state.staking.delegations: there is no validator",
    );
    check_genesis_refused(
        |section| section["validators"][0]["operator_address"] = json!("swing1x"),
        "app_state.staking.validators[0]",
    );
}
