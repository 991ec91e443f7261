//! What vats take of the store, charged, refunded and held to its cap.

use swingset_abi::{
    kernel::{Command, CrankReport, PromiseState, ResolutionPolicy, StaticVat},
    vat::{CapData, VatSyscall},
    wire::Blob,
};

use crate::{
    audit,
    tally::{check, figure},
    world::{Act, World, data, let_go, send, settle, subscribe, vat},
};

pub fn store(key: &str, bytes: usize) -> VatSyscall {
    VatSyscall::VatstoreSet {
        key: key.to_owned(),
        value: Blob(vec![7; bytes]),
    }
}

pub fn delete(key: &str) -> VatSyscall {
    VatSyscall::VatstoreDelete { key: key.to_owned() }
}

fn capped(name: &str, max: u64) -> StaticVat {
    let mut capped = vat(name);
    capped.options.stored_bytes_max = max;
    capped
}

/// `bootstrap` and a vat `b` with this cap, started; bootstrap imports `b` as `o-50`.
fn with_cap(max: u64) -> World {
    let mut world = World::with(vec![vat("bootstrap"), capped("b", max), vat("c")]);
    world.acts("v1", vec![vec![], vec![settle("p-60", false, "#true", &[])]]);
    world.run();
    world.script("v1", |_| Act::of(Vec::new()));
    world.vats.borrow_mut().delivered.clear();
    world
}

/// Tells `b` to do this; gives the crank's report.
fn told(world: &mut World, syscalls: Vec<VatSyscall>) -> CrankReport {
    world.acts("v2", vec![syscalls]);
    world.queue("b", "go", ResolutionPolicy::None {});
    let reports = world.run();
    check(world);
    let ran = reports
        .into_iter()
        .find(|report| report.vat_id.as_deref() == Some("v2"));
    ran.expect("b ran")
}

const TOO_MUCH: &str = "illegal syscall: more stored bytes than the vat may have";

#[test]
fn each_kind_of_what_a_vat_stores_is_charged_and_refunded() {
    let mut world = with_cap(100_000);
    let before = figure(&world, "v2").unwrap();
    assert_eq!(before.1, 100_000, "the cap is the one of its options");
    let charged = |world: &World| figure(world, "v2").unwrap().0 - before.0;
    told(&mut world, vec![store("k", 10)]);
    assert_eq!(charged(&world), "v2.vs.k".len() as u64 + 10);
    told(&mut world, vec![store("k", 4)]);
    assert_eq!(
        charged(&world),
        "v2.vs.k".len() as u64 + 4,
        "a shorter value takes less"
    );
    told(&mut world, vec![delete("k"), delete("k")]);
    assert_eq!(charged(&world), 0);
    // An export lives as long as others know it.
    world.go(vec![send("o-50", "#[\"knows\",[]]", &["o+0"], None)]);
    let known = figure(&world, "v2").unwrap().0;
    told(&mut world, vec![send("o-50", "#[\"take\",[]]", &["o+9"], None)]);
    assert!(figure(&world, "v2").unwrap().0 > known);
    let vref = world.keys("v1.c.o-").pop().unwrap()["v1.c.".len()..].to_owned();
    world.go(let_go(vec![vref]));
    assert_eq!(figure(&world, "v2").unwrap().0, known, "it was dropped and retired");
}

#[test]
fn the_data_of_a_settled_promise_is_charged_to_who_settled_it_until_it_is_gone() {
    let mut world = with_cap(100_000);
    let before = figure(&world, "v2").unwrap().0;
    let body = format!("#\"{}\"", "x".repeat(1000));
    world.acts("v2", vec![vec![settle("p-60", false, &body, &[])]]);
    let kpid = world.ask("b", "get");
    world.run();
    check(&world);
    let held = figure(&world, "v2").unwrap().0 - before;
    assert!((1000..1100).contains(&held), "{held}");
    world.call(&Command::ReleaseInterest { kpid: kpid.clone() });
    assert!(matches!(world.promise(&kpid), PromiseState::Unknown {}));
    assert_eq!(figure(&world, "v2").unwrap().0, before);
}

