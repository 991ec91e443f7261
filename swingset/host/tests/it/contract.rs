//! The contract between host, supervisor and vat at its edges: answers that do not fit, protocols that are broken, bridges.

use swingset_host::{
    Controller, ControllerOptions,
    admission::{ModuleRole, STACK_WORDS_MAX, judge},
    bundle::BundleKind,
    controller::{MigrationBudget, RunForever},
    env::{BridgeAnswer, EnvError, EnvMark, Environment, MemoryEnvironment, NetWrites},
};

use crate::support::{World, kernel_1, pack, pack_for_schema, raw_vat, release, runtime, supervisor, vat, wat};

/// A raw vat that stores a value of 600 bytes, reads it back through a room of 16, and stores what `fetch` gave.
const FETCHER: &str = r#"(module
    (import "vat" "call" (func $call (param i32 i32 i32 i32) (result i32)))
    (import "vat" "fetch" (func $fetch (param i32 i32) (result i32)))
    (memory (export "memory") 1 1)
    (global $started (mut i32) (i32.const 0))
    (data (i32.const 100) "\06\01a\d8\04")
    (data (i32.const 1000) "\05\01a")
    (data (i32.const 2000) "\06\01b\d8\04")
    (func (export "vat_alloc") (param i32) (result i32) i32.const 8192)
    (func (export "vat_deliver") (param i32 i32)
      (if (i32.eqz (global.get $started)) (then (global.set $started (i32.const 1)) return))
      (memory.fill (i32.const 105) (i32.const 0x7a) (i32.const 600))
      (drop (call $call (i32.const 100) (i32.const 605) (i32.const 0) (i32.const 16)))
      ;; Value { value: Some } is tag, option, length (2 bytes) and 600 bytes
      (if (i32.ne (call $call (i32.const 1000) (i32.const 3) (i32.const 4000) (i32.const 16)) (i32.const 604)) (then unreachable))
      (if (i32.load8_u (i32.const 4000)) (then unreachable))
      (if (i32.ne (call $fetch (i32.const 4000) (i32.const 100)) (i32.const 604)) (then unreachable))
      (if (i32.ne (call $fetch (i32.const 4000) (i32.const 604)) (i32.const 604)) (then unreachable))
      (if (call $fetch (i32.const 4000) (i32.const 604)) (then unreachable))
      (memory.copy (i32.const 2005) (i32.const 4004) (i32.const 600))
      (drop (call $call (i32.const 2000) (i32.const 605) (i32.const 0) (i32.const 16)))))"#;

#[test]
fn an_answer_that_does_not_fit_is_fetched_whole() {
    let mut world = World::with_raw_vats(&[raw_vat("fetcher")], &[("fetcher", wat(FETCHER))]);
    world.run();
    world.queue("fetcher", "go", "[]");
    world.run();
    assert!(world.kernel_key("v1.options").is_some(), "it is alive, so every length was right");
    assert_eq!(world.kernel_key("v1.vs.b"), Some("z".repeat(600)));
}

/// A supervisor that answers every input with these bytes.
fn stubborn_supervisor(output: &str, length: u32) -> Vec<u8> {
    let wasm = wat(&format!(
        r#"(module (memory (export "memory") 1 1) (data (i32.const 0) "{output}")
          (func (export "supervisor_alloc") (param i32) (result i32) i32.const 1024)
          (func (export "supervisor_step") (param i32 i32) (result i64) (i64.const {length})))"#
    ));
    pack(BundleKind::Supervisor {}, "stubborn", wasm)
}

