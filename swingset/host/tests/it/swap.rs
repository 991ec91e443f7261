//! Replacing the kernel: what is accepted, what is refused and leaves everything as it was.

use swingset_abi::vat::CapData;
use swingset_host::{
    ControllerOptions, EngineError, RejectCode,
    bundle::BundleKind,
    controller::{CrankBudget, MigrationBudget},
    env::Environment,
    keys,
};

use crate::{
    interrupted::Failing,
    support::{
        World, id_of, kernel_1, kernel_2, lockdown, pack, pack_for_schema, raw_vat, release, released, vat, wat,
    },
    swap_bundles::speaking,
};

fn players() -> World {
    let code = [("player", released("test/raw-pingpong.wasm"))];
    World::start(
        &release(kernel_1(), &code),
        &[raw_vat("bootstrap=player"), raw_vat("pong=player")],
        ControllerOptions::default(),
    )
}

#[test]
fn a_release_with_a_new_schema_migrates_and_no_message_is_lost() {
    let mut world = players();
    world.run();
    world.queue("bootstrap", "serve", "[5]");
    let mut next = release(kernel_2(), &[]);
    next.lockdown = lockdown(&swingset_host::bundle::LockdownPolicy::default());
    let receipt = world.controller.reinitialize_swingset(&mut world.env, &next, MigrationBudget::UPGRADE).unwrap();
    assert_eq!((receipt.schema_before, receipt.schema_after), (1, 2));
    assert_eq!(receipt.kernel_before, id_of(&kernel_1()));
    assert_eq!(receipt.kernel_after, id_of(&kernel_2()));
    assert_eq!(world.run().deliveries + if receipt.migrating { world.run().deliveries } else { 0 }, 6);
    assert_eq!(world.kernel_key("version").as_deref(), Some("2"));
    let again = world.controller.reinitialize_swingset(&mut world.env, &next, MigrationBudget::UPGRADE).unwrap();
    assert_eq!(again.kernel_before, again.kernel_after, "it may be repeated");
}

#[track_caller]
fn check_refused(bundle: Option<Vec<u8>>, id: &str, code: RejectCode) {
    let mut world = players();
    world.run();
    if let Some(bundle) = &bundle {
        world.controller.validate_and_install_bundle(&mut world.env, bundle, None).unwrap();
    }
    let id = bundle.map_or(id.to_owned(), |bundle| id_of(&bundle));
    let before = world.state();
    let error = world.controller.set_kernel_bundle_id(&mut world.env, &id, MigrationBudget::IN_BAND).unwrap_err();
    assert!(matches!(&error, EngineError::Rejected(rejection) if rejection.code == code), "{error:?}");
    assert_eq!(world.state(), before, "nothing changed");
    world.queue("bootstrap", "serve", "[3]");
    assert_eq!(world.run().deliveries, 4, "and the old kernel goes on");
}

#[test]
fn kernels_that_do_not_fit_are_refused() {
    check_refused(None, "b1-xyz", RejectCode::BundleId);
    check_refused(None, &format!("b1-{}", "0".repeat(128)), RejectCode::BundleUnknown);
    check_refused(
        Some(lockdown(&swingset_host::bundle::LockdownPolicy { key_bytes_max: 100, ..Default::default() })),
        "",
        RejectCode::BundleKind,
    );
    let kernel = released("version-1/kernel.wasm");
    check_refused(
        Some(pack_for_schema(BundleKind::Kernel {}, "k", kernel.clone(), (2, 3))),
        "",
        RejectCode::Compatibility,
    );
    check_refused(Some(pack_for_schema(BundleKind::Kernel {}, "k", kernel, (1, 3))), "", RejectCode::Compatibility);
}

