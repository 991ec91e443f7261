//! Upgrades with no hand on a node: swingvisor on the real node, and the unmodified cosmovisor.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::ensure;
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
/// Mempools that are soon full, and of which a block takes a tenth: who stops at a height has just made a block.
const MEMPOOL_TXS: u32 = 60;
const BLOCK_TXS: u32 = MEMPOOL_TXS / 10;
const TX_GAS: u64 = 10_000_000;

/// What waits in each mempool.
type Mempools = Vec<Vec<Vec<u8>>>;

fn mempools(network: &Network) -> anyhow::Result<Mempools> {
    network.validators.iter().map(|validator| validator.rpc().unconfirmed()).collect()
}

/// Waits until all CometBFTs have been parked for so long.
fn parked_for(network: &Network, how: &Supervision, parked_ms: u64) -> anyhow::Result<()> {
    network.validators.iter().try_for_each(|validator| {
        wait::until_ok("CometBFT to be parked", SOON, || {
            let front = how.status(validator)?["front"].clone();
            Ok(front["parked_ms"].as_u64().filter(|ms| *ms >= parked_ms).map(drop))
        })
    })
}

/// Fills all mempools before the height, and goes on while no node serves: nobody loses what it had, and a client always gets an
/// answer. Gives what waited.
fn flood_while_parked(network: &Network, how: &Supervision) -> anyhow::Result<Mempools> {
    let flood = Flood::start(network, TX_GAS)?;
    wait::until("all mempools to be full", SOON, || {
        Ok(flood.refused().iter().all(|node| node.full > 0).then_some(()))
    })?;
    parked_for(network, how, 0)?;
    let (waiting, before) = (mempools(network)?, flood.refused());
    let lengths: Vec<_> = waiting.iter().map(Vec::len).collect();
    let left = (MEMPOOL_TXS - 2 * BLOCK_TXS) as usize;
    ensure!(lengths.iter().all(|txs| *txs >= left), "the mempools have {lengths:?}");
    parked_for(network, how, DELAY_MS * 2 / 3)?;
    for (now, waiting) in mempools(network)?.iter().zip(&waiting) {
        ensure!(waiting.iter().all(|tx| now.contains(tx)), "of {} transactions {} are left", waiting.len(), now.len());
    }
    // It ends shortly before a node serves again, so that nothing that may get lost is sent again.
    for (after, before) in flood.finish()?.iter().zip(before) {
        ensure!(
            after.put_off > before.put_off + 2,
            "put off: {} times before, {} after",
            before.put_off,
            after.put_off
        );
    }
    Ok(waiting)
}

/// All that waited gets into blocks, although nobody sends it again; and it is reported once that CometBFT was parked for long.
fn nothing_is_lost(network: &Network, waiting: &Mempools) -> anyhow::Result<()> {
    let rpc = network.first()?.rpc();
    for tx in waiting.iter().flatten() {
        let hash = Sha256::digest(tx);
        let code = wait::until_ok("what waited to be in blocks", SOON, || rpc.tx_code(&hash).map(Some))?;
        ensure!(code == 0, "a transaction ended with code {code}");
    }
    for validator in &network.validators {
        let log = std::fs::read_to_string(validator.log())?;
        let times = log.matches("CometBFT has been parked for long").count();
        ensure!(times == 1, "{} reports {times} times that it takes long", validator.name);
    }
    Ok(())
}

#[test]
fn four_validators_with_full_mempools_go_through_a_slow_upgrade_with_no_peer_no_client_no_height_and_no_transaction_lost()
 {
    let stage = Stage::new();
    let plan = Plan {
        mempool_txs_max: Some(MEMPOOL_TXS),
        block_gas_max: Some(TX_GAS * u64::from(BLOCK_TXS)),
        ..Plan::quick(4, Engine::CometChild)
    };
    let environment = &[("SWINGVISOR_PARKED_LIMIT", "20s")];
    let how = Supervision { delay: Some(DELAY.to_owned()), environment, ..Supervision::front(&swingvisor()) };
    let mut waiting = Mempools::new();
    let mut watcher = |network: &Network, moment| {
        match moment {
            Moment::Begun => {}
            Moment::Scheduled(_) => waiting = flood_while_parked(network, &how)?,
            Moment::Upgraded(_) => nothing_is_lost(network, &waiting)?,
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
    assert!(extra_ms + usual_ms >= DELAY_MS && extra_ms <= DELAY_MS + 10 * usual_ms, "{report:?}");
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
