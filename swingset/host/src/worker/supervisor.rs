//! A vat's supervisor: a state machine that imports nothing, so that a step of it is a plain call that never suspends.
//!
//! It has a store of its own, since the engine lets nothing be called in a store with imports that suspend but on one more fiber,
//! and setting that up costs more than the step. To its vat it is as one store: each step begins with the fuel that the vat has
//! left and leaves the vat what it did not burn, and memory that it grows is charged to the vat (`docs/adr/0009-engine-room.md`).

use wasmtime::{Memory, Store, TypedFunc};

use super::{limits::Limiter, parts::InstanceParts};
use crate::{
    engine::{EngineRuntime, PreparedModule},
    error::Halt,
    guest,
    pages::{InstanceImage, InstanceState},
    schedule::SCHEDULE,
};

/// A supervisor's instance.
pub(crate) struct Supervisor {
    store: Store<Limiter>,
    memory: Memory,
    alloc: TypedFunc<u32, u32>,
    step: TypedFunc<(u32, u32), u64>,
    parts: InstanceParts,
    /// Scratch for the next input.
    input: Vec<u8>,
}

impl Supervisor {
    /// Instantiates an admitted supervisor.
    pub(super) async fn make(
        runtime: &EngineRuntime,
        module: &PreparedModule,
        memory_bytes_max: usize,
    ) -> wasmtime::Result<Self> {
        let mut store = Store::new(runtime.engine(), Limiter { memory_bytes_max, grown_bytes: 0 });
        store.limiter(|limiter| limiter);
        store.set_fuel(SCHEDULE.fuel(u64::MAX))?;
        // It imports nothing.
        let instance = wasmtime::Instance::new_async(&mut store, &module.module, &[]).await?;
        let parts = InstanceParts::of(&mut store, &instance, module)?;
        Ok(Supervisor {
            memory: parts.memory,
            alloc: instance.get_typed_func(&mut store, "supervisor_alloc")?,
            step: instance.get_typed_func(&mut store, "supervisor_step")?,
            parts,
            store,
            input: Vec::new(),
        })
    }

    /// Sets the next step's input: a tag of `Input` and its bytes.
    pub(super) fn set_input(&mut self, tag: u8, parts: [&[u8]; 2]) {
        self.input.clear();
        self.input.push(tag);
        for part in parts {
            self.input.extend_from_slice(part);
        }
    }

    /// One step, on the vat's fiber: instrumentation bounds both to half of that stack. `fuel` is the vat's.
    pub(super) fn step(&mut self, fuel: &mut u64, most: usize) -> wasmtime::Result<Vec<u8>> {
        self.store.set_fuel(*fuel)?;
        let length = guest::length(&self.input)?;
        let address = self.alloc.call(&mut self.store, length)?;
        guest::write(self.memory, &mut self.store, address, &self.input)?;
        let packed = self.step.call(&mut self.store, (address, length))?;
        *fuel = self.store.get_fuel()?;
        Ok(guest::read_packed(self.memory, &self.store, packed, most)?)
    }

    pub(super) fn take_grown(&mut self) -> usize {
        std::mem::take(&mut self.store.data_mut().grown_bytes)
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        self.memory.data_size(&self.store) as u64
    }

    pub(super) fn state(&mut self) -> Result<InstanceState<'_>, Halt> {
        self.parts.state(&mut self.store)
    }

    pub(super) fn restore(&mut self, stored: &InstanceImage) -> Result<(), Halt> {
        self.parts.restore(&mut self.store, stored)
    }
}
