//! One kernel instance, driven by hand: it runs on one fiber for as long as it lives, and what its imports need of the outside
//! (stored values, new vats, bridges) is asked of the caller while it is suspended.

use std::{
    future::Future,
    mem::swap,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use wasmtime::{Global, Instance, Memory, ResourceLimiter, Store};

use super::{kv::KvStore, price::Spent, shim};
use crate::{
    engine::{EngineRuntime, Fault, GuestFault, PreparedModule},
    error::Halt,
    runner::Bound,
    sync::lock,
    vats::Vats,
};

/// Largest kernel memory, in bytes.
const KERNEL_MEMORY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What a running kernel works on. It belongs to whoever drives the kernel, and lies with the kernel's imports while they use it:
/// the two change it against an empty one, so that only one of them ever has it.
#[derive(Default)]
pub(crate) struct Desk {
    /// The kvStore.
    pub kv: KvStore,
    /// The vats.
    pub vats: Vats,
}

/// What the suspended kernel needs.
#[derive(Debug)]
pub(crate) enum Request {
    /// The value of a key that was not read before.
    Load(Bytes),
    /// The environment's least key from here on.
    Successor(Bytes),
    /// An instance of a vat.
    Prepare(String),
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
    /// What was asked for is on the desk now.
    Done,
    /// A bridge's answer.
    Bytes(Vec<u8>),
    /// There is no such bridge.
    Absent,
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
    fn serve(&mut self, desk: &mut Desk, request: Request) -> Result<Answer, KernelFault>;
}

/// What passes between the kernel's fiber and its driver, the desk along with it.
#[derive(Default)]
pub(crate) struct Mail {
    pub command: Option<Vec<u8>>,
    pub reply: Option<Result<Vec<u8>, Fault>>,
    /// Work that the command took which was replied to last.
    pub work: u64,
    pub request: Option<Request>,
    pub answer: Option<Result<Answer, GuestFault>>,
    pub desk: Box<Desk>,
}

/// What the kernel's imports work on.
pub(crate) struct KernelData {
    pub memory: Option<Memory>,
    /// What work it may still do in this call: below zero, it wanted more.
    pub work: Option<Global>,
    /// What its imports did in this call.
    pub spent: Spent,
    pub desk: Box<Desk>,
    /// The desk is here.
    pub at_work: bool,
    /// The command to be copied into the kernel.
    pub command: Vec<u8>,
    /// Journal points of the marks that are out.
    pub marks: Vec<usize>,
    /// The answer that did not fit.
    pub kept: Vec<u8>,
    pub mail: Arc<Mutex<Mail>>,
}

impl KernelData {
    /// Takes the desk out of the mail, or puts it back there.
    pub(super) fn pass_desk(&mut self, mail: &mut Mail) {
        swap(&mut self.desk, &mut mail.desk);
        self.at_work = !self.at_work;
    }
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
    life: Pin<Box<dyn Future<Output = ()> + Send>>,
    mail: Arc<Mutex<Mail>>,
}

fn fault(fault: Fault) -> KernelFault {
    match fault {
        Fault::Guest(word) => KernelFault::Kernel(word),
        Fault::OutOfFuel => KernelFault::Kernel("kernel passed its cap"),
        Fault::Halt(reason) => KernelFault::Halt(Halt::new(format!("kernel: {reason}"))),
    }
}

/// Whether a kernel trapped since it had no work left to do.
fn passed_cap(store: &mut Store<KernelData>) -> bool {
    let work = store.data().work;
    work.is_some_and(|work| work.get(store).i64().is_some_and(|left| left < 0))
}

impl KernelInstance {
    /// Instantiates an admitted kernel.
    pub(crate) fn new(runtime: &EngineRuntime, module: &PreparedModule) -> Result<Self, KernelFault> {
        let mail = Arc::new(Mutex::new(Mail::default()));
        let data = KernelData {
            memory: None,
            work: None,
            spent: Spent::default(),
            desk: Box::default(),
            at_work: false,
            command: Vec::new(),
            marks: Vec::new(),
            kept: Vec::new(),
            mail: mail.clone(),
        };
        let mut store = Store::new(runtime.kernel_engine(), data);
        store.limiter(|data| data);
        let broken = |error: wasmtime::Error| fault(Fault::from(error));
        let shim = block_on_ready(runtime.kernel_shim().instantiate(&mut store)).map_err(broken)?;
        let linker = runtime.kernel_linker();
        let mut imports = Vec::new();
        for import in module.module.imports() {
            let found = shim::resolve(&mut store, &shim, linker, import.module(), import.name());
            imports.push(found.ok_or_else(|| Halt::new(format!("admitted kernel imports {}", import.name())))?);
        }
        let instance = block_on_ready(Instance::new_async(&mut store, &module.module, &imports)).map_err(broken)?;
        let memory =
            instance.get_memory(&mut store, "memory").ok_or_else(|| Halt::new("admitted kernel has no memory"))?;
        let mut export = |name: &str| {
            let found = instance.get_func(&mut store, name);
            found.ok_or_else(|| Halt::new(format!("admitted kernel has no {name}")))
        };
        let (alloc, call) = (export("kernel_alloc")?, export("kernel_call")?);
        let (next, put) = super::imports::driver(&mut store, linker)?;
        let bind = runtime.kernel_runner().bind(&mut store, Bound { next, put, alloc, call });
        let run = block_on_ready(bind).map_err(broken)?;
        let work = module.work.as_deref().and_then(|name| instance.get_global(&mut store, name));
        store.data_mut().work = Some(work.ok_or_else(|| Halt::new("a rewritten kernel does not count its work"))?);
        store.data_mut().memory = Some(memory);
        let life = Box::pin(async move {
            let ended = run.call_async(&mut store, ()).await;
            let fault = match ended {
                Err(_) if passed_cap(&mut store) => Fault::OutOfFuel,
                Err(error) => Fault::from(error),
                Ok(()) => Fault::Halt("the runner ended".to_owned()),
            };
            let data = store.data_mut();
            let mail = data.mail.clone();
            let mut mail = lock(&mail);
            if data.at_work {
                data.pass_desk(&mut mail);
            }
            mail.reply = Some(Err(fault));
        });
        Ok(KernelInstance { life, mail })
    }

    /// Work that the last command took that came to its end, as it is counted against the cap.
    pub(crate) fn work(&self) -> u64 {
        lock(&self.mail).work
    }

    /// One command. On a fault the instance must be dropped; the desk is given back in any case, as the kernel left it.
    pub(crate) fn call(
        &mut self,
        desk: &mut Box<Desk>,
        services: &mut dyn KernelServices,
        command: Vec<u8>,
    ) -> Result<Vec<u8>, KernelFault> {
        {
            let mut mail = lock(&self.mail);
            mail.command = Some(command);
            swap(&mut mail.desk, desk);
        }
        let mut context = Context::from_waker(Waker::noop());
        loop {
            // Ready or not: what came of it is in the mail.
            let _ = self.life.as_mut().poll(&mut context);
            let mut mail = lock(&self.mail);
            swap(&mut mail.desk, desk);
            if let Some(reply) = mail.reply.take() {
                return reply.map_err(fault);
            }
            let Some(request) = mail.request.take() else {
                return Err(KernelFault::Halt(Halt::new("the kernel's fiber stopped with nothing asked")));
            };
            mail.answer = match services.serve(desk, request) {
                Ok(answer) => Some(Ok(answer)),
                Err(KernelFault::Kernel(word)) => Some(Err(GuestFault(word))),
                Err(fault) => return Err(fault),
            };
            swap(&mut mail.desk, desk);
        }
    }
}

/// Runs a future that has nothing to wait for: instantiation calls no import.
pub(crate) fn block_on_ready<T>(future: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(wasmtime::Error::msg("instantiation waits for something")),
    }
}
