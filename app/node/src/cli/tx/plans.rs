//! `tx upgrade schedule`, `cancel-plan`, `set-notice` and `attest`: plans with numbers, and what validators attest for one.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use swing_core::modules::upgrade::info;

use super::{
    flags::TxFlags,
    message,
    submit::{Signer, submit},
    upgrade::ProposalArgs,
};
use crate::cli::{Context, Failure};

/// Bytes read of a binary at a time.
const PIECE: usize = 1 << 20;

/// Arguments of `tx upgrade schedule`.
#[derive(Args, Debug)]
pub struct ScheduleArgs {
    /// The plan's name, which a release has a handler for
    name: String,
    /// The first block of the new rules
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=i64::MAX as u64))]
    upgrade_height: u64,
    /// Information for machines: {"binaries":…,"kernel_schemas":…,"bundles":…,"rehearsal":…,"readiness":…}
    #[arg(long, default_value = "")]
    upgrade_info: String,
    /// Number of the pending plan that it replaces
    #[arg(long, default_value_t = 0)]
    replaces: u64,
    #[command(flatten)]
    proposal: ProposalArgs,
}

/// Arguments of `tx upgrade cancel-plan`.
#[derive(Args, Debug)]
pub struct CancelPlanArgs {
    /// The plan's number, as `query upgrade plans` shows it
    id: u64,
    /// Why, for the history
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    proposal: ProposalArgs,
}

/// Arguments of `tx upgrade set-notice`.
#[derive(Args, Debug)]
pub struct SetNoticeArgs {
    /// Blocks between the one that decides a plan and the plan's height, at least
    blocks: u64,
    #[command(flatten)]
    proposal: ProposalArgs,
}

/// Arguments of `tx upgrade attest`.
#[derive(Args, Debug)]
pub struct AttestArgs {
    /// The plan's number, or its name
    plan: String,
    #[command(flatten)]
    binary: BinaryArgs,
    /// What the rehearsal came to: 64 hex digits; none where the plan fixes no rehearsal
    #[arg(long, default_value = "")]
    digest: String,
    /// What the binary runs on, os/arch; this machine's by default
    #[arg(long)]
    platform: Option<String>,
}

/// The binary, or what is known of it.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct BinaryArgs {
    /// The binary that is going to run
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Its SHA-256, where it is on another machine
    #[arg(long, value_name = "HEX")]
    binary_sha256: Option<String>,
}

/// Proposes a plan.
pub fn schedule(context: &Context, flags: &TxFlags, signer: &Signer, arguments: &ScheduleArgs) -> Result<(), Failure> {
    let ScheduleArgs { name, upgrade_height, upgrade_info, replaces, proposal } = arguments;
    info::parse(upgrade_info).map_err(|problem| Failure::new(format!("invalid --upgrade-info: {problem}")))?;
    let proposed = json!({
        "@type": "/swing.upgrade.v1.MsgSchedulePlan",
        "authority": proposal.authority(),
        "plan": {
            "name": name,
            "time": "0001-01-01T00:00:00Z",
            "height": upgrade_height.to_string(),
            "info": upgrade_info,
            "upgraded_client_state": null,
        },
        "replaces": replaces.to_string(),
    });
    proposal.propose(context, flags, signer, proposed)
}

/// Proposes to take a plan back.
pub fn cancel(context: &Context, flags: &TxFlags, signer: &Signer, arguments: &CancelPlanArgs) -> Result<(), Failure> {
    let proposed = json!({
        "@type": "/swing.upgrade.v1.MsgCancelPlan",
        "authority": arguments.proposal.authority(),
        "id": arguments.id.to_string(),
        "reason": arguments.reason,
    });
    arguments.proposal.propose(context, flags, signer, proposed)
}

/// Proposes another notice.
pub fn set_notice(
    context: &Context,
    flags: &TxFlags,
    signer: &Signer,
    arguments: &SetNoticeArgs,
) -> Result<(), Failure> {
    let proposed = json!({
        "@type": "/swing.upgrade.v1.MsgUpdateParams",
        "authority": arguments.proposal.authority(),
        "params": { "notice_blocks_min": arguments.blocks.to_string() },
    });
    arguments.proposal.propose(context, flags, signer, proposed)
}

/// Attests, for the validator whose operator signs.
pub fn attest(context: &Context, flags: &TxFlags, signer: &Signer, arguments: &AttestArgs) -> Result<(), Failure> {
    let sum = match (&arguments.binary.binary, &arguments.binary.binary_sha256) {
        (Some(path), _) => sha256_of(path)
            .map_err(|error| Failure::new(format!("--binary {} cannot be read: {error}", path.display())))?,
        (None, Some(text)) => text.to_ascii_lowercase(),
        (None, None) => return Err(Failure::Usage("--binary or --binary-sha256 is needed".to_owned())),
    };
    let attestation = attestation(arguments, signer, &sum);
    submit(context, flags, signer, vec![message(&attestation)?])
}

fn attestation(arguments: &AttestArgs, signer: &Signer, sum: &str) -> Value {
    // A plan's name that is a number is taken for one; such a plan is named by its number.
    let (id, name) = match arguments.plan.parse::<u64>() {
        Ok(id) => (id, ""),
        Err(_) => (0, arguments.plan.as_str()),
    };
    json!({
        "@type": "/swing.upgrade.v1.MsgAttestUpgrade",
        "validator": signer.address().to_operator(),
        "plan_id": id.to_string(),
        "plan_name": name,
        "binary_sha256": sum,
        "digest": arguments.digest.to_ascii_lowercase(),
        "platform": arguments.platform.clone().unwrap_or_else(this_platform),
    })
}

fn sha256_of(path: &Path) -> io::Result<String> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(hex::encode(hasher.finalize()));
        }
        hasher.update(piece.get(..read).unwrap_or_default());
    }
}

/// This machine in the words of plans, which are Go's.
fn this_platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}/{machine}")
}
