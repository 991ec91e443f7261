//! Instances are evicted, forgotten and made again between any two cranks: no byte of state and no price tells.

use proptest::{collection::vec, prelude::*};
use swingset_abi::{
    kernel::ResolutionPolicy,
    vat::{CapData, VatSyscall},
};
use swingset_host::{
    Controller, ControllerOptions, bundle::LockdownPolicy, controller::BundleSwap, env::Environment, keys,
};

use crate::{
    scripted::{Do, keep, scripted, send, settle, subscribe},
    support::{World, id_of, kernel_1, lockdown, raw_vat, release, runtime},
};

pub(crate) const NAMES: [&str; 4] = ["a", "b", "c", "d"];
pub(crate) const BLOCKS: u64 = 4;

/// A deed of a vat that knows the three others' roots. Some are illegal where they come, and end the vat.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Send { to: u8, with_result: bool },
    Subscribe { promise: u8 },
    Settle { promise: u8 },
    Keep { key: u8, value: u8 },
    Delete { key: u8 },
    Grow,
    Write { at: u32, value: u8 },
    Trap,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        8 => (0..4u8, any::<bool>()).prop_map(|(to, with_result)| Deed::Send { to, with_result }),
        2 => (0..4u8).prop_map(|promise| Deed::Subscribe { promise }),
        1 => (0..2u8).prop_map(|promise| Deed::Settle { promise }),
        4 => (0..3u8, any::<u8>()).prop_map(|(key, value)| Deed::Keep { key, value }),
        2 => (0..3u8).prop_map(|key| Deed::Delete { key }),
        3 => Just(Deed::Grow),
        6 => (any::<u32>(), any::<u8>()).prop_map(|(at, value)| Deed::Write { at, value: value % 3 }),
        1 => Just(Deed::Trap),
    ]
}

/// What a vat does at its third, fourth, … delivery: the first is startVat, the second makes it known to the others.
pub(crate) fn script() -> impl Strategy<Value = Vec<Vec<Deed>>> {
    vec(vec(deed(), 0..4), 3..14)
}

fn to_do(deed: &Deed, delivery: usize, number: usize) -> Do {
    let result = format!("p+{}", delivery * 10 + number + 1);
    match deed {
        Deed::Send { to: 0, with_result } => send("o+0", "#[]", &[], with_result.then_some(result.as_str())),
        Deed::Send { to, with_result } => {
            send(&format!("o-{}", 49 + to), "#[]", &["o+0"], with_result.then_some(result.as_str()))
        }
        Deed::Subscribe { promise } => subscribe(&format!("p+{}", 21 + promise)),
        Deed::Settle { promise } => settle(&format!("p-{}", 60 + promise), "#7"),
        Deed::Keep { key, value } => keep(&format!("k{key}"), &value.to_string()),
        Deed::Delete { key } => Do::Call(VatSyscall::VatstoreDelete { key: format!("k{key}") }),
        Deed::Grow => Do::Grow,
        Deed::Write { at, value } => Do::Write { at: *at, value: u32::from(*value) },
        Deed::Trap => Do::Trap,
    }
}

pub(crate) fn module(script: &[Vec<Deed>]) -> Vec<u8> {
    let mut deliveries = vec![Vec::new(), Vec::new()];
    for (at, deeds) in script.iter().enumerate() {
        deliveries.push(deeds.iter().enumerate().map(|(number, deed)| to_do(deed, at + 2, number)).collect());
    }
    scripted(&deliveries)
}

pub(crate) fn world(code: &[Vec<u8>], options: ControllerOptions) -> World {
    let code: Vec<(&str, Vec<u8>)> = NAMES.into_iter().zip(code.iter().cloned()).collect();
    World::start(&release(kernel_1(), &code), &NAMES.map(raw_vat), options)
}

/// Each vat is told of all roots in the first block, and is poked in each one.
pub(crate) fn begin_block(world: &mut World, height: u64) {
    world.controller.begin_block(&world.env, height, 0).unwrap();
    let roots: Vec<String> = (1..=NAMES.len()).filter_map(|n| world.kernel_key(&format!("v{n}.c.o+0"))).collect();
    let roots: Vec<String> = roots.iter().map(|entry| entry.trim_start_matches("R ").to_owned()).collect();
    for name in NAMES {
        let slots = if height == 2 { roots.clone() } else { Vec::new() };
        let args = CapData { body: "#[]".to_owned(), slots };
        // A vat that has ended is refused, in both worlds.
        let policy = ResolutionPolicy::None {};
        let _ = world.controller.queue_to_vat_root(&mut world.env, name, "poke", args, policy);
    }
}

