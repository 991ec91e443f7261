//! `cargo run -p swing-node --example abci_bench [BLOCKS]`: the application without sockets, 1,000 bank sends a block over 2,000
//! accounts. Prints medians of each ABCI call, and the machine. FinalizeBlock is shown with signatures verified in the block and
//! with those remembered from CheckTx.

// A clock is right here: it measures, and decides nothing.
#![allow(clippy::disallowed_types)]

#[path = "../tests/it/support/genesis.rs"]
mod genesis;

use std::{
    error::Error,
    io::Write,
    time::{Duration, Instant},
};

use genesis::{Account, accounts, block, init_chain};
use swing_node::{
    abci::ReadApplication,
    app::{AppOptions, NodeApp},
    engine_adapter::SwingsetEngine,
    releases,
};
use tendermint_proto::v0_38::abci::{
    RequestCheckTx, RequestPrepareProposal, RequestProcessProposal, ResponseFinalizeBlock,
};

const ACCOUNTS: u64 = 2_000;
const SENDS: usize = 1_000;
const BLOCKS_DEFAULT: usize = 20;

/// Times of one kind of call, one a block.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn median(&self) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }
}

/// All measured calls.
#[derive(Default)]
struct Report {
    check: Times,
    check_foreseen: Times,
    prepare: Times,
    process: Times,
    finalize_verifying: Times,
    finalize_remembering: Times,
    commit: Times,
}

fn timed<T>(times: &mut Times, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    times.0.push(start.elapsed());
    done
}

/// The next block's transfers: half of the accounts send one each to the other half, in turns.
fn sends(accounts: &mut [Account], turn: usize) -> Vec<Vec<u8>> {
    let (left, right) = accounts.split_at_mut(SENDS);
    let (from, to) = if turn.is_multiple_of(2) { (left, right) } else { (right, left) };
    from.iter_mut().zip(to).map(|(from, to)| from.send(&to.address(), 1)).collect()
}

fn all_succeeded(response: &ResponseFinalizeBlock) -> Result<(), String> {
    match response.tx_results.iter().find(|result| result.code != 0) {
        Some(failed) => Err(format!("a transfer failed with code {}: {}", failed.code, failed.log)),
        None => Ok(()),
    }
}

fn check_all(app: &NodeApp, txs: &[Vec<u8>], foresee: bool) -> Result<(), Box<dyn Error>> {
    let read = app.read();
    if foresee {
        // As over a socket: requests that wait are known to the application before their turn.
        txs.iter().for_each(|tx| read.foresee(&tx.clone().into()));
    }
    for tx in txs {
        let response = read.check_tx(RequestCheckTx { tx: tx.clone().into(), r#type: 0 })?;
        if response.code != 0 {
            return Err(format!("CheckTx: code {}: {}", response.code, response.log).into());
        }
    }
    Ok(())
}

fn run_block(
    app: &mut NodeApp,
    accounts: &mut [Account],
    height: usize,
    report: &mut Report,
) -> Result<(), Box<dyn Error>> {
    let txs = sends(accounts, height);
    // Every second block's signatures are seen by FinalizeBlock first.
    let checked = height.is_multiple_of(2);
    if checked {
        let foresee = height.is_multiple_of(4);
        let times = if foresee { &mut report.check_foreseen } else { &mut report.check };
        timed(times, || check_all(app, &txs, foresee))?;
    }
    let request = block(height as u64, txs.clone());
    let prepare = RequestPrepareProposal {
        max_tx_bytes: 20_000_000,
        txs: request.txs.clone(),
        height: request.height,
        ..RequestPrepareProposal::default()
    };
    let prepared = timed(&mut report.prepare, || app.prepare_proposal(prepare))?;
    if prepared.txs.len() != SENDS {
        return Err("PrepareProposal left transactions out".into());
    }
    let process =
        RequestProcessProposal { txs: prepared.txs, height: request.height, ..RequestProcessProposal::default() };
    timed(&mut report.process, || app.process_proposal(process))?;
    let times = if checked { &mut report.finalize_remembering } else { &mut report.finalize_verifying };
    let response = timed(times, || app.finalize_block(request))?;
    all_succeeded(&response)?;
    timed(&mut report.commit, || app.commit())?;
    Ok(())
}

fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("\t: unknown processor");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{}, {cores} cores", model.trim_start_matches(['\t', ' ', ':']))
}

fn print(report: &Report, blocks: usize) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let machine = machine();
    writeln!(
        out,
        "{SENDS} bank sends a block, {ACCOUNTS} accounts, medians of {blocks} blocks, {profile} profile, on {machine}"
    )?;
    let mut line = |name: &str, times: &Times| {
        let micros = times.median().as_micros().max(1);
        writeln!(out, "{name:<44} {micros:>8} µs  {:>8} tx/s", SENDS as u128 * 1_000_000 / micros)
    };
    line("CheckTx, one at a time", &report.check)?;
    line("CheckTx, while more are waiting", &report.check_foreseen)?;
    line("PrepareProposal", &report.prepare)?;
    line("ProcessProposal", &report.process)?;
    line("FinalizeBlock, signatures verified in it", &report.finalize_verifying)?;
    line("FinalizeBlock, signatures remembered", &report.finalize_remembering)?;
    line("Commit", &report.commit)
}

fn main() -> Result<(), Box<dyn Error>> {
    let blocks = std::env::args().nth(1).map_or(Ok(BLOCKS_DEFAULT), |text| text.parse())?;
    let folder = std::env::temp_dir().join(format!("abci-bench-{}", std::process::id()));
    let mut options = AppOptions::new(&folder, releases::newest());
    options.signatures_remembered = 20_000;
    let mut app = NodeApp::open(options, Box::new(SwingsetEngine::new()?))?;
    let mut accounts = accounts(ACCOUNTS);
    app.init_chain(init_chain(&accounts))?;
    app.finalize_block(block(1, Vec::new()))?;
    app.commit()?;
    let mut report = Report::default();
    for height in 2..blocks.saturating_add(2) {
        run_block(&mut app, &mut accounts, height, &mut report)?;
    }
    print(&report, blocks)?;
    drop(app);
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
