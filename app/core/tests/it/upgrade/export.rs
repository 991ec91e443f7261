//! Queries, export and genesis.

use super::*;

fn sdks<R: Message + Default>(memory: &Memory, method: &str, request: &impl Message) -> Result<R, (Status, String)> {
    ask(memory, &format!("/cosmos.upgrade.v1beta1.Query/{method}"), request)
}

#[test]
fn queries_answer_as_recorded() {
    let mut memory = Memory::new();
    genesis(&mut memory, &json!({"applied": [{"name": "v1", "height": "7"}]}), 1).expect("genesis");
    let none: QueryCurrentPlanResponse = sdks(&memory, "CurrentPlan", &()).expect("an answer");
    assert_eq!(none.plan, None);
    schedule(&mut memory, 5, "version-2", 76);
    let current: QueryCurrentPlanResponse = sdks(&memory, "CurrentPlan", &()).expect("an answer");
    assert_eq!(current.plan, software_upgrade("version-2", 76).plan);
    let applied = |name: &str| {
        let request = QueryAppliedPlanRequest { name: name.to_owned() };
        sdks::<QueryAppliedPlanResponse>(&memory, "AppliedPlan", &request).expect("an answer").height
    };
    assert_eq!((applied("v1"), applied("none")), (7, 0));
    let versions = |module: &str| {
        let request = QueryModuleVersionsRequest { module_name: module.to_owned() };
        sdks::<QueryModuleVersionsResponse>(&memory, "ModuleVersions", &request).map(|answer| {
            answer.module_versions.into_iter().map(|entry| (entry.name, entry.version)).collect::<Vec<_>>()
        })
    };
    assert_eq!(versions(""), Ok(vec![("bank".to_owned(), 4), ("swingset".to_owned(), 1)]));
    assert_eq!(versions("bank"), Ok(vec![("bank".to_owned(), 4)]));
    assert_eq!(versions("mint").expect_err("no such module").0, Status::NotFound);
    let authority: QueryAuthorityResponse = sdks(&memory, "Authority", &()).expect("an answer");
    assert_eq!(authority.address, "swing10d07y265gmmuvt4z0w9aw880jnsr700j8fsn9t");
    assert_eq!(sdks::<()>(&memory, "Nothing", &()).expect_err("no such method").0, Status::Unimplemented);
}

#[test]
fn plan_applied_upgrades_and_versions_survive_an_export() {
    let section = json!({
        "plan": {"name": "v4", "height": "130", "info": "{}"},
        "applied": [{"name": "v2", "height": "90"}, {"name": "v3", "height": "20"}],
        "module_versions": [{"name": "bank", "version": "4"}, {"name": "swingset", "version": "2"}],
    });
    let mut memory = Memory::new();
    genesis(&mut memory, &section, 2).expect("an exported section");
    assert_eq!(genesis::export(&memory), Ok(section));
    // The last is the one of the highest height, whatever the order of names.
    assert_eq!(upgrades::last_applied(&memory), Ok(Some(("v2".to_owned(), 90))));
}

#[track_caller]
fn check_genesis_refused(section: serde_json::Value, app_version: u64, expected: &str) {
    let error = genesis(&mut Memory::new(), &section, app_version).expect_err("refused");
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_genesis_that_cannot_be_is_refused_with_its_path() {
    check_genesis_refused(json!({"plans": []}), 1, "app_state.upgrade: unknown field `plans`");
    check_genesis_refused(json!({"plan": {"name": "", "height": "1"}}), 1, "app_state.upgrade.plan.name");
    check_genesis_refused(json!({"plan": {"name": "v", "height": "0"}}), 1, "app_state.upgrade.plan.height");
    check_genesis_refused(json!({"plan": {"name": "v", "height": 5}}), 1, "app_state.upgrade: invalid type");
    let twice = json!({"applied": [{"name": "v", "height": "1"}, {"name": "v", "height": "2"}]});
    check_genesis_refused(twice, 1, "app_state.upgrade.applied[1].name");
    let used = json!({"plan": {"name": "v", "height": "9"}, "applied": [{"name": "v", "height": "1"}]});
    check_genesis_refused(used, 1, "already been completed");
    let other = json!({"module_versions": [{"name": "bank", "version": "3"}]});
    check_genesis_refused(other, 1, "app_state.upgrade.module_versions");
    check_genesis_refused(json!({}), 9, "test-release does not run app version 9");
}
