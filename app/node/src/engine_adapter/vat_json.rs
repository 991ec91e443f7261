//! Deliveries, syscalls and answers as JSON, in the forms of SwingSet's `VatDeliveryObject`, `VatSyscallObject` and
//! `VatSyscallResult`, which the tools of its users read.

use serde_json::{Value, json};
use swingset_abi::{
    vat::{CapData, DeliveryOutcome, DeliveryVerdict, Resolution, SyscallReply, VatDelivery, VatSyscall},
    wire::{Blob, Wire},
};

fn capdata(data: &CapData) -> Value {
    json!({ "body": data.body, "slots": data.slots })
}

fn message(methargs: &CapData, result: Option<&String>) -> Value {
    json!({ "methargs": capdata(methargs), "result": result })
}

fn resolutions(resolutions: &[Resolution]) -> Value {
    resolutions.iter().map(|one| json!([one.promise, one.rejected, capdata(&one.data)])).collect()
}

/// Bytes as text where they are text, else as `{"hex": …}`.
pub fn bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "hex": hex::encode(bytes) }),
    }
}

fn decoded<T: Wire>(encoded: &[u8], to_json: impl FnOnce(&T) -> Value) -> Value {
    T::from_bytes(encoded).map_or_else(|_| json!(["malformed", hex::encode(encoded)]), |value| to_json(&value))
}

/// An encoded delivery.
pub fn delivery(encoded: &[u8]) -> Value {
    decoded(encoded, |delivery: &VatDelivery| match delivery {
        VatDelivery::Message { target, methargs, result } => {
            json!(["message", target, message(methargs, result.as_ref())])
        }
        VatDelivery::Notify { resolutions: all } => json!(["notify", resolutions(all)]),
        VatDelivery::DropExports { vrefs } => json!(["dropExports", vrefs]),
        VatDelivery::RetireExports { vrefs } => json!(["retireExports", vrefs]),
        VatDelivery::RetireImports { vrefs } => json!(["retireImports", vrefs]),
        VatDelivery::ChangeVatOptions { options } => json!(["changeVatOptions", options]),
        VatDelivery::StartVat { parameters } => json!(["startVat", capdata(parameters)]),
        VatDelivery::BringOutYourDead {} => json!(["bringOutYourDead"]),
    })
}

/// An encoded syscall.
pub fn syscall(encoded: &[u8]) -> Value {
    decoded(encoded, |syscall: &VatSyscall| match syscall {
        VatSyscall::Send { target, methargs, result } => json!(["send", target, message(methargs, result.as_ref())]),
        VatSyscall::CallNow { target, method, args } => json!(["callNow", target, method, capdata(args)]),
        VatSyscall::Subscribe { promise } => json!(["subscribe", promise]),
        VatSyscall::Resolve { resolutions: all } => json!(["resolve", resolutions(all)]),
        VatSyscall::Exit { failure, info } => json!(["exit", failure, capdata(info)]),
        VatSyscall::VatstoreGet { key } => json!(["vatstoreGet", key]),
        VatSyscall::VatstoreSet { key, value } => json!(["vatstoreSet", key, bytes(&value.0)]),
        VatSyscall::VatstoreGetNextKey { prior } => json!(["vatstoreGetNextKey", prior]),
        VatSyscall::VatstoreDelete { key } => json!(["vatstoreDelete", key]),
        VatSyscall::DropImports { vrefs } => json!(["dropImports", vrefs]),
        VatSyscall::RetireImports { vrefs } => json!(["retireImports", vrefs]),
        VatSyscall::RetireExports { vrefs } => json!(["retireExports", vrefs]),
        VatSyscall::AbandonExports { vrefs } => json!(["abandonExports", vrefs]),
    })
}

/// An encoded answer to a syscall.
pub fn reply(encoded: &[u8]) -> Value {
    decoded(encoded, |reply: &SyscallReply| match reply {
        SyscallReply::Done {} => json!(["ok", null]),
        SyscallReply::Value { value } => json!(["ok", value.as_ref().map(|Blob(value)| bytes(value))]),
        SyscallReply::Key { key } => json!(["ok", key]),
        SyscallReply::Data { data } => json!(["ok", capdata(data)]),
        SyscallReply::Error { problem } | SyscallReply::Failed { problem } => json!(["error", problem]),
    })
}

/// How a delivery ended: `[status, problem, {compute}]`.
pub fn outcome(outcome: &DeliveryOutcome) -> Value {
    let usage = json!({ "compute": outcome.computrons });
    match &outcome.verdict {
        DeliveryVerdict::Ok {} => json!(["ok", null, usage]),
        DeliveryVerdict::Error { problem } => json!(["error", problem, usage]),
        DeliveryVerdict::MeterExhausted {} => json!(["error", "meter exhausted", usage]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_and_syscalls_have_the_forms_that_upstreams_tools_read() {
        let methargs = CapData { body: "#[]".to_owned(), slots: vec!["o-50".to_owned()] };
        let sent = VatDelivery::Message { target: "o+0".to_owned(), methargs, result: Some("p-60".to_owned()) };
        let expected =
            json!(["message", "o+0", { "methargs": { "body": "#[]", "slots": ["o-50"] }, "result": "p-60" }]);
        assert_eq!(delivery(&sent.to_bytes()), expected);
        let set = |value: &[u8]| VatSyscall::VatstoreSet { key: "k".to_owned(), value: Blob(value.to_vec()) };
        assert_eq!(syscall(&set(b"v").to_bytes()), json!(["vatstoreSet", "k", "v"]));
        assert_eq!(syscall(&set(&[0xff]).to_bytes()), json!(["vatstoreSet", "k", { "hex": "ff" }]));
        assert_eq!(reply(&SyscallReply::Value { value: None }.to_bytes()), json!(["ok", null]));
        assert_eq!(reply(&[9, 9]), json!(["malformed", "0909"]));
    }
}
