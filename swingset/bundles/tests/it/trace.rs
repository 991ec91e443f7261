//! Cranks as text: what was delivered to whom, and what it asked of the kernel.

use std::sync::{Arc, Mutex};

use swingset_abi::{
    kernel::CrankKind,
    vat::{CapData, DeliveryOutcome, DeliveryVerdict, Resolution, SyscallReply, VatDelivery, VatSyscall},
    wire::{Blob, Wire},
};
use swingset_host::watch::{CrankEnds, CrankWatcher, DeliveryBegins};

/// Writes down what it sees. Clones write to the same page.
#[derive(Clone, Debug, Default)]
pub struct Trace(Arc<Mutex<Page>>);

#[derive(Debug, Default)]
struct Page {
    /// Of cranks that have ended.
    text: String,
    /// Of the crank under way.
    crank: Vec<String>,
}

impl Trace {
    /// What was written since this was last taken.
    pub fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().expect("nobody failed while writing").text)
    }

    fn line(&self, line: String) {
        self.0.lock().expect("nobody failed while writing").crank.push(line);
    }
}

impl CrankWatcher for Trace {
    fn crank_begins(&mut self) {
        self.0.lock().expect("nobody failed while writing").crank.clear();
    }

    fn delivery_begins(&mut self, begins: &DeliveryBegins<'_>) {
        let delivery = VatDelivery::from_bytes(begins.delivery).expect("the kernel's deliveries can be read");
        self.line(format!("  {} < {}", begins.vat, delivered(&delivery)));
    }

    fn syscall(&mut self, _vat: &str, syscall: &[u8]) {
        let syscall = VatSyscall::from_bytes(syscall).expect("the supervisor's syscalls can be read");
        self.line(format!("    > {}", asked(&syscall)));
    }

    fn syscall_answered(&mut self, _vat: &str, reply: &[u8]) {
        let answer = match SyscallReply::from_bytes(reply).expect("the kernel's answers can be read") {
            SyscallReply::Done {} => return,
            SyscallReply::Value { value } => value.map_or("nothing".to_owned(), |Blob(bytes)| stored(&bytes)),
            SyscallReply::Key { key } => key.unwrap_or("nothing".to_owned()),
            SyscallReply::Data { data } => capdata(&data),
            SyscallReply::Error { problem } | SyscallReply::Failed { problem } => format!("! {problem}"),
        };
        let mut page = self.0.lock().expect("nobody failed while writing");
        let asked = page.crank.last_mut().expect("an answer follows a question");
        asked.push_str(&format!(" = {answer}"));
    }

    fn delivery_ends(&mut self, _vat: &str, outcome: &DeliveryOutcome) {
        match &outcome.verdict {
            DeliveryVerdict::Ok {} => {}
            DeliveryVerdict::Error { problem } => self.line(format!("    ! {problem}")),
            DeliveryVerdict::MeterExhausted {} => self.line("    ! meter exhausted".to_owned()),
        }
    }

    fn vat_restored(&mut self, vat: &str) {
        self.line(format!("  {vat} is as before the crank"));
    }

    fn crank_ends(&mut self, ends: &CrankEnds<'_>) {
        let mut page = self.0.lock().expect("nobody failed while writing");
        let report = ends.report.expect("the engine does not stop");
        let kind = match report.kind {
            CrankKind::Idle {} => return,
            CrankKind::Routing {} => "routing",
            CrankKind::Delivery {} => "delivery",
            CrankKind::Empty {} => "no delivery",
            CrankKind::Cleanup {} => "cleanup",
        };
        let mut lines = vec![format!("crank {} {kind}", ends.crank_number)];
        lines.append(&mut page.crank);
        if report.aborted {
            lines.push("  undone".to_owned());
        }
        lines.extend(report.terminated.as_ref().map(|vat| format!("  {vat} is terminated")));
        for line in lines {
            page.text.push_str(&line);
            page.text.push('\n');
        }
    }
}

/// A body, and what it refers to.
pub fn capdata(data: &CapData) -> String {
    if data.slots.is_empty() { data.body.clone() } else { format!("{} [{}]", data.body, data.slots.join(" ")) }
}

/// A value in the vatstore: most are data as the supervisor writes it.
fn stored(bytes: &[u8]) -> String {
    CapData::from_bytes(bytes)
        .ok()
        .filter(|data| data.body.starts_with('#'))
        .map_or_else(|| format!("'{}'", bytes.escape_ascii()), |data| capdata(&data))
}

fn message(target: &str, methargs: &CapData, result: Option<&String>) -> String {
    let result = result.map(|promise| format!(" -> {promise}")).unwrap_or_default();
    format!("{target} {}{result}", capdata(methargs))
}

fn settled(resolutions: &[Resolution]) -> String {
    let one =
        |one: &Resolution| format!("{} {} {}", one.promise, if one.rejected { "!" } else { "=" }, capdata(&one.data));
    resolutions.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn delivered(delivery: &VatDelivery) -> String {
    match delivery {
        VatDelivery::Message { target, methargs, result } => {
            format!("message {}", message(target, methargs, result.as_ref()))
        }
        VatDelivery::Notify { resolutions } => format!("notify {}", settled(resolutions)),
        VatDelivery::DropExports { vrefs } => format!("dropExports {}", vrefs.join(" ")),
        VatDelivery::RetireExports { vrefs } => format!("retireExports {}", vrefs.join(" ")),
        VatDelivery::RetireImports { vrefs } => format!("retireImports {}", vrefs.join(" ")),
        VatDelivery::ChangeVatOptions { options } => format!("changeVatOptions {options}"),
        VatDelivery::StartVat { parameters } => format!("startVat {}", capdata(parameters)),
        VatDelivery::BringOutYourDead {} => "bringOutYourDead".to_owned(),
    }
}

fn asked(syscall: &VatSyscall) -> String {
    match syscall {
        VatSyscall::Send { target, methargs, result } => format!("send {}", message(target, methargs, result.as_ref())),
        VatSyscall::CallNow { target, method, args } => format!("callNow {target} {method} {}", capdata(args)),
        VatSyscall::Subscribe { promise } => format!("subscribe {promise}"),
        VatSyscall::Resolve { resolutions } => format!("resolve {}", settled(resolutions)),
        VatSyscall::Exit { failure, info } => {
            format!("exit {} {}", if *failure { "with failure" } else { "well" }, capdata(info))
        }
        VatSyscall::VatstoreGet { key } => format!("vatstoreGet {key}"),
        VatSyscall::VatstoreSet { key, value: Blob(bytes) } => format!("vatstoreSet {key} {}", stored(bytes)),
        VatSyscall::VatstoreGetNextKey { prior } => format!("vatstoreGetNextKey {prior}"),
        VatSyscall::VatstoreDelete { key } => format!("vatstoreDelete {key}"),
        VatSyscall::DropImports { vrefs } => format!("dropImports {}", vrefs.join(" ")),
        VatSyscall::RetireImports { vrefs } => format!("retireImports {}", vrefs.join(" ")),
        VatSyscall::RetireExports { vrefs } => format!("retireExports {}", vrefs.join(" ")),
        VatSyscall::AbandonExports { vrefs } => format!("abandonExports {}", vrefs.join(" ")),
    }
}