/// A vat that only ever makes a request.
const ASKER: &str = r#"(module
    (import "vat" "call" (func $call (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1 1)
    (func (export "vat_alloc") (param i32) (result i32) i32.const 1024)
    (func (export "vat_deliver") (param i32 i32) (drop (call $call (i32.const 0) (i32.const 4) (i32.const 64) (i32.const 64)))))"#;

/// A supervisor that breaks the protocol costs its vat the life and nobody else anything.
#[track_caller]
fn check_vat_dies(output: &str, length: u32) {
    let mut bundles = release(kernel_1(), &[("asker", wat(ASKER)), ("raw", wat(FETCHER))]);
    bundles.supervisor = stubborn_supervisor(output, length);
    let mut world = World::start(&bundles, &[vat("asker"), raw_vat("raw")], ControllerOptions::default());
    assert_eq!(world.run().stopped, None);
    assert!(world.kernel_key("v1.options").is_none(), "{output}");
    assert!(world.kernel_key("v2.options").is_some());
}

#[test]
fn supervisors_that_break_the_protocol_lose_their_vat() {
    // AnswerVat with no question
    check_vat_dies("\\02\\00", 2);
    // CallVat with an empty event, whose request is answered by calling the vat again
    check_vat_dies("\\01\\00", 2);
    // Failed
    check_vat_dies("\\04\\01x", 3);
    // no output at all, an unknown one, one with bytes left, a length beyond memory
    check_vat_dies("", 0);
    check_vat_dies("\\09", 1);
    check_vat_dies("\\03\\00", 2);
    check_vat_dies("\\03", 70_000);
    // a syscall that is none
    check_vat_dies("\\00\\63", 2);
}

#[test]
fn the_released_supervisor_survives_a_vat_that_asks_nonsense() {
    let mut bundles = release(kernel_1(), &[("asker", wat(ASKER))]);
    bundles.supervisor = supervisor();
    let mut world = World::start(&bundles, &[vat("asker")], ControllerOptions::default());
    assert_eq!(world.run().stopped, None);
    assert!(world.kernel_key("v1.options").is_none());
}

/// Both guests of a vat take as much stack as the count lets them, one upon the other: the vat dies, the process does not.
#[test]
fn a_deep_vat_that_calls_a_deep_supervisor_dies_by_the_counted_stack() {
    let deep = |body: &str| {
        let locals: String = (0..200).map(|i| format!("(local $l{i} i64)")).collect();
        let set: String = (0..200).map(|i| format!("(local.set $l{i} (i64.load (i32.const {i})))")).collect();
        let sum: String =
            (0..200).map(|i| format!("(local.set $s (i64.xor (local.get $s) (local.get $l{i})))")).collect();
        format!(
            "(func $f (param $n i32) {locals} (local $s i64) {set} {body} {sum} (i64.store (i32.const 0) (local.get $s)))"
        )
    };
    let supervisor = wat(&format!(
        r#"(module (memory (export "memory") 1 1) {}
          (func (export "supervisor_alloc") (param i32) (result i32) i32.const 1024)
          (func (export "supervisor_step") (param i32 i32) (result i64)
            ;; a delivery is handed to the vat, a request is met with recursion
            (if (i32.eqz (i32.load8_u (local.get 0))) (then (i32.store16 (i32.const 0) (i32.const 1)) (return (i64.const 2))))
            (call $f (i32.const 0)) (i64.const 0)))"#,
        deep("(call $f (i32.const 0))")
    ));
    let vat_code = |depth: u32| {
        wat(&format!(
            r#"(module
          (import "vat" "call" (func $call (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1 1) {}
          (func (export "vat_alloc") (param i32) (result i32) i32.const 1024)
          (func (export "vat_deliver") (param i32 i32) (call $f (i32.const {depth}))))"#,
            deep(
                "(if (local.get $n) (then (call $f (i32.sub (local.get $n) (i32.const 1))))
               (else (drop (call $call (i32.const 0) (i32.const 4) (i32.const 64) (i32.const 64)))))"
            )
        ))
    };
    // As many frames as are just below the limit.
    let words = judge(&vat_code(0), ModuleRole::Vat, false).unwrap().frames[0].words;
    let vat_code = vat_code(STACK_WORDS_MAX / words - 2);
    let mut bundles = release(kernel_1(), &[("deep", vat_code)]);
    bundles.supervisor = pack(BundleKind::Supervisor {}, "deep", supervisor);
    let mut world = World::start(&bundles, &[vat("deep")], ControllerOptions::default());
    assert_eq!(world.run().stopped, None);
    assert!(world.kernel_key("v1.options").is_none());
}

/// A state with one bridge, `note`, which writes what it is told.
#[derive(Default)]
struct Bridged(MemoryEnvironment);

