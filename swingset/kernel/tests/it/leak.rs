//! What is left in state when everything that was made has been dropped.

use std::collections::BTreeMap;

use swingset_abi::{
    kernel::{Command, ResolutionPolicy},
    vat::{CapData, VatSyscall},
    wire::Blob,
};

use crate::world::{World, let_go, send, settle, subscribe};

/// What only grows: IDs are never used again, queues go on where they were.
const MONOTONIC: [&str; 17] = [
    "acceptanceQueue",
    "crankNumber",
    "ko.nextID",
    "kp.nextID",
    "meter.nextID",
    "reapQueue",
    "runQueue",
    "vat.nextID",
    "vats.terminated",
    "v1.o.nextID",
    "v1.p.nextID",
    "v2.o.nextID",
    "v2.p.nextID",
    "v1.deliveries",
    "v2.deliveries",
    "v1.incarnation",
    "v2.incarnation",
];

fn state(world: &World) -> BTreeMap<String, String> {
    let all = world.kv.iter();
    all.map(|(key, value)| {
        (
            String::from_utf8_lossy(key).into_owned(),
            String::from_utf8_lossy(value).into_owned(),
        )
    })
    .filter(|(key, _)| !MONOTONIC.contains(&key.as_str()))
    .collect()
}

/// Bootstrap gives up all imports but those that it had.
fn drop_all(world: &mut World, kept: &[String]) {
    let imports = world.keys("v1.c.o-").into_iter().filter(|key| !kept.contains(key));
    let vrefs: Vec<String> = imports.map(|key| key["v1.c.".len()..].to_owned()).collect();
    if !vrefs.is_empty() {
        world.go(let_go(vrefs));
    }
}

/// Runs a story between two equal states: bootstrap has the service as `o-52`, a bundlecap as `d-74`, and `v2` knows `v1` as `o-50`.
#[track_caller]
fn check(story: impl FnOnce(&mut World)) {
    let mut world = World::started(&["bootstrap", "b"]);
    let id = world.install('a');
    world.call_of("o-51", "#[\"createVatAdminService\",[]]", &[], "p+1");
    world.call_of("o-52", &format!("#[\"getBundleCap\",[\"{id}\"]]"), &[], "p+2");
    world.go(vec![send("o-50", "#[\"meet\",[]]", &["o+0"], None)]);
    let before = state(&world);
    let kept = world.keys("v1.c.o-");
    story(&mut world);
    world.acts("v2", vec![]);
    drop_all(&mut world, &kept);
    world.run();
    let after = state(&world);
    let differs = |key: &&String| before.get(*key) != after.get(*key);
    let keys: Vec<&String> = before.keys().chain(after.keys()).filter(differs).collect();
    assert!(keys.is_empty(), "{keys:?}");
}

#[test]
fn messages_results_and_notifies_leave_nothing() {
    check(|world| {
        world.acts(
            "v2",
            vec![
                vec![settle("p-60", false, "#[\"&0\",\"$1\"]", &["p+9", "o+3"])],
                vec![settle("p+9", true, "#1", &[])],
            ],
        );
        world.call_of("o-50", "#[\"get\",[\"$0\"]]", &["o+4"], "p+5");
        world.queue("b", "settle", ResolutionPolicy::None {});
        world.run();
        world.acts("v2", vec![let_go(vec!["o-51".to_owned()])]);
        world.queue("b", "drop", ResolutionPolicy::None {});
        world.run();
        // v1 learns of p+9 when it asks.
        let promises = world.keys("v1.c.p-");
        let vref = promises.first().expect("v1 was told of a promise")["v1.c.".len()..].to_owned();
        world.go(vec![subscribe(&vref)]);
    });
}

#[test]
fn a_promise_that_names_itself_and_was_told_to_all_leaves_nothing() {
    check(|world| {
        world.acts(
            "v2",
            vec![vec![
                settle("p-60", false, "#[\"&0\"]", &["p+9"]),
                settle("p+9", false, "#1", &[]),
            ]],
        );
        world.call_of("o-50", "#[\"get\",[]]", &[], "p+5");
    });
}

