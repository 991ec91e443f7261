//! A vat's instances in their store.

use std::sync::Arc;

use wasmtime::{AsContextMut, Global, Instance, Memory, Store, TypedFunc, Val};

use super::{
    Event, SharedMailbox,
    limits::{Limiter, VatLimits},
};
use crate::{
    engine::{EngineRuntime, Fault, PreparedModule},
    error::Halt,
    pages::{Capture, InstanceState, Restore, Shadow},
    schedule::SCHEDULE,
};

/// What a vat is made from.
pub(crate) struct VatParts {
    pub runtime: Arc<EngineRuntime>,
    pub vat: Arc<PreparedModule>,
    /// None for a raw vat.
    pub supervisor: Option<Arc<PreparedModule>>,
    pub limits: VatLimits,
}

/// A supervisor's entry points.
#[derive(Clone)]
pub(crate) struct SupervisorCalls {
    pub memory: Memory,
    pub alloc: TypedFunc<u32, u32>,
    pub step: TypedFunc<(u32, u32), u64>,
}

/// What a vat's imports work on.
pub(crate) struct VatData {
    pub mailbox: SharedMailbox,
    pub limits: VatLimits,
    pub limiter: Limiter,
    /// The vat's memory, once it is there.
    pub memory: Option<Memory>,
    /// None in a raw vat.
    pub supervisor: Option<SupervisorCalls>,
    /// Syscalls of this crank.
    pub syscalls: u32,
    /// The answer that did not fit.
    pub kept: Vec<u8>,
    /// Scratch for a supervisor's input.
    pub input: Vec<u8>,
}

/// Memory and globals of one instance.
pub(crate) struct InstanceParts {
    memory: Memory,
    globals: Vec<Global>,
}

/// A vat's instances.
pub(crate) struct Instances {
    pub store: Store<VatData>,
    pub memory: Memory,
    pub alloc: TypedFunc<u32, u32>,
    pub deliver: TypedFunc<(u32, u32), ()>,
    /// The vat's, then the supervisor's.
    instances: Vec<InstanceParts>,
    shadow: Shadow,
}

fn event(fault: Fault) -> Event {
    match fault {
        Fault::Guest(word) => Event::Unusable(word),
        Fault::OutOfFuel => Event::Unusable("limit used up while being made"),
        Fault::Halt(reason) => Event::Halt(reason),
    }
}

fn failed(error: wasmtime::Error) -> Event {
    event(Fault::from(error))
}

fn lacking(what: &str) -> Event {
    Event::Halt(format!("an admitted module has no {what}"))
}

impl Instances {
    /// Instantiates, then puts back the state if there is one.
    pub(crate) async fn make(parts: VatParts, restore: Option<Restore>, mailbox: SharedMailbox) -> Result<Self, Event> {
        let VatParts {
            runtime,
            vat,
            supervisor,
            limits,
        } = parts;
        let limiter = Limiter {
            memory_bytes_max: limits.memory_bytes_max,
            grown_bytes: 0,
        };
        for module in [Some(&vat), supervisor.as_ref()].into_iter().flatten() {
            if module.memory_pages_min.saturating_mul(64 * 1024) > limits.memory_bytes_max as u64 {
                return Err(Event::Unusable("initial memory is above the policy"));
            }
        }
        let data = VatData {
            mailbox,
            limits,
            limiter,
            memory: None,
            supervisor: None,
            syscalls: 0,
            kept: Vec::new(),
            input: Vec::new(),
        };
        let mut store = Store::new(runtime.engine(), data);
        store.limiter(|data| &mut data.limiter);
        // Instantiation runs no guest code; what it copies is bounded by admission.
        store.set_fuel(SCHEDULE.fuel(u64::MAX)).map_err(failed)?;
        let halt = |halt: Halt| Event::Halt(halt.0);
        let instance = runtime
            .link_vat_module(&vat)
            .map_err(halt)?
            .instantiate_async(&mut store)
            .await
            .map_err(failed)?;
        let own = instance_parts(&mut store, &instance, &vat)?;
        let memory = own.memory;
        let mut instances = vec![own];
        let alloc = instance.get_typed_func(&mut store, "vat_alloc").map_err(failed)?;
        let deliver = instance.get_typed_func(&mut store, "vat_deliver").map_err(failed)?;
        store.data_mut().memory = Some(memory);
        if let Some(module) = &supervisor {
            let instance = runtime
                .link_vat_module(module)
                .map_err(halt)?
                .instantiate_async(&mut store)
                .await
                .map_err(failed)?;
            let parts = instance_parts(&mut store, &instance, module)?;
            let calls = SupervisorCalls {
                memory: parts.memory,
                alloc: instance
                    .get_typed_func(&mut store, "supervisor_alloc")
                    .map_err(failed)?,
                step: instance.get_typed_func(&mut store, "supervisor_step").map_err(failed)?,
            };
            store.data_mut().supervisor = Some(calls);
            instances.push(parts);
        }
        let mut made = Instances {
            store,
            memory,
            alloc,
            deliver,
            instances,
            shadow: Shadow::default(),
        };
        if let Some(restore) = restore {
            made.restore(&restore)?;
        }
        made.store.data_mut().limiter.grown_bytes = 0;
        Ok(made)
    }

