//! The limits that bind a vat: its lockdown policy, as the worker applies it.

use swingset_abi::vat::{CapData, Resolution, VatSyscall};
use wasmtime::ResourceLimiter;

use crate::{bundle::LockdownPolicy, engine::GuestFault};

const WASM_PAGE: usize = 64 * 1024;

/// A vat's limits.
#[derive(Clone, Debug)]
pub(crate) struct VatLimits {
    pub memory_bytes_max: usize,
    pub syscalls_per_crank_max: u32,
    pub capdata_bytes_max: usize,
    pub key_bytes_max: usize,
    pub value_bytes_max: usize,
}

impl VatLimits {
    /// Those of a policy.
    pub(crate) fn of(policy: &LockdownPolicy) -> Self {
        VatLimits {
            memory_bytes_max: (policy.memory_pages_max as usize).saturating_mul(WASM_PAGE),
            syscalls_per_crank_max: policy.syscalls_per_crank_max,
            capdata_bytes_max: policy.capdata_bytes_max as usize,
            key_bytes_max: policy.key_bytes_max as usize,
            value_bytes_max: policy.value_bytes_max as usize,
        }
    }

    /// Bytes of the largest request that could be legal.
    pub(crate) fn request_bytes_max(&self) -> usize {
        // A list of resolutions is the largest: a few capdata and their framing.
        self.capdata_bytes_max.saturating_mul(2).saturating_add(self.value_bytes_max).saturating_add(64 * 1024)
    }

    /// Judges a syscall's sizes.
    pub(crate) fn check(&self, syscall: &VatSyscall) -> Result<(), GuestFault> {
        let capdata = |size: usize| {
            if size > self.capdata_bytes_max { Err(GuestFault("capdata is too large")) } else { Ok(()) }
        };
        let key = |key: &str| {
            if key.len() > self.key_bytes_max { Err(GuestFault("key is too long")) } else { Ok(()) }
        };
        match syscall {
            VatSyscall::Send { methargs, .. } => capdata(capdata_bytes(methargs)),
            VatSyscall::CallNow { method, args, .. } => capdata(capdata_bytes(args).saturating_add(method.len())),
            VatSyscall::Resolve { resolutions } => {
                capdata(resolutions.iter().map(resolution_bytes).fold(0, usize::saturating_add))
            }
            VatSyscall::Exit { info, .. } => capdata(capdata_bytes(info)),
            VatSyscall::VatstoreSet { key: name, value } => {
                key(name)?;
                if value.0.len() > self.value_bytes_max { Err(GuestFault("value is too large")) } else { Ok(()) }
            }
            VatSyscall::VatstoreGet { key: name } | VatSyscall::VatstoreDelete { key: name } => key(name),
            VatSyscall::VatstoreGetNextKey { prior } => key(prior),
            VatSyscall::Subscribe { .. }
            | VatSyscall::DropImports { .. }
            | VatSyscall::RetireImports { .. }
            | VatSyscall::RetireExports { .. }
            | VatSyscall::AbandonExports { .. } => Ok(()),
        }
    }
}

/// References that the kernel must translate for a syscall.
pub(crate) fn references(syscall: &VatSyscall) -> usize {
    match syscall {
        VatSyscall::Send { methargs, .. } => methargs.slots.len().saturating_add(2),
        VatSyscall::CallNow { args, .. } => args.slots.len().saturating_add(1),
        VatSyscall::Resolve { resolutions } => {
            let each = resolutions.iter().map(|resolution| resolution.data.slots.len().saturating_add(1));
            each.fold(0, usize::saturating_add)
        }
        VatSyscall::Exit { info, .. } => info.slots.len(),
        VatSyscall::Subscribe { .. } => 1,
        VatSyscall::DropImports { vrefs }
        | VatSyscall::RetireImports { vrefs }
        | VatSyscall::RetireExports { vrefs }
        | VatSyscall::AbandonExports { vrefs } => vrefs.len(),
        VatSyscall::VatstoreGet { .. }
        | VatSyscall::VatstoreSet { .. }
        | VatSyscall::VatstoreGetNextKey { .. }
        | VatSyscall::VatstoreDelete { .. } => 0,
    }
}

fn capdata_bytes(data: &CapData) -> usize {
    data.slots.iter().map(String::len).fold(data.body.len(), usize::saturating_add)
}

fn resolution_bytes(resolution: &Resolution) -> usize {
    capdata_bytes(&resolution.data).saturating_add(resolution.promise.len())
}

/// Memory growth: by policy or not at all. What policy allows and the machine cannot give is the machine's fault.
#[derive(Debug)]
pub(crate) struct Limiter {
    pub memory_bytes_max: usize,
    /// Bytes grown since they were charged last.
    pub grown_bytes: usize,
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = desired <= self.memory_bytes_max.min(maximum.unwrap_or(usize::MAX));
        if allowed {
            self.grown_bytes = self.grown_bytes.saturating_add(desired.saturating_sub(current));
        }
        Ok(allowed)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(error.context("the machine cannot give a vat memory that its policy allows"))
    }

    fn table_growing(&mut self, _current: usize, _desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        // Only at instantiation, with the size that admission allowed.
        Ok(true)
    }
}
