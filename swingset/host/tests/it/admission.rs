//! The list of ENGINE.md, "Admission": one case a rule.

use swingset_host::admission::{ModuleRole, judge};

use crate::support::{released, wat};

const EXPORTS: &str = r#"(func (export "vat_alloc") (param i32) (result i32) i32.const 0)
    (func (export "vat_deliver") (param i32 i32))"#;

fn vat_with(rest: &str) -> Vec<u8> {
    wat(&format!(r#"(module {rest} (memory (export "memory") 1 4) {EXPORTS})"#))
}

/// A vat that breaks one rule is refused with words that name it.
#[track_caller]
fn check_refused(wasm: &[u8], word: &str) {
    let error = judge(wasm, ModuleRole::Vat, false).unwrap_err().0;
    assert!(error.contains(word), "{error:?} should speak of {word:?}");
}

#[track_caller]
fn check_part_refused(part: &str, word: &str) {
    check_refused(&vat_with(part), word);
}

#[test]
fn a_plain_vat_is_admitted() {
    judge(&vat_with(""), ModuleRole::Vat, false).unwrap();
    judge(&vat_with(r#"(import "vat" "call" (func (param i32 i32 i32 i32) (result i32)))"#), ModuleRole::Vat, false)
        .unwrap();
}

#[test]
fn the_released_guests_are_admitted() {
    judge(&released("version-1/kernel.wasm"), ModuleRole::Kernel, false).unwrap();
    judge(&released("version-2/kernel.wasm"), ModuleRole::Kernel, false).unwrap();
    judge(&released("test/raw-pingpong.wasm"), ModuleRole::Vat, false).unwrap();
}

#[test]
fn a_vat_has_exactly_one_own_memory_with_a_maximum() {
    let with_memory = |memory: &str| wat(&format!("(module {memory} {EXPORTS})"));
    check_refused(&with_memory(""), "no memory");
    check_refused(&with_memory(r#"(memory (export "memory") 1)"#), "no maximum");
    check_refused(&with_memory(r#"(memory (export "memory") 1 4097)"#), "the limit is 4096");
    check_refused(&with_memory("(memory 1 1)"), "export its memory");
    check_refused(&with_memory(r#"(memory (export "memory") 1 1) (memory 1 1)"#), "more than one memory");
    check_refused(&with_memory(r#"(memory (export "memory") i64 1 1)"#), "32-bit");
    check_refused(&with_memory(r#"(memory (export "memory") 1 1 shared)"#), "32-bit");
    check_refused(&with_memory(r#"(import "vat" "memory" (memory 1 1))"#), "not a function");
}

#[test]
fn nothing_but_the_listed_functions_is_imported() {
    check_part_refused(r#"(import "vat" "clock" (func))"#, "not on the list");
    check_part_refused(r#"(import "env" "call" (func (param i32 i32 i32 i32) (result i32)))"#, "not on the list");
    check_part_refused(r#"(import "vat" "call" (func (param i32)))"#, "must have the type");
    check_part_refused(r#"(import "vat" "g" (global (mut i32)))"#, "not a function");
    check_part_refused(r#"(import "vat" "t" (table 1 funcref))"#, "not a function");
}

#[test]
fn nothing_but_the_listed_names_is_exported() {
    check_part_refused(r#"(func (export "other"))"#, "not on the list");
    check_part_refused(r#"(global (export "~g0") (mut i32) (i32.const 0))"#, "reserved");
    check_part_refused(r#"(global (export "__heap_base") (mut i32) (i32.const 0))"#, "mutable");
    check_part_refused(r#"(table (export "t") 1 1 funcref)"#, "not on the list");
    check_refused(
        &wat(r#"(module (memory (export "memory") 1 1) (func (export "vat_deliver") (param i32 i32)))"#),
        "vat_alloc",
    );
    let wrong = r#"(module (memory (export "memory") 1 1) (func (export "vat_deliver") (param i32))
        (func (export "vat_alloc") (param i32) (result i32) i32.const 0))"#;
    check_refused(&wat(wrong), "must have the type");
}

#[test]
fn there_is_no_start_function() {
    check_part_refused("(func $f) (start $f)", "start function");
}

#[test]
fn tables_and_segments_are_not_changed_at_run_time() {
    let table = "(table $t 2 2 funcref) (elem $e declare func $f) (func $f)";
    let body = |instructions: &str| format!("{table} (func (param funcref) {instructions})");
    check_part_refused(&body("i32.const 0 local.get 0 table.set $t"), "table.set");
    check_part_refused(&body("local.get 0 i32.const 1 table.grow $t drop"), "table.grow");
    check_part_refused(&body("i32.const 0 local.get 0 i32.const 1 table.fill $t"), "table.fill");
    check_part_refused(&body("i32.const 0 i32.const 0 i32.const 1 table.copy $t $t"), "table.copy");
    check_part_refused(&body("i32.const 0 i32.const 0 i32.const 1 table.init $t $e"), "table.init");
    check_part_refused(&body("elem.drop $e"), "elem.drop");
    check_part_refused(r#"(data $d "x") (func data.drop $d)"#, "data.drop");
    check_part_refused("(elem func)", "passive element segment");
}

#[test]
fn mutable_globals_hold_numbers_only() {
    check_part_refused("(global (mut funcref) (ref.null func))", "not a number");
    check_part_refused("(global (mut externref) (ref.null extern))", "not a number");
    let admitted =
        judge(&vat_with("(global i32 (i32.const 1)) (global (mut i64) (i64.const 2))"), ModuleRole::Vat, false)
            .unwrap();
    assert_eq!(admitted.mutable_globals, [1]);
}

#[test]
fn proposals_beyond_the_list_are_refused() {
    check_part_refused("(tag)", "exceptions");
    check_part_refused("(func (param v128))", "SIMD");
    check_part_refused("(type (struct))", "not a function's");
    check_part_refused("(func $f) (func return_call $f)", "tail calls");
    check_part_refused("(func (param i32) local.get 0 i32.atomic.load drop)", "threads");
    check_part_refused("(type $f (func)) (func (param (ref $f)))", "function references");
}

#[test]
fn floats_need_a_policy_that_allows_them() {
    let wasm = vat_with("(func (param f64) (result f64) local.get 0 local.get 0 f64.add)");
    check_refused(&wasm, "floating-point");
    judge(&wasm, ModuleRole::Vat, true).unwrap();
}

#[test]
fn the_encodings_that_compilers_emit_by_default_are_admitted() {
    let wasm = vat_with(
        "(table 1 1 funcref) (elem (i32.const 0) func $g)
         (func $g (param i32 i32) (result i32 i32)
            (memory.copy (i32.const 0) (i32.const 8) (i32.const 8)) (memory.fill (i32.const 0) (i32.const 0) (i32.const 8))
            (i32.extend8_s (local.get 0)) (local.get 1))
         (func (param i32) (result i32 i32) (call_indirect (param i32 i32) (result i32 i32) (local.get 0) (local.get 0) (local.get 0)))",
    );
    judge(&wasm, ModuleRole::Vat, false).unwrap();
}

#[test]
fn structural_limits_hold() {
    let locals = format!("(func (local {}))", "i32 ".repeat(4097));
    check_part_refused(&locals, "4097 locals");
    let targets = format!("(func (block (br_table {} (i32.const 0))))", "0 ".repeat(16_386));
    check_part_refused(&targets, "br_table");
    let deep = format!("(func {} {})", "(block ".repeat(1100), ")".repeat(1100));
    check_part_refused(&deep, "nests blocks");
    let long = format!("(func {})", "nop ".repeat(512 * 1024));
    check_part_refused(&long, "bytes; the limit is");
    let operands = format!("(func {} {})", "i32.const 0 ".repeat(4097), "drop ".repeat(4097));
    check_part_refused(&operands, "operand stack");
    let functions = "(func)".repeat(50_000);
    check_part_refused(&functions, "functions");
    let globals = "(global i32 (i32.const 0))".repeat(1025);
    check_part_refused(&globals, "globals");
    check_part_refused("(table 100001 100001 funcref)", "elements");
    check_part_refused("(table 1 1 funcref) (table 1 1 funcref)", "tables");
}

/// Each target of the table and each call would be checked against every parameter, for one or two bytes of code that nothing reaches.
#[test]
fn types_that_make_validation_long_are_refused_before_it() {
    let types = |count: usize| "i64 ".repeat(count);
    let targets = "0 ".repeat(16_000);
    let table = |parameters: usize| {
        format!(
            "(func unreachable (loop (param {}) unreachable (br_table {targets} (i32.const 0))))",
            types(parameters)
        )
    };
    check_part_refused(&table(1000), "1000 parameters in a function type; the limit is 128");
    check_part_refused(&table(17), "a block with 17 parameters; the limit is 16");
    check_part_refused(
        &format!("(func $wide (param {})) (func unreachable {})", types(129), "call $wide ".repeat(1000)),
        "129 parameters in a function type; the limit is 128",
    );
    judge(&vat_with(&table(16)), ModuleRole::Vat, false).unwrap();
    check_part_refused(&table(16).repeat(17), "its functions have 272000 targets of tables; the limit is 262144");
    judge(&vat_with(&format!("(func (param {}))", types(128))), ModuleRole::Vat, false).unwrap();
    judge(
        &vat_with(&format!(
            "(func {} (block (param {}) {}))",
            "i64.const 0 ".repeat(16),
            types(16),
            "drop ".repeat(16)
        )),
        ModuleRole::Vat,
        false,
    )
    .unwrap();
}

/// Each is a few kilobytes that a compiler would work on for seconds or minutes, or as many such functions.
#[test]
fn shapes_that_make_compiling_long_are_refused() {
    let locals = |count: usize| format!("(local {})", "i64 ".repeat(count));
    let change = |count: usize| -> String {
        (1..=count).map(|i| format!("(local.set {i} (i64.add (local.get {i}) (i64.const 1)))")).collect()
    };
    let loops = |count: usize, depth: usize| {
        let (heads, tails) = ("loop ".repeat(depth), "local.get 0 br_if 0 end ".repeat(depth));
        format!("(func (param i32) {} {heads} {} {tails})", locals(count), change(count))
    };
    let blocks = |count: usize, depth: usize| {
        let (heads, tails) = ("block ".repeat(depth), "end ".repeat(depth));
        let branches: String = (0..depth).map(|target| format!("local.get 0 br_if {target} ")).collect();
        format!("(func (param i32) {} {heads} {branches} {} {tails})", locals(count), change(count))
    };
    let tables = |count: usize, targets: usize, tables: usize| {
        let table = format!("(block local.get 0 br_table {}) {}", "1 0 ".repeat(targets / 2), change(count));
        format!("(func (param i32) {} block {} end)", locals(count), table.repeat(tables))
    };
    let calls = |count: usize, functions: usize| {
        let types = "i64 ".repeat(16);
        let (values, calls, drops) = ("i64.const 1 ".repeat(16), "call $p ".repeat(count), "drop ".repeat(16));
        let function = format!("(func {values} {calls} {drops})");
        format!("(func $p (param {types}) (result {types}) unreachable) {}", function.repeat(functions))
    };
    check_part_refused(&loops(200, 200), "40200 locals by its nesting of loops; the limit is 4096");
    check_part_refused(&loops(1000, 5), "5005 locals by its nesting of loops");
    check_part_refused(&blocks(400, 200), "80200 locals by its nesting of blocks; the limit is 12288");
    check_part_refused(&blocks(12, 1000), "13000 locals by its nesting of blocks");
    check_part_refused(&tables(400, 40, 20), "locals by its blocks, branches and targets; the limit is 262144");
    check_part_refused(&calls(257, 1), "8224 parameters and results in its calls; the limit is 8192");
    // Each within its own limit, and all together not.
    check_part_refused(&blocks(99, 100).repeat(27), "its functions have 270000 locals by nesting of blocks");
    check_part_refused(&tables(99, 100, 20).repeat(12), "locals by blocks, branches and targets; the limit is 2097152");
    check_part_refused(&calls(250, 17), "its functions have 136000 parameters and results in calls");
}

#[test]
fn garbage_and_cut_modules_are_refused_without_a_panic() {
    let whole = released("test/raw-pingpong.wasm");
    for cut in (0..whole.len()).step_by(97) {
        assert!(judge(&whole[..cut], ModuleRole::Vat, false).is_err(), "cut at {cut}");
    }
    check_refused(b"", "unexpected end");
    check_refused(b"\0asm\x0d\0\x01\0", "component");
}
