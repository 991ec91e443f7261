//! Guests that do whatever a script says, beside a vat that must not suffer for it.

use std::sync::{Arc, OnceLock};

use swingset_abi::{
    kernel::{ResolutionPolicy, VatOptions},
    vat::CapData,
};
use swingset_bundles::{VATS, release};
use swingset_host::{
    Controller, ControllerOptions, EngineRuntime,
    bundle::{Bundle, BundleKind, CRANK_SYSCALLS_MIN, LockdownPolicy, Manifest},
    controller::{ComputronBudget, SwingsetBundles, SwingsetConfig, VatConfig},
    env::MemoryEnvironment,
};

use crate::script;

/// Messages that the villain and the victim get, one each a round.
const ROUNDS: u64 = 4;
/// Computrons of a round: a villain may send itself messages for ever.
const BUDGET: u64 = 3_000_000;
/// Bytes of a script's source that are looked at.
const SOURCE_MAX: usize = 4096;
/// Bytes of a message's text that are looked at.
const TEXT_MAX: usize = 60_000;
/// Vat instances that live at once in the run that is compared.
const LIVE_VATS: usize = 1;

/// Reads a script from the first thing it is told (hex between `@` and `!`), and gives out one entry after the other. `$next` gives an
/// entry's address and length; length 0 at the end of a delivery, length -1 at the end of the script.
const READER: &str = r#"
  (memory (export "memory") 64 64)
  (global $ready (mut i32) (i32.const 0))
  (global $at (mut i32) (i32.const 0x20000))
  (global $end (mut i32) (i32.const 0x20000))
  (func $nibble (param $c i32) (result i32)
    (select (i32.sub (local.get $c) (i32.const 48)) (i32.sub (local.get $c) (i32.const 87))
            (i32.lt_u (local.get $c) (i32.const 58))))
  (func $load (param $p i32) (param $length i32) (local $stop i32)
    (if (global.get $ready) (then return))
    (global.set $ready (i32.const 1))
    (local.set $stop (i32.add (local.get $p) (local.get $length)))
    (block $found (loop $search
      (if (i32.ge_u (local.get $p) (local.get $stop)) (then return))
      (br_if $found (i32.eq (i32.load8_u (local.get $p)) (i32.const 64)))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (br $search)))
    (local.set $p (i32.add (local.get $p) (i32.const 1)))
    (loop $byte
      (if (i32.ge_u (i32.add (local.get $p) (i32.const 1)) (local.get $stop)) (then return))
      (if (i32.eq (i32.load8_u (local.get $p)) (i32.const 33)) (then return))
      (i32.store8 (global.get $end)
        (i32.or (i32.shl (call $nibble (i32.load8_u (local.get $p))) (i32.const 4))
                (call $nibble (i32.load8_u offset=1 (local.get $p)))))
      (global.set $end (i32.add (global.get $end) (i32.const 1)))
      (local.set $p (i32.add (local.get $p) (i32.const 2)))
      (br $byte)))
  (func $length (result i32) (local $n i32)
    (if (i32.gt_u (i32.add (global.get $at) (i32.const 2)) (global.get $end)) (then (return (i32.const -1))))
    (local.set $n (i32.load16_u (global.get $at)))
    (global.set $at (i32.add (global.get $at) (i32.const 2)))
    (if (i32.gt_u (i32.add (global.get $at) (local.get $n)) (global.get $end)) (then (return (i32.const -1))))
    (local.get $n))"#;

/// Makes the script's syscalls.
const VILLAIN: &str = r#"
  (func (export "vat_alloc") (param i32) (result i32) (i32.const 0x100000))
  (func (export "vat_deliver") (param $p i32) (param $size i32) (local $n i32)
    (call $load (local.get $p) (local.get $size))
    (loop $entry
      (local.set $n (call $length))
      (if (i32.le_s (local.get $n) (i32.const 0)) (then return))
      (drop (call $call (global.get $at) (local.get $n) (i32.const 0x80000) (i32.const 0x1000)))
      (global.set $at (i32.add (global.get $at) (local.get $n)))
      (br $entry)))"#;

/// Gives the script's outputs; what is left unsaid at the end is `Finished`.
const SUPERVISOR: &str = r#"
  (data (i32.const 16) "\03")
  (func (export "supervisor_alloc") (param i32) (result i32) (i32.const 0x100000))
  (func (export "supervisor_step") (param $p i32) (param $size i32) (result i64) (local $n i32) (local $from i32)
    (call $load (local.get $p) (local.get $size))
    (local.set $n (call $length))
    (if (i32.le_s (local.get $n) (i32.const 0)) (then (return (i64.const 0x1000000001))))
    (local.set $from (global.get $at))
    (global.set $at (i32.add (global.get $at) (local.get $n)))
    (i64.or (i64.shl (i64.extend_i32_u (local.get $from)) (i64.const 32)) (i64.extend_i32_u (local.get $n))))"#;