#[test]
fn messages_to_a_promise_are_charged_while_they_wait() {
    let mut world = with_cap(100_000);
    // v1 asks v3, which answers later; v2 has the promise and sends to it.
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.acts(
        "v1",
        vec![vec![
            send("o-51", "#[\"get\",[]]", &[], Some("p+5")),
            send("o-50", "#[\"use\",[]]", &["p+5"], None),
        ]],
    );
    let body = format!("#[\"{}\",[]]", "x".repeat(500));
    world.acts(
        "v2",
        vec![vec![send("p-60", &body, &[], None), send("p-60", &body, &[], None)]],
    );
    world.run();
    check(&world);
    let waiting = figure(&world, "v2").unwrap().0;
    assert!(waiting > 1000, "{waiting}");
    world.acts("v3", vec![vec![settle("p-60", false, "#\"$0\"", &["o+0"])]]);
    world.queue("c", "answer", ResolutionPolicy::None {});
    world.run();
    check(&world);
    assert_eq!(
        world
            .messages()
            .iter()
            .filter(|line| line.starts_with("v3 o+0 #[\"x"))
            .count(),
        2
    );
    assert!(figure(&world, "v2").unwrap().0 < waiting - 1000);
}

#[test]
fn a_message_to_a_vat_that_died_is_refunded_and_a_dead_sender_is_owed_nothing() {
    let mut world = with_cap(100_000);
    let long = format!("#[\"{}\",[]]", "x".repeat(5000));
    world.go(vec![send("o-50", "#[\"knows\",[]]", &["o+0"], None)]);
    let before = (figure(&world, "v1"), figure(&world, "v2"));
    world.acts(
        "v2",
        vec![vec![send("o-50", &long, &[], None), send("o-50", &long, &[], None)]],
    );
    world.acts("v1", vec![vec![subscribe("p-99")]]);
    world.queue("b", "flood", ResolutionPolicy::None {});
    world.run();
    check(&world);
    assert_eq!(figure(&world, "v1"), None, "it died of the first");
    assert!(
        figure(&world, "v2").unwrap().0 <= before.1.unwrap().0,
        "and both were given up"
    );
    let mut world = with_cap(100_000);
    world.go(vec![send("o-50", "#[\"knows\",[]]", &["o+0"], None)]);
    world.acts(
        "v2",
        vec![vec![
            send("o-50", &long, &[], None),
            VatSyscall::Exit {
                failure: false,
                info: data("#0", &[]),
            },
        ]],
    );
    world.queue("b", "leave", ResolutionPolicy::None {});
    world.run();
    check(&world);
    assert!(
        world.messages().last().unwrap().contains("xxx"),
        "what it sent is delivered"
    );
}

#[test]
fn a_vat_that_floods_is_stopped_at_its_cap_and_nobody_else_is() {
    let many = |what: fn(usize) -> VatSyscall| (0..300).map(what).collect::<Vec<_>>();
    for flood in [
        many(|n| store(&format!("k{n}"), 100)),
        many(|n| send("o+0", "#[\"me\",[]]", &[&format!("o+{}", n + 1)], None)),
        many(|n| send("o+0", "#[\"me\",[]]", &[], Some(&format!("p+{}", n + 1)))),
        many(|n| send("o+0", "#[\"me\",[]]", &[&format!("p+{}", n + 1)], None)),
        many(|n| {
            settle(
                &format!("p+{}", n + 1),
                false,
                "#\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
                &[],
            )
        }),
        many(|_| send("o+0", &format!("#[\"{}\",[]]", "x".repeat(5000)), &[], None)),
        vec![store("one", 8_000)],
    ] {
        let mut world = with_cap(8_000);
        let first = figure(&world, "v2").unwrap().0;
        assert!(first < 1_000, "{first}");
        let report = told(&mut world, flood);
        assert_eq!((report.aborted, report.terminated.as_deref()), (true, Some(TOO_MUCH)));
        assert_eq!(world.keys("v2."), Vec::<String>::new(), "nothing of it is left");
        let kpid = world.ask("c", "go");
        world.acts("v3", vec![vec![store("k", 10_000), settle("p-60", false, "#1", &[])]]);
        world.run();
        check(&world);
        assert!(
            matches!(world.promise(&kpid), PromiseState::Fulfilled { .. }),
            "others go on"
        );
    }
}

