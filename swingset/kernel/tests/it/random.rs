//! Random programs: vats that send, settle, subscribe, drop what they know, end and break rules. The kernel is made anew for every crank.
//!
//! Each program runs twice: on the kernel, and on a model that knows nothing of krefs, c-lists or counts ([`model`]). A vat decides by
//! its own random numbers and by the places of references among those that it knows ([`crate::mind`]), so that both runs take the same
//! course as long as they deliver the same; deliveries are compared by these places. On the kernel every count is audited after every
//! crank.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use swingset_abi::{
    kernel::{Command, CrankKind, ResolutionPolicy},
    vat::{CapData, Resolution, VatDelivery, VatSyscall},
};

use crate::{
    audit,
    mind::{Deed, Mind, Told},
    model,
    world::{Act, World, let_go, subscribe},
};

fn references(slots: &[String]) -> Vec<(String, bool)> {
    slots.iter().map(|slot| (slot.clone(), slot.starts_with('p'))).collect()
}

fn to_told(delivery: &VatDelivery) -> Told<String> {
    match delivery.clone() {
        VatDelivery::Message {
            target,
            methargs,
            result,
        } => Told::Message {
            target,
            slots: references(&methargs.slots),
            result,
        },
        VatDelivery::Notify { resolutions } => {
            let settled = resolutions.iter();
            let settled = settled.map(|r| (r.promise.clone(), r.rejected, references(&r.data.slots)));
            Told::Settled(settled.collect())
        }
        VatDelivery::DropExports { vrefs } => Told::DropExports(vrefs),
        VatDelivery::RetireExports { vrefs } => Told::RetireExports(vrefs),
        VatDelivery::RetireImports { vrefs } => Told::RetireImports(vrefs),
        other => panic!("{other:?} is no part of a program"),
    }
}

fn to_syscalls(deed: Deed<String>) -> Vec<VatSyscall> {
    let data = |lone: bool, slots: Vec<(String, bool)>| CapData {
        body: if lone { "#\"$0\"".to_owned() } else { "#[]".to_owned() },
        slots: slots.into_iter().map(|(slot, _)| slot).collect(),
    };
    vec![match deed {
        Deed::Send { target, slots, result } => VatSyscall::Send {
            target: target.0,
            methargs: data(false, slots),
            result,
        },
        Deed::Subscribe(promise) => subscribe(&promise),
        Deed::Settle {
            promise,
            rejected,
            lone,
            slots,
        } => {
            let resolutions = vec![Resolution {
                promise,
                rejected,
                data: data(lone, slots),
            }];
            VatSyscall::Resolve { resolutions }
        }
        Deed::Drop { object, retire: true } => return let_go(vec![object]),
        Deed::Drop { object, retire: false } => VatSyscall::DropImports { vrefs: vec![object] },
        Deed::Retire(object) => VatSyscall::RetireImports { vrefs: vec![object] },
        Deed::Exit { failure } => VatSyscall::Exit {
            failure,
            info: CapData::default(),
        },
        Deed::Illegal => subscribe("p-9999999"),
    }]
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// One of the vats on the kernel does what its mind decides.
fn animate(world: &mut World, seed: u64, number: usize) -> Rc<RefCell<Mind<String>>> {
    let mind = Rc::new(RefCell::new(Mind::of(seed, number, "o+0".to_owned())));
    let its = mind.clone();
    let mut next = BTreeMap::from([(false, 1), (true, 1)]);
    world.script(&format!("v{}", number + 1), move |delivery| {
        let mut fresh = |promise: bool| {
            let number = next.entry(promise).or_insert(1);
            *number += 1;
            format!("{}+{number}", if promise { 'p' } else { 'o' })
        };
        let deeds = its.borrow_mut().told(&to_told(delivery), &mut fresh);
        Act::of(deeds.into_iter().flat_map(to_syscalls).collect())
    });
    mind
}

/// Runs a program on the kernel, one instance for all cranks or a new one for each; gives what each vat was told, and the kvStore.
fn on_the_kernel(seed: u64, keeps_instance: bool) -> (Vec<Vec<String>>, World) {
    let mut world = World::started(&NAMES);
    world.keeps_instance = keeps_instance;
    // A cleanup goes through promises by their IDs as text: with four digits each that is the order of their making, as in the model.
    world.kv.insert(b"kp.nextID".to_vec(), b"1000".to_vec());
    let minds: Vec<_> = (0..NAMES.len()).map(|number| animate(&mut world, seed, number)).collect();
    let roots: Vec<String> = (0..NAMES.len()).map(|number| format!("ko{}", 20 + number)).collect();
    for name in NAMES {
        let args = CapData {
            body: "#[]".to_owned(),
            slots: roots.clone(),
        };
        let command = Command::QueueToVatRoot {
            vat_name: name.to_owned(),
            method: "begin".to_owned(),
            args,
            policy: ResolutionPolicy::None {},
        };
        world.call(&command);
    }
    for _ in 0..5_000 {
        let report = world.step();
        assert_eq!(report.panic, None, "seed {seed}");
        audit::check(&world);
        if let Some(reason) = report.terminated {
            let vat = report.vat_id.expect("a vat ended");
            let number: usize = vat[1..].parse().expect("it is one of the four");
            minds[number - 1].borrow_mut().log.push(format!("ended: {reason}"));
        }
        if report.kind == (CrankKind::Idle {}) {
            break;
        }
    }
    (minds.iter().map(|mind| mind.borrow().log.clone()).collect(), world)
}

#[test]
fn what_an_instance_remembers_between_cranks_changes_nothing() {
    for seed in 1..=100 {
        let (kept, kept_world) = on_the_kernel(seed, true);
        let (anew, anew_world) = on_the_kernel(seed, false);
        assert_eq!(kept, anew, "seed {seed}");
        assert_eq!(kept_world.kv, anew_world.kv, "seed {seed}");
    }
}

/// How lines begin that are no messages.
const KINDS: [&str; 7] = [
    "settled",
    "dropExports",
    "retireExports",
    "retireImports",
    "ended: exit with",
    "ended: illegal",
    "ended: exit",
];

#[test]
fn random_programs_go_as_in_the_model_and_every_count_is_right_after_every_crank() {
    let mut kinds = BTreeMap::new();
    for seed in 1..=100 {
        let (told, _) = on_the_kernel(seed, false);
        assert_eq!(told, model::run(seed, NAMES.len()), "seed {seed}");
        for line in told.concat() {
            let word = KINDS.into_iter().find(|word| line.starts_with(word));
            *kinds.entry(word.unwrap_or("message")).or_insert(0) += 1;
        }
    }
    // Too few of a kind would say nothing of it.
    for (kind, least) in [
        ("message", 1_000),
        ("settled", 200),
        ("dropExports", 200),
        ("retireExports", 150),
        ("retireImports", 10),
        ("ended: exit with", 10),
        ("ended: illegal", 10),
        ("ended: exit", 10),
    ] {
        let found = kinds.get(kind).copied().unwrap_or(0);
        assert!(found >= least, "{found} of {kind}");
    }
}
