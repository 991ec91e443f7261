//! Rewriting an admitted module: its mutable globals are exported, and its stack height is counted in wasm's own terms; a kernel's
//! work, too ([`super::work`]).
//!
//! A function that calls others (or has a large frame) adds its frame's words to a global when it is entered, traps when the sum
//! is above [`STACK_WORDS_MAX`], and takes them off when it returns. Its body becomes a block, so that `return` is a branch out of it and
//! every way out passes the same end. A trap leaves the count as it is: the instance is dropped then.

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, GlobalSection, GlobalType, Instruction, Module,
    SectionId, TypeSection, ValType,
    reencode::{self, Error, Reencode, utils},
};
use wasmparser::{FuncType, Operator, Parser};

use super::{
    Admitted, FunctionFrame, ModuleRole, STACK_WORDS_MAX,
    work::{self, Work},
};

/// Version of what [`rewrite`] does. Part of the engine's identity: another one makes other code of the same bundle.
pub const REWRITER_VERSION: u32 = 3;

/// Begins the names under which mutable globals are exported; the index of the global follows, in decimal.
pub const GLOBAL_EXPORT_PREFIX: &str = "~g";

/// An admitted module could not be rewritten. That is a fault of this engine, not of the module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an admitted module could not be rewritten: {0}")]
pub struct RewriteError(String);

/// The global of a kernel that says how much work it may still do: one after the stack height.
fn work_index(admitted: &Admitted) -> u32 {
    admitted.globals.saturating_add(1)
}

/// The name under which a rewritten kernel exports that global.
pub(crate) fn work_global(admitted: &Admitted) -> String {
    format!("{GLOBAL_EXPORT_PREFIX}{}", work_index(admitted))
}

/// Rewrites a module that [`super::judge`] admitted for this role.
///
/// # Errors
/// When the module is not the one that was judged.
pub fn rewrite(wasm: &[u8], admitted: &Admitted, role: ModuleRole) -> Result<Vec<u8>, RewriteError> {
    let mut rewriter = Rewriter {
        admitted,
        work: (role == ModuleRole::Kernel).then(|| work_index(admitted)),
        signatures: Vec::new(),
        block_types: Vec::new(),
        next_function: 0,
        globals_written: false,
    };
    let mut module = Module::new();
    rewriter.parse_core_module(&mut module, Parser::new(0), wasm).map_err(|error| RewriteError(error.to_string()))?;
    Ok(module.finish())
}

struct Rewriter<'a> {
    admitted: &'a Admitted,
    /// The global that holds what work is left, of a kernel.
    work: Option<u32>,
    /// The module's function types.
    signatures: Vec<FuncType>,
    /// Type index of the wrapping block for each function type with several results.
    block_types: Vec<Option<u32>>,
    next_function: usize,
    globals_written: bool,
}

fn refuse(problem: &str) -> Error<RewriteError> {
    Error::UserError(RewriteError(problem.to_owned()))
}

impl Rewriter<'_> {
    /// Index of the global that holds the stack height: one after the module's own.
    fn stack_global(&self) -> u32 {
        self.admitted.globals
    }

    fn write_own_globals(&mut self, globals: &mut GlobalSection) {
        let ty = |val_type| GlobalType { val_type, mutable: true, shared: false };
        globals.global(ty(ValType::I32), &ConstExpr::i32_const(0));
        if self.work.is_some() {
            globals.global(ty(ValType::I64), &ConstExpr::i64_const(0));
        }
        self.globals_written = true;
    }

    /// The type of a block that takes nothing and gives the function's results.
    fn block_type(&mut self, function: usize) -> Result<BlockType, Error<RewriteError>> {
        let type_index =
            self.admitted.function_types.get(function).copied().ok_or_else(|| refuse("function without a type"))?;
        let index = type_index as usize;
        let signature = self.signatures.get(index).ok_or_else(|| refuse("type out of range"))?;
        match *signature.results() {
            [] => Ok(BlockType::Empty),
            [result] => Ok(BlockType::Result(utils::val_type(self, result)?)),
            _ => match self.block_types.get(index).copied().flatten() {
                Some(added) => Ok(BlockType::FunctionType(added)),
                None => Err(refuse("no block type for several results")),
            },
        }
    }

    /// A function with the locals of `body`, one more for a number of bytes, and its entry counted.
    fn begin(
        &mut self,
        body: &wasmparser::FunctionBody<'_>,
        counted: Option<&(u32, Work)>,
    ) -> Result<wasm_encoder::Function, Error<RewriteError>> {
        let Some((global, work)) = counted else {
            return self.new_function_with_parsed_locals(body);
        };
        let mut locals = Vec::new();
        for group in body.get_locals_reader().map_err(Error::ParseError)? {
            let (count, ty) = group.map_err(Error::ParseError)?;
            locals.push((count, utils::val_type(self, ty)?));
        }
        if work.bulk {
            locals.push((1, ValType::I32));
        }
        let mut function = wasm_encoder::Function::new(locals);
        if let Some(entry) = work.entry {
            work::count(&mut function, *global, entry);
        }
        Ok(function)
    }

    /// All operators up to the function's own end. Inside a wrapping block, label `depth` is that block, as it was the function's own label.
    fn write_operators(
        &mut self,
        function: &mut wasm_encoder::Function,
        body: &wasmparser::FunctionBody<'_>,
        frame: FunctionFrame,
        counted: Option<&(u32, Work)>,
    ) -> Result<(), Error<RewriteError>> {
        let mut loops = counted.map(|(_, work)| work.loops.iter()).unwrap_or_default();
        let mut reader = body.get_operators_reader().map_err(Error::ParseError)?;
        let mut depth = 0u32;
        while !reader.eof() {
            let operator = reader.read().map_err(Error::ParseError)?;
            let begins_loop = matches!(operator, Operator::Loop { .. });
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => depth = depth.saturating_add(1),
                Operator::End if depth == 0 => break,
                Operator::End => depth = depth.saturating_sub(1),
                _ => {}
            }
            if let Some((global, _)) = counted
                && work::is_bulk(&operator)
            {
                work::count_bytes(function, *global, frame.locals);
            }
            let instruction = match operator {
                Operator::Return if frame.instrumented() => Instruction::Br(depth),
                other => self.instruction(other)?,
            };
            function.instruction(&instruction);
            if let Some((global, _)) = counted
                && begins_loop
            {
                let work = loops.next().ok_or_else(|| refuse("more loops than were counted"))?;
                work::count(function, *global, *work);
            }
        }
        Ok(())
    }

    fn enter(&self, function: &mut wasm_encoder::Function, frame: FunctionFrame, block: BlockType) {
        let (height, words) = (self.stack_global(), frame.words.cast_signed());
        function
            .instruction(&Instruction::GlobalGet(height))
            .instruction(&Instruction::I32Const(words))
            .instruction(&Instruction::I32Add)
            .instruction(&Instruction::GlobalSet(height))
            .instruction(&Instruction::GlobalGet(height))
            .instruction(&Instruction::I32Const(STACK_WORDS_MAX.cast_signed()))
            .instruction(&Instruction::I32GtU)
            .instruction(&Instruction::If(BlockType::Empty))
            .instruction(&Instruction::Unreachable)
            .instruction(&Instruction::End)
            .instruction(&Instruction::Block(block));
    }

    fn leave(&self, function: &mut wasm_encoder::Function, frame: FunctionFrame) {
        let (height, words) = (self.stack_global(), frame.words.cast_signed());
        function
            .instruction(&Instruction::End)
            .instruction(&Instruction::GlobalGet(height))
            .instruction(&Instruction::I32Const(words))
            .instruction(&Instruction::I32Sub)
            .instruction(&Instruction::GlobalSet(height))
            .instruction(&Instruction::End);
    }
}

