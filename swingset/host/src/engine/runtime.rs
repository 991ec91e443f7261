//! The engine and its compiled modules: immutable, shared by all controllers of a process.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::{Engine, InstancePre, Linker, Module};

use super::{
    CodeGenerator,
    cache::CodeCache,
    config::{self, Runs},
    identity::engine_identity,
    modules::Modules,
};
use crate::{
    admission::{self, Admitted, GLOBAL_EXPORT_PREFIX, ModuleRole, REWRITER_VERSION},
    bundle::{Bundle, bundle_id},
    error::Halt,
    kernel::{KernelData, KernelShim, link_kernel},
    runner::{Gives, Runner},
    worker::{VatData, link_vat},
};

/// A module ready to be instantiated.
#[derive(Debug)]
pub struct PreparedModule {
    pub(crate) module: Module,
    /// Export names of its mutable globals, the stack height's last.
    pub(crate) globals: Vec<String>,
    /// Of a kernel: the export name of the global that holds what work it may still do.
    pub(crate) work: Option<String>,
    pub(crate) memory_pages_min: u64,
}

/// The engine, its linkers and its compiled modules.
pub struct EngineRuntime {
    engine: Engine,
    kernel_engine: Engine,
    identity: String,
    kernel_linker: Linker<KernelData>,
    kernel_shim: KernelShim,
    kernel_runner: Runner,
    vat_runner: Runner,
    vat_linker: Linker<VatData>,
    modules: Mutex<Modules>,
    cache: Option<CodeCache>,
}

