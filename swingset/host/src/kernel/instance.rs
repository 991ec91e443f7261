//! One kernel instance, driven by hand: it runs on a fiber of its own, and what its imports need of the outside (stored values,
//! vats, bridges) is asked of the caller while it is suspended.

use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use wasmtime::{Instance, Memory, ResourceLimiter, Store, TypedFunc};

use super::{kv::KvStore, shim};
use crate::{
    engine::{EngineRuntime, Fault, GuestFault, PreparedModule},
    error::Halt,
    guest,
    schedule::KERNEL_FUEL_CAP,
    sync::lock,
};

/// Largest command or reply, in bytes.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Largest kernel memory, in bytes.
const KERNEL_MEMORY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What the suspended kernel needs.
#[derive(Debug)]
pub(crate) enum Request {
    /// The value of a key that was not read before.
    Load(Bytes),
    /// The environment's least key from here on.
    Successor(Bytes),
    /// A delivery.
    Deliver {
        /// The vat.
        vat: String,
        /// The delivery's bytes.
        delivery: Arc<[u8]>,
        /// Computrons.
        limit: u64,
    },
    /// An answer for the suspended vat.
    Resume(Arc<[u8]>),
    /// A vat's instance is to be dropped.
    Abandon(String),
    /// A device's call.
    Bridge {
        /// The bridge.
        name: String,
        /// The call.
        body: Vec<u8>,
    },
}

/// What the caller gives the suspended kernel.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The overlay has learned what was asked for, or the request is done.
    Done,
    /// Bytes: a vat's step, a bridge's answer.
    Bytes(Vec<u8>),
}

/// Why a request could not be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KernelFault {
    /// The kernel's fault, in a fixed word: the engine stops.
    Kernel(&'static str),
    /// This node's fault.
    Halt(Halt),
}

impl From<Halt> for KernelFault {
    fn from(halt: Halt) -> Self {
        KernelFault::Halt(halt)
    }
}

/// Answers a suspended kernel's requests.
pub(crate) trait KernelServices {
    /// Answers one.
    fn serve(&mut self, kv: &mut KvStore, request: Request) -> Result<Answer, KernelFault>;
}

/// What passes between the kernel's imports and the caller while the kernel is suspended. The overlay goes along, since only one
/// of the two uses it at a time.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    pub request: Option<(Request, KvStore)>,
    pub answer: Option<(Result<Answer, GuestFault>, KvStore)>,
}

/// What the kernel's imports work on.
pub(crate) struct KernelData {
    pub memory: Option<Memory>,
    pub kv: KvStore,
    /// Journal points of the marks that are out.
    pub marks: Vec<usize>,
    /// The answer that did not fit.
    pub kept: Vec<u8>,
    pub mail: Arc<Mutex<Mail>>,
}