impl Environment for Bridged {
    fn get(&self, key: &[u8]) -> Result<Option<bytes::Bytes>, EnvError> {
        self.0.get(key)
    }
    fn next_entry(&self, start: &[u8], end: Option<&[u8]>) -> Result<Option<(Vec<u8>, bytes::Bytes)>, EnvError> {
        self.0.next_entry(start, end)
    }
    fn set(&mut self, key: &[u8], value: bytes::Bytes) -> Result<(), EnvError> {
        self.0.set(key, value)
    }
    fn delete(&mut self, key: &[u8]) -> Result<(), EnvError> {
        self.0.delete(key)
    }
    fn mark(&mut self) -> EnvMark {
        self.0.mark()
    }
    fn rollback(&mut self, mark: EnvMark) -> Result<(), EnvError> {
        self.0.rollback(mark)
    }
    fn release(&mut self, mark: EnvMark) -> Result<(), EnvError> {
        self.0.release(mark)
    }
    fn net_writes(&self, mark: EnvMark) -> Result<NetWrites, EnvError> {
        self.0.net_writes(mark)
    }
    fn bridge(&mut self, name: &str, body: &[u8]) -> Result<Option<BridgeAnswer>, EnvError> {
        if name != "note" {
            return Ok(None);
        }
        self.0.set(b"note", bytes::Bytes::copy_from_slice(body))?;
        Ok(Some(BridgeAnswer::Value { body: "noted".to_owned() }))
    }
}

/// A kernel whose every crank calls a bridge and then does `end`; when it does not fail it is idle from the second crank on. An answer of
/// another length than `answered` is its fault.
fn bridging_kernel(bridge: &str, answered: i32, end: &str) -> Vec<u8> {
    let length = bridge.len();
    wat(&format!(
        r#"(module
          (import "host" "bridge" (func $bridge (param i32 i32 i32 i32 i32 i32) (result i32)))
          (import "host" "has" (func $has (param i32 i32) (result i32)))
          (import "host" "set" (func $set (param i32 i32 i32 i32)))
          (memory (export "memory") 1 1)
          (data (i32.const 0) "{bridge}")
          (data (i32.const 16) "body")
          (data (i32.const 32) "\00")
          (data (i32.const 48) "\02\00\00\00\00\00\00\00\00")
          (data (i32.const 64) "\02\03\00\00\00\00\00\00\00")
          (data (i32.const 80) "\02\03\00\00\01\00\00\00\00")
          (func (export "kernel_alloc") (param i32) (result i32) i32.const 4096)
          (func (export "kernel_call") (param $command i32) (param i32) (result i64)
            (if (i32.eq (i32.load8_u (local.get $command)) (i32.const 1)) (then (return (i64.const {done}))))
            (if (call $has (i32.const 16) (i32.const 4)) (then (return (i64.const {idle}))))
            (if (i32.ne (call $bridge (i32.const 0) (i32.const {length}) (i32.const 16) (i32.const 4) (i32.const 128) (i32.const 64)) (i32.const {answered}))
              (then unreachable))
            (call $set (i32.const 16) (i32.const 4) (i32.const 130) (i32.const 5))
            {end}
            (i64.const {empty})))"#,
        done = (32u64 << 32) | 1,
        idle = (48u64 << 32) | 9,
        empty = (64u64 << 32) | 9,
    ))
}

fn bridged(bridge: &str, answered: i32, end: &str) -> (Bridged, Option<String>) {
    let mut env = Bridged::default();
    let mut controller = Controller::new(runtime(), ControllerOptions::default());
    let kernel = pack(BundleKind::Kernel {}, "bridging", bridging_kernel(bridge, answered, end));
    controller.initialize_swingset(&mut env, &Default::default(), &release(kernel, &[])).unwrap();
    let summary = controller.run(&mut env, &mut RunForever).unwrap();
    (env, summary.stopped)
}

/// Value { body } is tag, length and `noted`.
const NOTED: i32 = 7;

#[test]
fn what_a_bridge_wrote_is_kept_and_undone_with_the_crank() {
    let (env, stopped) = bridged("note", NOTED, "");
    assert_eq!(stopped, None);
    assert_eq!(env.get(b"note").unwrap().as_deref(), Some(&b"body"[..]));
    assert_eq!(env.get(b"swingset/k/body").unwrap().as_deref(), Some(&b"noted"[..]));
    let (env, stopped) = bridged("note", NOTED, "unreachable");
    assert_eq!(stopped.as_deref(), Some("unreachable"));
    assert_eq!(env.get(b"note").unwrap(), None);
    assert_eq!(env.get(b"swingset/k/body").unwrap(), None);
}

#[test]
fn what_a_bridge_wrote_is_undone_with_a_delivery_that_is_though_the_crank_is_kept() {
    // Crank { aborted } at 80
    let (env, stopped) = bridged("note", NOTED, "(return (i64.const 0x5000000009))");
    assert_eq!(stopped, None);
    assert_eq!(env.get(b"note").unwrap(), None);
    assert_eq!(env.get(b"swingset/k/body").unwrap().as_deref(), Some(&b"noted"[..]));
}

