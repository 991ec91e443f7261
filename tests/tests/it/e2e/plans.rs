//! Plans with numbers through the command line: decided, attested, taken back by an expedited vote, and all of it in the history.

use serde_json::{Value, json};
use swing_localnet::{
    binaries::NEWEST,
    genesis::Plan,
    network::Network,
    rpc::number,
    swingd::{Swingd, text},
    validator::Engine,
    wait,
};

use super::network::{SOON, Stage, binaries};

const PROPOSAL: [&str; 6] = ["--title", "t", "--summary", "s", "--deposit", "50000000uswing"];

/// A node's command line on a running chain.
struct Cli {
    swingd: Swingd,
    url: String,
    chain_id: String,
    proposals: u32,
}

impl Cli {
    fn query(&self, arguments: &[&str]) -> Value {
        self.swingd.query(&self.url, &[&["upgrade"], arguments].concat()).expect("an answer")
    }

    /// Numbers and names of the pending plans, as `swingd status` has them.
    fn listed(&self) -> Vec<(Value, Value)> {
        let status = self.swingd.json(&["status"]).expect("an answer");
        let plans = status["application"]["plans"].as_array().expect("a list");
        plans.iter().map(|plan| (plan["id"].clone(), plan["name"].clone())).collect()
    }

    fn tx(&self, arguments: &[&str]) -> Value {
        self.swingd.tx(&self.url, &self.chain_id, "operator", arguments).expect("it is taken")
    }

    /// Proposes, votes, and waits until the proposal has passed.
    fn decide(&mut self, arguments: &[&str]) {
        self.tx(&[&["upgrade"], arguments, PROPOSAL.as_slice()].concat());
        self.proposals += 1;
        let id = self.proposals.to_string();
        self.tx(&["gov", "vote", &id, "yes"]);
        wait::until_ok("the proposal to pass", SOON, || {
            let proposal = self.swingd.query(&self.url, &["gov", "proposal", &id])?;
            let status = proposal["proposal"]["status"].as_str().unwrap_or_default().to_owned();
            anyhow::ensure!(!status.ends_with("FAILED") && !status.ends_with("REJECTED"), "{proposal}");
            Ok(status.ends_with("PASSED").then_some(()))
        })
        .expect("it passes");
    }
}

#[test]
fn a_plan_is_scheduled_attested_and_taken_back_by_an_expedited_vote_before_its_height() {
    let stage = Stage::of_one_node();
    let plan = Plan::quick(1, Engine::Solo);
    let chain_id = plan.chain_id.clone();
    let mut network = Network::create(plan, stage.folder(), binaries(), NEWEST).expect("a home");
    network.start_all(NEWEST).expect("it starts");
    network.wait_for_height(2, SOON).expect("blocks are made");
    let validator = network.first().expect("one");
    let (swingd, url, rpc) = (validator.swingd.clone(), validator.rpc_url(), validator.rpc());
    let mut cli = Cli { swingd, url, chain_id, proposals: 0 };
    assert_eq!(cli.query(&["params"]), json!({"params": {"notice_blocks_min": "10"}}));

    let rehearsal = rpc.height().expect("a height") + 40;
    let height = (rehearsal + 400).to_string();
    let info = json!({
        "rehearsal": {"height": rehearsal.to_string(), "block": "empty"},
        "readiness": {"power_percent": "67"},
    });
    cli.decide(&["schedule", "version-9", "--upgrade-height", &height, "--upgrade-info", &info.to_string()]);
    let later = (rehearsal + 500).to_string();
    cli.decide(&["schedule", "version-10", "--upgrade-height", &later]);
    let pending = cli.query(&["plans"]);
    assert_eq!((&pending["plans"][0]["name"], &pending["plans"][1]["id"]), (&json!("version-9"), &json!("2")));
    assert_eq!(cli.query(&["plan"])["plan"]["name"], "version-9", "the SDK's query shows the nearest");
    let listed = cli.listed();
    assert_eq!(
        listed,
        [(json!("1"), json!("version-9")), (json!("2"), json!("version-10"))],
        "`swingd status` has both"
    );

    let before = cli.query(&["readiness"]);
    assert_eq!((&before["attested_power"], &before["missing"][0]["moniker"].is_string()), (&json!("0"), &true));
    wait::until_ok("the state to rehearse on", SOON, || rpc.height().map(|at| (at > rehearsal).then_some(())))
        .expect("blocks go on");
    let program = cli.swingd.program.clone();
    let digest = "ab".repeat(32);
    cli.tx(&["upgrade", "attest", "version-9", "--binary", text(&program).expect("UTF-8"), "--digest", &digest]);
    let tally = cli.query(&["readiness", "1"]);
    assert_eq!(tally["agreeing_power"], tally["total_power"]);
    let status = cli.swingd.json(&["status"]).expect("an answer");
    let told = &status["application"]["plans"];
    for power in ["agreeing_power", "required_power", "total_power"] {
        assert_eq!(told[0]["readiness"][power], tally[power], "for supervisors: {status}");
    }
    assert_eq!(told[1]["readiness"], Value::Null, "it asks for none");
    assert_eq!((&tally["conflict"], &tally["missing"]), (&json!(false), &json!([])));
    assert_eq!(tally["digests"][0]["digest"], digest.as_str());
    assert_eq!(tally["digests"][0]["attestations"][0]["binary_sha256"].as_str().map(str::len), Some(64));

    cli.decide(&["cancel-plan", "1", "--reason", "a fault was found", "--expedited"]);
    assert!(rpc.height().expect("a height") + 1 < number(&tally["plan_height"]).expect("a height"), "in time");
    let record = cli.query(&["record", "1"]);
    assert_eq!((&record["status"], &record["reason"]), (&json!("PLAN_STATUS_CANCELLED"), &json!("a fault was found")));
    assert_eq!(cli.query(&["plan"])["plan"]["name"], "version-10", "the next one is the nearest now");
    assert_eq!(cli.listed(), [(json!("2"), json!("version-10"))]);
    assert_eq!(cli.query(&["history"])["plans"].as_array().map(Vec::len), Some(2));
    assert_eq!(cli.query(&["migration"]), json!({"migration": null, "kernel_migrating": false}));
    network.stop_all(SOON).expect("it stops");
}