/// A vat that asks its supervisor for something at every event.
const ASKER: &str = r#"
  (memory (export "memory") 64 64)
  (data (i32.const 100) "\05\01k")
  (func (export "vat_alloc") (param i32) (result i32) (i32.const 0x100000))
  (func (export "vat_deliver") (param i32 i32)
    (drop (call $call (i32.const 100) (i32.const 3) (i32.const 200) (i32.const 64))))"#;

const IMPORTS: &str = r#"(import "vat" "call" (func $call (param i32 i32 i32 i32) (result i32)))"#;

fn bundle(kind: BundleKind, name: &str, content: Vec<u8>, supervisor_abis: Vec<u32>) -> Vec<u8> {
    let manifest = Manifest { kind, name: name.to_owned(), host_abi: 1, supervisor_abis, schema_from: 0, schema_to: 0 };
    Bundle::single(manifest, content).and_then(|bundle| bundle.encode()).expect("it is well formed")
}

fn module(text: &[&str]) -> Vec<u8> {
    wat::parse_str(format!("(module {})", text.concat())).expect("it is a module")
}

struct Fixtures {
    runtime: Arc<EngineRuntime>,
    /// Bundles of a chain with a villain that is a vat, and a state that has them: admission would take most of a run's time.
    vat: (SwingsetBundles, MemoryEnvironment),
    /// The same with a villain that is a supervisor.
    supervisor: (SwingsetBundles, MemoryEnvironment),
}

/// Compiled and installed once.
fn fixtures() -> &'static Fixtures {
    static FIXTURES: OnceLock<Fixtures> = OnceLock::new();
    FIXTURES.get_or_init(|| {
        let policy = LockdownPolicy {
            crank_computrons_default: 700_000,
            syscalls_per_crank_max: CRANK_SYSCALLS_MIN,
            ..LockdownPolicy::default()
        };
        let runtime = EngineRuntime::new().expect("this machine can run the engine");
        let installed = |villain| {
            let lockdown = bundle(BundleKind::Lockdown {}, "lockdown", policy.to_text(), vec![]);
            let bundles = bundles(villain, lockdown);
            let mut env = MemoryEnvironment::new();
            let mut controller = Controller::new(Arc::clone(&runtime), ControllerOptions::default());
            let all = [&bundles.lockdown, &bundles.kernel, &bundles.supervisor];
            for bytes in all.into_iter().chain(bundles.vats.iter().map(|(_, bytes)| bytes)) {
                controller.validate_and_install_bundle(&mut env, bytes, None).expect("it is admitted");
            }
            (bundles, env)
        };
        Fixtures { vat: installed(Villain::Vat), supervisor: installed(Villain::Supervisor), runtime }
    })
}

/// The vats are `villain`, which is what the script is for or asks the supervisor that is, and `victim`.
fn bundles(villain: Villain, lockdown: Vec<u8>) -> SwingsetBundles {
    let released = release("version-1").expect("it is released");
    let of_script = bundle(BundleKind::Vat {}, "villain", module(&[IMPORTS, READER, VILLAIN]), vec![]);
    let (supervisor, villain, victim) = match villain {
        Villain::Vat => {
            let counter = VATS.iter().find(|(name, _)| *name == "counter").map(|(_, bytes)| bytes.to_vec());
            (released.supervisor.to_vec(), of_script, counter.expect("it is released"))
        }
        // Under a supervisor of scripts there is no vat that could be a victim but one without a supervisor.
        Villain::Supervisor => (
            bundle(BundleKind::Supervisor {}, "villain", module(&[READER, SUPERVISOR]), vec![1]),
            bundle(BundleKind::Vat {}, "asker", module(&[IMPORTS, ASKER]), vec![1]),
            of_script,
        ),
    };
    let vats = vec![("villain".to_owned(), villain), ("victim".to_owned(), victim)];
    SwingsetBundles { kernel: released.kernel.to_vec(), lockdown, supervisor, vats }
}

/// Which guest does what the script says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Villain {
    Vat,
    Supervisor,
}

