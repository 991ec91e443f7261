//! Structural limits. Never a time: a module is admitted on every machine or on none. Changing one changes the rewriter's version.

/// Functions that a module may define.
pub const FUNCTIONS_MAX: u32 = 50_000;
/// Types that a module may declare.
pub const TYPES_MAX: u32 = 10_000;
/// Bytes of one function's body.
pub const BODY_BYTES_MAX: usize = 512 * 1024;
/// Parameters and locals of one function.
pub const LOCALS_MAX: u32 = 4_096;
/// Deepest operand stack of one function.
pub const OPERANDS_MAX: u32 = 4_096;
/// Deepest nesting of blocks in one function.
pub const NESTING_MAX: u32 = 1_024;
/// Locals times nesting of blocks, of one function. The compiler has a value for each at each; it takes up to half a second for so many.
pub const LOCALS_BY_NESTING_MAX: u64 = 12_288;
/// The same of all functions.
pub const LOCALS_BY_NESTING_TOTAL: u64 = 262_144;
/// Locals times nesting of loops, of one function.
pub const LOCALS_BY_LOOPS_MAX: u64 = 4_096;
/// Locals times blocks, branches and targets of tables, of one function.
pub const LOCALS_BY_BRANCHES_MAX: u64 = 262_144;
/// The same of all functions.
pub const LOCALS_BY_BRANCHES_TOTAL: u64 = 2_097_152;
/// Parameters and results of all calls in one function.
pub const VALUES_IN_CALLS_MAX: u64 = 8_192;
/// The same of all functions.
pub const VALUES_IN_CALLS_TOTAL: u64 = 131_072;
/// Targets of one `br_table`.
pub const BR_TABLE_TARGETS_MAX: u32 = 16_384;
/// Parameters of one function. Validation looks at each of them at every call, also at one that nothing reaches.
pub const PARAMETERS_MAX: usize = 128;
/// Targets of all functions' tables.
pub const TARGETS_TOTAL: u64 = 262_144;
/// Results of one function, and parameters of a block: validation looks at each of them at every branch and every target.
pub const RESULTS_MAX: usize = 16;
/// Tables, and elements of one.
pub const TABLES_MAX: u32 = 1;
/// Elements of a table.
pub const TABLE_ELEMENTS_MAX: u64 = 100_000;
/// Globals.
pub const GLOBALS_MAX: u32 = 1_024;
/// Data segments, and element segments.
pub const SEGMENTS_MAX: u32 = 10_000;
/// Largest memory that a module may declare as its maximum, in wasm pages.
pub const MEMORY_PAGES_CEILING: u64 = 4_096;

/// Stack height above which a guest traps, in words (see [`super::FunctionFrame`]).
pub const STACK_WORDS_MAX: u32 = 524_288;
/// Words counted for a frame beside its locals, operands and operators: return address, saved registers, outgoing arguments.
pub const FRAME_WORDS: u32 = 16;
/// A function that calls nothing and whose frame is at most this many words is not instrumented: it adds one such frame at most
/// to a stack within the limit.
pub const LEAF_WORDS_MAX: u32 = 4_096;
