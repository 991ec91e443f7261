//! Vat upgrade: what the new incarnation keeps, what others see of it, and what a failure leaves.

use swingset_abi::{
    kernel::{Command, PromiseState, Reply, ResolutionPolicy, VatOptions, VatSource},
    vat::{CapData, DeliveryVerdict, VatDelivery, VatSyscall},
    wire::{Blob, Wire},
};

use crate::world::{Act, World, data, send, settle, subscribe};

/// `v1` is bootstrap and has `v2`'s root as `o-50`; the new code is at the ID given.
fn world() -> (World, String) {
    let mut world = World::started(&["bootstrap", "b"]);
    let id = world.install('c');
    world.kv.insert(b"supervisorBundleID".to_vec(), b"b1-newer".to_vec());
    (world, id)
}

fn upgrade(world: &mut World, name: &str, bundle_id: &str, parameters: CapData) -> Reply {
    world.call(&Command::UpgradeStaticVat {
        vat_name: name.to_owned(),
        bundle_id: bundle_id.to_owned(),
        parameters,
        message: "a \"better\" one".to_owned(),
    })
}

/// Upgrades `b` (v2) and runs; gives the result.
fn upgraded(world: &mut World, bundle_id: &str) -> PromiseState {
    let Reply::Queued { kpid: Some(kpid) } = upgrade(world, "b", bundle_id, data("#{}", &[])) else {
        return PromiseState::Unknown {};
    };
    world.call(&Command::RegisterInterest { kpid: kpid.clone() });
    world.run();
    world.promise(&kpid)
}

fn to_v2(world: &World) -> Vec<VatDelivery> {
    let all = world.delivered().into_iter();
    all.filter(|(vat, _)| vat == "v2")
        .map(|(_, delivery)| delivery)
        .collect()
}

const DISCONNECTED: &str = r##"#{"incarnationNumber":0,"name":"vatUpgraded","upgradeMessage":"a \"better\" one"}"##;

#[test]
fn an_upgrade_is_one_crank_of_bring_out_your_dead_and_start() {
    let (mut world, id) = world();
    let parameters = data("#\"$0\"", &["ko20"]);
    let Reply::Queued { kpid: Some(kpid) } = upgrade(&mut world, "b", &id, parameters) else {
        unreachable!("it is queued")
    };
    world.call(&Command::RegisterInterest { kpid: kpid.clone() });
    let reports = world.run();
    let crank = reports
        .iter()
        .find(|report| report.vat_id.as_deref() == Some("v2"))
        .expect("a crank of the vat's");
    assert_eq!(
        (crank.aborted, crank.computrons),
        (false, 14),
        "both deliveries are charged"
    );
    let parameters = data("#\"$0\"", &["o-50"]);
    assert_eq!(
        to_v2(&world),
        [VatDelivery::BringOutYourDead {}, VatDelivery::StartVat { parameters }]
    );
    assert_eq!(
        world.promise(&kpid),
        PromiseState::Fulfilled {
            data: data("#{\"incarnationNumber\":1}", &[])
        }
    );
    let source = VatSource {
        bundle_id: id,
        supervisor_bundle_id: "b1-newer".to_owned(),
        lockdown_bundle_id: "b1-lockdown".to_owned(),
    };
    assert_eq!(
        world.vats.borrow().replaced,
        [("v2".to_owned(), source)],
        "the host sees the new source by then"
    );
    assert_eq!(world.text("v2.incarnation").as_deref(), Some("1"));
}

#[test]
fn the_vatstore_the_root_and_durable_exports_stay() {
    let (mut world, id) = world();
    world.go(vec![send("o-50", "#[\"meet\",[]]", &["o+0"], None)]);
    world.acts(
        "v2",
        vec![vec![
            VatSyscall::VatstoreSet {
                key: "kept".to_owned(),
                value: Blob(b"1".to_vec()),
            },
            send("o-50", "#[\"take\",[]]", &["o+7", "o+v3/1", "o+d4/1", "o+d4/2"], None),
        ]],
    );
    world.queue("b", "give", ResolutionPolicy::None {});
    world.run();
    let import = |world: &World, vref: &str| world.text(&format!("v1.c.{vref}")).expect("v1 has it");
    let krefs: Vec<String> = ["o-52", "o-53", "o-54", "o-55"]
        .iter()
        .map(|vref| import(&world, vref))
        .collect();
    assert_eq!(
        upgraded(&mut world, &id),
        PromiseState::Fulfilled {
            data: data("#{\"incarnationNumber\":1}", &[])
        }
    );
    let owners: Vec<Option<String>> = krefs.iter().map(|kref| world.text(&format!("{kref}.owner"))).collect();
    let v2 = Some("v2".to_owned());
    assert_eq!(
        owners,
        [None, None, v2.clone(), v2],
        "a plain and a virtual object are orphaned, durable ones are not"
    );
    assert_eq!(world.text("v2.c.o+7"), None);
    assert_eq!(world.text("v2.c.o+0").as_deref(), Some("ko21"));
    assert_eq!(world.text("v2.vs.kept").as_deref(), Some("1"));
    let splat = world.call_of("o-52", "#[\"hello\",[]]", &[], "p+9");
    assert!(splat.contains("vat terminated"), "{splat}");
    world.go(vec![send("o-54", "#[\"hello\",[]]", &[], None)]);
    assert_eq!(
        world.messages().last().map(String::as_str),
        Some("v2 o+d4/1 #[\"hello\",[]] [] -")
    );
}

