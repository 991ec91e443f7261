//! From a fuzzer's bytes to what a hostile guest does: mostly well-formed requests with made-up references, at times garbage.
//!
//! A script is a list of entries: two bytes of length, little-endian, then the request. Length 0 ends a delivery.

use arbitrary::{Result, Unstructured};
use swingset_abi::{
    supervisor::Output,
    vat::{CapData, Resolution, VatSyscall},
    wire::{Blob, Wire},
};

/// Longest script, in bytes.
const SCRIPT_MAX: usize = 8 * 1024;
/// Longest entry.
const ENTRY_MAX: usize = 2 * 1024;

/// References that a vat has, might have, or invents.
const VREFS: &[&str] = &[
    "o+0",
    "o-50",
    "o-51",
    "o-52",
    "o+1",
    "o+7",
    "p+1",
    "p+5",
    "p-60",
    "p-61",
    "d-70",
    "d-71",
    "o+d10/1",
    "o+v11/2",
    "o-999",
    "p-999",
    "o+00",
    "o+18446744073709551616",
    "o+v1",
    "ko20",
    "kp40",
    "kd30",
    "",
];

/// Bodies that mean something to whoever reads them.
const BODIES: &[&str] = &[
    "#[]",
    "#{}",
    "#null",
    "#\"#undefined\"",
    "#[\"hello\",[]]",
    "#[\"increment\",[\"+1\"]]",
    "#[\"get\",[]]",
    "#[\"createVat\",[\"$0\",{\"name\":\"x\"}]]",
    "#[\"getBundleCap\",[\"b1-00\"]]",
    "#[\"createMeter\",[\"+5\",\"+1\"]]",
    "#[\"upgrade\",[\"$0\",\"$1\"]]",
    "#[\"terminateWithFailure\",[\"$0\"]]",
    "#[\"hello\",[\"$0\",\"&1\",\"$7\"]]",
    "#{\"#error\":\"no\",\"name\":\"Error\"}",
    "#[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
    "",
    "not smallcaps",
];

fn text(u: &mut Unstructured<'_>, known: &[&str]) -> Result<String> {
    if u.ratio(1, 8)? {
        let length = u.int_in_range(0..=40)?;
        return Ok(String::from_utf8_lossy(u.bytes(u.len().min(length))?).into_owned());
    }
    Ok((*u.choose(known)?).to_owned())
}

fn several<T>(u: &mut Unstructured<'_>, make: impl Fn(&mut Unstructured<'_>) -> Result<T>) -> Result<Vec<T>> {
    (0..u.int_in_range(0..=3)?).map(|_| make(u)).collect()
}

fn vref(u: &mut Unstructured<'_>) -> Result<String> {
    text(u, VREFS)
}

fn capdata(u: &mut Unstructured<'_>) -> Result<CapData> {
    Ok(CapData { body: text(u, BODIES)?, slots: several(u, vref)? })
}

fn result(u: &mut Unstructured<'_>) -> Result<Option<String>> {
    Ok(if u.arbitrary()? { Some(vref(u)?) } else { None })
}

fn key(u: &mut Unstructured<'_>) -> Result<String> {
    text(u, &["a", "b", "b.c", "", "\u{10ffff}", "vc.1.x", "idCounters"])
}

fn resolution(u: &mut Unstructured<'_>) -> Result<Resolution> {
    Ok(Resolution { promise: vref(u)?, rejected: u.arbitrary()?, data: capdata(u)? })
}

fn syscall(u: &mut Unstructured<'_>) -> Result<VatSyscall> {
    Ok(match u.int_in_range(0..=13)? {
        0 | 13 => VatSyscall::Send { target: vref(u)?, methargs: capdata(u)?, result: result(u)? },
        1 => VatSyscall::CallNow {
            target: vref(u)?,
            method: text(u, &["createVat", "terminate", "poll", "x"])?,
            args: capdata(u)?,
        },
        2 => VatSyscall::Subscribe { promise: vref(u)? },
        3 => VatSyscall::Resolve { resolutions: several(u, resolution)? },
        4 => VatSyscall::Exit { failure: u.arbitrary()?, info: capdata(u)? },
        5 => VatSyscall::VatstoreGet { key: key(u)? },
        6 => VatSyscall::VatstoreSet { key: key(u)?, value: Blob(key(u)?.into_bytes()) },
        7 => VatSyscall::VatstoreGetNextKey { prior: key(u)? },
        8 => VatSyscall::VatstoreDelete { key: key(u)? },
        9 => VatSyscall::DropImports { vrefs: several(u, vref)? },
        10 => VatSyscall::RetireImports { vrefs: several(u, vref)? },
        11 => VatSyscall::RetireExports { vrefs: several(u, vref)? },
        _ => VatSyscall::AbandonExports { vrefs: several(u, vref)? },
    })
}

fn garbage(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let length = u.int_in_range(1..=64)?;
    Ok(u.bytes(u.len().min(length))?.to_vec())
}

fn output(u: &mut Unstructured<'_>) -> Result<Output> {
    Ok(match u.int_in_range(0..=7)? {
        0 => Output::CallVat { event: Blob(garbage(u)?) },
        1 => Output::AnswerVat { answer: Blob(garbage(u)?) },
        2 => Output::Finished {},
        3 => Output::Failed { problem: key(u)? },
        _ => Output::Syscall { syscall: syscall(u)? },
    })
}

/// At times one byte of a well-formed entry is another.
fn damaged(u: &mut Unstructured<'_>, mut entry: Vec<u8>) -> Result<Vec<u8>> {
    if u.ratio(1, 16)? && !entry.is_empty() {
        let at = u.choose_index(entry.len())?;
        entry[at] = u.arbitrary()?;
    }
    Ok(entry)
}

fn script(data: &[u8], entry: impl Fn(&mut Unstructured<'_>) -> Result<Vec<u8>>) -> Vec<u8> {
    let mut u = Unstructured::new(data);
    let mut script = Vec::new();
    while !u.is_empty() && script.len() < SCRIPT_MAX {
        let next = match u.int_in_range(0..=9) {
            Ok(0) => Ok(Vec::new()),
            Ok(1) => garbage(&mut u),
            Ok(_) => entry(&mut u).and_then(|bytes| damaged(&mut u, bytes)),
            Err(error) => Err(error),
        };
        let Ok(mut next) = next else { break };
        next.truncate(ENTRY_MAX);
        script.extend_from_slice(&u16::try_from(next.len()).unwrap_or(u16::MAX).to_le_bytes());
        script.extend_from_slice(&next);
    }
    script
}

/// What a raw vat asks of the kernel.
pub fn syscalls(data: &[u8]) -> Vec<u8> {
    script(data, |u| Ok(syscall(u)?.to_bytes()))
}

/// What a supervisor gives the host.
pub fn outputs(data: &[u8]) -> Vec<u8> {
    script(data, |u| Ok(output(u)?.to_bytes()))
}

/// One message to `target` with these bytes as its text, references that the sender has, and a promise for its result.
pub fn message(target: &str, data: &[u8], result: &str) -> Vec<u8> {
    let methargs = CapData {
        body: String::from_utf8_lossy(data).into_owned(),
        slots: ["o-50", "o-51", "p+5", "o+1"].map(str::to_owned).to_vec(),
    };
    let send = VatSyscall::Send { target: target.to_owned(), methargs, result: Some(result.to_owned()) };
    let bytes = send.to_bytes();
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&length.to_le_bytes()[..], &bytes].concat()
}
