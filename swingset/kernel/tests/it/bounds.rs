//! What one crank does is bounded, whatever was gathered before it: the rest is left to other cranks, or told in few words.

use std::collections::BTreeMap;

use swingset_abi::{
    kernel::{Command, CrankKind, PromiseState, Reply, ResolutionPolicy},
    vat::{DeliveryVerdict, Resolution, VatDelivery, VatSyscall},
};

use crate::{
    admin, audit,
    world::{Act, World, data, send, settle, subscribe, vat},
};

/// Bytes of a large body.
const LARGE: usize = 200_000;

fn large() -> String {
    format!("#\"{}\"", "x".repeat(LARGE))
}

/// Keys that changed.
fn changed(before: &BTreeMap<Vec<u8>, Vec<u8>>, after: &BTreeMap<Vec<u8>, Vec<u8>>) -> usize {
    let gone = before.keys().filter(|key| !after.contains_key(*key)).count();
    gone + after.iter().filter(|(key, value)| before.get(*key) != Some(value)).count()
}

/// Cranks until idle, none of which may change more keys; the audit holds after each.
#[track_caller]
fn run_in_small_steps(world: &mut World, changes_max: usize) -> usize {
    for cranks in 0.. {
        let before = world.kv.clone();
        let report = world.step();
        assert_eq!(report.panic, None);
        audit::check(world);
        let changes = changed(&before, &world.kv);
        assert!(changes <= changes_max, "crank {cranks} changed {changes} keys");
        if report.kind == (CrankKind::Idle {}) {
            return cranks;
        }
    }
    0
}

#[test]
fn messages_that_waited_go_on_one_a_crank_and_before_those_sent_after_the_settlement() {
    let mut world = World::started(&["bootstrap", "b"]);
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    let mut calls = vec![send("o-50", "#[\"get\",[]]", &[], Some("p+5"))];
    calls.extend((0..300).map(|number| send("p+5", &format!("#[\"use\",[{number}]]"), &[], None)));
    world.acts("v1", vec![calls]);
    world.acts("v2", vec![vec![settle("p-60", false, "#\"$0\"", &["o+9"])]]);
    // Up to v2's delivery.
    while world.messages().len() < 2 {
        world.step();
    }
    let waiting = world.keys("acceptanceQueue.").len();
    assert_eq!(waiting, 1, "one item stands for all");
    world.queue("b", "later", ResolutionPolicy::None {});
    run_in_small_steps(&mut world, 20);
    let mut expected: Vec<String> = (0..300).map(|number| format!("v2 o+9 #[\"use\",[{number}]] [] -")).collect();
    expected.push("v2 o+0 #[\"later\",[]] [] -".to_owned());
    assert_eq!(world.messages()[2..], expected);
    assert_eq!(world.keys("kp41.queue"), Vec::<String>::new());
}

#[test]
fn messages_that_moved_to_a_vat_that_ended_meanwhile_wait_again_and_are_answered_in_their_order() {
    let mut pipelining = vat("b");
    pipelining.options.pipelining = true;
    let mut world = World::with(vec![vat("bootstrap"), pipelining]);
    let settled = settle("p-60", false, "#true", &[]);
    let mut calls = vec![send("o-50", "#[\"get\",[]]", &[], Some("p+5"))];
    for number in 6..10 {
        let result = format!("p+{number}");
        calls.push(send("p+5", "#[\"use\",[]]", &[], Some(&result)));
        calls.push(subscribe(&result));
    }
    world.acts("v1", vec![vec![], [vec![settled], calls].concat()]);
    world.script("v2", |delivery| Act {
        verdict: DeliveryVerdict::Ok {},
        computrons: 1,
        syscalls: match delivery {
            VatDelivery::Message { .. } => vec![VatSyscall::Exit { failure: false, info: data("#true", &[]) }],
            _ => Vec::new(),
        },
    });
    run_in_small_steps(&mut world, 60);
    let told = |number: usize| format!("v1 p+{number}!#{{\"#error\":\"vat terminated\",\"name\":\"Error\"}}[]");
    assert_eq!(world.notifies(), (6..10).map(told).collect::<Vec<_>>());
    assert_eq!(world.keys("kp41.queue"), Vec::<String>::new());
}

#[test]
fn a_notify_tells_of_no_more_than_its_vat_can_be_expected_to_pay_for_and_the_rest_when_asked() {
    let mut world = World::started(&["bootstrap", "b"]);
    let names: Vec<String> = (1..=9).map(|number| format!("p+{number}")).collect();
    let slots: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut resolutions = vec![Resolution { promise: "p-60".to_owned(), rejected: false, data: data("#[]", &slots) }];
    resolutions.extend(names.iter().map(|name| Resolution {
        promise: name.clone(),
        rejected: false,
        data: data(&large(), &[]),
    }));
    world.acts("v2", vec![vec![VatSyscall::Resolve { resolutions }]]);
    let ask = vec![send("o-50", "#[\"get\",[]]", &[], Some("p+5")), subscribe("p+5")];
    world.acts("v1", vec![ask, vec![subscribe("p-69")]]);
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    run_in_small_steps(&mut world, 120);
    let told: Vec<Vec<String>> = world
        .delivered()
        .into_iter()
        .filter_map(|(_, delivery)| match delivery {
            VatDelivery::Notify { resolutions } => Some(resolutions.into_iter().map(|resolution| resolution.promise)),
            _ => None,
        })
        .map(Iterator::collect)
        .collect();
    let expected = [vec!["p+5", "p-61", "p-62", "p-63", "p-64", "p-65"], vec!["p-69"]];
    assert_eq!(told, expected, "five of 200,000 bytes fit into one MiB");
}

