//! A plan that governance replaces, and one that it takes back, in the last blocks before the height: the next binary is in place, and
//! every swingvisor is ready to switch.

use std::time::Duration;

use serde_json::{Value, json};
use swing_localnet::{
    binaries::NEWEST,
    genesis::Plan,
    network::Network,
    report::Narrator,
    scenario::{
        upgrade,
        visor::{self, Supervision},
        vote::{self, Ballot},
    },
    validator::{Engine, Validator},
    wait,
};

use super::network::{SOON, Stage, binaries};

const VERSION_2: &str = "version-2";
/// So long before the height the proposal is made.
const PROPOSED_BLOCKS_BEFORE: u64 = 14;
/// So long before it blocks are held up until the vote is over.
const HELD_BLOCKS_BEFORE: u64 = 6;
/// The vote must not be over before that.
const VOTE_TIME_LEFT: Duration = Duration::from_secs(3);

/// A network under swingvisors that stand between node and CometBFT.
struct Story {
    network: Network,
    how: Supervision,
    /// Process IDs of the nodes that run since the beginning.
    pids: Vec<Value>,
}

impl Story {
    fn status(&self, validator: &Validator) -> Value {
        self.how.status(validator).expect("its swingvisor answers")
    }

    fn pids(&self) -> Vec<Value> {
        self.network.validators.iter().map(|validator| self.status(validator)["pid"].clone()).collect()
    }

    fn height(&self) -> u64 {
        self.network.first().expect("one").rpc().height().expect("a height")
    }

    /// Waits until every swingvisor's status is as it must be.
    #[track_caller]
    fn until_all_say(&self, what: &str, is: impl Fn(&Value) -> bool) {
        for validator in &self.network.validators {
            let mut last = Value::Null;
            wait::until_ok(what, SOON, || {
                last = self.how.status(validator)?;
                Ok(is(&last).then_some(()))
            })
            .unwrap_or_else(|error| panic!("{}: {error:#}; it says {last}", validator.name));
        }
    }

    #[track_caller]
    fn all_are_armed_for(&self, height: u64) {
        let next = format!("switch to upgrades/version-2 when the node stops for height {height}");
        self.until_all_say("the next binary is ready", |status| {
            status["plan"]["height"] == height && !status["plan"]["armed"].is_null() && status["next_action"] == next
        });
    }

    /// Has governance pass a proposal in the last blocks before `height`, whatever the machine's speed: two of four validators are
    /// halted until the vote's time is over, so that no block comes meanwhile.
    #[track_caller]
    fn decide_in_the_last_blocks(&self, height: u64, arguments: &[&str]) {
        let rpc = self.network.first().expect("one").rpc();
        let reached = |blocks_before: u64| rpc.height().map(|at| at + blocks_before >= height);
        wait::until_ok("the last blocks", SOON, || Ok(reached(PROPOSED_BLOCKS_BEFORE)?.then_some(())))
            .expect("blocks go on");
        let ballot = Ballot::expedited(&self.network, arguments).expect("it is proposed and voted for");
        wait::until_ok("the moment to hold blocks up", SOON, || {
            Ok((reached(HELD_BLOCKS_BEFORE)? || ballot.left() < VOTE_TIME_LEFT).then_some(()))
        })
        .expect("blocks go on");
        let held = &self.network.validators[2..];
        held.iter().for_each(|validator| validator.pause().expect("it runs"));
        let proposal = vote::proposal(&self.network, ballot.id).expect("an answer");
        assert_eq!(proposal["status"], "PROPOSAL_STATUS_VOTING_PERIOD", "the vote lasts still");
        wait::until("the vote's time to be over", SOON, || Ok(ballot.left().is_zero().then_some(())))
            .expect("time goes on");
        assert!(self.height() + 2 < height, "blocks were held up at {}, short of {height}", self.height());
        held.iter().for_each(|validator| validator.resume().expect("it was halted"));
        vote::wait_until_passed(&self.network, ballot.id, SOON).expect("it passes");
    }

    /// Beyond a height that was a plan's: no node stopped, and nothing was switched.
    #[track_caller]
    fn nobody_stopped_at(&mut self, height: u64) {
        self.network.wait_for_height(height + 3, SOON).expect("the chain goes on");
        assert_eq!(self.pids(), self.pids, "the same processes run");
        for validator in &self.network.validators {
            let (status, home) = (self.status(validator), &validator.swingd.home);
            assert_eq!((&status["starts"], &status["crashes"]), (&json!(1), &json!(0)), "{status}");
            assert_eq!((&status["switch"], &status["last_switch"]), (&Value::Null, &Value::Null), "{status}");
            assert_eq!(status["front"]["last_swap"], Value::Null, "{status}");
            let link = std::fs::read_link(home.join("cosmovisor/current")).expect("the link");
            assert!(link.ends_with("genesis"), "{}", link.display());
            assert!(!home.join("data/upgrade-info.json").exists(), "{}: nothing was asked for", validator.name);
        }
        self.network.common_app_hash(height).expect("all four agree");
        self.network.common_app_hash(height + 1).expect("all four agree");
    }
}

#[test]
fn a_plan_replaced_and_then_cancelled_in_the_last_blocks_stops_nobody_although_the_next_binary_is_ready() {
    let stage = Stage::new();
    let mut tell = Narrator::new(false);
    let how = Supervision::front(&binaries().path("swingvisor"));
    let plan = Plan { voting_period_s: 24, ..Plan::quick(4, Engine::CometChild) };
    let staged = [(VERSION_2, NEWEST)];
    let network = visor::begin(plan, stage.folder(), binaries(), &how, &staged, &mut tell).expect("a chain begins");
    let load = visor::load(&network, &mut tell).expect("an account");
    let mut story = Story { network, how, pids: Vec::new() };
    story.pids = story.pids();
    let (kernel, _) = upgrade::kernel(&story.network).expect("one kernel on all");

    let first = vote::height_after(&story.network, 12, 30).expect("a height");
    let id = vote::propose_plan(&story.network, VERSION_2, first, "{}", true).expect("it is proposed");
    vote::all_vote_yes(&story.network, id).expect("all vote");
    vote::wait_for_plan(&story.network, Some(first), SOON).expect("it passes");
    story.all_are_armed_for(first);

    let second = first + 40;
    let height = second.to_string();
    let another = ["software-upgrade", VERSION_2, "--upgrade-height", &height, "--upgrade-info", "{}", "--no-validate"];
    story.decide_in_the_last_blocks(first, &another);
    story.nobody_stopped_at(first);
    story.all_are_armed_for(second);

    story.decide_in_the_last_blocks(second, &["cancel-software-upgrade"]);
    story.nobody_stopped_at(second);
    story.until_all_say("no plan is pending", |status| {
        status["plan"].is_null() && status["plans"] == json!([]) && status["next_action"] == "the node in genesis runs"
    });
    vote::wait_for_plan(&story.network, None, SOON).expect("none is in state");
    assert_eq!(upgrade::kernel(&story.network).expect("one kernel on all").0, kernel, "the kernel is as it was");

    let sent = load.finish(SOON).expect("every message is in a block");
    let counted = upgrade::counted(&story.network, sent.accepted).expect("the contract answers");
    counted.check(&sent).expect("none lost, none twice");
    story.network.stop_all(SOON).expect("all stop");
}