#[test]
fn promises_that_it_decided_are_disconnected() {
    let (mut world, id) = world();
    world.go(vec![send("o-50", "#[\"slow\",[]]", &[], Some("p+5")), subscribe("p+5")]);
    assert!(world.text("v2.c.p-60").is_some());
    upgraded(&mut world, &id);
    assert_eq!(world.notifies(), [format!("v1 p+5!{DISCONNECTED}[]")]);
    assert_eq!(world.keys("v2.c.p"), Vec::<String>::new());
}

#[test]
fn it_is_told_of_its_own_promises_when_it_watched_them() {
    let (mut world, id) = world();
    world.acts("v2", vec![vec![subscribe("p-60")]]);
    world.go(vec![send("o-50", "#[\"slow\",[]]", &[], Some("p+5"))]);
    upgraded(&mut world, &id);
    assert_eq!(world.notifies(), [format!("v2 p-60!{DISCONNECTED}[]")]);
    assert_eq!(world.keys("v2.c.p"), Vec::<String>::new());
}

#[test]
fn promises_that_it_only_waits_for_stay() {
    let (mut world, id) = world();
    // v1 sends its own promise p+5, which v2 watches, and settles it after the upgrade.
    world.acts("v2", vec![vec![subscribe("p-60")]]);
    world.go(vec![send("o-50", "#[\"wait\",[\"&0\"]]", &["p+5"], None)]);
    upgraded(&mut world, &id);
    world.go(vec![settle("p+5", false, "#1", &[])]);
    assert_eq!(world.notifies(), ["v2 p-60=#1[]"]);
}

#[test]
fn messages_that_wait_meanwhile_reach_the_new_incarnation() {
    let (mut world, id) = world();
    let Reply::Queued { .. } = upgrade(&mut world, "b", &id, data("#{}", &[])) else {
        return;
    };
    world.queue("b", "after", ResolutionPolicy::None {});
    world.run();
    let last = to_v2(&world).pop();
    assert!(matches!(last, Some(VatDelivery::Message { .. })), "{last:?}");
}

/// Everything of a failed upgrade is undone, the vat lives on, and whoever asked is told why.
#[track_caller]
fn check_failure(fails: impl Fn(&VatDelivery) -> bool + 'static, act: Act, words: &str) {
    let (mut world, id) = world();
    world.go(vec![
        send("o-50", "#[\"slow\",[]]", &["o+4"], Some("p+5")),
        subscribe("p+5"),
    ]);
    world.acts("v2", vec![vec![send("o-50", "#[\"mine\",[]]", &["o+7"], None)]]);
    world.queue("b", "give", ResolutionPolicy::None {});
    world.run();
    let before = world.kv.clone();
    world.script(
        "v2",
        move |delivery| if fails(delivery) { act.clone() } else { Act::of(vec![]) },
    );
    let reason = format!("the vat was not upgraded: {words}");
    let error = data(&format!("#{{\"#error\":\"{reason}\",\"name\":\"Error\"}}"), &[]);
    assert_eq!(upgraded(&mut world, &id), PromiseState::Rejected { data: error });
    let changed: Vec<String> = world
        .kv
        .iter()
        .filter(|(key, value)| before.get(*key) != Some(value))
        .map(|(key, _)| String::from_utf8_lossy(key).into_owned())
        .collect();
    let kpid_parts = |key: &String| key.starts_with("kp4") || key == "kp.nextID";
    let moved = ["acceptanceQueue", "crankNumber", "runQueue"];
    assert!(
        changed
            .iter()
            .all(|key| kpid_parts(key) || moved.contains(&key.as_str())),
        "{changed:?}"
    );
    assert_eq!(world.vats.borrow().restored, ["v2"]);
    assert_eq!(world.vats.borrow().abandoned, Vec::<String>::new());
    assert_eq!(world.notifies(), Vec::<String>::new(), "nothing was disconnected");
    world.queue("b", "after", ResolutionPolicy::None {});
    world.run();
    assert!(matches!(to_v2(&world).last(), Some(VatDelivery::Message { .. })));
}

fn is_start(delivery: &VatDelivery) -> bool {
    matches!(delivery, VatDelivery::StartVat { .. })
}

fn failing(verdict: DeliveryVerdict) -> Act {
    let syscalls = vec![send("o+0", "#[\"never\",[]]", &[], None)];
    Act {
        syscalls,
        verdict,
        computrons: 5,
    }
}

