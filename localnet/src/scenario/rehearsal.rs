//! What a rehearsal costs the node that it runs beside: the times of blocks with none, and with one after the other.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::{times, upgrade::PLAN, visor};
use crate::{
    binaries::{Binaries, NEWEST, VERSION_1},
    genesis::Plan,
    network::Network,
    report::Narrator,
    swingd::{Swingd, text},
};

const SOON: Duration = Duration::from_secs(180);

/// How long is measured.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// Rounds, so that what else the machine does falls on both halves.
    pub rounds: u64,
    /// Blocks with no rehearsal, and blocks with one, in each round.
    pub blocks: u64,
}

/// What was seen.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RehearsalReport {
    /// Milliseconds between two blocks with no rehearsal.
    pub without: Vec<i64>,
    /// The same with one.
    pub with: Vec<i64>,
    /// What each rehearsal took, milliseconds.
    pub rehearsals: Vec<i64>,
    /// Messages that the chain accepted and delivered meanwhile.
    pub messages: u64,
}

impl std::fmt::Display for RehearsalReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = |figures: &Vec<i64>| {
            let (mut sorted, middle) = (figures.clone(), times::median(figures.clone()).unwrap_or_default());
            sorted.sort_unstable();
            let ninth = sorted.get(sorted.len().saturating_mul(9) / 10).copied().unwrap_or_default();
            (middle, ninth, figures.len())
        };
        let ((without, without_9, blocks), (with, with_9, _)) = (of(&self.without), of(&self.with));
        let (took, _, rehearsals) = of(&self.rehearsals);
        write!(
            f,
            "median time between two of {blocks} blocks each: {without} ms with no rehearsal, {with} ms with one (9 of 10 within \
             {without_9} and {with_9} ms); {rehearsals} rehearsals, {took} ms each; {} messages",
            self.messages
        )
    }
}

/// Runs the scenario in `folder`: a chain of version-1 under load, and rehearsals of version-2 on the first node's home.
///
/// # Errors
/// At the first thing that is not as it must be, a rehearsal that fails among them.
pub fn run(
    plan: Plan,
    folder: &Path,
    binaries: Binaries,
    course: Course,
    tell: &mut Narrator,
) -> Result<RehearsalReport> {
    ensure!(course.rounds > 0 && course.blocks > 0, "some rounds of some blocks are needed");
    let mut report = RehearsalReport::default();
    let mut network = Network::create(plan, folder, binaries, VERSION_1)?;
    network.start_all(VERSION_1)?;
    network.wait_for_height(2, SOON)?;
    let load = visor::load(&network, tell)?;
    let (swingd, binary) = (network.first()?.swingd.clone(), network.binaries.path(NEWEST));
    // The first one compiles what version-2 brings; those that are measured find it compiled, as the upgrade will.
    rehearse(&swingd, &binary)?;
    for round in 1..=course.rounds {
        tell.step(&format!(
            "Round {round}: {} blocks with no rehearsal, and {} with one",
            course.blocks, course.blocks
        ));
        report.without.extend(blocks(&mut network, course.blocks)?);
        let (with, took) = beside_rehearsals(&mut network, course.blocks, &swingd, &binary)?;
        report.with.extend(with);
        report.rehearsals.extend(took);
    }
    let sent = load.finish(SOON)?;
    super::upgrade::counted(&network, sent.accepted)?.check(&sent)?;
    report.messages = sent.accepted;
    network.stop_all(SOON)?;
    Ok(report)
}

/// The times between the next blocks.
fn blocks(network: &mut Network, count: u64) -> Result<Vec<i64>> {
    let from = network.first()?.rpc().height()?;
    let to = from.saturating_add(count);
    network.wait_for_height(to, SOON)?;
    times::intervals(&network.first()?.rpc(), from, to)
}

/// The same while rehearsals run, one after the other; and what each of those took.
fn beside_rehearsals(
    network: &mut Network,
    count: u64,
    swingd: &Swingd,
    binary: &Path,
) -> Result<(Vec<i64>, Vec<i64>)> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let rehearsals = scope.spawn(|| -> Result<Vec<i64>> {
            let mut took = Vec::new();
            while !over.load(Ordering::SeqCst) {
                took.push(rehearse(swingd, binary)?);
            }
            Ok(took)
        });
        let between = blocks(network, count);
        over.store(true, Ordering::SeqCst);
        let took = rehearsals.join().map_err(|_| anyhow::anyhow!("the thread of the rehearsals panicked"))??;
        Ok((between?, took))
    })
}

/// Rehearses version-2 on the home of a node that runs; gives how long the command took, milliseconds.
fn rehearse(swingd: &Swingd, binary: &Path) -> Result<i64> {
    // A clock is right here: it measures, and decides nothing.
    #[allow(clippy::disallowed_types)]
    let began = std::time::Instant::now();
    let report = swingd.json(&["upgrade", "rehearse", "--plan", PLAN, "--binary", text(binary)?])?;
    ensure!(report["passed"] == true, "the rehearsal did not pass: {report}");
    i64::try_from(began.elapsed().as_millis()).context("a rehearsal of years")
}
