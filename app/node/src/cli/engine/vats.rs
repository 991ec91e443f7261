//! `engine vat`: which vats live, and what one of them holds.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use swing_core::state::{State, StateRead};
use swing_store::View;
use swingset_host::vat_memory;

use super::{
    failed,
    kernel_state::{KernelState, VatRecord},
    state::StateArgs,
};
use crate::{
    cli::{
        Context, Failure,
        output::{self, Format},
    },
    engine_adapter::StateEnvironment,
};

/// Commands of `engine vat`.
#[derive(Debug, Subcommand)]
pub enum VatCommand {
    /// List the living vats, the oldest first
    List(ListArgs),
    /// Show what one vat is made from and what it holds
    Show(ShowArgs),
}

/// Arguments of `engine vat list`.
#[derive(Args, Debug)]
pub struct ListArgs {
    #[command(flatten)]
    state: StateArgs,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Arguments of `engine vat show`.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The vat's ID or name
    vat: String,
    #[command(flatten)]
    state: StateArgs,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Runs one.
pub fn run(context: &Context, command: &VatCommand) -> Result<(), Failure> {
    match command {
        VatCommand::List(arguments) => {
            let view = arguments.state.view(context)?;
            let kernel = KernelState::of(&view)?;
            let rows = kernel.vats()?.iter().map(|vat| row(&view, vat)).collect::<Result<Vec<_>, _>>()?;
            output::value(arguments.output, &Value::Array(rows))
        }
        VatCommand::Show(arguments) => {
            let view = arguments.state.view(context)?;
            let kernel = KernelState::of(&view)?;
            let vat = kernel.vat(&arguments.vat)?;
            output::value(arguments.output, &show(&view, kernel, &vat)?)
        }
    }
}

/// What every listing says of a vat.
pub fn row(view: &View, vat: &VatRecord) -> Result<Value, Failure> {
    Ok(json!({
        "vatID": vat.id,
        "name": vat.name,
        "kind": if vat.dynamic { "dynamic" } else { "static" },
        "critical": vat.options.critical,
        "raw": vat.options.raw,
        "incarnation": vat.incarnation.to_string(),
        "deliveries": vat.deliveries.map(|count| count.to_string()),
        "memoryBytes": memory(view, &vat.id)?["bytes"],
        "bundleID": vat.source.bundle_id,
    }))
}

/// A vat's memory as it is stored; nulls before its first delivery.
fn memory(view: &View, vat: &str) -> Result<Value, Failure> {
    let mut state = State::new(view);
    let environment = StateEnvironment::new(&mut state);
    let Some(memory) = vat_memory(&environment, vat).map_err(failed)? else {
        return Ok(json!({ "bytes": null }));
    };
    let instances = memory.instances.iter().zip(["vat", "supervisor"]);
    let bytes = memory.instances.iter().fold(0u64, |sum, instance| sum.saturating_add(instance.bytes));
    Ok(json!({
        "bytes": bytes.to_string(),
        "root": hex::encode(memory.root),
        "lastDeliveryHeight": memory.height.to_string(),
        "instances": instances.map(|(instance, of)| json!({
            "of": of,
            "bytes": instance.bytes.to_string(),
            "pagesStored": instance.pages_stored.to_string(),
            "globals": instance.globals.to_string(),
        })).collect::<Vec<_>>(),
    }))
}

/// How many references a vat's c-list has.
#[derive(Default)]
struct References {
    imports: u64,
    exports: u64,
    promises: u64,
    devices: u64,
}

fn references(kernel: KernelState<'_>, vat: &str) -> Result<References, Failure> {
    let mut count = References::default();
    let prefix = format!("{vat}.c.");
    kernel.each(&prefix, |key, _| {
        // Each is there twice: by kref and by vref, which has a sign.
        let reference = key.strip_prefix(&prefix).unwrap_or_default();
        let slot = match (reference.as_bytes().first(), reference.as_bytes().get(1)) {
            (Some(b'o'), Some(b'+')) => &mut count.exports,
            (Some(b'o'), Some(b'-')) => &mut count.imports,
            (Some(b'p'), Some(b'+' | b'-')) => &mut count.promises,
            (Some(b'd'), Some(b'+' | b'-')) => &mut count.devices,
            _ => return,
        };
        *slot = slot.saturating_add(1);
    })?;
    Ok(count)
}

fn show(view: &View, kernel: KernelState<'_>, vat: &VatRecord) -> Result<Value, Failure> {
    let references = references(kernel, &vat.id)?;
    let (mut entries, mut bytes) = (0u64, 0usize);
    kernel.each(&format!("{}.vs.", vat.id), |key, value| {
        entries = entries.saturating_add(1);
        bytes = bytes.saturating_add(key.len()).saturating_add(value.len());
    })?;
    let mut shown = row(view, vat)?;
    shown["supervisorBundleID"] = json!(vat.source.supervisor_bundle_id);
    shown["lockdownBundleID"] = json!(vat.source.lockdown_bundle_id);
    shown["options"] = json!({
        "pipelining": vat.options.pipelining,
        "crankLimit": vat.options.crank_limit.to_string(),
        "meter": vat.options.meter,
    });
    shown["reapDirt"] = json!(kernel.text(&format!("{}.reapDirt", vat.id))?);
    shown["cList"] = json!({
        "exports": references.exports.to_string(),
        "imports": references.imports.to_string(),
        "promises": references.promises.to_string(),
        "devices": references.devices.to_string(),
    });
    let stored = kernel.text(&format!("{}.stored", vat.id))?;
    let stored = stored.as_deref().and_then(|figure| figure.split_once(','));
    shown["stored"] = stored.map_or(Value::Null, |(bytes, max)| json!({ "bytes": bytes, "max": max }));
    shown["vatstore"] = json!({ "entries": entries.to_string(), "bytes": bytes.to_string() });
    shown["memory"] = memory(view, &vat.id)?;
    Ok(shown)
}

/// The height of a state's last delivery to a vat and the root over its memory then.
pub fn stored_root(state: &dyn StateRead, vat: &str) -> Result<Option<(u64, [u8; 32])>, Failure> {
    let mut overlay = State::new(state);
    let environment = StateEnvironment::new(&mut overlay);
    let memory = vat_memory(&environment, vat).map_err(failed)?;
    Ok(memory.map(|memory| (memory.height, memory.root)))
}
