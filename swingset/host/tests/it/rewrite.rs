//! Rewritten modules: they do what they did, and count their stack (`deep`) and a kernel's work.

use proptest::{collection::vec, prelude::*};
use swingset_host::admission::{ModuleRole, judge, rewrite};
use wasmtime::{Config, Engine, Global, Instance, Module, OptLevel, Store, Trap, Val};

use crate::support::{released, wat};

/// What is compiled of a module.
pub fn rewritten(wasm: &[u8], role: ModuleRole) -> Vec<u8> {
    rewrite(wasm, &judge(wasm, role, true).unwrap(), role).unwrap()
}

/// A vat module with this code in it; function `f` is reached through `vat_alloc`.
pub fn vat(code: &str) -> Vec<u8> {
    wat(&format!(
        r#"(module (memory (export "memory") 1 1) {code}
          (func (export "vat_deliver") (param i32 i32))
          (func (export "vat_alloc") (param i32) (result i32) (call $f (local.get 0))))"#
    ))
}

/// Calls `vat_alloc` on a stack of so many bytes.
pub fn call(wasm: &[u8], argument: i32, stack: usize, level: OptLevel) -> Result<i32, Trap> {
    let mut config = Config::new();
    config.max_wasm_stack(stack);
    config.async_stack_size(stack * 2);
    // As vats are compiled: code that counts fuel and makes NaNs canonical is what may need a stack.
    config.cranelift_opt_level(level).consume_fuel(true).cranelift_nan_canonicalization(true);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, wasm).unwrap();
    let mut store = Store::new(&engine, ());
    store.set_fuel(u64::MAX / 2).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let function = instance.get_typed_func::<i32, i32>(&mut store, "vat_alloc").unwrap();
    let result = function.call(&mut store, argument).map_err(|error| *error.downcast_ref::<Trap>().unwrap());
    if result.is_ok() {
        let admitted_globals =
            module.exports().filter(|export| export.name().starts_with("~g")).map(|e| e.name().to_owned());
        let last = admitted_globals.last().unwrap();
        let height = instance.get_global(&mut store, &last).unwrap().get(&mut store).unwrap_i32();
        assert_eq!(height, 0, "every way out of a function takes its frame off");
    }
    result
}

#[track_caller]
fn check_same(code: &str, cases: &[(i32, i32)]) {
    let plain = vat(code);
    let counted = rewritten(&plain, ModuleRole::Vat);
    for (argument, expected) in cases {
        assert_eq!(call(&counted, *argument, 1 << 20, OptLevel::Speed), Ok(*expected), "{argument}");
    }
}

#[test]
fn rewritten_code_gives_the_same_results_on_every_way_out() {
    check_same(
        "(func $f (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
            (block (br_if 1 (i32.const 7) (i32.eq (local.get 0) (i32.const 2))) drop)
            (loop $l (if (i32.gt_s (local.get 0) (i32.const 10)) (then (return (call $g (local.get 0))))))
            (i32.mul (local.get 0) (call $f (i32.sub (local.get 0) (i32.const 1)))))
         (func $g (param i32) (result i32) (block (block (br 2 (i32.const -1)))) (i32.const 5))",
        &[(0, 1), (1, 1), (2, 7), (3, 21), (11, -1)],
    );
}

#[test]
fn several_results_pass_through_the_wrapping_block() {
    check_same(
        "(func $two (param i32) (result i32 i64 i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 1) (i64.const 2) (i32.const 3))))
            (call $two (i32.sub (local.get 0) (i32.const 1))))
         (func $f (param i32) (result i32) (local i64) (call $two (local.get 0)) (local.set 0) (local.set 1) (i32.add (local.get 0)))",
        &[(0, 4), (5, 4)],
    );
}

#[test]
fn branch_tables_to_the_functions_end_still_end_it() {
    check_same(
        "(func $f (param i32) (result i32)
            (block $a (block $b (br_table $a $b 2 (i32.const 40) (local.get 0)) drop) (return (call $h (i32.const 1))))
            (call $h (i32.const 2)))
         (func $h (param i32) (result i32) (local.get 0))"
            .replace("(i32.const 40) (local.get 0)", "(local.get 0)")
            .replace("$a $b 2", "$a $b $b")
            .as_str(),
        &[(0, 2), (1, 1), (9, 1)],
    );
}

