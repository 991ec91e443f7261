//! Upgrades with no hand on a node: swingvisor on the real node, and the unmodified cosmovisor.

use std::{fmt::Write as _, path::PathBuf};

use sha2::{Digest as _, Sha256};
use swing_localnet::{
    asking::{Asking, Heard},
    binaries::NEWEST,
    genesis::Plan,
    network::Network,
    report::Narrator,
    scenario::{
        visor::{self, Moment, Supervision, VisorReport},
        zero,
    },
    validator::Engine,
};

use super::network::{Stage, binaries};

fn swingvisor() -> PathBuf {
    binaries().path("swingvisor")
}

fn cosmovisor() -> PathBuf {
    let named = std::env::var_os("COSMOVISOR");
    named.expect("COSMOVISOR names cosmovisor 1.5.0: scripts/test builds it and says so").into()
}

#[track_caller]
fn run(plan: Plan, supervision: &Supervision) -> VisorReport {
    let stage = if plan.validators == 1 { Stage::of_one_node() } else { Stage::new() };
    let report = visor::run(plan, stage.folder(), binaries(), supervision, &mut Narrator::new(false))
        .expect("the scenario reaches its end");
    assert!(report.messages > 0, "no message was sent: {report:?}");
    report
}

#[test]
fn swingvisor_upgrades_a_solo_chain_under_load_with_a_binary_added_before() {
    run(Plan::quick(1, Engine::Solo), &Supervision::restart(&swingvisor()));
}

#[test]
fn swingvisor_upgrades_a_solo_chain_under_load_with_a_binary_that_the_plan_names() {
    let binary = binaries().path(NEWEST);
    let digest = Sha256::digest(std::fs::read(&binary).expect("the binary"));
    let checksum = digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let url = format!("file://{}?checksum=sha256:{checksum}", binary.display());
    // `any`: the test does not need to know how plans name this platform.
    let info = serde_json::json!({ "binaries": { "any": url } }).to_string();
    run(
        Plan::quick(1, Engine::Solo),
        &Supervision { download_info: Some(info), ..Supervision::restart(&swingvisor()) },
    );
}

#[test]
fn four_validators_each_under_its_swingvisor_go_through_the_upgrade_under_load() {
    run(Plan::quick(4, Engine::CometChild), &Supervision::restart(&swingvisor()));
}

#[test]
fn four_validators_go_through_the_upgrade_with_no_peer_no_client_and_no_height_lost() {
    let stage = Stage::new();
    let plan = Plan::quick(4, Engine::CometChild);
    // Longer than CometBFT's RPC gives its clients, 11 s, and as long as is promised.
    let how = Supervision { delay: Some("30s".to_owned()), ..Supervision::front(&swingvisor()) };
    let report = zero::run(plan, stage.folder(), binaries(), &how, &mut Narrator::new(false))
        .expect("the scenario reaches its end");
    assert!(report.parked_ms.iter().all(|parked_ms| *parked_ms >= 30_000), "{report:?}");
    // Who was to propose block H waited for all of it, and for little more.
    let extra_ms = report.extra_ms.iter().copied().max().expect("four");
    let usual_ms = u64::try_from(report.upgrade.blocks.usual).expect("time goes on");
    assert!(extra_ms + usual_ms >= 30_000 && extra_ms <= 30_000 + 10 * usual_ms, "{report:?}");
    assert!(report.upgrade.messages > 0 && report.requests.iter().all(|requests| *requests > 0), "{report:?}");
    // REST waits 5 s for a node, and then says why there is none.
    assert!(report.rest.iter().all(|(answers, upgrading)| *answers > 0 && *upgrading > 0), "{report:?}");
}

#[test]
fn swingvisor_has_nothing_to_do_at_the_height_where_the_newest_release_was_there_from_the_first_block() {
    run(Plan::quick(1, Engine::Solo), &Supervision::early(&swingvisor()));
}

#[test]
fn a_client_of_rest_is_not_refused_while_the_node_of_a_solo_chain_is_replaced() {
    let stage = Stage::new();
    let (mut asking, mut heard) = (None, Heard::default());
    let plan = Plan::quick(1, Engine::Solo);
    let mut watcher = |network: &Network, moment| {
        match moment {
            Moment::Begun => asking = Some(Asking::start(network.first()?.ports.api)),
            Moment::Upgraded(_) => heard = asking.take().expect("it was started").finish()?,
        }
        Ok(())
    };
    let tell = &mut Narrator::new(false);
    visor::run_watched(plan, stage.folder(), binaries(), &Supervision::restart(&swingvisor()), tell, &mut watcher)
        .expect("the scenario reaches its end");
    assert!(heard.answers > 0, "{heard:?}");
}

#[test]
fn the_unmodified_cosmovisor_upgrades_a_solo_chain() {
    run(Plan::quick(1, Engine::Solo), &Supervision::restart(&cosmovisor()));
}

#[test]
fn the_unmodified_cosmovisor_upgrades_a_validator_on_cometbft() {
    run(Plan::quick(1, Engine::CometChild), &Supervision::restart(&cosmovisor()));
}
