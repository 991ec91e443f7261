//! A vat's instances in their store.

use std::sync::Arc;

use wasmtime::{Memory, Store, TypedFunc};

use super::{
    Event, SharedMailbox,
    limits::{Limiter, VatLimits},
    parts::InstanceParts,
    supervisor::Supervisor,
};
use crate::{
    engine::{EngineRuntime, Fault, PreparedModule},
    error::Halt,
    pages::{Capture, Restore, Shadow},
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

/// What a vat's imports work on.
pub(crate) struct VatData {
    pub mailbox: SharedMailbox,
    pub limits: VatLimits,
    pub limiter: Limiter,
    /// The vat's memory, once it is there.
    pub memory: Option<Memory>,
    /// None in a raw vat.
    pub supervisor: Option<Box<Supervisor>>,
    /// Syscalls of this crank.
    pub syscalls: u32,
    /// The answer that did not fit.
    pub kept: Vec<u8>,
}

/// A vat's instances.
pub(crate) struct Instances {
    pub store: Store<VatData>,
    pub memory: Memory,
    pub alloc: TypedFunc<u32, u32>,
    pub deliver: TypedFunc<(u32, u32), ()>,
    parts: InstanceParts,
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

impl Instances {
    /// Instantiates, then puts back the state if there is one.
    pub(crate) async fn make(parts: VatParts, restore: Option<Restore>, mailbox: SharedMailbox) -> Result<Self, Event> {
        let VatParts { runtime, vat, supervisor, limits } = parts;
        let memory_bytes_max = limits.memory_bytes_max;
        let limiter = Limiter { memory_bytes_max: limits.memory_bytes_max, grown_bytes: 0 };
        for module in [Some(&vat), supervisor.as_ref()].into_iter().flatten() {
            if module.memory_pages_min.saturating_mul(64 * 1024) > limits.memory_bytes_max as u64 {
                return Err(Event::Unusable("initial memory is above the policy"));
            }
        }
        let data = VatData { mailbox, limits, limiter, memory: None, supervisor: None, syscalls: 0, kept: Vec::new() };
        let mut store = Store::new(runtime.engine(), data);
        store.limiter(|data| &mut data.limiter);
        // Instantiation runs no guest code; what it copies is bounded by admission.
        store.set_fuel(SCHEDULE.fuel(u64::MAX)).map_err(failed)?;
        let halt = |halt: Halt| Event::Halt(halt.0);
        let instance =
            runtime.link_vat_module(&vat).map_err(halt)?.instantiate_async(&mut store).await.map_err(failed)?;
        let parts = InstanceParts::of(&mut store, &instance, &vat).map_err(failed)?;
        let memory = parts.memory;
        let alloc = instance.get_typed_func(&mut store, "vat_alloc").map_err(failed)?;
        let deliver = instance.get_typed_func(&mut store, "vat_deliver").map_err(failed)?;
        store.data_mut().memory = Some(memory);
        if let Some(module) = &supervisor {
            let made = Supervisor::make(&runtime, module, memory_bytes_max).await.map_err(failed)?;
            store.data_mut().supervisor = Some(Box::new(made));
        }
        let mut made = Instances { store, memory, alloc, deliver, parts, shadow: Shadow::default() };
        if let Some(restore) = restore {
            made.restore(&restore)?;
        }
        made.store.data_mut().take_grown();
        Ok(made)
    }

    /// Bytes of all memories.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let supervisor = self.store.data().supervisor.as_ref().map_or(0, |supervisor| supervisor.memory_bytes());
        (self.memory.data_size(&self.store) as u64).saturating_add(supervisor)
    }

    /// What changed since the last capture: the vat's instance first, then its supervisor's.
    pub(crate) fn capture(&mut self) -> Result<Capture, Halt> {
        let mut supervisor = self.store.data_mut().supervisor.take();
        let mut states = vec![self.parts.state(&mut self.store)?];
        if let Some(supervisor) = &mut supervisor {
            states.push(supervisor.state()?);
        }
        let capture = self.shadow.capture(states);
        self.store.data_mut().supervisor = supervisor;
        Ok(capture)
    }

    /// Puts back length, all pages and all globals, and checks the root.
    fn restore(&mut self, restore: &Restore) -> Result<(), Event> {
        let broken = |what: &str| Event::Halt(format!("a vat's stored state does not fit its code: {what}"));
        let halt = |halt: Halt| Event::Halt(halt.0);
        let mut stored = restore.instances.iter();
        let own = stored.next().ok_or_else(|| broken("number of instances"))?;
        self.parts.restore(&mut self.store, own).map_err(halt)?;
        if let Some(supervisor) = &mut self.store.data_mut().supervisor {
            let stored = stored.next().ok_or_else(|| broken("number of instances"))?;
            supervisor.restore(stored).map_err(halt)?;
        }
        if stored.next().is_some() {
            return Err(broken("number of instances"));
        }
        let capture = self.capture().map_err(halt)?;
        if capture.root != restore.root {
            return Err(broken("the root over memory and globals is not the one in state"));
        }
        Ok(())
    }
}

impl VatData {
    /// Bytes that both memories have grown since this was asked last.
    pub(crate) fn take_grown(&mut self) -> usize {
        let own = std::mem::take(&mut self.limiter.grown_bytes);
        let supervisor = self.supervisor.as_mut().map_or(0, |supervisor| supervisor.take_grown());
        own.saturating_add(supervisor)
    }
}