#[test]
fn the_released_guests_pass_validation_once_rewritten() {
    let engine = Engine::default();
    for (path, role) in [
        ("version-1/kernel.wasm", ModuleRole::Kernel),
        ("version-2/kernel.wasm", ModuleRole::Kernel),
        ("test/raw-pingpong.wasm", ModuleRole::Vat),
    ] {
        let wasm = rewritten(&released(path), role);
        Module::validate(&engine, &wasm).unwrap();
        assert_eq!(wasm, rewritten(&released(path), role), "the rewriter is a function of the bytes");
    }
}

/// The global of a rewritten kernel that holds what work is left, set to this much; none in code that is not rewritten.
fn allow(work: i64, instance: &Instance, store: &mut Store<()>, module: &Module) -> Option<Global> {
    let last = module.exports().filter(|export| export.name().starts_with("~g")).last()?;
    let global = instance.get_global(&mut *store, last.name()).unwrap();
    global.set(store, Val::I64(work)).unwrap();
    Some(global)
}

/// A vat's module, rewritten as a kernel's is.
fn as_kernel(plain: &[u8]) -> Vec<u8> {
    rewrite(plain, &judge(plain, ModuleRole::Vat, true).unwrap(), ModuleRole::Kernel).unwrap()
}

/// What a call of rewritten code counted, and the fuel that the engine counted for the code as it was.
fn work_and_fuel(code: &str, argument: i32) -> (i64, u64) {
    let plain = vat(code);
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config).unwrap();
    let run = |wasm: &[u8]| {
        let module = Module::new(&engine, wasm).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_fuel(u64::MAX / 2).unwrap();
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let work = allow(i64::MAX, &instance, &mut store, &module);
        let function = instance.get_typed_func::<i32, i32>(&mut store, "vat_alloc").unwrap();
        let result = function.call(&mut store, argument).unwrap();
        let fuel = u64::MAX / 2 - store.get_fuel().unwrap();
        let done = work.map_or(0, |work| i64::MAX - work.get(&mut store).unwrap_i64());
        (result, done, fuel)
    };
    let counted = as_kernel(&plain);
    let ((result, _, fuel), (same, work, _)) = (run(&plain), run(&counted));
    assert_eq!(result, same, "{code}");
    (work, fuel)
}

#[test]
fn a_kernels_counted_work_is_never_less_than_what_it_did() {
    let programs = [
        // A straight line, a branch that is taken or not, and a loop in a loop.
        "(func $f (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))",
        "(func $f (param i32) (result i32)
            (if (i32.gt_s (local.get 0) (i32.const 5)) (then (local.set 0 (i32.mul (local.get 0) (i32.const 3)))))
            (local.get 0))",
        "(func $f (param i32) (result i32) (local $i i32) (local $j i32)
            (loop $outer (local.set $j (i32.const 0))
                (loop $inner (local.set $j (i32.add (local.get $j) (i32.const 1)))
                    (br_if $inner (i32.lt_s (local.get $j) (i32.const 7))))
                (local.set $i (i32.add (local.get $i) (local.get $j)))
                (br_if $outer (i32.lt_s (local.get $i) (i32.mul (local.get 0) (i32.const 100)))))
            (local.get $i))",
        // Calls: of a leaf that only its callers count, of itself, and through the table.
        "(func $leaf (param i32) (result i32) (i32.xor (i32.rotl (local.get 0) (i32.const 3)) (i32.const 77)))
         (func $f (param i32) (result i32) (call $leaf (call $leaf (call $leaf (local.get 0)))))",
        "(func $f (param i32) (result i32) (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1))
            (else (i32.mul (local.get 0) (call $f (i32.sub (local.get 0) (i32.const 1)))))))",
        "(type $t (func (param i32) (result i32))) (table 1 1 funcref) (elem (i32.const 0) $leaf)
         (func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.add (local.get 0) (local.get 0))))
         (func $f (param i32) (result i32) (local $n i32)
            (loop $l (local.set 0 (call_indirect (type $t) (local.get 0) (i32.const 0)))
                (br_if $l (i32.lt_s (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 50))))
            (local.get 0))",
        // The longest leaf that its callers count, and one that is longer.
        &format!(
            "(func $leaf (param i32) (result i32) (local.get 0) {})
             (func $f (param i32) (result i32) (local.get 0) {})",
            "(i32.const 3) i32.add ".repeat(15),
            "(call $leaf) ".repeat(100)
        ),
        &format!("(func $f (param i32) (result i32) (local.get 0) {})", "(i32.const 3) i32.add ".repeat(400)),
        // Memory that is filled and copied, as much as the argument says.
        "(func $f (param i32) (result i32)
            (memory.fill (i32.const 0) (i32.const 7) (i32.mul (local.get 0) (i32.const 1000)))
            (memory.copy (i32.const 30000) (i32.const 0) (i32.mul (local.get 0) (i32.const 900)))
            (i32.load8_u (i32.const 30001)))",
    ];
    for code in programs {
        for argument in [0, 1, 3, 12] {
            let (work, fuel) = work_and_fuel(code, argument);
            assert!(work.cast_unsigned() >= fuel, "{work} is counted and {fuel} was done: {argument}, {code}");
        }
    }
}