impl Reencode for Rewriter<'_> {
    type Error = RewriteError;

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), Error<RewriteError>> {
        for group in section.clone() {
            for subtype in group.map_err(Error::ParseError)?.into_types() {
                if let wasmparser::CompositeInnerType::Func(signature) = subtype.composite_type.inner {
                    self.signatures.push(signature);
                }
            }
        }
        utils::parse_type_section(self, types, section)?;
        let mut next = self.admitted.types;
        for signature in self.signatures.clone() {
            let mut added = None;
            if signature.results().len() > 1 {
                let results =
                    signature.results().iter().map(|ty| utils::val_type(self, *ty)).collect::<Result<Vec<_>, _>>()?;
                types.ty().function([], results);
                added = Some(next);
                next = next.checked_add(1).ok_or_else(|| refuse("too many types"))?;
            }
            self.block_types.push(added);
        }
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Error<RewriteError>> {
        utils::parse_global_section(self, globals, section)?;
        self.write_own_globals(globals);
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Error<RewriteError>> {
        utils::parse_export_section(self, exports, section)?;
        for index in self.admitted.mutable_globals.iter().chain([&self.stack_global()]).chain(&self.work) {
            exports.export(&format!("{GLOBAL_EXPORT_PREFIX}{index}"), ExportKind::Global, *index);
        }
        Ok(())
    }

    /// Adds a global section where the module has none; it stands right before the exports, which every admitted module has.
    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error<RewriteError>> {
        if before == Some(SectionId::Export) && !self.globals_written {
            let mut globals = GlobalSection::new();
            self.write_own_globals(&mut globals);
            module.section(&globals);
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Result<(), Error<RewriteError>> {
        let index = self.next_function;
        self.next_function = index.saturating_add(1);
        let frame =
            self.admitted.frames.get(index).copied().ok_or_else(|| refuse("more functions than were judged"))?;
        let counted = match self.work {
            Some(global) => Some((global, Work::of(&body).map_err(Error::ParseError)?)),
            None => None,
        };
        let counted = counted.filter(|(_, work)| work.entry.is_some());
        if !frame.instrumented() && counted.is_none() {
            return utils::parse_function_body(self, code, body);
        }
        let block = self.block_type(index)?;
        let mut function = self.begin(&body, counted.as_ref())?;
        if frame.instrumented() {
            self.enter(&mut function, frame, block);
        }
        self.write_operators(&mut function, &body, frame, counted.as_ref())?;
        if frame.instrumented() {
            self.leave(&mut function, frame);
        } else {
            function.instruction(&Instruction::End);
        }
        code.function(&function);
        Ok(())
    }

    /// Names and other custom sections mean nothing to the engine.
    fn parse_custom_section(
        &mut self,
        _module: &mut Module,
        _section: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Error<RewriteError>> {
        Ok(())
    }
}

impl From<RewriteError> for reencode::Error<RewriteError> {
    fn from(error: RewriteError) -> Self {
        Error::UserError(error)
    }
}