#[test]
fn a_start_that_traps_leaves_the_old_incarnation() {
    let act = failing(DeliveryVerdict::Error {
        problem: "a durable kind was not defined".to_owned(),
    });
    check_failure(is_start, act, "delivery error: a durable kind was not defined");
}

#[test]
fn a_start_that_uses_up_its_limit_leaves_the_old_incarnation() {
    check_failure(is_start, failing(DeliveryVerdict::MeterExhausted {}), "meter exhausted");
}

#[test]
fn a_start_with_an_illegal_syscall_leaves_the_old_incarnation() {
    let act = Act::of(vec![subscribe("p-99")]);
    check_failure(is_start, act, "illegal syscall: vref was not allocated by the kernel");
}

#[test]
fn a_start_that_exits_leaves_the_old_incarnation() {
    let act = Act::of(vec![VatSyscall::Exit {
        failure: false,
        info: data("#1", &[]),
    }]);
    check_failure(is_start, act, "exit");
}

#[test]
fn a_vat_that_cannot_bring_out_its_dead_is_not_upgraded() {
    let act = failing(DeliveryVerdict::Error {
        problem: "trap".to_owned(),
    });
    check_failure(
        |delivery| *delivery == VatDelivery::BringOutYourDead {},
        act,
        "delivery error: trap",
    );
}

#[test]
fn what_cannot_be_upgraded_is_refused_before_anything_is_queued() {
    let (mut world, id) = world();
    let before = world.kv.clone();
    let nothing = data("#{}", &[]);
    let unknown = format!("b1-{}", "9".repeat(128));
    for (name, bundle_id, parameters, expected) in [
        ("c", id.as_str(), nothing.clone(), 4),
        ("b", unknown.as_str(), nothing.clone(), 4),
        ("b", "b1-short", nothing.clone(), 4),
        ("b", id.as_str(), data("#\"$0\"", &["ko99"]), 4),
    ] {
        let reply = upgrade(&mut world, name, bundle_id, parameters);
        assert!(
            matches!(reply, Reply::Refused { code, .. } if code == expected),
            "{name} {bundle_id}: {reply:?}"
        );
    }
    assert_eq!(world.kv, before);
    world.call(&Command::TerminateVat {
        vat_id: "v2".to_owned(),
        reason: nothing.clone(),
    });
    assert!(matches!(
        upgrade(&mut world, "b", &id, nothing),
        Reply::Refused { code: 5, .. }
    ));
}

#[test]
fn a_vat_that_ends_before_its_upgrade_is_not_upgraded() {
    let (mut world, id) = world();
    let Reply::Queued { kpid: Some(kpid) } = upgrade(&mut world, "b", &id, data("#\"$0\"", &["ko20"])) else {
        return;
    };
    world.call(&Command::RegisterInterest { kpid: kpid.clone() });
    world.call(&Command::TerminateVat {
        vat_id: "v2".to_owned(),
        reason: CapData::default(),
    });
    world.run();
    let error = data("#{\"#error\":\"vat terminated\",\"name\":\"Error\"}", &[]);
    assert_eq!(world.promise(&kpid), PromiseState::Rejected { data: error });
}

#[test]
fn an_admin_node_upgrades_its_vat_and_its_meter_pays() {
    let (mut world, id) = world();
    world.call_of("o-51", "#[\"createVatAdminService\",[]]", &[], "p+1");
    world.call_of("o-52", &format!("#[\"getBundleCap\",[\"{id}\"]]"), &[], "p+2");
    world.call_of("o-52", "#[\"createMeter\",[100,0]]", &[], "p+3");
    world.call_of(
        "o-52",
        "#[\"createVat\",[\"$0\",{\"meter\":\"$1\"}]]",
        &["d-74", "o-53"],
        "p+4",
    );
    let body = "#[\"upgrade\",[\"$0\",{\"upgradeMessage\":\"m\",\"vatParameters\":[1]}]]";
    assert_eq!(
        world.call_of("o-54", body, &["d-74"], "p+5"),
        "v1 p+5=#{\"incarnationNumber\":1}[]"
    );
    assert_eq!(
        world.call_of("o-54", body, &["d-74"], "p+6"),
        "v1 p+6=#{\"incarnationNumber\":2}[]"
    );
    assert_eq!(
        world.text("m1.remaining").as_deref(),
        Some("65"),
        "seven a delivery, five deliveries"
    );
    world.script("v3", |_| Act {
        syscalls: vec![],
        verdict: DeliveryVerdict::Ok {},
        computrons: 40,
    });
    let told = world.call_of("o-54", body, &["d-74"], "p+7");
    assert!(told.contains("the vat was not upgraded: meter underflow"), "{told}");
    assert_eq!(world.text("m1.remaining").as_deref(), Some("0"));
    let options = VatOptions::from_bytes(&world.kv[&b"v3.options".to_vec()]).unwrap();
    assert_eq!(options.meter.as_deref(), Some("m1"));
}
