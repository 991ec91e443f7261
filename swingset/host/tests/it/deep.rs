//! Functions that recurse without end, whatever native stack their code can be made to need: they meet the counted limit.

use swingset_host::{
    admission::{ModuleRole, STACK_WORDS_MAX},
    engine::MAX_WASM_STACK_BYTES,
};
use wasmtime::{OptLevel, Trap};

use crate::rewrite::{call, rewritten, vat};

fn locals(count: usize) -> String {
    // All locals live across the call, so that each needs a slot.
    let names: Vec<String> = (0..count).map(|i| format!("$l{i}")).collect();
    let declare: String = names.iter().map(|name| format!("(local {name} i64)")).collect();
    let set: String = names
        .iter()
        .map(|n| format!("(local.set {n} (i64.add (i64.extend_i32_u (local.get 0)) (i64.load (local.get 0))))"))
        .collect();
    let sum: String =
        names.iter().map(|name| format!("(local.set $s (i64.xor (local.get $s) (local.get {name})))")).collect();
    format!(
        "(func $f (param i32) (result i32) {declare} (local $s i64) {set} (local.set 0 (call $f (i32.and (i32.add (local.get 0) (i32.const 8)) (i32.const 0xfff))))
         {sum} (i32.wrap_i64 (local.get $s)))"
    )
}

fn operands(count: usize) -> String {
    let push = "(i64.load (i32.and (local.get 0) (i32.const 0xff)))".repeat(count);
    let fold = "i64.xor ".repeat(count);
    format!("(func $f (param i32) (result i32) {push} (i64.extend_i32_u (call $f (local.get 0))) {fold} i32.wrap_i64)")
}

fn params(count: usize) -> String {
    let types = "i64 ".repeat(count);
    let pass: String = (0..count).map(|i| format!("(local.get {i})")).collect();
    format!(
        "(func $p (param {types}) (result i64) (i64.add (call $p {pass}) (local.get 0)))
         (func $f (param i32) (result i32) (i32.wrap_i64 (call $p {})))",
        "(i64.const 1)".repeat(count)
    )
}

/// Operands that come without operators, from calls with several results.
fn wide(groups: usize, results: usize, ty: &str, to_i32: &str) -> String {
    let types = |count: usize| format!("{ty} ").repeat(count);
    let (taken, given) = (types(16 * groups), types(results));
    let (calls, drops) = ("(call $r) ".repeat(groups), "drop ".repeat(results - 1));
    let load = format!("({ty}.load (i32.const 0)) ").repeat(16);
    format!(
        "(func $r (result {}) {load}) (func $p (param {taken}) (result {given}) (call $p {calls}))
         (func $f (param i32) (result i32) (call $p {calls}) {drops} {to_i32})",
        types(16),
    )
}

fn results(count: usize) -> String {
    let types = "i64 ".repeat(count);
    let xor = "i64.xor ".repeat(count - 1);
    format!(
        "(func $r (param i32) (result {types}) (call $r (local.get 0)))
         (func $f (param i32) (result i32) (call $r (local.get 0)) {xor} i32.wrap_i64)"
    )
}

/// What is computed twice alike is computed once and kept from then on, whatever locals and operands there are.
fn chain(count: usize, ty: &str, step: &str, store: &str) -> String {
    (0..count).map(|i| format!("({ty}.store (i32.const {}) {store})", 16 + 8 * i).replace("$next", step)).collect()
}

fn kept(count: usize, ty: &str, step: &str, store: &str) -> String {
    let (begin, again) =
        ("(local.set $t (local.get $p))", format!("(local.set $t (local.get $p)) {}", chain(count, ty, step, store)));
    format!(
        "(func $g (param $p {ty}) (local $t {ty}) (local $q {ty})
            (local.set $q ({ty}.add (local.get $p) ({ty}.const 5))) {begin} {}
            (call $g ({ty}.add (local.get $p) ({ty}.const 1))) {again})
         (func $f (param i32) (result i32) (call $g ({ty}.const 3)) (i32.const 0))",
        chain(count, ty, step, store)
    )
}

/// What does not change in a loop is computed before it, and kept.
fn hoisted(count: usize) -> String {
    let body = chain(count, "i64", "(i64.mul (local.get $t) (local.get $q))", "(local.tee $t $next)");
    format!(
        "(func $g (param $p i64) (local $t i64) (local $q i64) (local.set $q (i64.add (local.get $p) (i64.const 5)))
            (loop $l (local.set $t (local.get $p)) {body} (call $g (i64.add (local.get $p) (i64.const 1))) (br $l)))
         (func $f (param i32) (result i32) (call $g (i64.const 3)) (i32.const 0))"
    )
}

