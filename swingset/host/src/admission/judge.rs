//! Judging a module: validation by the parser that the engine itself uses, then the rules of the role.

use wasmparser::{
    BlockType, FuncValidatorAllocations, FunctionBody, Operator, Parser, Payload, ValidPayload, Validator,
};

use super::{
    AdmissionError, BODY_BYTES_MAX, BR_TABLE_TARGETS_MAX, FRAME_WORDS, LEAF_WORDS_MAX, LOCALS_MAX, ModuleRole,
    NESTING_MAX, OPERANDS_MAX, RESULTS_MAX,
    effort::{Effort, Efforts},
    features::wasm_features,
    sections::Sections,
};

/// What the rewriter must know of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionFrame {
    /// Parameters + locals + operators + twice the deepest operand stack + a constant, in words: its share of the stack height. Operators,
    /// since a compiler keeps what is computed twice, or in a loop again and again, in a slot of its own; twice, since a float's slot is two.
    pub words: u32,
    /// Parameters and locals.
    pub locals: u32,
    /// It calls another function.
    pub calls: bool,
}

impl FunctionFrame {
    /// Whether the rewriter instruments it.
    pub fn instrumented(&self) -> bool {
        self.calls || self.words > LEAF_WORDS_MAX
    }
}

/// An admitted module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Frames of the functions that it defines, in order.
    pub frames: Vec<FunctionFrame>,
    /// Indices of its mutable globals.
    pub mutable_globals: Vec<u32>,
    /// Globals that it defines.
    pub globals: u32,
    /// Types that it declares.
    pub types: u32,
    /// Type index of each function that it defines.
    pub function_types: Vec<u32>,
    /// Its memory's initial length, in wasm pages.
    pub memory_pages_min: u64,
    /// Its memory's maximum, in wasm pages.
    pub memory_pages_max: u64,
}

/// Judges a module for a role.
///
/// # Errors
/// The first rule that it breaks.
pub fn judge(wasm: &[u8], role: ModuleRole, floats: bool) -> Result<Admitted, AdmissionError> {
    let mut validator = Validator::new_with_features(wasm_features(floats));
    let mut sections = Sections::new(role);
    let (mut frames, mut efforts) = (Vec::new(), Efforts::default());
    let mut allocations = FuncValidatorAllocations::default();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(invalid)?;
        // Counts are looked at before the validator allocates for them.
        sections.see(&payload)?;
        match validator.payload(&payload).map_err(invalid)? {
            ValidPayload::Func(function, body) => {
                let mut function = function.into_validator(std::mem::take(&mut allocations));
                let index = function.index();
                let (frame, effort) = judge_body(&mut function, &body, &sections)?;
                efforts.add(index, &effort, frame.locals)?;
                frames.push(frame);
                allocations = function.into_allocations();
            }
            ValidPayload::End(_) => break,
            ValidPayload::Ok | ValidPayload::Parser(_) => {}
        }
        if matches!(payload, Payload::Version { encoding: wasmparser::Encoding::Component, .. }) {
            return Err(AdmissionError::new("it is a component; a core module is needed"));
        }
    }
    let found = sections.finish()?;
    Ok(Admitted {
        frames,
        mutable_globals: found.mutable_globals,
        globals: found.globals,
        types: found.types,
        function_types: found.function_types,
        memory_pages_min: found.memory_pages_min,
        memory_pages_max: found.memory_pages_max,
    })
}

fn invalid(error: wasmparser::Error) -> AdmissionError {
    AdmissionError::new(format!("{} (offset {:#x})", error.message(), error.offset()))
}

type Function = wasmparser::FuncValidator<wasmparser::ValidatorResources>;

fn judge_body(
    function: &mut Function,
    body: &FunctionBody<'_>,
    sections: &Sections,
) -> Result<(FunctionFrame, Effort), AdmissionError> {
    let index = function.index();
    let refuse = |what: String| AdmissionError::new(format!("function {index} {what}"));
    if body.range().len() > BODY_BYTES_MAX {
        return Err(refuse(format!("has a body of {} bytes; the limit is {BODY_BYTES_MAX}", body.range().len())));
    }
    let mut reader = body.get_binary_reader();
    function.read_locals(&mut reader).map_err(invalid)?;
    if function.len_locals() > LOCALS_MAX {
        return Err(refuse(format!("has {} locals; the limit is {LOCALS_MAX}", function.len_locals())));
    }
    let mut operators = wasmparser::OperatorsReader::new(reader);
    let (mut operands, mut count, mut calls, mut effort) = (0, 0u32, false, Effort::default());
    while !operators.eof() {
        let (operator, offset) = operators.read_with_offset().map_err(invalid)?;
        // Before the validator: what it does for an operator is bounded by what these let through.
        judge_operator(&operator).map_err(refuse)?;
        judge_block(&operator, sections).map_err(refuse)?;
        count = count.saturating_add(1);
        effort.see(&operator, sections);
        calls |= matches!(operator, Operator::Call { .. } | Operator::CallIndirect { .. });
        function.op(offset, &operator).map_err(invalid)?;
        operands = operands.max(function.operand_stack_height());
        if function.control_stack_height() > NESTING_MAX {
            return Err(refuse(format!("nests blocks deeper than {NESTING_MAX}")));
        }
    }
    operators.finish().map_err(invalid)?;
    if operands > OPERANDS_MAX {
        return Err(refuse(format!("has an operand stack {operands} deep; the limit is {OPERANDS_MAX}")));
    }
    let words =
        [function.len_locals(), count, operands, operands, FRAME_WORDS].into_iter().fold(0, u32::saturating_add);
    Ok((FunctionFrame { words, locals: function.len_locals(), calls }, effort))
}

/// Blocks take what they use from locals or from a few operands.
fn judge_block(operator: &Operator<'_>, sections: &Sections) -> Result<(), String> {
    let (Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty }) = operator else {
        return Ok(());
    };
    let BlockType::FuncType(index) = *blockty else { return Ok(()) };
    let parameters = sections.type_at(index).map_or(0, |signature| signature.params().len());
    if parameters > RESULTS_MAX {
        return Err(format!("has a block with {parameters} parameters; the limit is {RESULTS_MAX}"));
    }
    Ok(())
}

/// Instructions that the features let through and that a vat's state could hide in, one line each.
fn judge_operator(operator: &Operator<'_>) -> Result<(), String> {
    let instruction = match operator {
        // Tables are not part of a vat's saved state, so nothing may change them.
        Operator::TableSet { .. } => "table.set",
        Operator::TableGrow { .. } => "table.grow",
        Operator::TableFill { .. } => "table.fill",
        Operator::TableCopy { .. } => "table.copy",
        Operator::TableInit { .. } => "table.init",
        // A dropped segment is state that no page shows.
        Operator::ElemDrop { .. } => "elem.drop",
        Operator::DataDrop { .. } => "data.drop",
        // References cannot be stored, and compilers do not emit these for admitted code.
        Operator::TableGet { .. } => "table.get",
        Operator::RefFunc { .. } => "ref.func",
        Operator::BrTable { targets } if targets.len() > BR_TABLE_TARGETS_MAX => {
            return Err(format!("has a br_table with {} targets; the limit is {BR_TABLE_TARGETS_MAX}", targets.len()));
        }
        _ => return Ok(()),
    };
    Err(format!("uses {instruction}, which is not allowed"))
}
