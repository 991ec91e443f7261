//! Two upgrades of one chain with no hand on a node: version-1, version-2, and a third release, whose migrations take several blocks.

use serde_json::{Value, json};
use swing_localnet::{
    binaries::NEWEST,
    genesis::Plan,
    network::Network,
    report::Narrator,
    rpc::number,
    scenario::{
        upgrade,
        visor::{self, Supervision},
        zero,
    },
    validator::Engine,
    wait,
    watch::Watch,
};
use swing_tests::slow_release;

use super::network::{SOON, Stage, binaries, none_lost};

const VERSION_2: &str = "version-2";
const TEST_VERSION_3: &str = "swingd-test-version-3";
/// The header of the plan's height is to carry the release's app version.
const MARKED: &str = r#"{"app_version":"3"}"#;

/// What the first node says of upgrades.
fn ask(network: &Network, arguments: &[&str]) -> Value {
    let first = network.first().expect("one");
    first.swingd.query(&first.rpc_url(), &[&["upgrade"], arguments].concat()).expect("an answer")
}

/// The app version in the header of a block.
fn header_app_version(network: &Network, height: u64) -> u64 {
    let request = json!({ "height": height.to_string() });
    let block = network.first().expect("one").rpc().call("block", request).expect("the block is there");
    number(&block["block"]["header"]["version"]["app"]).expect("a version")
}

/// Schedules a plan and lets its height come; gives it.
#[track_caller]
fn goes_through(network: &mut Network, plan: &str, info: &str, program: &str, tell: &mut Narrator) -> u64 {
    let height = upgrade::schedule_plan(network, plan, info, tell).expect("the plan is scheduled");
    network.wait_for_height(height + 3, SOON).expect("blocks go on");
    visor::upgraded_to(network, plan, program).expect("every swingvisor has switched");
    let applied = ask(network, &["applied", plan]);
    assert_eq!(number(&applied["height"]).expect("a height"), height, "{applied}");
    height
}

#[test]
fn four_validators_go_through_two_upgrades_in_a_row_with_no_peer_no_client_and_no_height_lost() {
    let stage = Stage::new();
    let mut tell = Narrator::new(false);
    let how = Supervision::front(&binaries().path("swingvisor"));
    let staged = [(VERSION_2, NEWEST), (slow_release::NAME, TEST_VERSION_3)];
    let plan = Plan::quick(4, Engine::CometChild);
    let mut network = visor::begin(plan, stage.folder(), binaries(), &how, &staged, &mut tell).expect("a chain begins");
    let comets = zero::comets(&network, &how).expect("each swingvisor has its CometBFT");
    zero::wait_for_peers(&network, 3).expect("all know each other");
    let watches: Vec<Watch> = network
        .validators
        .iter()
        .map(|validator| Watch::start(validator.ports.rpc, 3).expect("its RPC answers"))
        .collect();
    let load = visor::load(&network, &mut tell).expect("an account");
    let (kernel_1, _) = upgrade::kernel(&network).expect("one kernel on all");

    let first = goes_through(&mut network, VERSION_2, "{}", NEWEST, &mut tell);
    zero::check_extra_time(&network, &how, first, &mut tell).expect("block H is hardly late");
    let (kernel_2, schema) = upgrade::kernel(&network).expect("one kernel on all");
    assert!(kernel_2[0] != kernel_1[0] && schema == 2, "{kernel_1:?}, {kernel_2:?}, schema {schema}");

    let second = goes_through(&mut network, slow_release::NAME, MARKED, TEST_VERSION_3, &mut tell);
    zero::check_extra_time(&network, &how, second, &mut tell).expect("block H is hardly late");
    let migrated = wait::until_ok("the migrations", SOON, || {
        Ok(Some(ask(&network, &["migration"])).filter(|answer| answer["migration"].is_null()))
    });
    migrated.expect("they end");
    let versions = ask(&network, &["module-versions"]);
    let version = |module: &str| {
        let all = versions["module_versions"].as_array().expect("a list");
        all.iter().find(|entry| entry["name"] == module).map(|entry| entry["version"].clone())
    };
    let layouts = (version("auth"), version("bank"), version("upgrade"));
    assert_eq!(layouts, (Some(json!("7")), Some(json!("5")), Some(json!("3"))), "{versions}");

    let end = network.first().expect("one").rpc().height().expect("a height") + 2;
    network.wait_for_height(end, SOON).expect("blocks go on");
    for height in [first - 1, first, second - 1, second, end - 1] {
        network.common_app_hash(height).expect("all four agree");
    }
    let headers = [first, first + 1, second - 1, second, second + 1];
    let versions = headers.map(|height| header_app_version(&network, height));
    assert_eq!(
        versions,
        [1, 2, 2, 3, 3],
        "the second plan's header carries its app version, the first plan said nothing"
    );
    assert_eq!(zero::comets(&network, &how).expect("they run"), comets, "no CometBFT was started again");
    for (validator, watch) in network.validators.iter().zip(watches) {
        let seen = watch.finish().unwrap_or_else(|error| panic!("{}: {error:#}", validator.name));
        for height in [first, second] {
            zero::check_heights(&seen.heights, height).unwrap_or_else(|error| panic!("{}: {error:#}", validator.name));
        }
        let status = how.status(validator).expect("its swingvisor answers");
        assert_eq!(status["starts"], 3, "each release was started once: {status}");
        let log = std::fs::read_to_string(validator.log()).expect("its log");
        assert_eq!(
            log.matches("the plan's binary stands by").count(),
            2,
            "each next one was ready: {}",
            validator.name
        );
        assert_eq!(status["front"]["last_swap"]["committed_height"], second - 1, "{status}");
        assert_eq!((&status["plan"], &status["plans"]), (&Value::Null, &json!([])), "{status}");
    }
    none_lost(&network, load);
    network.stop_all(SOON).expect("all stop");
}
