//! A module that calls a guest for as long as the guest lives, so that all its calls are made on one fiber.
//!
//! Entering a store anew for each call sets up a fiber each time, which costs more than most calls. Here the fiber is entered once:
//! the runner asks the host for the next call (`next`, an import that waits), lets the guest make room for the argument, lets the
//! host copy it there (`put`), and calls the guest; what the call returned goes to the host with the question for the next one.
//!
//! It is written here in full; nothing of it depends on a guest, and between two calls no guest frame is on the fiber.

use wasm_encoder::{
    BlockType, CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    Instruction, Module, TypeSection, ValType,
};
use wasmtime::{AsContextMut, Engine, Func, Instance, TypedFunc};

use crate::error::Halt;

/// What the guest's call gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    /// Nothing (a vat).
    Nothing,
    /// The address and length of an answer (a kernel).
    Packed,
}

/// The compiled module.
pub(crate) struct Runner(wasmtime::Module);

/// What a runner is bound to.
pub(crate) struct Bound {
    /// `next`: waits for a call; gives the argument's length. Takes what the last call gave.
    pub next: Func,
    /// `put`: writes the argument at an address of the guest.
    pub put: Func,
    /// The guest's: gives room.
    pub alloc: Func,
    /// The guest's: takes an argument.
    pub call: Func,
}

impl Runner {
    /// Compiles it.
    pub(crate) fn new(engine: &Engine, gives: Gives) -> Result<Self, Halt> {
        let module = wasmtime::Module::new(engine, wasm(gives));
        module.map(Runner).map_err(|error| Halt::new(format!("the runner of guests: {error}")))
    }

    /// Binds it to a guest. The function never returns: it ends with the guest's trap or the host's error.
    pub(crate) async fn bind<T: Send + 'static>(
        &self,
        mut store: impl AsContextMut<Data = T>,
        bound: Bound,
    ) -> wasmtime::Result<TypedFunc<(), ()>> {
        let imports = [bound.next.into(), bound.put.into(), bound.alloc.into(), bound.call.into()];
        let instance = Instance::new_async(&mut store, &self.0, &imports).await?;
        instance.get_typed_func(&mut store, "run")
    }
}

fn wasm(gives: Gives) -> Vec<u8> {
    let given: &[ValType] = if gives == Gives::Packed { &[ValType::I64] } else { &[] };
    let (mut types, mut imports, mut functions) = (TypeSection::new(), ImportSection::new(), FunctionSection::new());
    let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
    let declared = [
        ("next", given, &[ValType::I32][..]),
        ("put", &[ValType::I32], &[]),
        ("alloc", &[ValType::I32], &[ValType::I32]),
        ("call", &[ValType::I32; 2], given),
    ];
    for (index, (name, parameters, results)) in (0u32..).zip(declared) {
        types.ty().function(parameters.iter().copied(), results.iter().copied());
        imports.import("", name, EntityType::Function(index));
    }
    types.ty().function([], []);
    functions.function(declared.len() as u32);
    exports.export("run", ExportKind::Func, declared.len() as u32);
    let (next, put, alloc, call) = (0, 1, 2, 3);
    let (length, address, packed) = (0, 1, 2);
    let mut body = Function::new([(2, ValType::I32), (1, ValType::I64)]);
    body.instruction(&Instruction::Loop(BlockType::Empty));
    if gives == Gives::Packed {
        body.instruction(&Instruction::LocalGet(packed));
    }
    body.instruction(&Instruction::Call(next))
        .instruction(&Instruction::LocalTee(length))
        .instruction(&Instruction::Call(alloc))
        .instruction(&Instruction::LocalTee(address))
        .instruction(&Instruction::Call(put))
        .instruction(&Instruction::LocalGet(address))
        .instruction(&Instruction::LocalGet(length))
        .instruction(&Instruction::Call(call));
    if gives == Gives::Packed {
        body.instruction(&Instruction::LocalSet(packed));
    }
    body.instruction(&Instruction::Br(0)).instruction(&Instruction::End).instruction(&Instruction::End);
    code.function(&body);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
    module.finish()
}