#[test]
fn a_kernel_that_fails_its_migration_leaves_the_old_one_in_place() {
    let traps = wat(r#"(module (memory (export "memory") 1 1) (data (i32.const 0) "\01\01k\02\01\01")
          (func (export "kernel_alloc") (param i32) (result i32) i32.const 1024)
          (func (export "kernel_call") (param i32 i32) (result i64)
            (if (i32.load8_u (local.get 0)) (then unreachable)) (i64.const 6)))"#);
    check_refused(Some(pack_for_schema(BundleKind::Kernel {}, "k", traps, (1, 2))), "", RejectCode::Migration);
}

/// A raw vat that reads a value in each delivery, its first aside.
const READER: &str = r#"(module
    (import "vat" "call" (func $call (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1 1)
    (data (i32.const 0) "\05\01a")
    (func (export "vat_alloc") (param i32) (result i32) i32.const 8192)
    (func (export "vat_deliver") (param i32 i32)
      (if (i32.load8_u (i32.const 16)) (then (drop (call $call (i32.const 0) (i32.const 3) (i32.const 64) (i32.const 64)))))
      (i32.store8 (i32.const 16) (i32.const 1))))"#;

/// A kernel that describes itself well, and delivers to `v1` meanwhile.
#[track_caller]
fn check_describing(deeds: &str, refused: Option<&str>) {
    let mut world = World::with_raw_vats(&[raw_vat("reader")], &[("reader", wat(READER))]);
    world.run();
    let kernel = wat(&format!(
        r#"(module
          (import "host" "deliver" (func $deliver (param i32 i32 i32 i32 i64 i32 i32) (result i32)))
          (import "host" "resume" (func $resume (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1 1) (data (i32.const 0) "\01\01k\01\01\01") (data (i32.const 16) "v1")
          (func $begin (drop (call $deliver
            (i32.const 16) (i32.const 2) (i32.const 32) (i32.const 1) (i64.const 1000000) (i32.const 64) (i32.const 64))))
          (func $end (drop (call $resume (i32.const 32) (i32.const 1) (i32.const 64) (i32.const 64))))
          (func (export "kernel_alloc") (param i32) (result i32) i32.const 1024)
          (func (export "kernel_call") (param i32 i32) (result i64) {deeds} (i64.const 6)))"#
    ));
    let kernel = pack(BundleKind::Kernel {}, "k", kernel);
    world.controller.validate_and_install_bundle(&mut world.env, &kernel, None).unwrap();
    let before = world.state();
    let set = world.controller.set_kernel_bundle_id(&mut world.env, &id_of(&kernel), MigrationBudget::IN_BAND);
    let words = refused.map(|word| EngineError::rejected(RejectCode::Migration, format!("kernel failed: {word}")));
    assert_eq!(set.err(), words);
    assert_eq!(world.state() == before, refused.is_some());
    if refused.is_some() {
        world.queue("reader", "read", "[]");
        assert_eq!(world.run().deliveries, 1, "the old kernel goes on, and its vat is alive");
    }
}

#[test]
fn a_kernel_that_leaves_a_vat_unfinished_while_it_describes_itself_is_refused() {
    check_describing("(call $begin) (call $end)", None);
    check_describing("(call $begin)", Some("crank ended with a suspended vat"));
    check_describing("(call $begin) (call $end) (call $begin)", Some("crank ended with a suspended vat"));
}

#[test]
fn bundles_that_break_a_rule_are_not_installed() {
    let mut world = players();
    let before = world.state();
    let mut refused = |bytes: &[u8], alleged: Option<&str>, code: RejectCode| {
        let error = world.controller.validate_and_install_bundle(&mut world.env, bytes, alleged).unwrap_err();
        assert!(matches!(&error, EngineError::Rejected(rejection) if rejection.code == code), "{error:?}");
    };
    refused(b"no bundle", None, RejectCode::BundleFormat);
    refused(&vec![0; 11 << 20], None, RejectCode::BundleSize);
    refused(&kernel_2(), Some(&id_of(&kernel_1())), RejectCode::BundleId);
    refused(&pack(BundleKind::Vat {}, "v", b"\0asm\x01\0\0\0".to_vec()), None, RejectCode::Admission);
    refused(&pack(BundleKind::Lockdown {}, "l", b"{}".to_vec()), None, RejectCode::Policy);
    refused(&pack(BundleKind::Device {}, "d", b"\0asm\x01\0\0\0".to_vec()), None, RejectCode::BundleKind);
    assert_eq!(world.state(), before);
}

#[test]
fn installing_twice_is_silent() {
    let mut world = players();
    let bundle = kernel_2();
    let first = world.controller.validate_and_install_bundle(&mut world.env, &bundle, Some(&id_of(&bundle))).unwrap();
    assert!(!first.already_installed);
    let before = world.state();
    let second = world.controller.validate_and_install_bundle(&mut world.env, &bundle, None).unwrap();
    assert!(second.already_installed);
    assert_eq!(world.state(), before);
}

#[test]
fn initializing_twice_is_refused() {
    let mut world = players();
    let before = world.state();
    let bundles = release(kernel_1(), &[]);
    let error = world.controller.initialize_swingset(&mut world.env, &Default::default(), &bundles).unwrap_err();
    assert!(matches!(&error, EngineError::Rejected(rejection) if rejection.code == RejectCode::AlreadyInitialized));
    assert_eq!(world.state(), before);
}

#[test]
fn a_state_of_another_engine_is_not_run() {
    use swingset_host::Controller;
    let mut world = players();
    world.env.set(&keys::host(keys::ENGINE), bytes::Bytes::from_static(b"another")).unwrap();
    let built = Controller::build(crate::support::runtime(), &world.env, ControllerOptions::default());
    assert!(matches!(built, Err(EngineError::Halt(_))));
}

#[test]
fn a_kernel_that_cannot_drive_a_living_vats_supervisor_is_refused() {
    let code = [("player", released("test/raw-pingpong.wasm"))];
    let mut world = World::start(&release(kernel_1(), &code), &[vat("player")], ControllerOptions::default());
    let deaf = speaking(BundleKind::Kernel {}, released("version-1/kernel.wasm"), &[2]);
    world.controller.validate_and_install_bundle(&mut world.env, &deaf, None).unwrap();
    let before = world.state();
    let id = id_of(&deaf);
    let words = format!("vat v1 runs under a supervisor of ABI 1; kernel {id} drives [2]");
    let refused = Err(EngineError::rejected(RejectCode::Compatibility, words));
    assert_eq!(world.controller.check_kernel_bundle(&world.env, &id), refused);
    let set = world.controller.set_kernel_bundle_id(&mut world.env, &id, MigrationBudget::IN_BAND);
    assert_eq!(set.map(drop), refused);
    assert!(world.state() == before, "nothing changed");
    world.controller.terminate_vat(&mut world.env, "v1", CapData::default()).unwrap();
    world.controller.set_kernel_bundle_id(&mut world.env, &id, MigrationBudget::IN_BAND).expect("nobody needs ABI 1");
}

/// Installs a kernel that drives supervisors of ABI 2 alone.
fn install_deaf(world: &mut World) -> String {
    let deaf = speaking(BundleKind::Kernel {}, released("version-1/kernel.wasm"), &[2]);
    world.controller.validate_and_install_bundle(&mut world.env, &deaf, None).unwrap().id
}

#[test]
fn a_raw_vat_binds_no_kernel_to_a_supervisor() {
    let mut world = players();
    world.run();
    let id = install_deaf(&mut world);
    assert_eq!(world.controller.check_kernel_bundle(&world.env, &id), Ok(()));
    world.controller.set_kernel_bundle_id(&mut world.env, &id, MigrationBudget::IN_BAND).unwrap();
    world.queue("bootstrap", "serve", "[3]");
    assert_eq!(world.run().deliveries, 4);
}

#[test]
fn of_the_vats_that_a_kernel_cannot_drive_the_first_is_named_static_or_dynamic() {
    let code = [("player", released("test/raw-pingpong.wasm"))];
    let vats = [vat("one=player"), vat("two=player")];
    let mut world = World::start(&release(kernel_1(), &code), &vats, ControllerOptions::default());
    let id = install_deaf(&mut world);
    let key = |name: String| keys::kernel(name.as_bytes());
    // Two that vats made; their keys come in another order than their numbers.
    for made in ["v10", "v9"] {
        for part in ["options", "source"] {
            let value = world.env.get(&key(format!("v1.{part}"))).unwrap().unwrap();
            world.env.set(&key(format!("{made}.{part}")), value).unwrap();
        }
        world.env.set(&key(format!("vat.dynamicIDs.{made}")), bytes::Bytes::new()).unwrap();
    }
    for named in ["v1", "v2", "v9", "v10"] {
        let words = format!("vat {named} runs under a supervisor of ABI 1; kernel {id} drives [2]");
        let refused = Err(EngineError::rejected(RejectCode::Compatibility, words));
        assert_eq!(world.controller.check_kernel_bundle(&world.env, &id), refused);
        world.env.delete(&key(format!("{named}.options"))).unwrap();
    }
    assert_eq!(world.controller.check_kernel_bundle(&world.env, &id), Ok(()), "all have ended");
}

#[test]
fn how_many_vats_have_ended_takes_no_time_of_a_swap() {
    let mut world = players();
    world.run();
    // One that drives every supervisor, and one for which each vat must be looked at.
    let kernels = [id_of(&kernel_1()), install_deaf(&mut world)];
    let calls = |world: &mut World| {
        kernels.each_ref().map(|id| {
            let counted = Failing::never(&mut world.env);
            world.controller.check_kernel_bundle(&counted, id).unwrap();
            counted.calls()
        })
    };
    let young = calls(&mut world);
    let next = keys::kernel(b"vat.nextID");
    world.env.set(&next, bytes::Bytes::from_static(b"1000")).unwrap();
    assert_eq!(calls(&mut world), young);
}

/// Keys of the whole state that are not equal in both.
fn differing(one: &World, other: &World) -> Vec<String> {
    let (one, other) = (one.state(), other.state());
    let mut keys: Vec<_> = one.iter().filter(|entry| !other.contains(entry)).map(|(key, _)| key.clone()).collect();
    keys.extend(other.iter().filter(|entry| !one.contains(entry)).map(|(key, _)| key.clone()));
    keys.sort();
    keys.dedup();
    keys.iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect()
}

#[test]
fn a_swap_to_a_kernel_of_the_same_schema_changes_the_kernels_id_and_nothing_else_wherever_it_comes() {
    // Another module: the same code, and a custom section `other`.
    let mut module = released("version-1/kernel.wasm");
    module.extend_from_slice(b"\0\x06\x05other");
    let other = pack(BundleKind::Kernel {}, "other", module);
    let begun = || {
        let mut world = players();
        world.controller.validate_and_install_bundle(&mut world.env, &other, None).unwrap();
        world.run();
        world.queue("bootstrap", "serve", "[4]");
        world.queue("bootstrap", "serve", "[2]");
        world
    };
    let swapped = ["swingset/h/kernelBundleID".to_owned()];
    let mut undisturbed = begun();
    let cranks = undisturbed.run().cranks;
    assert!(cranks > 15, "{cranks}");
    for at in 1..cranks {
        let mut world = begun();
        world.controller.run(&mut world.env, &mut CrankBudget::new(at)).unwrap();
        let (before, dump) = (world.state(), world.controller.dump(&world.env).unwrap());
        world.controller.shutdown(&mut world.env).unwrap();
        assert!(world.state() == before, "all was in state already");
        world.controller.set_kernel_bundle_id(&mut world.env, &id_of(&other), MigrationBudget::IN_BAND).unwrap();
        assert!(world.controller.dump(&world.env).unwrap() == dump, "the kvStore is as it was");
        assert_eq!(world.run().cranks, cranks - at);
        assert_eq!(differing(&world, &undisturbed), swapped, "every message was delivered as without the swap");
    }
}