/// Runs a script; gives all of state at the end, and whether the engine runs on.
fn run(villain: Villain, script: &[u8], options: ControllerOptions) -> (MemoryEnvironment, bool) {
    let fixtures = fixtures();
    let raw = villain == Villain::Vat;
    let (bundles, installed) = if raw { &fixtures.vat } else { &fixtures.supervisor };
    let vat = |name: &str, bundle: &str, raw: bool, body: String| VatConfig {
        name: name.to_owned(),
        bundle: bundle.to_owned(),
        parameters: CapData { body, slots: vec![] },
        options: VatOptions { raw, ..VatOptions::default() },
    };
    // The vat that is called bootstrap is given references to all others and to the devices.
    let config = SwingsetConfig {
        vats: vec![
            vat("bootstrap", "villain", raw, format!("#\"@{}!\"", hex::encode(script))),
            vat("victim", "victim", !raw, "#{}".to_owned()),
        ],
    };
    let mut env = installed.clone();
    let mut controller = Controller::new(fixtures.runtime.clone(), options);
    controller.initialize_swingset(&mut env, &config, bundles).expect("the bundles fit each other");
    let mut running = true;
    for round in 1..=ROUNDS {
        controller.begin_block(&env, round, round).expect("no fault of this machine");
        for vat in ["bootstrap", "victim"] {
            let args = CapData { body: "#[]".to_owned(), slots: vec![] };
            let queued = controller.queue_to_vat_root(&mut env, vat, "hello", args, ResolutionPolicy::Ignore {});
            assert!(queued.is_ok() || !running || vat == "bootstrap", "the victim can be spoken to: {queued:?}");
        }
        let summary = controller.run(&mut env, &mut ComputronBudget::new(BUDGET)).expect("no fault of this machine");
        if let Some(reason) = summary.stopped {
            // A rejected bootstrap is a rule of the kernel's; nothing else that a vat does may stop the engine.
            assert!(reason.starts_with("kernel panic: "), "the engine stopped: {reason}");
            running = false;
        }
        controller.end_block(&mut env).expect("no fault of this machine");
    }
    let alive = controller.dump(&env).expect("no fault of this machine").contains_key(&b"v2.options"[..]);
    assert!(alive || !running, "the victim lives");
    (env, running)
}

/// The villain hurts nobody, and instances that are dropped between any two cranks change nothing.
fn check(villain: Villain, script: &[u8]) {
    let (kept, _) = run(villain, script, ControllerOptions::default());
    let fresh = ControllerOptions { live_vats_max: LIVE_VATS, drop_kernel_each_crank: true };
    let (dropped, _) = run(villain, script, fresh);
    let differs = kept.entries().zip(dropped.entries()).find(|(kept, dropped)| kept != dropped);
    assert!(
        differs.is_none() && kept.entries().count() == dropped.entries().count(),
        "state depends on which instances lived: {:?}",
        differs.map(|(kept, _)| String::from_utf8_lossy(kept.0).into_owned())
    );
}

/// A raw vat's syscalls.
pub fn syscalls(data: &[u8]) {
    let source = data.get(..SOURCE_MAX).unwrap_or(data);
    check(Villain::Vat, &script::syscalls(source));
}

/// A supervisor's outputs.
pub fn supervisor(data: &[u8]) {
    let source = data.get(..SOURCE_MAX).unwrap_or(data);
    check(Villain::Supervisor, &script::outputs(source));
}

/// A message's text, as a vat under the released supervisor and the kernel's own service read it.
pub fn capdata(data: &[u8]) {
    check(Villain::Vat, &messages(data));
}

/// Nothing in the first delivery, startVat; the second, bootstrap, brings the references: the victim's root and the service of vat
/// administration.
fn messages(data: &[u8]) -> Vec<u8> {
    let text = data.get(..TEXT_MAX).unwrap_or(data);
    [&[0, 0][..], &script::message("o-50", text, "p+6"), &script::message("o-51", text, "p+7")].concat()
}

#[cfg(test)]
mod tests {
    use swingset_abi::{
        supervisor::Output,
        vat::VatSyscall,
        wire::{Blob, Wire},
    };
    use swingset_host::env::Environment;

    use super::*;

    fn entry(bytes: &[u8]) -> Vec<u8> {
        [&u16::try_from(bytes.len()).expect("it is short").to_le_bytes()[..], bytes].concat()
    }

    #[track_caller]
    fn check_kept(villain: Villain, script: &[u8]) {
        let (env, running) = run(villain, script, ControllerOptions::default());
        assert!(running);
        let kept = env.get(b"swingset/k/v1.vs.a").expect("memory");
        assert_eq!(kept.as_deref(), Some(&b"found"[..]), "the script was carried out");
    }

    #[test]
    fn scripts_are_carried_out() {
        let syscall = VatSyscall::VatstoreSet { key: "a".to_owned(), value: Blob(b"found".to_vec()) };
        check_kept(Villain::Vat, &entry(&syscall.to_bytes()));
        check_kept(Villain::Supervisor, &entry(&Output::Syscall { syscall }.to_bytes()));
    }

    #[test]
    fn messages_arrive_at_the_victim() {
        let deliveries = |text: &[u8]| {
            let (env, running) = run(Villain::Vat, &messages(text), ControllerOptions::default());
            assert!(running);
            let of_victim = env.entries().filter(|(key, _)| key.starts_with(b"swingset/k/v2."));
            of_victim.map(|(key, value)| (key.to_vec(), value.to_vec())).collect::<Vec<_>>()
        };
        assert_ne!(deliveries(b"#[\"increment\",[1]]"), deliveries(b"#[\"nothing\",[]]"));
    }
}
