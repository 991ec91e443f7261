//! A vat's instances in their store.

use std::sync::Arc;

use wasmtime::{AsContextMut, Memory, Store, TypedFunc};

use super::{
    Event, SharedMailbox,
    delivery::Running,
    limits::{Limiter, VatLimits},
    parts::InstanceParts,
    supervisor::Supervisor,
};
use crate::{
    engine::{EngineRuntime, Fault, PreparedModule},
    error::Halt,
    pages::{Capture, Restore, Shadow},
    runner::Bound,
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
    /// All that the vat's instance keeps, and what was captured of it and of its supervisor's last.
    parts: Option<(InstanceParts, Shadow)>,
    /// The delivery under way.
    pub running: Option<Running>,
    /// What the vat's code is called with next.
    pub event: Arc<[u8]>,
    /// None in a raw vat.
    pub supervisor: Option<Box<Supervisor>>,
    /// Syscalls of this crank.
    pub syscalls: u32,
    /// The answer that did not fit.
    pub kept: Vec<u8>,
}

/// A vat's instances, and the call that runs them for good.
pub(crate) struct Instances {
    pub store: Store<VatData>,
    pub run: TypedFunc<(), ()>,
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
        let data = VatData {
            mailbox,
            limits,
            limiter,
            memory: None,
            parts: None,
            running: None,
            event: Arc::default(),
            supervisor: None,
            syscalls: 0,
            kept: Vec::new(),
        };
        let mut store = Store::new(runtime.engine(), data);
        store.limiter(|data| &mut data.limiter);
        // Instantiation runs no guest code; what it copies is bounded by admission.
        store.set_fuel(SCHEDULE.fuel(u64::MAX)).map_err(failed)?;
        let halt = |halt: Halt| Event::Halt(halt.0);
        let instance =
            runtime.link_vat_module(&vat).map_err(halt)?.instantiate_async(&mut store).await.map_err(failed)?;
        let parts = InstanceParts::of(&mut store, &instance, &vat).map_err(failed)?;
        let mut export = |name: &str| {
            let found = instance.get_func(&mut store, name);
            found.ok_or_else(|| Event::Halt(format!("an admitted vat has no {name}")))
        };
        let (alloc, call) = (export("vat_alloc")?, export("vat_deliver")?);
        let (next, put) = super::imports::driver(&mut store, runtime.vat_linker()).map_err(halt)?;
        let run = runtime.vat_runner().bind(&mut store, Bound { next, put, alloc, call }).await.map_err(failed)?;
        store.data_mut().memory = Some(parts.memory);
        store.data_mut().parts = Some((parts, Shadow::default()));
        if let Some(module) = &supervisor {
            let made = Supervisor::make(&runtime, module, memory_bytes_max).await.map_err(failed)?;
            store.data_mut().supervisor = Some(Box::new(made));
        }
        if let Some(stored) = restore {
            self::restore(&mut store, &stored)?;
        }
        store.data_mut().take_grown();
        Ok(Instances { store, run })
    }
}

/// Bytes of all memories.
pub(super) fn memory_bytes(mut store: impl AsContextMut<Data = VatData>) -> u64 {
    let context = store.as_context_mut();
    let own = context.data().memory.map_or(0, |memory| memory.data_size(&context) as u64);
    own.saturating_add(context.data().supervisor.as_ref().map_or(0, |supervisor| supervisor.memory_bytes()))
}

/// What changed since the last capture: the vat's instance first, then its supervisor's.
pub(super) fn capture(mut store: impl AsContextMut<Data = VatData>) -> Result<Capture, Halt> {
    let mut context = store.as_context_mut();
    let mut supervisor = context.data_mut().supervisor.take();
    let (parts, mut shadow) = context.data_mut().parts.take().ok_or_else(|| Halt::new("a vat has no instance"))?;
    let mut states = vec![parts.state(&mut context)?];
    if let Some(supervisor) = &mut supervisor {
        states.push(supervisor.state()?);
    }
    let capture = shadow.capture(states);
    let data = context.data_mut();
    data.parts = Some((parts, shadow));
    data.supervisor = supervisor;
    Ok(capture)
}

/// Puts back length, all pages and all globals, and checks the root.
fn restore(store: &mut Store<VatData>, restore: &Restore) -> Result<(), Event> {
    let broken = |what: &str| Event::Halt(format!("a vat's stored state does not fit its code: {what}"));
    let halt = |halt: Halt| Event::Halt(halt.0);
    let mut stored = restore.instances.iter();
    let own = stored.next().ok_or_else(|| broken("number of instances"))?;
    let (parts, shadow) = store.data_mut().parts.take().ok_or_else(|| broken("no instance"))?;
    parts.restore(&mut *store, own).map_err(halt)?;
    store.data_mut().parts = Some((parts, shadow));
    if let Some(supervisor) = &mut store.data_mut().supervisor {
        let stored = stored.next().ok_or_else(|| broken("number of instances"))?;
        supervisor.restore(stored).map_err(halt)?;
    }
    if stored.next().is_some() {
        return Err(broken("number of instances"));
    }
    let capture = capture(store).map_err(halt)?;
    if capture.root != restore.root {
        return Err(broken("the root over memory and globals is not the one in state"));
    }
    Ok(())
}

impl VatData {
    /// Bytes that both memories have grown since this was asked last.
    pub(crate) fn take_grown(&mut self) -> usize {
        let own = std::mem::take(&mut self.limiter.grown_bytes);
        let supervisor = self.supervisor.as_mut().map_or(0, |supervisor| supervisor.take_grown());
        own.saturating_add(supervisor)
    }
}