/// An address of 32 bits is kept beside what it was made from.
fn addresses(count: usize) -> String {
    let step = "(i32.and (i32.mul (local.get $t) (local.get $q)) (i32.const 0xfff))";
    let twice = format!("(i32.store offset=8 (local.tee $t {step}) (local.get $t))").repeat(count);
    format!(
        "(func $f (param $p i32) (result i32) (local $t i32) (local $q i32)
            (local.set $q (i32.or (local.get $p) (i32.const 5))) (local.set $t (local.get $p)) {twice}
            (drop (call $f (i32.add (local.get $p) (i32.const 1)))) (local.set $t (local.get $p)) {twice} (i32.const 0))"
    )
}

fn merged(count: usize, depth: usize) -> String {
    let declare = "(local i64)".repeat(count);
    let change: String =
        (1..=count).map(|i| format!("(local.set {i} (i64.add (local.get {i}) (i64.load (local.get 0))))")).collect();
    let sum: String = (1..=count).map(|i| format!("(local.get {i}) i64.xor ")).collect();
    let (loops, ends) = ("loop ".repeat(depth), "(br_if 0 (i32.load (local.get 0))) end ".repeat(depth));
    format!(
        "(func $f (param i32) (result i32) {declare} {loops} {change} (drop (call $f (local.get 0))) {ends}
            i64.const 0 {sum} i32.wrap_i64)"
    )
}

fn branches(count: usize, arms: usize) -> String {
    let step = "(local.set $t (i64.mul (i64.xor (local.get $t) (i64.const 77)) (local.get $q)))".repeat(count);
    let arm =
        "(if (i32.load (i32.const 0)) (then (i64.store (i32.const 8) (local.get $t)) (drop (call $f (i32.const 1)))
        (i64.store (i32.const 8) (local.get $t))))"
            .repeat(arms);
    format!(
        "(func $f (param $p i32) (result i32) (local $t i64) (local $q i64)
            (local.set $q (i64.load (local.get $p))) (local.set $t (i64.load (local.get $p))) {step} {arm}
            (call $f (local.get $p)))"
    )
}

/// Functions that recurse without end, each with as much native stack as its words can be made to need.
fn adversaries() -> Vec<(String, String)> {
    let mut all = vec![(
        "empty".to_owned(),
        "(func $f (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1)))".to_owned(),
    )];
    for count in [1, 4, 16, 64, 256, 1000, 4000] {
        all.push((format!("{count} locals"), locals(count)));
        all.push((format!("{count} operands"), operands(count)));
    }
    for count in [8, 64, 128] {
        all.push((format!("{count} parameters"), params(count)));
    }
    for count in [2, 8, 16] {
        all.push((format!("{count} results"), results(count)));
    }
    for (groups, results) in [(1, 1), (1, 16), (4, 16), (8, 1), (8, 16)] {
        all.push((
            format!("{groups} groups of operands and {results} results"),
            wide(groups, results, "i64", "i32.wrap_i64"),
        ));
        all.push((
            format!("{groups} groups of floats and {results} results"),
            wide(groups, results, "f64", "i32.trunc_sat_f64_s"),
        ));
    }
    let tee = "(local.tee $t $next)";
    for count in [10, 1000] {
        let product = kept(count, "i64", "(i64.mul (local.get $t) (local.get $q))", tee);
        let float = kept(count, "f64", "(f64.mul (local.get $t) (local.get $q))", tee);
        all.push((format!("{count} products that are kept"), product));
        all.push((format!("{count} floats that are kept"), float));
        all.push((format!("{count} values before a loop"), hoisted(count)));
        all.push((format!("{count} addresses that are kept"), addresses(count)));
    }
    for (count, depth) in [(100, 10), (300, 10)] {
        all.push((format!("{count} locals in {depth} loops"), merged(count, depth)));
    }
    for (count, arms) in [(20, 50), (200, 20)] {
        all.push((format!("{count} steps in each of {arms} branches"), branches(count, arms)));
    }
    all
}

#[test]
fn deep_recursion_meets_the_counted_limit_before_a_quarter_of_the_native_stack() {
    let stack = MAX_WASM_STACK_BYTES / 4;
    let meet = move || {
        for (name, code) in adversaries() {
            let counted = rewritten(&vat(&code), ModuleRole::Vat);
            for level in [OptLevel::Speed, OptLevel::None] {
                let met = call(&counted, 8, stack, level);
                assert_eq!(met, Err(Trap::UnreachableCodeReached), "{name}, {level:?}: limit {STACK_WORDS_MAX} words");
            }
        }
    };
    // The stack of a test's own thread is less.
    std::thread::Builder::new().stack_size(stack * 2).spawn(meet).unwrap().join().unwrap();
}
