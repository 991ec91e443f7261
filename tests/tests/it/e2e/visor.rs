//! Upgrades with no hand on a node: swingvisor on the real node, and the unmodified cosmovisor.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::{Context as _, ensure};
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
    wait,
};
use swing_tests::flood::Flood;

use super::network::{SOON, Stage, binaries};

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

/// How long the change of processes is held up: longer than CometBFT's RPC gives its clients, 11 s, and as long as is promised.
const DELAY: &str = "30s";
const DELAY_MS: u64 = 30_000;
/// A small mempool is soon full; a block takes a third of it.
const MEMPOOL_TXS: u32 = 30;
const BLOCK_GAS: u64 = 2_000_000;

/// Fills all mempools before the height, and sees that they are full while no node serves.
fn fill_until_parked(network: &Network, how: &Supervision, flood: &Flood) -> anyhow::Result<()> {
    // The last block took some, and who serves no transaction takes no more.
    let what_is_left = u64::from(MEMPOOL_TXS) / 2;
    for validator in &network.validators {
        wait::until_ok("CometBFT to be parked", SOON, || {
            Ok((how.status(validator)?["front"]["phase"] == "parked").then_some(()))
        })?;
        let waiting = validator.rpc().unconfirmed()?;
        ensure!(waiting >= what_is_left, "{} has {waiting} transactions in its mempool", validator.name);
    }
    let refused = flood.refused();
    wait::until("transactions to be refused", SOON, || Ok((flood.refused() > refused + 10).then_some(())))
}

#[test]
fn four_validators_with_full_mempools_go_through_a_slow_upgrade_with_no_peer_no_client_and_no_height_lost() {
    let stage = Stage::new();
    let plan = Plan {
        mempool_txs_max: Some(MEMPOOL_TXS),
        block_gas_max: Some(BLOCK_GAS),
        ..Plan::quick(4, Engine::CometChild)
    };
    let how = Supervision { delay: Some(DELAY.to_owned()), ..Supervision::front(&swingvisor()) };
    let mut flood = None;
    let mut watcher = |network: &Network, moment| {
        match moment {
            Moment::Begun => {}
            Moment::Scheduled(_) => fill_until_parked(network, &how, flood.insert(Flood::start(network)?))?,
            Moment::Upgraded(_) => {
                let taken = flood.take().context("it was started")?.finish(SOON)?;
                ensure!(taken > u64::from(MEMPOOL_TXS), "{taken} transactions were taken");
                let late = "CometBFT has been parked for long";
                for validator in &network.validators {
                    let log = std::fs::read_to_string(validator.log())?;
                    ensure!(log.matches(late).count() == 1, "{}: it is reported that it takes long", validator.name);
                }
            }
        }
        Ok(())
    };
    let tell = &mut Narrator::new(false);
    let report = zero::run_watched(plan, stage.folder(), binaries(), &how, tell, &mut watcher)
        .expect("the scenario reaches its end");
    assert!(report.parked_ms.iter().all(|parked_ms| *parked_ms >= DELAY_MS), "{report:?}");
    // Who was to propose block H waited for all of it, and for little more.
    let extra_ms = report.extra_ms.iter().copied().max().expect("four");
    let usual_ms = u64::try_from(report.upgrade.blocks.usual).expect("time goes on");
    assert!(extra_ms + usual_ms >= DELAY_MS, "{report:?}");
    assert!(extra_ms <= DELAY_MS + 10 * usual_ms, "{report:?}");
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
            Moment::Scheduled(_) => {}
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