    /// Bytes of all memories.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let sizes = self
            .instances
            .iter()
            .map(|parts| parts.memory.data_size(&self.store) as u64);
        sizes.fold(0, u64::saturating_add)
    }

    /// What changed since the last capture.
    pub(crate) fn capture(&mut self) -> Result<Capture, Halt> {
        let mut states = Vec::with_capacity(self.instances.len());
        for parts in &self.instances {
            let mut globals = Vec::with_capacity(parts.globals.len());
            for global in &parts.globals {
                globals.push(match global.get(&mut self.store) {
                    Val::I32(value) => u64::from(value.cast_unsigned()),
                    Val::I64(value) => value.cast_unsigned(),
                    Val::F32(bits) => u64::from(bits),
                    Val::F64(bits) => bits,
                    _ => return Err(Halt::new("an admitted module has a mutable global that is no number")),
                });
            }
            states.push(globals);
        }
        let store = &self.store;
        let states = self.instances.iter().zip(states);
        let states = states.map(|(parts, globals)| InstanceState {
            memory: parts.memory.data(store),
            globals,
        });
        Ok(self.shadow.capture(states.collect()))
    }

    /// Puts back length, all pages and all globals, and checks the root.
    fn restore(&mut self, restore: &Restore) -> Result<(), Event> {
        let broken = |what: &str| Event::Halt(format!("a vat's stored state does not fit its code: {what}"));
        if restore.instances.len() != self.instances.len() {
            return Err(broken("number of instances"));
        }
        for (parts, stored) in self.instances.iter().zip(&restore.instances) {
            let have = parts.memory.data_size(&self.store) as u64;
            let grow = stored
                .memory_bytes()
                .checked_sub(have)
                .ok_or_else(|| broken("length of memory"))?;
            parts.memory.grow(&mut self.store, grow / (64 * 1024)).map_err(failed)?;
            stored
                .write_to(parts.memory.data_mut(&mut self.store))
                .map_err(|halt| Event::Halt(halt.0))?;
            if stored.globals.len() != parts.globals.len() {
                return Err(broken("number of globals"));
            }
            for (global, value) in parts.globals.iter().zip(&stored.globals) {
                set_global(global, *value, &mut self.store).map_err(failed)?;
            }
        }
        let capture = self.capture().map_err(|halt| Event::Halt(halt.0))?;
        if capture.root != restore.root {
            return Err(broken("the root over memory and globals is not the one in state"));
        }
        Ok(())
    }
}

fn set_global(global: &Global, bits: u64, store: &mut Store<VatData>) -> wasmtime::Result<()> {
    let low = || u32::try_from(bits).map_err(|_| wasmtime::Error::msg("stored global is too wide"));
    let value = match global.ty(&*store).content() {
        wasmtime::ValType::I32 => Val::I32(low()?.cast_signed()),
        wasmtime::ValType::I64 => Val::I64(bits.cast_signed()),
        wasmtime::ValType::F32 => Val::F32(low()?),
        wasmtime::ValType::F64 => Val::F64(bits),
        _ => return Err(wasmtime::Error::msg("mutable global that is no number")),
    };
    global.set(store, value)
}

fn instance_parts(
    mut store: impl AsContextMut<Data = VatData>,
    instance: &Instance,
    module: &PreparedModule,
) -> Result<InstanceParts, Event> {
    let memory = instance
        .get_memory(&mut store, "memory")
        .ok_or_else(|| lacking("memory"))?;
    let mut globals = Vec::with_capacity(module.globals.len());
    for name in &module.globals {
        globals.push(
            instance
                .get_global(&mut store, name)
                .ok_or_else(|| lacking("exported global"))?,
        );
    }
    Ok(InstanceParts { memory, globals })
}
