//! A module between the kernel and the host: what the host can answer at once is a plain call, and only the rest goes through an
//! import that may suspend the kernel, which costs ten times as much.
//!
//! It is written here in full; nothing of it depends on a guest.

use wasm_encoder::{
    BlockType, CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    Instruction, Module, TypeSection,
    ValType::{self, I32, I64},
};
use wasmtime::{AsContextMut, Extern, Instance, InstancePre, Linker};

use super::instance::KernelData;

/// Import module of the halves that never suspend.
pub(super) const FAST_MODULE: &str = "fast";
/// Import module of the halves that may.
pub(super) const SLOW_MODULE: &str = "slow";
/// The slow half that lets the overlay learn a key.
pub(super) const LOAD: &str = "load";
/// The slow half that makes a vat ready for a delivery.
pub(super) const PREPARE: &str = "prepare";

/// An import that the shim stands before.
struct Shimmed {
    name: &'static str,
    /// The first two, an address and a length, are what the slow half takes.
    parameters: &'static [ValType],
    slow: &'static str,
}

const SHIMMED: [Shimmed; 3] = [
    Shimmed { name: "get", parameters: &[I32; 4], slow: LOAD },
    Shimmed { name: "has", parameters: &[I32; 2], slow: LOAD },
    Shimmed { name: "deliver", parameters: &[I32, I32, I32, I32, I64, I32, I32], slow: PREPARE },
];

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
    if SHIMMED.iter().any(|shimmed| shimmed.name == name) {
        return shim.get_export(store, name);
    }
    linker.get(&mut store, module, name).ok()
}

/// `name(address, length, …) -> i32`: the fast half; when it says `UNKNOWN`, the slow half and the fast one again.
fn wasm() -> Vec<u8> {
    let (mut types, mut imports, mut functions) = (TypeSection::new(), ImportSection::new(), FunctionSection::new());
    let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
    types.ty().function([I32; 2], []);
    let slow = [LOAD, PREPARE];
    for name in slow {
        imports.import(SLOW_MODULE, name, EntityType::Function(0));
    }
    let first_fast = slow.len() as u32;
    for (index, Shimmed { name, parameters, .. }) in (1u32..).zip(&SHIMMED) {
        types.ty().function(parameters.iter().copied(), [I32]);
        imports.import(FAST_MODULE, name, EntityType::Function(index));
    }
    for (index, shimmed) in (0u32..).zip(&SHIMMED) {
        functions.function(index + 1);
        exports.export(shimmed.name, ExportKind::Func, first_fast + SHIMMED.len() as u32 + index);
        let slow = u32::from(shimmed.slow == PREPARE);
        code.function(&body(shimmed.parameters.len() as u32, first_fast + index, slow));
    }
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
    module.finish()
}

fn body(parameters: u32, fast_half: u32, slow_half: u32) -> Function {
    let mut body = Function::new([(1, I32)]);
    let fast = |body: &mut Function| {
        for parameter in 0..parameters {
            body.instruction(&Instruction::LocalGet(parameter));
        }
        body.instruction(&Instruction::Call(fast_half));
    };
    fast(&mut body);
    body.instruction(&Instruction::LocalTee(parameters))
        .instruction(&Instruction::I32Const(i32::MIN))
        .instruction(&Instruction::I32Eq)
        .instruction(&Instruction::If(BlockType::Empty))
        .instruction(&Instruction::LocalGet(0))
        .instruction(&Instruction::LocalGet(1))
        .instruction(&Instruction::Call(slow_half));
    fast(&mut body);
    body.instruction(&Instruction::LocalSet(parameters))
        .instruction(&Instruction::End)
        .instruction(&Instruction::LocalGet(parameters))
        .instruction(&Instruction::End);
    body
}
