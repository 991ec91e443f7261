//! `engine slog-summary`: where the time went, from a trace of cranks.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader},
    path::PathBuf,
};

use clap::Args;
use serde_json::{Value, json};

use crate::cli::{
    Failure,
    output::{self, Format},
};

/// Arguments of `engine slog-summary`.
#[derive(Args, Debug)]
pub struct SlogSummaryArgs {
    /// The trace
    file: PathBuf,
    /// How many of the longest cranks are listed
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    top: usize,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Deliveries of one vat or one kind together.
#[derive(Default)]
struct Total {
    deliveries: u64,
    syscalls: u64,
    micros: u64,
    /// Of it, while the kernel served syscalls.
    syscall_micros: u64,
    computrons: u64,
    micros_max: u64,
}

/// A crank.
struct Crank {
    micros: u64,
    number: u64,
    kind: String,
    vat: String,
    delivery: String,
    computrons: u64,
}

/// The delivery under way.
#[derive(Default)]
struct Open {
    vat: String,
    kind: String,
    syscalls: u64,
    syscall_micros: u64,
}

#[derive(Default)]
struct Summary {
    lines: u64,
    unreadable: u64,
    blocks: u64,
    cranks: u64,
    crank_micros: u64,
    undone: u64,
    vats: BTreeMap<String, Total>,
    kinds: BTreeMap<String, Total>,
    top: Vec<Crank>,
    open: Open,
}

/// Runs it.
pub fn run(arguments: &SlogSummaryArgs) -> Result<(), Failure> {
    let at = |error: std::io::Error| Failure::new(format!("{}: {error}", arguments.file.display()));
    let mut lines = BufReader::new(File::open(&arguments.file).map_err(at)?);
    let mut summary = Summary::default();
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).map_err(at)? > 0 {
        summary.lines = summary.lines.saturating_add(1);
        match serde_json::from_slice::<Value>(&line) {
            Ok(event) => summary.take(&event, arguments.top),
            // The last line of a node that was killed is cut off.
            Err(_) => summary.unreadable = summary.unreadable.saturating_add(1),
        }
        line.clear();
    }
    if summary.cranks == 0 && summary.blocks == 0 {
        return Err(Failure::new(format!("{} has no cranks in it: is it a slogfile?", arguments.file.display())));
    }
    output::value(arguments.output, &summary.to_json())
}

fn text(event: &Value, field: &str) -> String {
    event[field].as_str().unwrap_or_default().to_owned()
}

fn number(event: &Value, field: &str) -> u64 {
    event[field].as_u64().unwrap_or(0)
}

impl Total {
    fn add(&mut self, open: &Open, micros: u64, computrons: u64) {
        self.deliveries = self.deliveries.saturating_add(1);
        self.syscalls = self.syscalls.saturating_add(open.syscalls);
        self.micros = self.micros.saturating_add(micros);
        self.syscall_micros = self.syscall_micros.saturating_add(open.syscall_micros);
        self.computrons = self.computrons.saturating_add(computrons);
        self.micros_max = self.micros_max.max(micros);
    }

    fn to_json(&self, name: &str, of: &str) -> Value {
        let mean = self.micros.checked_div(self.deliveries).unwrap_or(0);
        json!({
            name: of,
            "deliveries": self.deliveries,
            "micros": self.micros,
            "microsInSyscalls": self.syscall_micros,
            "microsMean": mean,
            "microsMax": self.micros_max,
            "syscalls": self.syscalls,
            "computrons": self.computrons,
        })
    }
}

