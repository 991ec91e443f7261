//! Vats that are made, upgraded and ended while the engine runs: kernel, host and wasm together.

use swingset_abi::{kernel::PromiseState, vat::CapData};
use swingset_host::{
    ControllerOptions, EngineError,
    bundle::BundleKind,
    controller::{PolicyVerdict, RunPolicy, UpgradeOptions},
    error::RejectCode,
};

use crate::{
    scripted::{Do, call, keep, scripted, send, settle, subscribe},
    support::{World, id_of, kernel_1, pack, raw_vat, release},
};

const CREATE: &str = "#[\"createVat\",[\"$0\",{\"enableSetup\":true,\"name\":\"child\"}]]";

/// Bootstrap makes a vat from the bundle named `child` and says hello to it.
fn parent() -> Vec<u8> {
    scripted(&[
        vec![],
        vec![
            send("o-50", "#[\"createVatAdminService\",[\"$0\"]]", &["d-70"], Some("p+1")),
            call("d-70", "getNamedBundleCap", "#[\"child\"]"),
            send("p+1", CREATE, &["d-74"], Some("p+2")),
            subscribe("p+2"),
            settle("p-60", "#true"),
        ],
        vec![send("o-52", "#[\"hello\",[]]", &[], None), keep("told", "1")],
    ])
}

fn with_child(child: &[Vec<Do>], options: ControllerOptions) -> World {
    let code = [("bootstrap", parent()), ("child", scripted(child))];
    World::start(&release(kernel_1(), &code), &[raw_vat("bootstrap")], options)
}

/// How a node may work; none of it may change what is in state.
fn ways() -> [ControllerOptions; 3] {
    let usual = ControllerOptions::default();
    [
        usual,
        ControllerOptions { live_vats_max: 0, ..usual },
        ControllerOptions { drop_kernel_each_crank: true, live_vats_max: 1 },
    ]
}

type State = Vec<(Vec<u8>, Vec<u8>)>;

/// All states are equal; names the keys that are not.
#[track_caller]
fn same(states: &[State; 3]) {
    for other in &states[1..] {
        let differs = states[0].iter().filter(|entry| !other.contains(entry));
        let differs = differs.chain(other.iter().filter(|entry| !states[0].contains(entry)));
        let keys: Vec<_> = differs.map(|(key, _)| String::from_utf8_lossy(key)).collect();
        assert!(keys.is_empty(), "{keys:?}");
    }
}

fn key(world: &World, key: &str) -> Option<String> {
    world.kernel_key(key)
}

fn has_memory(world: &World, vat: &str) -> bool {
    let prefix = format!("~swingset/page/{vat}/");
    world.state().iter().any(|(key, _)| key.starts_with(prefix.as_bytes()))
}

#[test]
fn a_vat_is_made_while_the_chain_runs_and_any_node_comes_to_the_same_state() {
    let states = ways().map(|options| {
        let mut world = with_child(&[vec![keep("k", "started")], vec![keep("k", "greeted")]], options);
        let summary = world.run();
        assert_eq!(summary.stopped, None);
        assert_eq!(key(&world, "v2.vs.k").as_deref(), Some("greeted"));
        assert_eq!(key(&world, "vat.dynamicIDs.v2").as_deref(), Some("child"));
        assert!(has_memory(&world, "v2"));
        world.state()
    });
    same(&states);
}

#[test]
fn a_vat_that_traps_at_its_start_leaves_no_memory_and_its_maker_goes_on() {
    for options in ways() {
        let mut world = with_child(&[vec![keep("k", "started"), Do::Trap]], options);
        let summary = world.run();
        assert_eq!(summary.stopped, None);
        assert!(!has_memory(&world, "v2"));
        assert_eq!(key(&world, "v2.source"), None);
        assert_eq!(key(&world, "vat.nextID").as_deref(), Some("3"), "its ID is not used again");
        // The notify told it, so bootstrap's third delivery was done; its send to a root that it never got ended it.
        assert_eq!(key(&world, "v1.options"), None);
    }
}

fn old() -> Vec<Vec<Do>> {
    vec![vec![keep("a", "0")], vec![keep("a", "1")], vec![keep("b", "2")], vec![keep("c", "3")]]
}

