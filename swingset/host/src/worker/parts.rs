//! Memory and mutable globals of one instance: all that it is between deliveries.

use wasmtime::{AsContext, AsContextMut, Global, Instance, Memory, Val, ValType};

use crate::{
    engine::PreparedModule,
    error::Halt,
    pages::{InstanceImage, InstanceState},
};

const WASM_PAGE: u64 = 64 * 1024;

/// One instance's memory and mutable globals.
pub(crate) struct InstanceParts {
    pub memory: Memory,
    globals: Vec<Global>,
}

impl InstanceParts {
    /// Those of an instance of an admitted and rewritten module.
    pub(super) fn of(
        mut store: impl AsContextMut,
        instance: &Instance,
        module: &PreparedModule,
    ) -> wasmtime::Result<Self> {
        let lacking = |what| wasmtime::Error::msg(format!("an admitted module has no {what}"));
        let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| lacking("memory"))?;
        let mut globals = Vec::with_capacity(module.globals.len());
        for name in &module.globals {
            globals.push(instance.get_global(&mut store, name).ok_or_else(|| lacking("exported global"))?);
        }
        Ok(InstanceParts { memory, globals })
    }

    /// The present state.
    pub(super) fn state<'a, S: AsContext + AsContextMut>(&self, store: &'a mut S) -> Result<InstanceState<'a>, Halt> {
        let mut globals = Vec::with_capacity(self.globals.len());
        for global in &self.globals {
            globals.push(match global.get(&mut *store) {
                Val::I32(value) => u64::from(value.cast_unsigned()),
                Val::I64(value) => value.cast_unsigned(),
                Val::F32(bits) => u64::from(bits),
                Val::F64(bits) => bits,
                _ => return Err(Halt::new("an admitted module has a mutable global that is no number")),
            });
        }
        // Only read from here on, for as long as the state is looked at.
        let memory = self.memory.data(&*store);
        Ok(InstanceState { memory, globals })
    }

    /// Puts back length, all pages and all globals.
    pub(super) fn restore(&self, store: &mut impl AsContextMut, stored: &InstanceImage) -> Result<(), Halt> {
        let broken = |what: String| Halt::new(format!("a vat's stored state does not fit its code: {what}"));
        let have = self.memory.data_size(&*store) as u64;
        let grow = stored.memory_bytes().checked_sub(have).ok_or_else(|| broken("length of memory".to_owned()))?;
        self.memory.grow(&mut *store, grow / WASM_PAGE).map_err(|error| broken(error.to_string()))?;
        stored.write_to(self.memory.data_mut(&mut *store))?;
        if stored.globals.len() != self.globals.len() {
            return Err(broken("number of globals".to_owned()));
        }
        for (global, bits) in self.globals.iter().zip(&stored.globals) {
            set_global(global, *bits, &mut *store).map_err(|error| broken(error.to_string()))?;
        }
        Ok(())
    }
}

fn set_global(global: &Global, bits: u64, mut store: impl AsContextMut) -> wasmtime::Result<()> {
    let low = || u32::try_from(bits).map_err(|_| wasmtime::Error::msg("stored global is too wide"));
    let value = match global.ty(&store).content() {
        ValType::I32 => Val::I32(low()?.cast_signed()),
        ValType::I64 => Val::I64(bits.cast_signed()),
        ValType::F32 => Val::F32(low()?),
        ValType::F64 => Val::F64(bits),
        _ => return Err(wasmtime::Error::msg("mutable global that is no number")),
    };
    global.set(&mut store, value)
}
