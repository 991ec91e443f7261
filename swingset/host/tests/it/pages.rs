//! A vat's memory and globals between deliveries: when instances come and go, nothing changes.

use bytes::Bytes;
use swingset_host::{Controller, ControllerOptions, EngineError, env::Environment, keys};

use crate::support::{World, kernel_1, raw_vat, release, runtime, wat};

/// A raw vat that counts in a global and in memory, grows every eighth delivery and scribbles over a page each time.
const COUNTER: &str = r#"(module
    (memory (export "memory") 2 64)
    (global $count (mut i64) (i64.const 0))
    (global $f (mut i32) (i32.const 77))
    (func (export "vat_alloc") (param i32) (result i32) i32.const 1024)
    (func (export "vat_deliver") (param i32 i32) (local $at i32)
      (global.set $count (i64.add (global.get $count) (i64.const 1)))
      (global.set $f (i32.mul (global.get $f) (i32.const 31)))
      (if (i64.eqz (i64.rem_u (global.get $count) (i64.const 8))) (then (drop (memory.grow (i32.const 1)))))
      (local.set $at (i32.rem_u (global.get $f) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 8))))
      (i64.store (local.get $at) (i64.add (i64.load (local.get $at)) (global.get $count)))
      ;; what was written is zeroed again every fifth time
      (if (i64.eqz (i64.rem_u (global.get $count) (i64.const 5)))
        (then (memory.fill (local.get $at) (i32.const 0) (i32.const 8))))))"#;

fn counters(options: ControllerOptions) -> World {
    let vats = [raw_vat("alice=counter"), raw_vat("bob=counter"), raw_vat("carol=counter")];
    World::start(&release(kernel_1(), &[("counter", wat(COUNTER))]), &vats, options)
}

fn poke_all(world: &mut World, round: u32) {
    for vat in ["alice", "bob", "carol"] {
        for _ in 0..=round % 3 {
            world.queue(vat, "poke", "[]");
        }
    }
}

#[track_caller]
fn check_equal(left: &World, right: &World) {
    assert_eq!(left.activity(), right.activity());
    for (left, right) in left.state().iter().zip(right.state()) {
        assert_eq!(String::from_utf8_lossy(&left.0), String::from_utf8_lossy(&right.0));
        assert!(left.1 == right.1, "value of {}", String::from_utf8_lossy(&left.0));
    }
    assert_eq!(left.state().len(), right.state().len());
}

#[test]
fn instances_that_come_and_go_change_no_byte_of_state() {
    let mut steady = counters(ControllerOptions::default());
    let mut restless = counters(ControllerOptions { live_vats_max: 1, drop_kernel_each_crank: true });
    for round in 0..12 {
        for world in [&mut steady, &mut restless] {
            world.controller.begin_block(&world.env, u64::from(round) + 2, 0).unwrap();
            poke_all(world, round);
        }
        steady.run();
        // One crank at a time, with a vat evicted, all forgotten, or another controller built in between.
        let mut at = round;
        while restless.controller.step(&mut restless.env).unwrap().is_some() {
            at = at.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            match (at >> 16) % 4 {
                0 => restless.controller.evict_vat(&mut restless.env, "v1").unwrap(),
                1 => restless.controller.discard(),
                2 => {
                    let options = ControllerOptions { live_vats_max: 1, drop_kernel_each_crank: true };
                    restless.controller = Controller::build(runtime(), &restless.env, options).unwrap();
                    restless.controller.begin_block(&restless.env, u64::from(round) + 2, 0).unwrap();
                }
                _ => {}
            }
        }
        check_equal(&steady, &restless);
    }
    assert!(restless.controller.live_vats() <= 1);
}

#[test]
fn the_leaf_changes_with_every_delivery_and_with_nothing_else() {
    let mut world = counters(ControllerOptions::default());
    world.run();
    let leaf = |world: &World| world.env.get(&keys::vat_leaf("v1")).unwrap().unwrap();
    let before = leaf(&world);
    world.queue("bob", "poke", "[]");
    world.run();
    assert_eq!(leaf(&world), before);
    world.queue("alice", "poke", "[]");
    world.run();
    assert_ne!(leaf(&world), before);
}

/// What an operator's damaged disk does: the vat is not run on, the process stops.
#[track_caller]
fn check_halts(damage: impl Fn(&mut World)) {
    let mut world = counters(ControllerOptions::default());
    world.run();
    poke_all(&mut world, 2);
    world.run();
    world.controller.discard();
    damage(&mut world);
    world.queue("alice", "poke", "[]");
    let result = world.controller.run(&mut world.env, &mut swingset_host::controller::RunForever);
    assert!(matches!(result, Err(EngineError::Halt(_))), "{result:?}");
}

fn first_page(world: &World) -> Vec<u8> {
    let prefix = keys::vat_pages("v1");
    world.env.next_entry(&prefix, None).unwrap().unwrap().0
}

#[test]
fn state_that_does_not_have_the_root_in_state_halts() {
    check_halts(|world| {
        let key = first_page(world);
        let mut page = world.env.get(&key).unwrap().unwrap().to_vec();
        page[17] ^= 1;
        world.env.set(&key, Bytes::from(page)).unwrap();
    });
    check_halts(|world| {
        let key = first_page(world);
        world.env.delete(&key).unwrap();
    });
    check_halts(|world| world.env.set(&keys::vat_page("v1", 0, 9_999), Bytes::from(vec![1; 4096])).unwrap());
    check_halts(|world| world.env.delete(&keys::vat_header("v1")).unwrap());
    check_halts(|world| {
        let key = keys::vat_header("v1");
        let mut header = world.env.get(&key).unwrap().unwrap().to_vec();
        let last = header.len() - 1;
        header[last] ^= 1;
        world.env.set(&key, Bytes::from(header)).unwrap();
    });
}

#[test]
fn the_first_delivery_of_a_block_pays_for_the_whole_memory_once() {
    let mut world = counters(ControllerOptions::default());
    world.run();
    let cost = |world: &mut World| {
        world.queue("alice", "poke", "[]");
        world.run().computrons
    };
    world.controller.begin_block(&world.env, 2, 0).unwrap();
    let first = cost(&mut world);
    let second = cost(&mut world);
    // Two pages of 64 KiB at 1,000 fuel for each 4 KiB, 100 fuel a computron.
    assert_eq!(first - second, 2 * 16 * 1_000 / 100);
    world.controller.discard();
    assert!(cost(&mut world) < first, "forgetting the instances does not charge again");
    world.controller.begin_block(&world.env, 3, 0).unwrap();
    assert!(cost(&mut world) >= first);
}
