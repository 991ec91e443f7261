//! `engine kernel-dump`: the kernel's state, as tables or as its entries are. Source: SwingSet's `kernel-dump` and `controller.dump`.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Map, Value, json};
use swing_core::modules::swingset::view::engine_status;
use swing_store::View;
use swingset_host::keys;

use super::{
    failed,
    kernel_state::{KernelState, number_of},
    state::StateArgs,
    vats,
};
use crate::{
    cli::{
        Context, Failure,
        output::{self, Format},
    },
    engine_adapter::vat_json,
};

/// Arguments of `engine kernel-dump`.
#[derive(Args, Debug)]
pub struct KernelDumpArgs {
    /// Print each entry as `key :: value`, in the order of the keys; what is no text, in hex
    #[arg(long)]
    raw: bool,
    /// With --raw: entries whose keys begin so
    #[arg(long, value_name = "PREFIX", default_value = "", requires = "raw")]
    prefix: String,
    #[command(flatten)]
    state: StateArgs,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Runs it.
pub fn run(context: &Context, arguments: &KernelDumpArgs) -> Result<(), Failure> {
    let view = arguments.state.view(context)?;
    let kernel = KernelState::of(&view)?;
    if arguments.raw {
        let mut lines = Vec::new();
        kernel.each(&arguments.prefix, |key, value| lines.push(format!("{key} :: {}", shown(value))))?;
        return output::line(&lines.join("\n"));
    }
    output::value(arguments.output, &tables(&view, kernel)?)
}

fn shown(value: &[u8]) -> String {
    match vat_json::bytes(value) {
        Value::String(text) if !text.contains(char::is_control) => text,
        _ => format!("hex:{}", hex::encode(value)),
    }
}

/// What is told of a promise or an object, by the last part of its keys.
type Parts = BTreeMap<String, String>;

#[derive(Default)]
struct Tables {
    objects: BTreeMap<u64, Parts>,
    promises: BTreeMap<u64, Parts>,
    /// kref, vat, vref, and whether it is reachable.
    clists: Vec<Value>,
    gc_actions: Vec<String>,
}

impl Tables {
    fn take(&mut self, key: &str, value: &[u8]) {
        let text = || String::from_utf8_lossy(value).into_owned();
        let Some((subject, part)) = key.split_once('.') else { return };
        let numbered = |kind: &str| subject.strip_prefix(kind).and_then(|number| number.parse::<u64>().ok());
        if subject == "gcActions" {
            self.gc_actions.push(part.to_owned());
        } else if let Some(number) = numbered("ko") {
            if !part.starts_with("importer.") {
                self.objects.entry(number).or_default().insert(part.to_owned(), text());
            }
        } else if let Some(number) = numbered("kp") {
            if !part.starts_with("queue.") || part == "queue.nextID" {
                self.promises.entry(number).or_default().insert(part.to_owned(), text());
            }
        } else if numbered("v").is_some()
            && let Some(kref) = part.strip_prefix("c.").filter(|kref| kref.starts_with('k'))
        {
            let value = text();
            let (flag, vref) = value.split_once(' ').unwrap_or(("", &value));
            self.clists.push(json!([kref, subject, vref, flag == "R"]));
        }
    }
}

fn tables(view: &View, kernel: KernelState<'_>) -> Result<Value, Failure> {
    let mut tables = Tables::default();
    kernel.each("", |key, value| tables.take(key, value))?;
    let mut vats = Vec::new();
    for vat in kernel.vats()? {
        vats.push(vats::row(view, &vat)?);
    }
    tables.clists.sort_by_key(|row| (number_of(row[0].as_str().unwrap_or_default()), row[1].to_string()));
    let (status, reason) = engine_status(view).map_err(failed)?;
    let mut dump = Map::new();
    let mut put = |name: &str, value: Value| dump.insert(name.to_owned(), value);
    put("height", json!(view.version().to_string()));
    put("appHash", json!(hex::encode_upper(view.root_hash())));
    for name in [keys::KERNEL_BUNDLE_ID, keys::LOCKDOWN_BUNDLE_ID, keys::SUPERVISOR_BUNDLE_ID, keys::ACTIVITY_HASH] {
        put(name, json!(kernel.host_text(name)?));
    }
    put("schema", json!(kernel.text(keys::KERNEL_SCHEMA)?));
    put("crankNumber", json!(kernel.text(keys::KERNEL_CRANK_NUMBER)?));
    put("engineStatus", json!(status.as_str_name()));
    put("engineStopped", json!(Some(reason).filter(|reason| !reason.is_empty())));
    put("vats", Value::Array(vats));
    put("objects", tables.objects.iter().map(|(number, parts)| object(*number, parts)).collect());
    put("promises", tables.promises.iter().map(|(number, parts)| promise(*number, parts)).collect());
    put("kernelTable", Value::Array(tables.clists));
    let mut queues = Map::new();
    for queue in ["acceptanceQueue", "runQueue", "reapQueue"] {
        queues.insert(queue.to_owned(), json!(queue_length(kernel, queue)?.to_string()));
    }
    put("queues", Value::Object(queues));
    put("gcActions", json!(tables.gc_actions));
    Ok(Value::Object(dump))
}

fn object(number: u64, parts: &Parts) -> Value {
    let counts = parts.get("refCount").map(String::as_str).unwrap_or_default();
    let (reachable, recognizable) = counts.split_once(',').unwrap_or((counts, ""));
    json!({ "kref": format!("ko{number}"), "owner": parts.get("owner"), "reachable": reachable, "recognizable": recognizable })
}

fn promise(number: u64, parts: &Parts) -> Value {
    let mut shown = Map::from_iter([("kpid".to_owned(), json!(format!("kp{number}")))]);
    shown.extend(parts.iter().map(|(part, text)| (part.clone(), json!(text))));
    Value::Object(shown)
}

/// A queue's head and tail are a list of two numbers.
fn queue_length(kernel: KernelState<'_>, queue: &str) -> Result<u64, Failure> {
    let text = kernel.text(queue)?.unwrap_or_default();
    let numbers: Vec<u64> =
        text.trim_matches(['[', ']']).split(',').filter_map(|number| number.trim().parse().ok()).collect();
    Ok(match numbers.as_slice() {
        [head, tail] => tail.saturating_sub(*head),
        _ => 0,
    })
}