impl Summary {
    fn take(&mut self, event: &Value, top: usize) {
        match event["type"].as_str().unwrap_or_default() {
            "cosmic-swingset-begin-block" => self.blocks = self.blocks.saturating_add(1),
            "deliver" => {
                let kind = event["vd"][0].as_str().unwrap_or("unknown").to_owned();
                self.open = Open { vat: text(event, "vatID"), kind, ..Open::default() };
            }
            "syscall-result" => {
                self.open.syscalls = self.open.syscalls.saturating_add(1);
                self.open.syscall_micros = self.open.syscall_micros.saturating_add(number(event, "micros"));
            }
            "deliver-result" => {
                let (micros, computrons) = (number(event, "micros"), event["dr"][2]["compute"].as_u64().unwrap_or(0));
                self.vats.entry(self.open.vat.clone()).or_default().add(&self.open, micros, computrons);
                self.kinds.entry(self.open.kind.clone()).or_default().add(&self.open, micros, computrons);
            }
            "crank-finish" => self.finish(event, top),
            "crank-undone" => {
                self.undone = self.undone.saturating_add(1);
                self.open = Open::default();
            }
            _ => {}
        }
    }

    fn finish(&mut self, event: &Value, top: usize) {
        let micros = number(event, "micros");
        self.cranks = self.cranks.saturating_add(1);
        self.crank_micros = self.crank_micros.saturating_add(micros);
        let crank = Crank {
            micros,
            number: number(event, "crankNum"),
            kind: text(event, "crankType"),
            vat: text(event, "vatID"),
            delivery: std::mem::take(&mut self.open).kind,
            computrons: number(event, "computrons"),
        };
        let place = self.top.partition_point(|other| other.micros >= micros);
        if place < top {
            self.top.insert(place, crank);
            self.top.truncate(top);
        }
    }

    /// The most time first.
    fn by_time(totals: &BTreeMap<String, Total>, name: &str) -> Value {
        let mut rows: Vec<_> = totals.iter().collect();
        rows.sort_by_key(|(_, total)| std::cmp::Reverse(total.micros));
        rows.into_iter().map(|(of, total)| total.to_json(name, of)).collect()
    }

    fn to_json(&self) -> Value {
        let top = self.top.iter().map(|crank| {
            json!({
                "crankNum": crank.number,
                "micros": crank.micros,
                "crankType": crank.kind,
                "vatID": crank.vat,
                "delivery": crank.delivery,
                "computrons": crank.computrons,
            })
        });
        json!({
            "lines": self.lines,
            "unreadableLines": self.unreadable,
            "blocks": self.blocks,
            "cranks": self.cranks,
            "cranksUndone": self.undone,
            "micros": self.crank_micros,
            "byVat": Self::by_time(&self.vats, "vatID"),
            "byDelivery": Self::by_time(&self.kinds, "delivery"),
            "topCranks": top.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_summed_by_vat_and_kind_and_the_longest_cranks_come_first() {
        let mut summary = Summary::default();
        for (number, vat, kind, micros) in [(1, "v1", "startVat", 9), (2, "v2", "message", 5), (3, "v1", "message", 7)]
        {
            for event in [
                json!({ "type": "deliver", "vatID": vat, "vd": [kind] }),
                json!({ "type": "syscall-result", "vatID": vat, "micros": 2 }),
                json!({ "type": "deliver-result", "vatID": vat, "micros": micros, "dr": ["ok", null, { "compute": 100 }] }),
                json!({ "type": "crank-finish", "crankNum": number, "vatID": vat, "micros": micros + 1, "computrons": 100 }),
            ] {
                summary.take(&event, 2);
            }
        }
        let shown = summary.to_json();
        assert_eq!(shown["byVat"][0]["vatID"], "v1");
        assert_eq!((&shown["byVat"][0]["micros"], &shown["byVat"][0]["microsInSyscalls"]), (&json!(16), &json!(4)));
        assert_eq!(
            (&shown["byDelivery"][0]["delivery"], &shown["byDelivery"][0]["micros"]),
            (&json!("message"), &json!(12))
        );
        let top: Vec<_> =
            shown["topCranks"].as_array().expect("a list").iter().map(|crank| &crank["crankNum"]).collect();
        assert_eq!(top, [1, 3]);
        assert_eq!(shown["topCranks"][1]["delivery"], "message");
    }
}