#[test]
fn what_a_long_chain_of_promises_holds_is_deleted_over_several_cranks() {
    const LENGTH: usize = 25_000;
    let mut world = World::started(&["bootstrap"]);
    let kpid = world.ask("bootstrap", "go");
    let name = |number: usize| if number == 0 { "p-61".to_owned() } else { format!("p+{number}") };
    let link = |number: usize| settle(&name(number), false, "#[\"&0\"]", &[&name(number + 1)]);
    let mut calls: Vec<VatSyscall> = (0..LENGTH).map(link).collect();
    calls.push(settle(&name(LENGTH), false, "#true", &[]));
    world.acts("v1", vec![calls]);
    world.run();
    let left = |world: &World| world.keys("kp").iter().filter(|key| key.ends_with(".state")).count();
    assert_eq!(left(&world), LENGTH + 1);
    assert_eq!(world.call(&Command::ReleaseInterest { kpid }), Reply::Done {});
    assert_eq!(left(&world), LENGTH + 1 - 5_000, "each gave back two references");
    audit::check(&world);
    let freed: Vec<u64> = world.run().iter().map(|report| report.cleaned).collect();
    assert_eq!(freed, [10_000, 10_000, 10_000, 10_000, 0], "the run policy is told of more than a few");
    assert_eq!(world.keys("kp"), ["kp.nextID"]);
    assert_eq!((world.text("gcActions").as_deref(), world.keys("gcActions.").len()), (Some("0"), 0));
}

#[test]
fn a_vat_with_too_much_that_would_end_with_it_is_not_upgraded_and_lives_on() {
    let mut world = World::started(&["bootstrap", "b"]);
    let id = world.install('c');
    world.go(vec![send("o-50", "#[\"meet\",[]]", &["o+0"], None)]);
    let give = |batch: usize, count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("p+{}", 1 + batch * 4_000 + number)).collect();
        send("o-50", "#[\"take\",[]]", &names.iter().map(String::as_str).collect::<Vec<_>>(), None)
    };
    let upgrade = |world: &mut World, calls: Vec<VatSyscall>| {
        world.acts("v2", vec![calls]);
        world.queue("b", "give", ResolutionPolicy::None {});
        world.run();
        let command = Command::UpgradeStaticVat {
            vat_name: "b".to_owned(),
            bundle_id: id.clone(),
            parameters: data("#{}", &[]),
            message: String::new(),
        };
        let Reply::Queued { kpid: Some(kpid) } = world.call(&command) else { unreachable!("it is queued") };
        world.call(&Command::RegisterInterest { kpid: kpid.clone() });
        world.run();
        world.promise(&kpid)
    };
    let most = (0..5).map(|batch| give(batch, 4_000)).collect();
    let expected = data("#{\"incarnationNumber\":1}", &[]);
    assert_eq!(upgrade(&mut world, most), PromiseState::Fulfilled { data: expected });
    let more = (5..11).map(|batch| give(batch, if batch == 10 { 1 } else { 4_000 })).collect();
    let PromiseState::Rejected { data: reason } = upgrade(&mut world, more) else { unreachable!("it is refused") };
    assert!(reason.body.contains("was not upgraded: it has too many promises"), "{}", reason.body);
    assert_eq!(world.text("v2.incarnation").as_deref(), Some("1"));
    world.queue("b", "hello", ResolutionPolicy::None {});
    world.run();
    assert_eq!(world.messages().last().map(String::as_str), Some("v2 o+0 #[\"hello\",[]] [] -"), "it lives");
}

#[test]
fn last_words_are_copied_for_few_and_told_in_short_to_the_others_and_to_who_asks_later() {
    let mut world = admin::world();
    let told = admin::create(&mut world, "{}", &[], "p+2");
    assert!(told.ends_with("[o-53,o-54]"), "{told}");
    let asked: Vec<String> = (10..17).map(|number| format!("p+{number}")).collect();
    let done = |result: &String| vec![send("o-53", "#[\"done\",[]]", &[], Some(result)), subscribe(result)];
    world.go(asked.iter().flat_map(done).collect());
    world.script("v3", |_| Act::of(vec![VatSyscall::Exit { failure: false, info: data(&large(), &[]) }]));
    let (notified, _) = world.go(vec![send("o-54", "#[\"end\",[]]", &[], None)]);
    let whole = notified.iter().filter(|told| told.len() > LARGE).count();
    let short = notified.iter().filter(|told| told.contains("its last words are too long to be told again")).count();
    assert_eq!((whole, short), (5, 2));
    let later = world.call_of("o-53", "#[\"done\",[]]", &[], "p+20");
    assert!(later.starts_with("v1 p+20!") && later.contains("too long to be told again"), "{later}");
}

