//! Vats, data and syscalls in few words.

use swingset_abi::{
    kernel::{StaticVat, VatOptions},
    vat::{CapData, Resolution, VatSyscall},
};

pub fn vat(name: &str) -> StaticVat {
    StaticVat {
        name: name.to_owned(),
        bundle_id: format!("b1-{name}"),
        parameters: data("#{}", &[]),
        options: VatOptions {
            raw: true,
            ..VatOptions::default()
        },
    }
}

pub fn data(body: &str, slots: &[&str]) -> CapData {
    CapData {
        body: body.to_owned(),
        slots: slots.iter().map(|slot| (*slot).to_owned()).collect(),
    }
}

/// A vat gives up imports: neither reached nor recognized any more.
pub fn let_go(vrefs: Vec<String>) -> Vec<VatSyscall> {
    vec![
        VatSyscall::DropImports { vrefs: vrefs.clone() },
        VatSyscall::RetireImports { vrefs },
    ]
}

pub fn send(target: &str, body: &str, slots: &[&str], result: Option<&str>) -> VatSyscall {
    VatSyscall::Send {
        target: target.to_owned(),
        methargs: data(body, slots),
        result: result.map(str::to_owned),
    }
}

pub fn settle(promise: &str, rejected: bool, body: &str, slots: &[&str]) -> VatSyscall {
    let resolution = Resolution {
        promise: promise.to_owned(),
        rejected,
        data: data(body, slots),
    };
    VatSyscall::Resolve {
        resolutions: vec![resolution],
    }
}

pub fn subscribe(promise: &str) -> VatSyscall {
    VatSyscall::Subscribe {
        promise: promise.to_owned(),
    }
}
