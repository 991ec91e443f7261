//! Bundles are freed when they are released and nothing names them, and not before.

use std::collections::BTreeMap;

use swingset_abi::{kernel::VatSource, vat::CapData, wire::Wire};
use swingset_host::{
    ControllerOptions, EngineError, RejectCode,
    bundle::BundleKind,
    controller::{BundleSwap, UpgradeOptions},
};

use crate::{
    scripted::{keep, scripted},
    support::{World, id_of, kernel_1, kernel_2, pack, raw_vat, release},
};

/// Two vats of one bundle.
fn world() -> World {
    let code = [("vat", scripted(&[vec![keep("k", "started")]]))];
    let vats = [raw_vat("first=vat"), raw_vat("second=vat")];
    let mut world = World::start(&release(kernel_1(), &code), &vats, ControllerOptions::default());
    world.run();
    world
}

fn install(world: &mut World, bundle: &[u8]) -> String {
    world.controller.validate_and_install_bundle(&mut world.env, bundle, None).unwrap().id
}

fn freed(world: &mut World) -> Vec<String> {
    world.controller.free_bundles(&mut world.env).unwrap()
}

fn release_it(world: &mut World, id: &str) {
    world.controller.release_bundle(&mut world.env, id).unwrap();
}

fn is_installed(world: &World, id: &str) -> bool {
    let record = world.controller.bundle_record(&world.env, id).unwrap();
    let bytes = world.controller.bundle_bytes(&world.env, id).unwrap();
    assert_eq!(record.is_some(), bytes.is_some(), "record and bytes come and go together");
    record.is_some()
}

/// What is counted is what a look at every record finds.
#[track_caller]
fn check_counts(world: &World) {
    let mut found = BTreeMap::new();
    for (key, value) in world.controller.dump(&world.env).unwrap() {
        if key.starts_with(b"v") && key.ends_with(b".source") {
            let source = VatSource::from_bytes(&value).unwrap();
            for id in [source.bundle_id, source.supervisor_bundle_id, source.lockdown_bundle_id] {
                *found.entry(format!("swingset/h/uses/{id}")).or_insert(0) += 1;
            }
        }
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let counted = world.state().into_iter().filter(|(key, _)| key.starts_with(b"swingset/h/uses/"));
    let counted: BTreeMap<_, u64> = counted.map(|(key, value)| (text(&key), text(&value).parse().unwrap())).collect();
    assert_eq!(counted, found);
}

fn other_vat() -> Vec<u8> {
    pack(BundleKind::Vat {}, "other", scripted(&[vec![keep("k", "other")]]))
}

#[test]
fn a_bundle_that_nothing_names_is_freed_when_it_is_released() {
    let mut world = world();
    let before = world.state();
    let id = install(&mut world, &other_vat());
    assert!(freed(&mut world).is_empty(), "it is held");
    release_it(&mut world, &id);
    assert!(is_installed(&world, &id), "it is freed when it is asked for");
    assert_eq!(freed(&mut world), [id.as_str()]);
    assert_eq!(world.state(), before, "nothing of it is left");
    let error = world.controller.release_bundle(&mut world.env, &id).unwrap_err();
    assert!(matches!(error, EngineError::Rejected(rejection) if rejection.code == RejectCode::BundleUnknown));
}

#[test]
fn a_bundle_of_living_vats_stays_until_the_last_of_them_is_gone() {
    let mut world = world();
    let source = world.controller.dump(&world.env).unwrap().remove(&b"v1.source"[..]).unwrap();
    let id = VatSource::from_bytes(&source).unwrap().bundle_id;
    assert_eq!(world.controller.bundle_uses(&world.env, &id).unwrap(), (2, false));
    check_counts(&world);
    release_it(&mut world, &id);
    assert!(freed(&mut world).is_empty());
    world.controller.terminate_vat(&mut world.env, "v1", CapData::default()).unwrap();
    world.run();
    check_counts(&world);
    assert_eq!(world.controller.bundle_uses(&world.env, &id).unwrap(), (1, true));
    assert!(freed(&mut world).is_empty());

    let next = install(&mut world, &other_vat());
    world.controller.upgrade_static_vat(&mut world.env, "second", &next, UpgradeOptions::default()).unwrap();
    world.run();
    check_counts(&world);
    // A name of the release stands for it still.
    assert!(freed(&mut world).is_empty());
    assert!(is_installed(&world, &id));
    assert_eq!(world.kernel_key("v2.vs.k").as_deref(), Some("other"));
    release_it(&mut world, &next);
    assert!(freed(&mut world).is_empty(), "the upgraded vat is made of it");
}

#[test]
fn the_kernel_of_before_is_freed_after_the_swap_and_the_present_one_never() {
    let mut world = world();
    let (old, new) = (id_of(&kernel_1()), install(&mut world, &kernel_2()));
    release_it(&mut world, &old);
    assert!(freed(&mut world).is_empty(), "it is the kernel");
    let swap = BundleSwap { kernel: Some(new.clone()), ..BundleSwap::default() };
    world.controller.swap_bundles(&mut world.env, &swap).unwrap();
    assert_eq!(freed(&mut world), [old.as_str()]);
    release_it(&mut world, &new);
    assert!(freed(&mut world).is_empty());
    world.queue("first", "hello", "[]");
    assert_eq!(world.run().stopped, None, "the engine runs on");
}

#[test]
fn a_released_bundle_is_held_again_by_installing_it_and_is_no_bundle_to_swap_to() {
    let mut world = world();
    let id = install(&mut world, &kernel_2());
    release_it(&mut world, &id);
    let again = world.controller.release_bundle(&mut world.env, &id).unwrap_err();
    assert_eq!(again, EngineError::rejected(RejectCode::Argument, format!("bundle {id} was released before")));
    let swap = BundleSwap { kernel: Some(id.clone()), ..BundleSwap::default() };
    let refused = world.controller.check_bundle_swap(&world.env, &swap).unwrap_err();
    assert!(refused.to_string().contains("was released by who installed it"), "{refused}");
    let receipt = world.controller.validate_and_install_bundle(&mut world.env, &kernel_2(), None).unwrap();
    assert!(receipt.already_installed && receipt.held_again);
    assert!(freed(&mut world).is_empty());
    world.controller.check_bundle_swap(&world.env, &swap).unwrap();
}

#[test]
fn one_call_frees_a_bounded_number_and_the_next_goes_on() {
    let mut world = world();
    let ids: Vec<String> = (0..20)
        .map(|number| {
            let bundle = pack(BundleKind::Vat {}, &format!("vat-{number}"), scripted(&[vec![]]));
            let id = install(&mut world, &bundle);
            release_it(&mut world, &id);
            id
        })
        .collect();
    let mut gone = freed(&mut world);
    assert_eq!(gone.len(), 16);
    gone.extend(freed(&mut world));
    let mut sorted = ids;
    sorted.sort();
    assert_eq!(gone, sorted);
}
