//! `tx swingset set-kernel` and `cancel-set-kernel`: proposals about the engine's bundles.

use clap::Args;
use serde_json::{Value, json};

use super::{flags::TxFlags, submit::Signer, upgrade::ProposalArgs};
use crate::cli::{Context, Failure};

/// Arguments of `tx swingset set-kernel`.
#[derive(Args, Debug)]
pub struct SetKernelArgs {
    #[command(flatten)]
    bundles: NamedBundles,
    /// The block that begins with the swap; 0 is the one after the vote
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    height: u64,
    #[command(flatten)]
    proposal: ProposalArgs,
}

/// The bundles to swap in; what is not named stays.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
struct NamedBundles {
    /// ID of an installed kernel bundle
    #[arg(long, value_name = "ID")]
    kernel: Option<String>,
    /// ID of an installed lockdown bundle
    #[arg(long, value_name = "ID")]
    lockdown: Option<String>,
    /// ID of an installed supervisor bundle
    #[arg(long, value_name = "ID")]
    supervisor: Option<String>,
}

/// Proposes a swap.
pub fn set(context: &Context, flags: &TxFlags, signer: &Signer, arguments: &SetKernelArgs) -> Result<(), Failure> {
    arguments.proposal.propose(context, flags, signer, set_kernel_bundle(arguments))
}

/// Proposes to take the pending swap back.
pub fn cancel(context: &Context, flags: &TxFlags, signer: &Signer, proposal: &ProposalArgs) -> Result<(), Failure> {
    let message = json!({"@type": "/swing.swingset.v1.MsgCancelKernelBundle", "authority": proposal.authority()});
    proposal.propose(context, flags, signer, message)
}

fn set_kernel_bundle(arguments: &SetKernelArgs) -> Value {
    let NamedBundles { kernel, lockdown, supervisor } = &arguments.bundles;
    json!({
        "@type": "/swing.swingset.v1.MsgSetKernelBundle",
        "authority": arguments.proposal.authority(),
        "kernel_bundle_id": kernel.as_deref().unwrap_or_default(),
        "lockdown_bundle_id": lockdown.as_deref().unwrap_or_default(),
        "supervisor_bundle_id": supervisor.as_deref().unwrap_or_default(),
        "height": arguments.height.to_string(),
    })
}
