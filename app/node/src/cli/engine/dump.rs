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
    /// Print each entry as `key :: value`, in the order of the keys; what is no plain text, in hex
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
        kernel.each_as_it_is(&arguments.prefix, |key, value| lines.push(line(key, value)))?;
        return output::line(&lines.join("\n"));
    }
    output::value(arguments.output, &tables(&view, kernel)?)
}

/// Between a key and its value.
const PARTED: &str = " :: ";

/// An entry as one line. Keys of a vat's store are the vat's own choice, and values too: what would pass for another entry, or for hex,
/// is in hex.
fn line(key: &[u8], value: &[u8]) -> String {
    let shown = |bytes: &[u8], is_plain: &dyn Fn(&str) -> bool| match vat_json::bytes(bytes) {
        Value::String(text) if is_plain(&text) => text,
        _ => format!("hex:{}", hex::encode(bytes)),
    };
    let is_plain = |text: &str| !text.contains(char::is_control) && !text.starts_with("hex:");
    format!("{}{PARTED}{}", shown(key, &|text| is_plain(text) && !text.contains(PARTED)), shown(value, &is_plain))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_and_no_value_of_a_vat_passes_for_another_entry() {
        let of = |key: &str, value: &str| line(key.as_bytes(), value.as_bytes());
        assert_eq!(of("v1.vs.name", "two words :: and more"), "v1.vs.name :: two words :: and more");
        for key in
            ["v1.vs.a\nkernelBundleID", "v1.vs.a\r", "v1.vs.\u{1b}[2K", "v1.vs.a\u{85}", "v1.vs.a :: b", "hex:61"]
        {
            assert_eq!(of(key, "1"), format!("hex:{} :: 1", hex::encode(key)));
        }
        for value in ["1\nv2.vs.a :: 2", "\u{1b}[1A", "hex:61"] {
            assert_eq!(of("v1.vs.a", value), format!("v1.vs.a :: hex:{}", hex::encode(value)));
        }
        assert_eq!(line(b"\xff", b"\xfe"), "hex:ff :: hex:fe", "what is no text is not replaced");
    }
}