#[test]
fn a_vat_at_its_cap_may_still_do_what_needs_no_room() {
    let mut world = with_cap(8_000);
    assert_eq!(told(&mut world, vec![store("k", 7_500)]).terminated, None);
    let (bytes, max) = figure(&world, "v2").unwrap();
    let exactly = 7_500 + (max - bytes) as usize;
    assert_eq!(
        told(&mut world, vec![store("k", exactly)]).terminated,
        None,
        "the cap itself is allowed"
    );
    assert_eq!(figure(&world, "v2"), Some((8_000, 8_000)));
    assert_eq!(
        told(
            &mut world,
            vec![store("k", exactly), store("k", 5), store("k", exactly)]
        )
        .terminated,
        None
    );
    assert_eq!(
        told(&mut world, vec![send("o+0", "#[\"me\",[]]", &[], None)]).terminated,
        None
    );
    let report = told(&mut world, vec![store("k", exactly + 1)]);
    assert_eq!(report.terminated.as_deref(), Some(TOO_MUCH));
}

#[test]
fn what_others_send_to_a_full_vat_is_turned_away_and_does_not_end_it() {
    let mut world = with_cap(8_000);
    told(&mut world, vec![store("k", 7_000)]);
    let slots: Vec<String> = (1..60).map(|n| format!("o+{n}")).collect();
    let slots: Vec<&str> = slots.iter().map(String::as_str).collect();
    let before = figure(&world, "v2");
    let told_of = world.call_of("o-50", "#[\"take\",[]]", &slots, "p+9");
    assert!(told_of.contains("the receiver's stored state is full"), "{told_of}");
    check(&world);
    audit::check(&world);
    assert_eq!(figure(&world, "v2"), before, "and takes no room of it");
    world.acts("v2", vec![vec![settle("p-60", false, "#1", &[])]]);
    assert_eq!(world.call_of("o-50", "#[\"take\",[]]", &[], "p+10"), "v1 p+10=#1[]");
    assert_eq!(
        world.keys("ko").iter().filter(|key| key.ends_with(".owner")).count(),
        4,
        "what was offered is gone"
    );
}

#[test]
fn a_policy_is_the_ceiling_and_an_upgrade_takes_the_present_one() {
    let mut world = World::default();
    world
        .kv
        .insert(b"supervisorBundleID".to_vec(), b"b1-supervisor".to_vec());
    world.kv.insert(b"lockdownBundleID".to_vec(), b"b1-lockdown".to_vec());
    world
        .kv
        .insert(b"storedBytesMax.b1-lockdown".to_vec(), b"5000".to_vec());
    world.call(&Command::Initialize {
        vats: vec![vat("a"), capped("b", 4_000), capped("c", 6_000)],
        supervisor_bundle_id: "b1-supervisor".to_owned(),
        lockdown_bundle_id: "b1-lockdown".to_owned(),
    });
    world.run();
    let caps = ["v1", "v2", "v3"].map(|vat| figure(&world, vat).unwrap().1);
    assert_eq!(caps, [5_000, 4_000, 5_000]);
    world.kv.insert(b"lockdownBundleID".to_vec(), b"b1-tighter".to_vec());
    world.kv.insert(b"storedBytesMax.b1-tighter".to_vec(), b"3000".to_vec());
    let bundle_id = world.install('a');
    let bytes = figure(&world, "v1").unwrap().0;
    world.call(&Command::UpgradeStaticVat {
        vat_name: "a".to_owned(),
        bundle_id,
        parameters: CapData {
            body: "#{}".to_owned(),
            slots: vec![],
        },
        message: String::new(),
    });
    world.run();
    check(&world);
    assert_eq!(figure(&world, "v1"), Some((bytes, 3_000)), "what it has is kept");
    assert_eq!(figure(&world, "v3").unwrap().1, 5_000, "others keep their policy");
}

