//! A module between the kernel and the host: reads that the overlay can answer are plain calls, and only the others go through an
//! import that may suspend the kernel, which costs ten times as much.
//!
//! It is written here in full; nothing of it depends on a guest.

use wasm_encoder::{
    BlockType, CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    Instruction, Module, TypeSection, ValType,
};
use wasmtime::{AsContextMut, Extern, Instance, InstancePre, Linker};

use super::instance::KernelData;

/// Import module of the halves that never suspend.
pub(super) const FAST_MODULE: &str = "fast";
/// Import module of the half that may.
pub(super) const SLOW_MODULE: &str = "slow";

/// The imports that it stands before, with how many parameters each has; the first two of them are the key.
const SHIMMED: [(&str, u32); 2] = [("get", 4), ("has", 2)];

/// The compiled and linked module.
pub(crate) struct KernelShim(InstancePre<KernelData>);

impl KernelShim {
    /// Compiles and links it.
    pub(crate) fn new(linker: &Linker<KernelData>) -> wasmtime::Result<Self> {
        let module = wasmtime::Module::new(linker.engine(), wasm())?;
        Ok(KernelShim(linker.instantiate_pre(&module)?))
    }

    /// Instantiates it for one kernel.
    pub(super) async fn instantiate(&self, store: impl AsContextMut<Data = KernelData>) -> wasmtime::Result<Instance> {
        self.0.instantiate_async(store).await
    }
}

/// What a kernel imports under this name: the shim's, or the host's own.
pub(super) fn resolve(
    mut store: impl AsContextMut<Data = KernelData>,
    shim: &Instance,
    linker: &Linker<KernelData>,
    module: &str,
    name: &str,
) -> Option<Extern> {
    if SHIMMED.iter().any(|(shimmed, _)| *shimmed == name) {
        return shim.get_export(store, name);
    }
    linker.get(&mut store, module, name).ok()
}

/// `name(key, length, …) -> i32`: the fast half; when it says `UNKNOWN`, the slow half and the fast one again.
fn wasm() -> Vec<u8> {
    let (mut types, mut imports, mut functions) = (TypeSection::new(), ImportSection::new(), FunctionSection::new());
    let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
    types.ty().function([ValType::I32; 2], []);
    imports.import(SLOW_MODULE, "load", EntityType::Function(0));
    for (index, (name, parameters)) in (1u32..).zip(SHIMMED) {
        types.ty().function(vec![ValType::I32; parameters as usize], [ValType::I32]);
        imports.import(FAST_MODULE, name, EntityType::Function(index));
    }
    for (index, (name, parameters)) in (1u32..).zip(SHIMMED) {
        functions.function(index);
        exports.export(name, ExportKind::Func, SHIMMED.len() as u32 + index);
        let fast = |body: &mut Function| {
            for parameter in 0..parameters {
                body.instruction(&Instruction::LocalGet(parameter));
            }
            body.instruction(&Instruction::Call(index));
        };
        let mut body = Function::new([(1, ValType::I32)]);
        fast(&mut body);
        body.instruction(&Instruction::LocalTee(parameters))
            .instruction(&Instruction::I32Const(i32::MIN))
            .instruction(&Instruction::I32Eq)
            .instruction(&Instruction::If(BlockType::Empty))
            .instruction(&Instruction::LocalGet(0))
            .instruction(&Instruction::LocalGet(1))
            .instruction(&Instruction::Call(0));
        fast(&mut body);
        body.instruction(&Instruction::LocalSet(parameters))
            .instruction(&Instruction::End)
            .instruction(&Instruction::LocalGet(parameters))
            .instruction(&Instruction::End);
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
    module.finish()
}