/// Statements over `$x`, as many as the bytes say; `loops` counts the loops, each with a counter of its own.
fn statements(choices: &mut impl Iterator<Item = u8>, depth: u32, loops: &mut u32) -> String {
    let mut code = String::new();
    for _ in 0..choices.next().map_or(0, |choice| choice % 4) {
        let Some(choice) = choices.next() else { break };
        let number = u32::from(choice / 8);
        code += &match choice % 8 {
            1 if depth > 0 => {
                let (then, otherwise) = (statements(choices, depth - 1, loops), statements(choices, depth - 1, loops));
                format!("(if (i32.and (local.get $x) (i32.const 1)) (then {then}) (else {otherwise}))")
            }
            2 | 3 if depth > 0 => {
                let mine = *loops;
                *loops += 1;
                let body = statements(choices, depth - 1, loops);
                format!(
                    "(local.set $i{mine} (i32.const 0)) (loop $l{mine} {body}
                        (local.set $i{mine} (i32.add (local.get $i{mine}) (i32.const 1)))
                        (br_if $l{mine} (i32.lt_u (local.get $i{mine}) (i32.const {}))))",
                    number % 5
                )
            }
            4 if depth > 0 => {
                let (before, after) = (statements(choices, depth - 1, loops), statements(choices, depth - 1, loops));
                format!("(block $b {before} (br_if $b (i32.and (local.get $x) (i32.const 2))) {after})")
            }
            5 => "(local.set $x (call $leaf (call $leaf (local.get $x))))".to_owned(),
            6 => "(memory.fill (i32.const 0) (i32.const 1) (i32.and (local.get $x) (i32.const 255)))".to_owned(),
            7 => format!("(if (i32.eq (local.get $x) (i32.const {number})) (then (return (local.get $x))))"),
            _ => format!("(local.set $x (i32.add (i32.mul (local.get $x) (i32.const 3)) (i32.const {number})))"),
        };
    }
    code
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_kernel_does_is_counted(choices in vec(any::<u8>(), 0..120), argument in 0..40i32) {
        let mut loops = 0;
        let body = statements(&mut choices.into_iter(), 4, &mut loops);
        let counters: String = (0..loops).map(|number| format!("(local $i{number} i32)")).collect();
        let code = format!(
            "(func $leaf (param i32) (result i32) (i32.xor (i32.rotl (local.get 0) (i32.const 3)) (i32.const 77)))
             (func $f (param $x i32) (result i32) {counters} {body} (local.get $x))"
        );
        let (work, fuel) = work_and_fuel(&code, argument);
        prop_assert!(work.cast_unsigned() >= fuel, "{work} is counted and {fuel} was done: {code}");
    }
}

#[test]
fn a_kernel_without_work_left_traps_wherever_it_goes_on() {
    let endless = [
        "(func $f (param i32) (result i32) (loop $l (br $l)) (i32.const 0))",
        "(func $f (param i32) (result i32) (loop $l (br_if $l (i32.const 1))) (i32.const 0))",
        "(func $f (param i32) (result i32) (loop $l (drop (call $g (local.get 0))) (br $l)) (i32.const 0))
         (func $g (param i32) (result i32) (local.get 0))",
        "(func $f (param i32) (result i32)
            (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br $l)) (i32.const 0))",
        "(func $f (param i32) (result i32) (loop $l (block $b (br_table $b $l $b (local.get 0))) (br $l)) (i32.const 0))",
    ];
    for code in endless {
        let engine = Engine::default();
        let module = Module::new(&engine, as_kernel(&vat(code))).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let work = allow(10_000_000, &instance, &mut store, &module).unwrap();
        let function = instance.get_typed_func::<i32, i32>(&mut store, "vat_alloc").unwrap();
        let error = function.call(&mut store, 1).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::UnreachableCodeReached), "{code}");
        assert!(work.get(&mut store).unwrap_i64() < 0, "{code}");
    }
}
