//! The released kernel with raw vats, from the first state on.

use swingset_host::{
    Controller, ControllerOptions, EngineRuntime, controller::SwingsetConfig, engine::CodeCache, env::MemoryEnvironment,
};

use crate::support::{World, kernel_1, raw_vat, release, released, supervisor, vat};

fn players() -> World {
    let code = [("player", released("test/raw-pingpong.wasm"))];
    World::with_raw_vats(&[raw_vat("bootstrap=player"), raw_vat("pong=player")], &code)
}

#[test]
fn raw_vats_play_ball_through_the_released_kernel() {
    let mut world = players();
    let start = world.run();
    assert!(start.idle);
    assert_eq!(start.stopped, None);
    world.queue("bootstrap", "serve", "[10]");
    let played = world.run();
    assert_eq!(played.deliveries, 11, "one serve and ten balls");
    assert!(played.idle);
    assert!(played.computrons > 0);
    assert_eq!(world.activity().len(), 64);
}

fn supervised() -> World {
    let code = ["bootstrap", "counter", "mint", "party"].map(|name| (name, released(&format!("vats/{name}.wasm"))));
    let mut bundles = release(kernel_1(), &code);
    bundles.vats.extend(release(kernel_1(), &[("pingpong", released("test/pingpong.wasm"))]).vats);
    bundles.supervisor = supervisor();
    let vats = ["bootstrap", "counter", "mint", "alice=party", "bob=party", "ping=pingpong", "pong=pingpong"].map(vat);
    World::start(&bundles, &vats, ControllerOptions::default())
}

/// Queues, runs, and gives the body that the result was fulfilled with.
fn ask(world: &mut World, vat: &str, method: &str, args: &str) -> String {
    let kpid = world.queue(vat, method, args).unwrap();
    world.controller.kp_register_interest(&mut world.env, &kpid).unwrap();
    assert_eq!(world.run().stopped, None);
    let (rejected, data) = world.controller.kp_resolution(&mut world.env, &kpid).unwrap().unwrap();
    assert!(!rejected, "{}", data.body);
    data.body
}

#[test]
fn supervised_vats_keep_their_heap_and_answer_with_promises() {
    let mut world = supervised();
    world.run();
    assert_eq!(ask(&mut world, "counter", "increment", "[5]"), "#\"+5\"");
    world.controller.discard();
    assert_eq!(ask(&mut world, "counter", "increment", "[2]"), "#\"+7\"", "the heap is in state, not in the instance");
    assert_eq!(ask(&mut world, "ping", "serve", "[20]"), "#\"+20\"");
}

#[test]
fn a_message_that_nests_as_deep_as_any_may_finds_stack_enough_in_supervisor_and_vat() {
    let mut world = supervised();
    world.run();
    let nested = format!("[{}{}]", "[".repeat(62), "]".repeat(62));
    let kpid = world.queue("counter", "increment", &nested).unwrap();
    world.controller.kp_register_interest(&mut world.env, &kpid).unwrap();
    assert_eq!(world.run().stopped, None);
    let (_, data) = world.controller.kp_resolution(&mut world.env, &kpid).unwrap().unwrap();
    assert!(data.body.contains("expected an integer, got a list"), "{}", data.body);
    assert_eq!(ask(&mut world, "counter", "increment", "[5]"), "#\"+5\"", "the vat lives");
}

#[test]
fn two_runs_of_the_same_messages_give_the_same_bytes() {
    let play = || {
        let mut world = supervised();
        world.run();
        for number in 0..5 {
            world.queue("counter", "add", &format!("[{number}]"));
            world.queue("ping", "serve", "[3]");
            world.run();
        }
        world
    };
    let (one, other) = (play(), play());
    assert_eq!(one.activity(), other.activity());
    assert!(one.state() == other.state());
}

#[test]
fn code_from_the_cache_does_what_compiled_code_does_and_damage_is_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    let play = || {
        let cache = CodeCache::open(folder.path().join("code")).unwrap();
        let runtime = EngineRuntime::with_cache(Some(cache)).unwrap();
        let bundles = release(kernel_1(), &[("player", released("test/raw-pingpong.wasm"))]);
        let config = SwingsetConfig { vats: ["bootstrap=player", "pong=player"].map(raw_vat).to_vec() };
        let (mut env, mut controller) =
            (MemoryEnvironment::new(), Controller::new(runtime, ControllerOptions::default()));
        controller.initialize_swingset(&mut env, &config, &bundles).unwrap();
        let mut world = World { env, controller };
        world.queue("bootstrap", "serve", "[7]");
        world.run();
        world.activity()
    };
    let files = || -> Vec<_> {
        std::fs::read_dir(folder.path().join("code")).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let compiled = play();
    assert_eq!(files().len(), 2, "the kernel and the player");
    assert_eq!(play(), compiled);
    for file in files() {
        let mut bytes = std::fs::read(&file).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&file, bytes).unwrap();
    }
    assert_eq!(play(), compiled);
}