#[test]
fn a_long_rejection_is_not_copied_for_each_message_to_it() {
    for (body, expected) in [
        (format!("#\"{}\"", "x".repeat(1_000)), None),
        (format!("#\"{}\"", "x".repeat(1_100)), Some("rejected with more than is told to each message")),
    ] {
        let mut world = World::started(&["bootstrap", "b"]);
        world.queue("bootstrap", "go", ResolutionPolicy::None {});
        let calls = vec![
            send("o-50", "#[\"get\",[]]", &[], Some("p+5")),
            subscribe("p+5"),
            send("p+5", "#[\"use\",[]]", &[], Some("p+6")),
            subscribe("p+6"),
        ];
        world.acts("v1", vec![calls]);
        world.acts("v2", vec![vec![settle("p-60", true, &body, &[])]]);
        run_in_small_steps(&mut world, 40);
        let notifies = world.notifies();
        assert_eq!(notifies[0], format!("v1 p+5!{body}[]"), "who asks the promise is told all");
        match expected {
            None => assert_eq!(notifies[1], format!("v1 p+6!{body}[]")),
            Some(words) => assert!(notifies[1].contains(words), "{}", notifies[1]),
        }
    }
}

#[test]
fn an_export_that_the_host_has_named_since_may_be_retired_and_the_message_still_arrives() {
    let mut world = World::started(&["bootstrap", "b"]);
    world.go(vec![send("o-50", "#[\"take\",[\"$0\"]]", &["o+9"], None)]);
    world.acts("v2", vec![vec![VatSyscall::DropImports { vrefs: vec!["o-50".to_owned()] }]]);
    world.queue("b", "drop", ResolutionPolicy::None {});
    run_in_small_steps(&mut world, 20);
    assert_eq!(world.text("ko23.refCount").as_deref(), Some("0,1"), "only recognized");
    world.acts("v1", vec![vec![VatSyscall::RetireExports { vrefs: vec!["o+9".to_owned()] }]]);
    world.queue("bootstrap", "retire", ResolutionPolicy::None {});
    let queued = world.queue_with("b", "again", data("#[\"$0\"]", &["ko23"]), ResolutionPolicy::None {});
    assert_eq!(queued, None);
    run_in_small_steps(&mut world, 20);
    assert_eq!(world.messages().last().map(String::as_str), Some("v2 o+0 #[\"again\",[\"$0\"]] [o-50] -"));
    assert_eq!(world.text("ko23.owner"), None);
}

#[test]
fn several_subscribers_are_notified_one_a_crank_in_their_order() {
    let names: Vec<String> = (2..30).map(|number| format!("b{number}")).collect();
    let mut all = vec!["bootstrap"];
    all.extend(names.iter().map(String::as_str));
    let mut world = World::started(&all);
    let targets: Vec<String> = (0..names.len()).map(|number| format!("o-{}", 50 + number)).collect();
    for number in 2..30 {
        let later = match number {
            2 => vec![settle("p-60", false, "#true", &[])],
            _ => Vec::new(),
        };
        let first = if number == 2 { Vec::new() } else { vec![subscribe("p-60")] };
        world.acts(&format!("v{number}"), vec![first, later]);
    }
    let mut calls = vec![send(&targets[0], "#[\"get\",[]]", &[], Some("p+5"))];
    calls.extend(targets[1..].iter().map(|target| send(target, "#[\"wait\",[]]", &["p+5"], None)));
    calls.push(send(&targets[0], "#[\"settle\",[]]", &[], None));
    calls.push(subscribe("p+5"));
    world.go(calls);
    let mut expected: Vec<String> = ["v1 p+5=#true[]".to_owned()].into();
    expected.extend((3..30).map(|number| format!("v{number} p-60=#true[]")));
    expected.sort();
    assert_eq!(world.notifies(), expected, "in the order of the vats' names");
    assert_eq!(world.keys("kp"), ["kp.nextID"], "nothing of it is left");
}

#[test]
fn no_exit_fulfils_who_waits_for_it_with_a_promise() {
    let mut world = admin::world();
    admin::create(&mut world, "{}", &[], "p+2");
    let exit = VatSyscall::Exit { failure: false, info: data("#\"&0\"", &["p-60"]) };
    world.acts("v3", vec![vec![exit]]);
    let calls = vec![
        send("o-53", "#[\"done\",[]]", &[], Some("p+3")),
        subscribe("p+3"),
        send("o-54", "#[\"end\",[\"&0\"]]", &["p+3"], None),
        send("p+3", "#[\"follow\",[]]", &[], None),
    ];
    let (notified, _) = world.go(calls);
    let ended = "illegal syscall: promise fulfilled with a promise";
    assert!(notified.len() == 1 && notified[0].starts_with("v1 p+3!") && notified[0].contains(ended), "{notified:?}");
}