/// What an operator's machine may do between two cranks.
fn disturb(world: &mut World, what: u8, height: u64, options: ControllerOptions) {
    match what % 6 {
        0 => {
            let vat = format!("v{}", 1 + what / 6 % 4);
            world.controller.evict_vat(&mut world.env, &vat).unwrap();
        }
        1 => {
            for number in 1..=NAMES.len() {
                world.controller.evict_vat(&mut world.env, &format!("v{number}")).unwrap();
            }
        }
        2 => world.controller.discard(),
        3 => {
            world.controller = Controller::build(runtime(), &world.env, options).unwrap();
            world.controller.begin_block(&world.env, height, 0).unwrap();
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn evicting_vats_at_random_between_any_two_cranks_changes_no_byte_of_state_and_no_price(
        scripts in vec(script(), 4),
        disturbances in vec(any::<u8>(), 1..30),
        live_vats_max in 0..4usize,
    ) {
        let code: Vec<Vec<u8>> = scripts.iter().map(|script| module(script)).collect();
        let options = ControllerOptions { live_vats_max, drop_kernel_each_crank: true };
        let (mut steady, mut restless) = (world(&code, ControllerOptions::default()), world(&code, options));
        let mut what = disturbances.iter().cycle();
        for height in 2..2 + BLOCKS {
            begin_block(&mut steady, height);
            let summary = steady.run();
            begin_block(&mut restless, height);
            let mut computrons = 0;
            while let Some(report) = restless.controller.step(&mut restless.env).unwrap() {
                computrons += report.computrons;
                prop_assert!(restless.controller.live_vats() <= live_vats_max);
                disturb(&mut restless, *what.next().unwrap(), height, options);
            }
            prop_assert_eq!(computrons, summary.computrons);
            prop_assert_eq!(restless.activity(), steady.activity());
            prop_assert!(restless.state() == steady.state(), "block {}", height);
        }
    }
}

/// Twelve vats that grow to a MiB when they are first poked.
fn growing(options: ControllerOptions) -> World {
    let code = scripted(&[vec![], (0..12).map(|_| Do::Grow).collect()]);
    let names: Vec<String> = (0..12).map(|number| format!("g{number}=g")).collect();
    let vats: Vec<_> = names.iter().map(|name| raw_vat(name)).collect();
    let mut world = World::start(&release(kernel_1(), &[("g", code)]), &vats, options);
    for number in 0..12 {
        world.queue(&format!("g{number}"), "poke", "[]");
    }
    world.run();
    world
}

#[test]
fn memory_falls_to_that_of_the_vats_that_may_stay() {
    const MIB: u64 = 1 << 20;
    let all = growing(ControllerOptions::default());
    assert_eq!((all.controller.live_vats(), all.controller.live_vat_memory_bytes()), (12, 12 * MIB));
    let mut two = growing(ControllerOptions { live_vats_max: 2, ..ControllerOptions::default() });
    assert_eq!((two.controller.live_vats(), two.controller.live_vat_memory_bytes()), (2, 2 * MIB));
    assert!(all.state() == two.state());
    two.controller.shutdown(&mut two.env).unwrap();
    assert_eq!(two.controller.live_vat_memory_bytes(), 0);
}

#[test]
fn the_vat_that_ran_longest_ago_gives_way() {
    let mut world = growing(ControllerOptions { live_vats_max: 2, ..ControllerOptions::default() });
    // Each eviction of a vat that has no instance does nothing: what is left tells which ones had.
    let mut awake = Vec::new();
    for number in 1..=12 {
        let before = world.controller.live_vats();
        world.controller.evict_vat(&mut world.env, &format!("v{number}")).unwrap();
        if world.controller.live_vats() < before {
            awake.push(number);
        }
    }
    assert_eq!(awake, [11, 12]);
}

#[test]
fn a_policy_that_this_state_has_not_installed_is_not_remembered_from_before() {
    let stopped = |restarted: bool| {
        let mut world = World::start(
            &release(kernel_1(), &[("a", scripted(&[]))]),
            &[raw_vat("a"), raw_vat("b=a")],
            ControllerOptions::default(),
        );
        world.run();
        let other = lockdown(&LockdownPolicy { key_bytes_max: 100, ..LockdownPolicy::default() });
        let other = world.controller.validate_and_install_bundle(&mut world.env, &other, None).unwrap().id;
        let swap = BundleSwap { lockdown: Some(other), ..BundleSwap::default() };
        world.controller.swap_bundles(&mut world.env, &swap).unwrap();
        world.queue("a", "poke", "[]");
        world.run();
        // As if the kernel had let go of the policy that its vats are still made under.
        let first = keys::bundle_record(&id_of(&lockdown(&LockdownPolicy::default())));
        world.env.delete(&first).unwrap();
        if restarted {
            world.controller = Controller::build(runtime(), &world.env, ControllerOptions::default()).unwrap();
            world.controller.begin_block(&world.env, 1, 0).unwrap();
        }
        world.queue("b", "poke", "[]");
        (world.run().stopped, world.state())
    };
    let (reason, state) = stopped(false);
    assert_eq!(reason.as_deref(), Some("a vat's lockdown is not installed"));
    assert!(stopped(true) == (reason, state), "wherever the policy was used before");
}