#[test]
fn dynamic_vats_meters_and_admin_nodes_leave_nothing() {
    check(|world| {
        world.acts("v2", vec![vec![settle("p-60", false, "#1", &[])]]);
        world.call_of("o-52", "#[\"createMeter\",[1000,5]]", &[], "p+5");
        world.acts(
            "v3",
            vec![vec![
                VatSyscall::VatstoreSet {
                    key: "k".to_owned(),
                    value: Blob(vec![1]),
                },
                send("o-50", "#[\"hello\",[\"$0\"]]", &["o+6"], Some("p+6")),
                subscribe("p+6"),
            ]],
        );
        let body = "#[\"createVat\",[\"$0\",{\"meter\":\"$1\",\"vatParameters\":\"$2\"}]]";
        world.call_of("o-52", body, &["d-74", "o-53", "o-50"], "p+6");
        world.call_of("o-53", "#[\"getNotifier\",[]]", &[], "p+7");
        world.call_of("o-54", "#[\"done\",[]]", &[], "p+8");
        world.call_of("o-54", "#[\"upgrade\",[\"$0\"]]", &["d-74"], "p+9");
        world.go(vec![send(
            "o-54",
            "#[\"terminateWithFailure\",[\"$0\"]]",
            &["o+8"],
            None,
        )]);
        let vrefs: Vec<String> = world
            .keys("v2.c.o-")
            .iter()
            .map(|key| key["v2.c.".len()..].to_owned())
            .collect();
        let vrefs: Vec<String> = vrefs.into_iter().filter(|vref| vref != "o-50").collect();
        world.acts("v2", vec![let_go(vrefs)]);
        world.queue("b", "drop", ResolutionPolicy::None {});
        world.run();
    });
}

#[test]
fn vats_and_upgrades_that_fail_leave_nothing() {
    check(|world| {
        world.acts("v3", vec![vec![subscribe("p-99")]]);
        world.call_of(
            "o-52",
            "#[\"createVat\",[\"$0\",{\"vatParameters\":\"$1\"}]]",
            &["d-74", "o+4"],
            "p+5",
        );
        let id = world.install('a');
        world.acts("v2", vec![vec![], vec![subscribe("p-99")]]);
        world.call(&Command::UpgradeStaticVat {
            vat_name: "b".to_owned(),
            bundle_id: id,
            parameters: CapData {
                body: "#\"$0\"".to_owned(),
                slots: vec!["ko20".to_owned()],
            },
            message: String::new(),
        });
        world.run();
    });
}

#[test]
fn objects_that_lose_their_owner_go_with_their_last_importer() {
    check(|world| {
        world.acts("v2", vec![vec![send("o-50", "#[\"take\",[]]", &["o+7", "o+8"], None)]]);
        world.queue("b", "give", ResolutionPolicy::None {});
        world.run();
        world.acts(
            "v2",
            vec![vec![VatSyscall::AbandonExports {
                vrefs: vec!["o+7".to_owned(), "o+8".to_owned()],
            }]],
        );
        world.queue("b", "abandon", ResolutionPolicy::None {});
        world.run();
    });
}

#[test]
fn cycles_between_vats_are_not_collected() {
    let mut world = World::started(&["bootstrap", "b"]);
    // v1's o+4 is held by v2, whose o+7 is held by v1: each vat would drop its import if its own export were dropped first.
    world.acts("v2", vec![vec![send("o-50", "#[\"take\",[]]", &["o+7"], None)]]);
    world.go(vec![send("o-50", "#[\"hold\",[]]", &["o+0", "o+4"], None)]);
    world.run();
    world.call(&Command::ReapAllVats {});
    world.run();
    let held = world.text("v1.c.o+4").expect("the entry stays");
    assert_eq!(world.text(&format!("{held}.refCount")).as_deref(), Some("1,1"));
    let back = world.keys("v1.c.o-52");
    assert_eq!(back, ["v1.c.o-52"], "and so does the other half");
}
