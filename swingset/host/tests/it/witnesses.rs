//! The same programs by other ways from WebAssembly to the machine: unoptimized code, and an interpreter. State and prices are the same
//! to the byte, traps and used-up limits among them.

use std::sync::Arc;

use swingset_host::{
    CodeGenerator, Controller, ControllerOptions, EngineRuntime, bundle::BundleKind, controller::SwingsetConfig,
    env::MemoryEnvironment,
};

use crate::support::{World, kernel_1, pack, raw_vat, release, released, runtime, supervisor, vat, wat};

/// Counts down by calling itself: deeper than the instrumentation lets it.
const DEEP: &str = r#"(module (memory (export "memory") 1 1)
    (func $down (param i32) (result i64) (i64.add (call $down (i32.add (local.get 0) (i32.const 1))) (i64.const 1)))
    (func (export "vat_alloc") (param i32) (result i32) i32.const 1024)
    (func (export "vat_deliver") (param i32 i32)
      (if (i32.load (i32.const 0)) (then (drop (call $down (i32.const 0)))))
      (i32.store (i32.const 0) (i32.const 1))))"#;

/// Never ends, once it was started.
const ENDLESS: &str = r#"(module (memory (export "memory") 1 1)
    (func (export "vat_alloc") (param i32) (result i32) i32.const 1024)
    (func (export "vat_deliver") (param i32 i32)
      (if (i32.load (i32.const 0)) (then (loop $on (br $on))))
      (i32.store (i32.const 0) (i32.const 1))))"#;

/// Writes beyond its memory, once it was started.
const BEYOND: &str = r#"(module (memory (export "memory") 1 1)
    (func (export "vat_alloc") (param i32) (result i32) i32.const 1024)
    (func (export "vat_deliver") (param i32 i32)
      (i32.store (i32.mul (i32.load (i32.const 0)) (i32.const 65535)) (i32.const 1))))"#;

fn play(runtime: Arc<EngineRuntime>) -> (World, u64) {
    let code = ["bootstrap", "counter", "mint", "party"].map(|name| (name, released(&format!("vats/{name}.wasm"))));
    let mut bundles = release(kernel_1(), &code);
    for (name, code) in [("pingpong", released("test/pingpong.wasm")), ("raw", released("test/raw-pingpong.wasm"))] {
        bundles.vats.push((name.to_owned(), pack(BundleKind::Vat {}, name, code)));
    }
    for (name, text) in [("deep", DEEP), ("endless", ENDLESS), ("beyond", BEYOND)] {
        bundles.vats.push((name.to_owned(), pack(BundleKind::Vat {}, name, wat(text))));
    }
    bundles.supervisor = supervisor();
    let supervised = ["bootstrap", "counter", "mint", "alice=party", "bob=party", "ping=pingpong", "pong=pingpong"];
    let raw = ["deep", "endless", "beyond"];
    let vats: Vec<_> = supervised.into_iter().map(vat).chain(raw.into_iter().map(raw_vat)).collect();
    let mut env = MemoryEnvironment::new();
    let mut controller = Controller::new(runtime, ControllerOptions::default());
    controller.initialize_swingset(&mut env, &SwingsetConfig { vats }, &bundles).unwrap();
    let mut world = World { env, controller };
    let mut computrons = 0;
    for height in 1..=3 {
        world.controller.begin_block(&world.env, height, 0).unwrap();
        computrons += world.run().computrons;
        for name in raw.into_iter().filter(|_| height == 1) {
            world.queue(name, "poke", "[]");
        }
        world.queue("ping", "serve", "[20]");
        world.queue("counter", "add", &format!("[{height}]"));
        let summary = world.run();
        assert_eq!(summary.stopped, None);
        computrons += summary.computrons;
    }
    (world, computrons)
}

#[track_caller]
fn check(generator: CodeGenerator) {
    let (usual, price) = play(runtime());
    let (witness, witnessed) = play(EngineRuntime::witness(generator).unwrap());
    assert_eq!(witnessed, price);
    assert_eq!(witness.activity(), usual.activity());
    assert!(witness.state() == usual.state());
    for ended in 8..=10 {
        assert_eq!(
            usual.kernel_key(&format!("v{ended}.options")),
            None,
            "v{ended} has ended, in each way that there is"
        );
    }
}

#[test]
fn code_that_is_not_optimized_does_the_same_for_the_same_fuel() {
    check(CodeGenerator::Plain);
}

#[test]
fn an_interpreter_does_the_same_for_the_same_fuel() {
    check(CodeGenerator::Interpreter);
}