#[test]
fn a_bridge_that_does_not_exist_is_told_to_the_kernel() {
    let (env, stopped) = bridged("other", -1, "");
    assert_eq!(stopped, None);
    assert_eq!(env.get(b"note").unwrap(), None);
}

/// A kernel that migrates in three slices, the cursor counting them, and writes the schema in the last.
pub(crate) const SLOW_MIGRATION: &str = r#"(module
    (import "host" "set" (func $set (param i32 i32 i32 i32)))
    (memory (export "memory") 1 1)
    (data (i32.const 0) "\01\04slow\02\01\01")
    (data (i32.const 32) "\05\01\00\01")
    (data (i32.const 48) "\05\00\00")
    (data (i32.const 64) "version2")
    (data (i32.const 80) "\02\00\00\00\00\00\00\00\00")
    (func (export "kernel_alloc") (param i32) (result i32) i32.const 4096)
    (func (export "kernel_call") (param $at i32) (param i32) (result i64)
      (if (i32.eqz (i32.load8_u (local.get $at))) (then (return (i64.const 9))))
      ;; Migrate { cursor, … }: tag 10, length of the cursor, its byte
      (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 10)) (then
        (if (i32.eqz (i32.load8_u offset=1 (local.get $at))) (then
          (i32.store8 (i32.const 34) (i32.const 1)) (return (i64.const 0x2000000004))))
        (if (i32.eq (i32.load8_u offset=2 (local.get $at)) (i32.const 1)) (then
          (i32.store8 (i32.const 34) (i32.const 2)) (return (i64.const 0x2000000004))))
        (call $set (i32.const 64) (i32.const 7) (i32.const 71) (i32.const 1))
        (return (i64.const 0x3000000003))))
      (i64.const 0x5000000009)))"#;

/// A world, and a kernel whose migration takes three slices.
pub(crate) fn slow() -> (World, Vec<u8>) {
    let world = World::with_raw_vats(&[raw_vat("fetcher")], &[("fetcher", wat(FETCHER))]);
    (world, pack_for_schema(BundleKind::Kernel {}, "slow", wat(SLOW_MIGRATION), (1, 2)))
}

#[test]
fn a_migration_goes_on_block_by_block_and_holds_back_swaps_and_commands() {
    let (mut world, kernel) = slow();
    let mut next = release(kernel, &[]);
    next.supervisor = supervisor();
    let receipt = world.controller.reinitialize_swingset(&mut world.env, &next, MigrationBudget::UPGRADE).unwrap();
    assert!(receipt.migrating);
    assert!(world.controller.view(&world.env).unwrap().migrating);
    let before = world.state();
    let again = world.controller.reinitialize_swingset(&mut world.env, &next, MigrationBudget::UPGRADE);
    assert!(again.is_err());
    assert_eq!(world.state(), before);
    let args = swingset_abi::vat::CapData::default();
    let policy = swingset_abi::kernel::ResolutionPolicy::None {};
    assert!(world.controller.queue_to_vat_root(&mut world.env, "fetcher", "go", args, policy).is_err());
    for _ in 0..2 {
        assert_eq!(world.kernel_key("version").as_deref(), Some("1"));
        let summary = world.run();
        assert_eq!((summary.cranks, summary.idle), (0, false), "only the migration runs");
        world.controller.discard();
    }
    assert_eq!(world.kernel_key("version").as_deref(), Some("2"));
    assert!(!world.controller.view(&world.env).unwrap().migrating);
    assert!(world.run().idle);
}

#[test]
fn an_in_band_swap_migrates_at_once_or_not_at_all() {
    let (mut world, kernel) = slow();
    let id = world.controller.validate_and_install_bundle(&mut world.env, &kernel, None).unwrap().id;
    let before = world.state();
    let short = MigrationBudget { slices_max: 2, ..MigrationBudget::IN_BAND };
    assert!(world.controller.set_kernel_bundle_id(&mut world.env, &id, short).is_err());
    assert_eq!(world.state(), before);
    let receipt = world.controller.set_kernel_bundle_id(&mut world.env, &id, MigrationBudget::IN_BAND).unwrap();
    assert!(!receipt.migrating);
    assert_eq!(world.kernel_key("version").as_deref(), Some("2"));
}