impl ResourceLimiter for KernelData {
    fn memory_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= KERNEL_MEMORY_BYTES_MAX.min(maximum.unwrap_or(usize::MAX)))
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(error.context("the machine cannot give the kernel memory within its limit"))
    }

    fn table_growing(&mut self, _current: usize, _desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

/// A kernel instance.
pub(crate) struct KernelInstance {
    store: Store<KernelData>,
    memory: Memory,
    alloc: TypedFunc<u32, u32>,
    call: TypedFunc<(u32, u32), u64>,
    mail: Arc<Mutex<Mail>>,
}

fn fault(fault: Fault) -> KernelFault {
    match fault {
        Fault::Guest(word) => KernelFault::Kernel(word),
        Fault::OutOfFuel => KernelFault::Kernel("kernel passed its cap"),
        Fault::Halt(reason) => KernelFault::Halt(Halt::new(format!("kernel: {reason}"))),
    }
}

impl KernelInstance {
    /// Instantiates an admitted kernel.
    pub(crate) fn new(runtime: &EngineRuntime, module: &PreparedModule) -> Result<Self, KernelFault> {
        let mail = Arc::new(Mutex::new(Mail::default()));
        let data = KernelData {
            memory: None,
            kv: KvStore::default(),
            marks: Vec::new(),
            kept: Vec::new(),
            mail: mail.clone(),
        };
        let mut store = Store::new(runtime.engine(), data);
        store.limiter(|data| data);
        let broken = |error: wasmtime::Error| fault(Fault::from(error));
        store.set_fuel(KERNEL_FUEL_CAP).map_err(broken)?;
        let shim = block_on_ready(runtime.kernel_shim().instantiate(&mut store)).map_err(broken)?;
        let mut imports = Vec::new();
        for import in module.module.imports() {
            let found = shim::resolve(&mut store, &shim, runtime.kernel_linker(), import.module(), import.name());
            imports.push(found.ok_or_else(|| Halt::new(format!("admitted kernel imports {}", import.name())))?);
        }
        let instance = block_on_ready(Instance::new_async(&mut store, &module.module, &imports)).map_err(broken)?;
        let memory =
            instance.get_memory(&mut store, "memory").ok_or_else(|| Halt::new("admitted kernel has no memory"))?;
        let alloc = instance.get_typed_func(&mut store, "kernel_alloc").map_err(broken)?;
        let call = instance.get_typed_func(&mut store, "kernel_call").map_err(broken)?;
        store.data_mut().memory = Some(memory);
        Ok(KernelInstance { store, memory, alloc, call, mail })
    }

    /// One command. On a fault the instance must be dropped; `kv` is given back in any case, as the kernel left it.
    pub(crate) fn call(
        &mut self,
        kv: &mut KvStore,
        services: &mut dyn KernelServices,
        command: &[u8],
    ) -> Result<Vec<u8>, KernelFault> {
        let data = self.store.data_mut();
        data.kv = std::mem::take(kv);
        data.marks.clear();
        data.kept.clear();
        let result = self.drive(services, command);
        match result {
            Err(suspended) => {
                // The overlay was in the mail.
                *kv = suspended.kv;
                Err(suspended.fault)
            }
            Ok(result) => {
                *kv = std::mem::take(&mut self.store.data_mut().kv);
                result.map_err(fault)
            }
        }
    }

    fn drive(
        &mut self,
        services: &mut dyn KernelServices,
        command: &[u8],
    ) -> Result<Result<Vec<u8>, Fault>, Box<Suspended>> {
        let KernelInstance { store, memory, alloc, call, mail } = self;
        let mut run = pin!(run(store, *memory, alloc, call, command));
        let mut context = Context::from_waker(Waker::noop());
        loop {
            match run.as_mut().poll(&mut context) {
                Poll::Ready(result) => return Ok(result),
                Poll::Pending => {
                    let taken = lock(mail).request.take();
                    let Some((request, mut kv)) = taken else {
                        let fault = KernelFault::Halt(Halt::new("the kernel's fiber stopped with nothing asked"));
                        return Err(Box::new(Suspended { fault, kv: KvStore::default() }));
                    };
                    let answer = match services.serve(&mut kv, request) {
                        Ok(answer) => Ok(answer),
                        Err(KernelFault::Kernel(word)) => Err(GuestFault(word)),
                        Err(fault) => return Err(Box::new(Suspended { fault, kv })),
                    };
                    lock(mail).answer = Some((answer, kv));
                }
            }
        }
    }
}

/// A call that ended while the kernel was suspended.
struct Suspended {
    fault: KernelFault,
    kv: KvStore,
}

async fn run(
    store: &mut Store<KernelData>,
    memory: Memory,
    alloc: &TypedFunc<u32, u32>,
    call: &TypedFunc<(u32, u32), u64>,
    command: &[u8],
) -> Result<Vec<u8>, Fault> {
    store.set_fuel(KERNEL_FUEL_CAP)?;
    let length = guest::length(command)?;
    let address = alloc.call_async(&mut *store, length).await?;
    guest::write(memory, store, address, command)?;
    let packed = call.call_async(&mut *store, (address, length)).await?;
    Ok(guest::read_packed(memory, store, packed, MESSAGE_BYTES_MAX)?)
}

/// Runs a future that has nothing to wait for: instantiation calls no import.
pub(crate) fn block_on_ready<T>(future: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(wasmtime::Error::msg("instantiation waits for something")),
    }
}