impl std::fmt::Debug for EngineRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineRuntime").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl EngineRuntime {
    /// An engine that keeps compiled code in memory only.
    ///
    /// # Errors
    /// When the engine cannot be made on this machine.
    pub fn new() -> Result<Arc<Self>, Halt> {
        EngineRuntime::with_cache(None)
    }

    /// An engine that also keeps compiled code in a local folder.
    ///
    /// # Errors
    /// As [`EngineRuntime::new`].
    pub fn with_cache(cache: Option<CodeCache>) -> Result<Arc<Self>, Halt> {
        EngineRuntime::made(CodeGenerator::Optimizing, cache)
    }

    /// The same engine to every guest, by another way from WebAssembly to what the machine does. It keeps no code on disk.
    ///
    /// # Errors
    /// As [`EngineRuntime::new`]; the interpreter without the feature `pulley`.
    pub fn witness(generator: CodeGenerator) -> Result<Arc<Self>, Halt> {
        EngineRuntime::made(generator, None)
    }

    fn made(generator: CodeGenerator, cache: Option<CodeCache>) -> Result<Arc<Self>, Halt> {
        let engine = config::engine(generator, Runs::Vats)?;
        let kernel_engine = config::engine(generator, Runs::Kernels)?;
        let (kernel_linker, vat_linker) = (link_kernel(&kernel_engine)?, link_vat(&engine)?);
        let kernel_shim =
            KernelShim::new(&kernel_linker).map_err(|error| Halt::new(format!("the kernel's shim: {error}")))?;
        let (kernel_runner, vat_runner) =
            (Runner::new(&kernel_engine, Gives::Packed)?, Runner::new(&engine, Gives::Nothing)?);
        Ok(Arc::new(EngineRuntime {
            engine,
            kernel_engine,
            identity: engine_identity(),
            kernel_linker,
            kernel_shim,
            kernel_runner,
            vat_runner,
            vat_linker,
            modules: Mutex::default(),
            cache,
        }))
    }

    /// The engine's identity.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The engine of vats and supervisors.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine of kernels.
    pub(crate) fn kernel_engine(&self) -> &Engine {
        &self.kernel_engine
    }

    pub(crate) fn kernel_linker(&self) -> &Linker<KernelData> {
        &self.kernel_linker
    }

    pub(crate) fn kernel_shim(&self) -> &KernelShim {
        &self.kernel_shim
    }

    pub(crate) fn kernel_runner(&self) -> &Runner {
        &self.kernel_runner
    }

    pub(crate) fn vat_runner(&self) -> &Runner {
        &self.vat_runner
    }

    pub(crate) fn vat_linker(&self) -> &Linker<VatData> {
        &self.vat_linker
    }

    pub(crate) fn link_vat_module(&self, module: &PreparedModule) -> Result<InstancePre<VatData>, Halt> {
        self.vat_linker
            .instantiate_pre(&module.module)
            .map_err(|error| Halt::new(format!("vat cannot be linked: {error}")))
    }

    /// The compiled form of an installed bundle's module. What was admitted when it was installed and fails here fails on this
    /// machine only, so that it is a halt.
    pub(crate) fn prepare(
        &self,
        bundle_id: &str,
        role: ModuleRole,
        floats: bool,
        wasm: &[u8],
    ) -> Result<Arc<PreparedModule>, Halt> {
        let key = (bundle_id.to_owned(), role, floats);
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = modules.get(&key) {
            return Ok(module);
        }
        let prepared = Arc::new(self.compile(bundle_id, role, floats, wasm)?);
        modules.insert(key, prepared.clone());
        Ok(prepared)
    }

    /// Compiles a bundle's module, so that its first use finds it in the cache. A bundle that has none is passed over; gives whether
    /// it has one.
    ///
    /// # Errors
    /// Bytes that are no bundle, or a module that cannot be compiled.
    pub fn precompile(&self, bytes: &[u8], floats: bool) -> Result<bool, Halt> {
        let bundle = Bundle::decode(bytes).map_err(|error| Halt::new(error.to_string()))?;
        let Some(role) = ModuleRole::of(bundle.manifest.kind) else { return Ok(false) };
        let floats = floats && role == ModuleRole::Vat;
        self.prepare(&bundle_id(bytes), role, floats, bundle.content()).map(|_| true)
    }

    /// The compiled form, if it was made before: saves reading the bundle.
    pub(crate) fn prepared(&self, bundle_id: &str, role: ModuleRole, floats: bool) -> Option<Arc<PreparedModule>> {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        modules.get(&(bundle_id.to_owned(), role, floats))
    }

    fn compile(&self, bundle_id: &str, role: ModuleRole, floats: bool, wasm: &[u8]) -> Result<PreparedModule, Halt> {
        let failed = |what: String| Halt::new(format!("bundle {bundle_id}: {what}"));
        let admitted = admission::judge(wasm, role, floats).map_err(|error| failed(error.to_string()))?;
        let key = format!("{bundle_id}\n{role:?}\n{REWRITER_VERSION}\n{}\n", self.identity);
        // Rewriting is a part of it: kept code was made from what this rewriter made, as its key says.
        let engine = if role == ModuleRole::Kernel { &self.kernel_engine } else { &self.engine };
        let compile = || {
            let rewritten = admission::rewrite(wasm, &admitted, role).map_err(|error| failed(error.to_string()))?;
            Module::new(engine, &rewritten).map_err(|error| failed(format!("compilation failed: {error}")))
        };
        let module = match &self.cache {
            Some(cache) => match cache.load(engine, &key) {
                Some(module) => module,
                None => {
                    let module = compile()?;
                    cache.store(&key, &module);
                    module
                }
            },
            None => compile()?,
        };
        Ok(PreparedModule {
            module,
            globals: global_exports(&admitted),
            work: (role == ModuleRole::Kernel).then(|| admission::work_global(&admitted)),
            memory_pages_min: admitted.memory_pages_min,
        })
    }
}

fn global_exports(admitted: &Admitted) -> Vec<String> {
    let indices = admitted.mutable_globals.iter().chain([&admitted.globals]);
    indices.map(|index| format!("{GLOBAL_EXPORT_PREFIX}{index}")).collect()
}
