//! A kernel's work, counted in wasm's own terms. The engine's fuel is exact, and its price is a sixth of a delivery's time; a kernel's
//! is in no meter and needs a bound only, which may be coarse.
//!
//! The code between two places where it may come back to itself is counted as a whole, whatever way is taken through it: a function's
//! body outside of its loops when it is entered, a loop's outside of the loops in it each time around. So what is counted is never less
//! than what is done. Changing a weight changes the rewriter's version.

use wasm_encoder::{BlockType, Function, Instruction};
use wasmparser::{FunctionBody, Operator};

/// Counted for entering a function and for each time around a loop, beside the operators: what counting itself costs.
const TURN: i64 = 16;
/// Operators of a function without calls and loops that is not counted when it is entered.
const LEAF_OPERATORS_MAX: i64 = 32;
/// What each call counts for: itself and such a function.
const CALL: i64 = LEAF_OPERATORS_MAX + 1;
/// A byte that is filled or copied counts for two to this power.
const BYTE_SHIFT: i64 = 2;

/// What of a function is counted where.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    /// When it is entered; none: its callers have counted it.
    pub entry: Option<i64>,
    /// Each time around, for its loops in the order in which they begin.
    pub loops: Vec<i64>,
    /// It fills or copies memory, which counts by the byte.
    pub bulk: bool,
}

impl Work {
    /// Counts a function's operators.
    pub(super) fn of(body: &FunctionBody<'_>) -> wasmparser::Result<Work> {
        let mut work = Work::default();
        let (mut outside, mut calls) = (0i64, false);
        // The loop that each open block is in, itself included.
        let mut open: Vec<Option<usize>> = vec![None];
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            let around = open.last().copied().flatten();
            match operator {
                Operator::Loop { .. } => {
                    open.push(Some(work.loops.len()));
                    work.loops.push(TURN);
                }
                Operator::Block { .. } | Operator::If { .. } => open.push(around),
                Operator::End => {
                    open.pop();
                }
                _ => {}
            }
            let weight = match operator {
                Operator::Call { .. } | Operator::CallIndirect { .. } => {
                    calls = true;
                    CALL
                }
                _ => 1,
            };
            work.bulk |= is_bulk(&operator);
            let count = around.and_then(|at| work.loops.get_mut(at)).unwrap_or(&mut outside);
            *count = count.saturating_add(weight);
        }
        let free = !calls && !work.bulk && work.loops.is_empty() && outside <= LEAF_OPERATORS_MAX;
        work.entry = (!free).then(|| outside.saturating_add(TURN));
        Ok(work)
    }
}

/// Whether an operator's work is the number on top of the stack, in bytes.
pub(super) fn is_bulk(operator: &Operator<'_>) -> bool {
    matches!(operator, Operator::MemoryFill { .. } | Operator::MemoryCopy { .. } | Operator::MemoryInit { .. })
}

/// Takes work off the global; traps when nothing is left.
pub(super) fn count(function: &mut Function, global: u32, work: i64) {
    function.instruction(&Instruction::GlobalGet(global)).instruction(&Instruction::I64Const(work));
    take(function, global);
}

/// The same for the number of bytes on top of the stack, which stays there; `scratch` is a local for it.
pub(super) fn count_bytes(function: &mut Function, global: u32, scratch: u32) {
    function
        .instruction(&Instruction::LocalTee(scratch))
        .instruction(&Instruction::GlobalGet(global))
        .instruction(&Instruction::LocalGet(scratch))
        .instruction(&Instruction::I64ExtendI32U)
        .instruction(&Instruction::I64Const(BYTE_SHIFT))
        .instruction(&Instruction::I64Shl);
    take(function, global);
}

fn take(function: &mut Function, global: u32) {
    function
        .instruction(&Instruction::I64Sub)
        .instruction(&Instruction::GlobalSet(global))
        .instruction(&Instruction::GlobalGet(global))
        .instruction(&Instruction::I64Const(0))
        .instruction(&Instruction::I64LtS)
        .instruction(&Instruction::If(BlockType::Empty))
        .instruction(&Instruction::Unreachable)
        .instruction(&Instruction::End);
}
