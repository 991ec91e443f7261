//! `engine replay-vat`: a vat's recorded deliveries once more, under its own supervisor or another.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use swing_core::state::{State, StateRead};
use swing_store::{Reader, View};
use swingset_abi::wire::Wire;
use swingset_host::{
    keys,
    replay::{ReplayReport, VatReplay},
    transcript::{BlockTranscript, TranscriptEntry},
};

use super::{failed, kernel_state::KernelState, state, vats};
use crate::{
    cli::{
        Context, Failure,
        output::{self, Format},
    },
    engine_adapter::StateEnvironment,
    start,
};

/// Arguments of `engine replay-vat`.
#[derive(Args, Debug)]
pub struct ReplayVatArgs {
    /// The vat's ID or name
    vat: String,
    /// The first block of the span; by default that of the last startVat in the transcripts, else the first that they have
    #[arg(long, value_name = "HEIGHT")]
    from: Option<u64>,
    /// The last block of the span; the last one by default
    #[arg(long, value_name = "HEIGHT")]
    to: Option<u64>,
    /// The supervisor to run it under: the ID of an installed bundle, or a bundle's file; the recorded one by default
    #[arg(long, value_name = "ID|FILE")]
    supervisor: Option<String>,
    /// Transcripts and state of this checkpoint, not of the home
    #[arg(long, value_name = "ID")]
    checkpoint: Option<String>,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// A vat's deliveries, each with its block's height.
type Span = Vec<(u64, TranscriptEntry)>;

/// Runs it.
pub fn run(context: &Context, arguments: &ReplayVatArgs) -> Result<(), Failure> {
    let reader = state::reader(context, arguments.checkpoint.as_deref())?;
    let latest = reader.latest().map_err(failed)?;
    let vat = vat_id(&latest, &arguments.vat)?;
    let span = span(&reader, &vat, arguments)?;
    let (Some((first, begins)), Some((last, _))) = (span.first(), span.last()) else {
        return Err(Failure::new(format!(
            "there is no transcript of vat {vat} in this span: transcripts are kept while [swingset] vat-transcript-mib in app.toml is \
             above 0, the newest first"
        )));
    };
    // What stands before the span matters only where it begins within an incarnation, and may be pruned.
    let before = match begins.previous_height {
        Some(_) => reader.at(first.saturating_sub(1)).ok(),
        None => None,
    };
    let mut latest_overlay = State::new(&latest);
    let bundles = StateEnvironment::new(&mut latest_overlay);
    let mut before_overlay = before.as_ref().map(|view| State::new(view));
    let held = before_overlay.as_mut().map(StateEnvironment::new);
    let supervisor = arguments.supervisor.as_deref().map(|named| supervisor(&latest, named)).transpose()?;
    let runtime = start::runtime(&context.home).map_err(failed)?;
    let held = held.as_ref().map(|held| held as &dyn swingset_host::env::Environment);
    let mut replay = VatReplay::new(runtime, &bundles, held, supervisor.as_deref()).map_err(failed)?;
    for (height, entry) in &span {
        replay.deliver(*height, entry).map_err(failed)?;
    }
    let memory = memory(&mut replay, &reader, &vat, *last)?;
    let report = replay.report();
    output::value(arguments.output, &to_json(&vat, (*first, *last), report, &memory))?;
    match &report.divergence {
        None if memory == DIFFERS => Err(Failure::new("the replay came to another memory than the block did")),
        None => Ok(()),
        Some(divergence) => Err(Failure::new(format!("the replay diverged: {divergence}"))),
    }
}

/// A living vat's ID by ID or name; another ID as it is, since what a vat did may be asked after its end.
fn vat_id(state: &View, wanted: &str) -> Result<String, Failure> {
    match KernelState::of(state)?.vat(wanted) {
        Ok(vat) => Ok(vat.id),
        Err(_) if wanted.strip_prefix('v').is_some_and(|number| number.parse::<u64>().is_ok()) => Ok(wanted.to_owned()),
        Err(failure) => Err(failure),
    }
}

fn span(reader: &Reader, vat: &str, arguments: &ReplayVatArgs) -> Result<Span, Failure> {
    let (from, to) = (arguments.from.unwrap_or(0), arguments.to.unwrap_or(u64::MAX));
    let mut span = Span::new();
    for (height, bytes) in reader.transcripts(from, to).map_err(failed)? {
        let block = BlockTranscript::from_bytes(&bytes)
            .map_err(|_| Failure::new(format!("the transcript of block {height} is damaged")))?;
        span.extend(block.entries.into_iter().filter(|entry| entry.vat == vat).map(|entry| (height, entry)));
    }
    if arguments.from.is_none()
        && let Some(begins) = span.iter().rposition(|(_, entry)| entry.previous_height.is_none())
    {
        span.drain(..begins);
    }
    Ok(span)
}

/// An installed bundle's bytes, or a file's.
fn supervisor(state: &dyn StateRead, named: &str) -> Result<Vec<u8>, Failure> {
    if !named.starts_with("b1-") {
        return Ok(crate::config::files::read(&PathBuf::from(named))?);
    }
    match state.get(&keys::bundle_bytes(named)).map_err(failed)? {
        Some(bytes) => Ok(bytes.to_vec()),
        None if Path::new(named).exists() => Ok(crate::config::files::read(Path::new(named))?),
        None => Err(Failure::new(format!("bundle {named} is not installed in this state"))),
    }
}

const DIFFERS: &str = "differs";

/// Whether the replay's memory is the one that the last block left.
fn memory(replay: &mut VatReplay<'_>, reader: &Reader, vat: &str, last: u64) -> Result<String, Failure> {
    if !replay.same_supervisor() {
        return Ok("not compared: another supervisor".to_owned());
    }
    let Ok(view) = reader.at(last) else {
        return Ok(format!("not compared: the state of block {last} is not kept"));
    };
    match (vats::stored_root(&view, vat)?, replay.root().map_err(failed)?) {
        (Some((height, stored)), Some(now)) if height == last => {
            Ok(if stored == now { "as in state" } else { DIFFERS }.to_owned())
        }
        _ => Ok("not compared: the vat has ended".to_owned()),
    }
}

fn to_json(vat: &str, (first, last): (u64, u64), report: &ReplayReport, memory: &str) -> Value {
    json!({
        "vatID": vat,
        "from": first.to_string(),
        "to": last.to_string(),
        "deliveries": report.deliveries.to_string(),
        "syscalls": report.syscalls.to_string(),
        "computrons": report.computrons.to_string(),
        "computronsRecorded": report.computrons_recorded.to_string(),
        "memory": memory,
        "divergence": report.divergence.as_ref().map(|divergence| json!({
            "height": divergence.height.to_string(),
            "crankNumber": divergence.crank_number.to_string(),
            "delivery": divergence.delivery,
            "syscall": divergence.syscall.map(|number| number.to_string()),
            "recorded": divergence.expected,
            "now": divergence.found,
        })),
    })
}