fn upgradable(options: ControllerOptions) -> World {
    let code = [("alice", scripted(&old()))];
    let mut world = World::start(&release(kernel_1(), &code), &[raw_vat("alice")], options);
    world.queue("alice", "first", "[]");
    world.run();
    world
}

fn install(world: &mut World, wasm: Vec<u8>) -> String {
    let bundle = pack(BundleKind::Vat {}, "new", wasm);
    world.controller.validate_and_install_bundle(&mut world.env, &bundle, None).unwrap().id
}

fn upgrade(world: &mut World, wasm: Vec<u8>) -> PromiseState {
    let id = install(world, wasm);
    let kpid = world.controller.upgrade_static_vat(&mut world.env, "alice", &id, UpgradeOptions::default()).unwrap();
    world.controller.kp_register_interest(&mut world.env, &kpid).unwrap();
    let summary = world.run();
    assert_eq!(summary.stopped, None);
    world.controller.kp_status(&mut world.env, &kpid).unwrap()
}

#[test]
fn an_upgraded_vat_runs_its_new_code_in_a_new_memory_and_keeps_its_store() {
    let states = ways().map(|options| {
        let mut world = upgradable(options);
        let new = scripted(&[vec![keep("n", "started")], vec![keep("n", "greeted")]]);
        let done = upgrade(&mut world, new);
        let data = CapData { body: "#{\"incarnationNumber\":1}".to_owned(), slots: vec![] };
        assert_eq!(done, PromiseState::Fulfilled { data });
        assert_eq!(key(&world, "v1.vs.n").as_deref(), Some("started"));
        world.queue("alice", "hello", "[]");
        world.run();
        assert_eq!(key(&world, "v1.vs.n").as_deref(), Some("greeted"));
        assert_eq!(key(&world, "v1.vs.a").as_deref(), Some("1"));
        assert_eq!(key(&world, "v1.vs.b").as_deref(), Some("2"), "the old code was told to bring out its dead");
        assert_eq!(key(&world, "v1.vs.c"), None);
        world.state()
    });
    same(&states);
}

#[test]
fn a_vat_whose_upgrade_failed_has_the_memory_of_before() {
    let undisturbed = {
        let mut world = upgradable(ControllerOptions::default());
        world.queue("alice", "hello", "[]");
        world.run();
        memory(&world)
    };
    for start in [vec![keep("n", "started"), Do::Trap], vec![subscribe("p-99")]] {
        let new = scripted(&[start]);
        let states = ways().map(|options| {
            let mut world = upgradable(options);
            assert!(matches!(upgrade(&mut world, new.clone()), PromiseState::Rejected { .. }));
            assert_eq!(key(&world, "v1.vs.n"), None);
            assert_eq!(key(&world, "v1.vs.b"), None, "what bringOutYourDead did is undone");
            world.queue("alice", "hello", "[]");
            world.run();
            assert_eq!(key(&world, "v1.vs.b").as_deref(), Some("2"), "this was its third delivery");
            assert_eq!(key(&world, "v1.incarnation"), None);
            assert!(memory(&world) == undisturbed, "its memory is as if there had been no upgrade");
            world.state()
        });
        same(&states);
    }
}

/// What is stored of v1's memory.
fn memory(world: &World) -> State {
    let belongs = |key: &[u8]| {
        [&b"~swingset/page/v1/"[..], b"~swingset/vat/v1", b"swingset/h/vat/v1"].iter().any(|at| key.starts_with(at))
    };
    world.state().into_iter().filter(|(key, _)| belongs(key)).collect()
}