#[test]
fn a_dynamic_vat_has_the_cap_that_it_was_made_with_and_one_that_starts_over_it_is_not_made() {
    let mut world = World::started(&["bootstrap", "b"]);
    let id = world.install('a');
    world.call_of("o-51", "#[\"createVatAdminService\",[]]", &[], "p+1");
    world.call_of("o-52", &format!("#[\"getBundleCap\",[\"{id}\"]]"), &[], "p+2");
    let body = "#[\"createVat\",[\"$0\",{\"storedBytesMax\":1000}]]";
    world.call_of("o-52", body, &["d-74"], "p+3");
    check(&world);
    assert_eq!(figure(&world, "v3").unwrap().1, 1_000);
    world.acts("v4", vec![vec![store("k", 1_000)]]);
    let told = world.call_of("o-52", body, &["d-74"], "p+4");
    assert!(
        told.contains("the vat could not be created: illegal syscall: more stored bytes"),
        "{told}"
    );
    check(&world);
    assert_eq!(world.keys("v4."), Vec::<String>::new());
    let none = world.call_of(
        "o-52",
        "#[\"createVat\",[\"$0\",{\"storedBytesMax\":0}]]",
        &["d-74"],
        "p+5",
    );
    assert!(none.contains("storedBytesMax"), "{none}");
}

#[test]
fn the_cap_of_a_dynamic_vat_is_changed_by_its_admin_and_no_higher_than_its_policy() {
    let mut world = World::started(&["bootstrap", "b"]);
    world.kv.insert(b"storedBytesMax.b1-lockdown".to_vec(), b"9000".to_vec());
    let id = world.install('a');
    world.call_of("o-51", "#[\"createVatAdminService\",[]]", &[], "p+1");
    world.call_of("o-52", &format!("#[\"getBundleCap\",[\"{id}\"]]"), &[], "p+2");
    let body = "#[\"createVat\",[\"$0\",{\"storedBytesMax\":1000}]]";
    world.call_of("o-52", body, &["d-74"], "p+3");
    let mut result = 3;
    let mut change = |world: &mut World, max: &str| {
        result += 1;
        let body = format!("#[\"changeOptions\",[{{\"storedBytesMax\":{max}}}]]");
        world.call_of("o-53", &body, &[], &format!("p+{result}"))
    };
    // What the vat does next; whether it lives on.
    let stores = |world: &mut World, bytes: usize| {
        world.acts("v3", vec![vec![store("k", bytes)]]);
        world.go(vec![send("o-54", "#[\"go\",[]]", &[], None)]);
        check(world);
        figure(world, "v3").is_some()
    };
    for (asked, has) in [("5000", 5_000), ("10000", 9_000), ("2000", 2_000)] {
        assert!(change(&mut world, asked).contains("undefined"));
        assert_eq!(figure(&world, "v3").unwrap().1, has);
        assert!(stores(&mut world, has as usize - 200), "there is room for it");
    }
    // Below what it has, it lives on and may free some.
    change(&mut world, "500");
    assert!(stores(&mut world, 1_000));
    assert!(!stores(&mut world, 1_001), "more than it had, and more than it may have");
    for refused in ["0", "\"+0\"", "-1", "\"much\""] {
        let told = change(&mut world, refused);
        assert!(told.contains("an option is unknown"), "{refused}: {told}");
    }
}