#[test]
fn an_upgrade_is_checked_before_anything_is_queued() {
    let mut world = upgradable(ControllerOptions::default());
    let other = world.controller.view(&world.env).unwrap().kernel_bundle_id.unwrap();
    let stranger = swingset_host::bundle::Bundle::single(
        swingset_host::bundle::Manifest {
            kind: BundleKind::Vat {},
            name: "stranger".to_owned(),
            host_abi: 1,
            supervisor_abis: vec![9],
            schema_from: 0,
            schema_to: 0,
        },
        scripted(&[]),
    );
    let stranger = stranger.unwrap().encode().unwrap();
    world.controller.validate_and_install_bundle(&mut world.env, &stranger, None).unwrap();
    let good = install(&mut world, scripted(&[]));
    let before = world.state();
    for (name, id, code) in [
        ("alice", "b1-zz", RejectCode::BundleId),
        ("alice", &format!("b1-{}", "0".repeat(128)), RejectCode::BundleUnknown),
        ("alice", &other, RejectCode::BundleKind),
        ("alice", &id_of(&stranger), RejectCode::Compatibility),
        ("nobody", &good, RejectCode::Kernel),
    ] {
        let refused = world.controller.upgrade_static_vat(&mut world.env, name, id, UpgradeOptions::default());
        assert!(matches!(refused, Err(EngineError::Rejected(ref why)) if why.code == code), "{name} {id}: {refused:?}");
    }
    assert!(world.state() == before, "nothing is queued");
}

#[test]
fn who_waits_for_a_bundle_is_told_after_its_installation() {
    let child = pack(BundleKind::Vat {}, "late", scripted(&[]));
    let wait = format!("#[\"waitForBundleCap\",[\"{}\"]]", id_of(&child));
    let bootstrap = scripted(&[
        vec![],
        vec![
            send("o-50", "#[\"createVatAdminService\",[]]", &[], Some("p+1")),
            send("p+1", &wait, &[], Some("p+2")),
            subscribe("p+2"),
        ],
        vec![call("d-74", "getBundleID", "#[]"), keep("told", "1")],
    ]);
    let mut world = World::with_raw_vats(&[raw_vat("bootstrap")], &[("bootstrap", bootstrap)]);
    world.run();
    assert_eq!(key(&world, "v1.vs.told"), None);
    let activity = world.activity();
    world.controller.validate_and_install_bundle(&mut world.env, &child, None).unwrap();
    assert_eq!(world.activity(), activity, "installing enters no guest");
    world.run();
    assert_eq!(key(&world, "v1.vs.told").as_deref(), Some("1"));
}

/// Lets no terminated vat be deleted, or so many entries of it a crank.
struct Cleaning {
    entries: u64,
    cleaned: Vec<u64>,
}

impl RunPolicy for Cleaning {
    fn vat_created(&mut self) -> PolicyVerdict {
        PolicyVerdict::GoOn
    }
    fn crank_complete(&mut self, _computrons: u64) -> PolicyVerdict {
        PolicyVerdict::GoOn
    }
    fn crank_failed(&mut self, _computrons: u64) -> PolicyVerdict {
        PolicyVerdict::GoOn
    }
    fn empty_crank(&mut self) -> PolicyVerdict {
        PolicyVerdict::GoOn
    }
    fn allow_cleanup(&mut self) -> u64 {
        self.entries
    }
    fn did_cleanup(&mut self, entries: u64) -> PolicyVerdict {
        self.cleaned.push(entries);
        PolicyVerdict::GoOn
    }
}

#[test]
fn a_policy_says_how_fast_terminated_vats_are_deleted() {
    let script = vec![vec![], (0..30).map(|n| keep(&format!("k{n}"), "1")).collect()];
    let mut world = World::with_raw_vats(&[raw_vat("alice")], &[("alice", scripted(&script))]);
    world.queue("alice", "fill", "[]");
    world.run();
    world.controller.terminate_vat(&mut world.env, "v1", CapData::default()).unwrap();
    let mut policy = Cleaning { entries: 0, cleaned: Vec::new() };
    let summary = world.controller.run(&mut world.env, &mut policy).unwrap();
    assert!(summary.idle, "there is nothing else to do");
    assert!(key(&world, "v1.vs.k29").is_some());
    assert!(!has_memory(&world, "v1"), "its memory went at once");
    let mut policy = Cleaning { entries: 10, cleaned: Vec::new() };
    world.controller.run(&mut world.env, &mut policy).unwrap();
    assert_eq!(policy.cleaned.iter().max(), Some(&10));
    assert!(policy.cleaned.len() >= 4);
    let left = world.controller.dump(&world.env).unwrap();
    assert!(!left.keys().any(|key| key.starts_with(b"v1.")));
}
