//! Messages, promises, notifies: what a vat sees, and what is left in state.

use swingset_abi::{
    kernel::{CrankKind, PromiseState, ResolutionPolicy},
    vat::VatDelivery,
};

use crate::world::{Act, World, data, send, settle, subscribe, vat};

#[test]
fn first_ids_are_those_of_the_specification() {
    let world = World::with(vec![vat("bootstrap"), vat("other")]);
    assert_eq!(world.text("vat.name.bootstrap").as_deref(), Some("v1"));
    assert_eq!(world.text("v1.c.ko20").as_deref(), Some("R o+0"));
    assert_eq!(world.text("v2.c.o+0").as_deref(), Some("ko21"));
    assert_eq!(world.text("v1.o.nextID").as_deref(), Some("50"));
    assert_eq!(world.text("v1.p.nextID").as_deref(), Some("60"));
    assert_eq!(world.text("v1.d.nextID").as_deref(), Some("70"));
    assert_eq!(
        world.text("kp.nextID").as_deref(),
        Some("41"),
        "kp40 is bootstrap's result"
    );
    assert_eq!(world.text("vatAdminRootKref").as_deref(), Some("ko22"));
    assert_eq!(world.text("device.name.vatAdmin").as_deref(), Some("d7"));
    assert_eq!(world.text("kd30.owner").as_deref(), Some("d7"));
    assert_eq!(world.text("vat.names").as_deref(), Some("bootstrap,other"));
}

#[test]
fn bootstrap_gets_all_roots_after_every_vat_has_started() {
    let mut world = World::with(vec![vat("bootstrap"), vat("other")]);
    world.run();
    assert_eq!(
        world.messages(),
        [concat!(
            r##"v1 o+0 #["bootstrap",[{"bootstrap":"$0.Alleged: root","other":"$1.Alleged: root","##,
            r##""vatAdmin":"$2.Alleged: vatAdmin"},{"vatAdmin":"$3.Alleged: vatAdmin","timer":"$4.Alleged: timer","##,
            r##""mailbox":"$5.Alleged: mailbox","bridge":"$6.Alleged: bridge"}]] [o+0,o-50,o-51,d-70,d-71,d-72,d-73] p-60"##
        )]
    );
    assert_eq!(world.delivered().len(), 3, "two startVat and the message");
}

#[test]
fn a_message_goes_through_a_routing_and_a_delivery_crank() {
    let mut world = World::started(&["a"]);
    world.queue("a", "hello", ResolutionPolicy::None {});
    let kinds: Vec<CrankKind> = world.run().iter().map(|report| report.kind).collect();
    assert_eq!(kinds, [CrankKind::Routing {}, CrankKind::Delivery {}]);
    assert_eq!(world.messages(), [r##"v1 o+0 #["hello",[]] [] -"##]);
}

#[test]
fn the_decider_settles_a_result_and_the_subscriber_is_notified_once() {
    let mut world = World::started(&["bootstrap", "b"]);
    let kpid = world.ask("bootstrap", "go");
    // v1 knows v2's root as o-50 from bootstrap.
    world.acts(
        "v1",
        vec![
            vec![send("o-50", "#[\"add\",[1]]", &[], Some("p+5")), subscribe("p+5")],
            vec![settle("p-61", false, "#7", &[])],
        ],
    );
    world.acts("v2", vec![vec![settle("p-60", false, "#2", &[])]]);
    world.run();
    assert_eq!(world.notifies(), ["v1 p+5=#2[]"]);
    assert_eq!(world.promise(&kpid), PromiseState::Fulfilled { data: data("#7", &[]) });
    assert_eq!(world.keys("v1.c.p"), Vec::<String>::new());
    assert_eq!(world.keys("v2.c.p"), Vec::<String>::new());
}

#[test]
fn settled_promises_without_references_are_deleted() {
    let mut world = World::started(&["a"]);
    let kpid = world.queue("a", "go", ResolutionPolicy::Ignore {}).unwrap();
    world.acts("v1", vec![vec![settle("p-60", false, "#1", &[])]]);
    world.run();
    assert_eq!(world.keys(&kpid), Vec::<String>::new());
    assert_eq!(world.promise(&kpid), PromiseState::Unknown {});
}

#[test]
fn a_promise_that_the_host_is_interested_in_stays_until_it_is_released() {
    let mut world = World::started(&["a"]);
    let kpid = world.ask("a", "go");
    world.acts("v1", vec![vec![settle("p-60", true, "#\"no\"", &[])]]);
    world.run();
    assert_eq!(
        world.promise(&kpid),
        PromiseState::Rejected {
            data: data("#\"no\"", &[])
        }
    );
    let release = swingset_abi::kernel::Command::ReleaseInterest { kpid: kpid.clone() };
    assert_eq!(world.call(&release), swingset_abi::kernel::Reply::Done {});
    assert_eq!(world.keys(&kpid), Vec::<String>::new());
    assert!(matches!(
        world.call(&release),
        swingset_abi::kernel::Reply::Refused { code: 4, .. }
    ));
}

#[test]
fn messages_to_an_unresolved_promise_wait_and_follow_it_to_an_object() {
    let mut world = World::started(&["bootstrap", "b", "c"]);
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.acts(
        "v1",
        vec![vec![
            send("o-50", "#[\"get\",[]]", &[], Some("p+5")),
            send("p+5", "#[\"use\",[]]", &[], None),
        ]],
    );
    world.acts("v2", vec![vec![settle("p-60", false, "#\"$0\"", &["o+9"])]]);
    world.run();
    assert_eq!(
        world.messages()[1..],
        [r##"v2 o+0 #["get",[]] [] p-60"##, r##"v2 o+9 #["use",[]] [] -"##]
    );
}

#[test]
fn messages_to_data_or_a_rejection_splat_with_their_result() {
    for (rejected, body, expected) in [
        (
            false,
            "#7",
            "#{\"#error\":\"target is data: it has no methods\",\"name\":\"Error\"}",
        ),
        (true, "#\"why\"", "#\"why\""),
    ] {
        let mut world = World::started(&["bootstrap", "b"]);
        world.queue("bootstrap", "go", ResolutionPolicy::None {});
        let calls = vec![
            send("o-50", "#[\"get\",[]]", &[], Some("p+5")),
            send("p+5", "#[\"use\",[]]", &[], Some("p+6")),
            subscribe("p+6"),
        ];
        world.acts("v1", vec![calls]);
        world.acts("v2", vec![vec![settle("p-60", rejected, body, &[])]]);
        world.run();
        assert_eq!(world.notifies(), [format!("v1 p+6!{expected}[]")]);
    }
}

#[test]
fn a_message_to_a_device_splats_with_its_result() {
    let mut world = World::started(&["bootstrap", "b"]);
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    // b answers with the device that it was given; a message waits for the answer, and another comes when it is there.
    let get = send("o-50", "#[\"get\",[\"$0\"]]", &["d-71"], Some("p+5"));
    let early = [send("p+5", "#[\"use\",[]]", &[], Some("p+6")), subscribe("p+6")];
    let late = [send("p+5", "#[\"use\",[]]", &[], Some("p+7")), subscribe("p+7")];
    world.acts("v1", vec![[vec![get], early.to_vec()].concat(), late.to_vec()]);
    world.acts("v2", vec![vec![settle("p-60", false, "#\"$0.Alleged: timer\"", &["d-70"])]]);
    world.run();
    let reason = "#{\"#error\":\"target is data: it has no methods\",\"name\":\"Error\"}[]";
    assert_eq!(world.notifies(), [format!("v1 p+6!{reason}"), format!("v1 p+7!{reason}")]);
}

#[test]
fn a_results_policy_says_what_is_logged_of_it() {
    let mut world = World::started(&["a"]);
    for (policy, fulfilled, rejected) in [
        (ResolutionPolicy::Ignore {}, None, None),
        (ResolutionPolicy::LogFailure {}, None, Some("was rejected")),
        (ResolutionPolicy::LogAlways {}, Some("was fulfilled"), Some("was rejected")),
    ] {
        for (fails, logged) in [(false, fulfilled), (true, rejected)] {
            let kpid = world.queue("a", "go", policy).expect("a result promise");
            world.script("v1", move |delivery| match delivery {
                VatDelivery::Message { result, .. } => {
                    let result = result.as_deref().expect("every policy but none makes a result");
                    Act::of(vec![settle(result, fails, "#1", &[])])
                }
                other => panic!("{other:?} is no message"),
            });
            let before = world.vats.borrow().log.len();
            assert!(world.run().iter().all(|report| report.panic.is_none()));
            let expected: Vec<String> = logged.iter().map(|words| format!("{kpid} {words}")).collect();
            assert_eq!(world.vats.borrow().log[before..], expected, "{policy:?}");
        }
    }
    assert_eq!(world.queue("a", "go", ResolutionPolicy::None {}), None, "no promise, nothing to log");
}

#[test]
fn a_pipelining_decider_gets_messages_for_its_promise() {
    let mut pipelining = vat("b");
    pipelining.options.pipelining = true;
    let mut world = World::with(vec![vat("bootstrap"), pipelining]);
    world.run();
    world.vats.borrow_mut().delivered.clear();
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.acts(
        "v1",
        vec![vec![
            send("o-50", "#[\"get\",[]]", &[], Some("p+5")),
            send("p+5", "#[\"use\",[]]", &[], None),
        ]],
    );
    world.run();
    assert_eq!(
        world.messages()[1..],
        [r##"v2 o+0 #["get",[]] [] p-60"##, r##"v2 p-60 #["use",[]] [] -"##]
    );
}

#[test]
fn a_notify_brings_all_settled_promises_that_its_data_names() {
    let mut world = World::started(&["bootstrap", "b"]);
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.acts(
        "v1",
        vec![vec![send("o-50", "#[\"get\",[]]", &[], Some("p+5")), subscribe("p+5")]],
    );
    // v2 answers with a list that names its promise p+7, which is settled first and names itself.
    let first = settle("p-60", false, "#[\"&0\"]", &["p+7"]);
    let second = settle("p+7", false, "#[\"&0\"]", &["p+7"]);
    world.acts("v2", vec![vec![first, second]]);
    world.run();
    assert_eq!(world.notifies(), ["v1 p+5=#[\"&0\"][p-61] p-61=#[\"&0\"][p-61]"]);
    assert_eq!(world.keys("v1.c.p"), Vec::<String>::new(), "both entries are retired");
}

#[test]
fn subscribing_to_a_settled_promise_notifies_again() {
    let mut world = World::started(&["bootstrap", "b"]);
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.acts(
        "v1",
        vec![
            vec![send("o-50", "#[\"get\",[]]", &[], Some("p+5"))],
            vec![subscribe("p+5")],
        ],
    );
    world.acts("v2", vec![vec![settle("p-60", false, "#1", &[])]]);
    world.run();
    assert_eq!(world.notifies(), Vec::<String>::new());
    world.queue("bootstrap", "later", ResolutionPolicy::None {});
    world.run();
    assert_eq!(world.notifies(), ["v1 p+5=#1[]"]);
}

#[test]
fn a_rejection_under_policy_panic_stops_the_engine() {
    let mut world = World::started(&["a"]);
    world.queue("a", "go", ResolutionPolicy::Panic {});
    world.acts("v1", vec![vec![settle("p-60", true, "#1", &[])]]);
    let reports = world.run();
    assert_eq!(
        reports.last().and_then(|report| report.panic.clone()).as_deref(),
        Some("kp40 was rejected and its policy is panic")
    );
}

#[test]
fn the_vatstore_is_read_written_walked_and_seen_within_the_crank() {
    use swingset_abi::{
        vat::{SyscallReply, VatSyscall},
        wire::Blob,
    };
    let mut world = World::started(&["a"]);
    let set = |key: &str, value: &str| VatSyscall::VatstoreSet {
        key: key.to_owned(),
        value: Blob(value.into()),
    };
    let get = |key: &str| VatSyscall::VatstoreGet { key: key.to_owned() };
    let next = |prior: &str| VatSyscall::VatstoreGetNextKey {
        prior: prior.to_owned(),
    };
    let delete = |key: &str| VatSyscall::VatstoreDelete { key: key.to_owned() };
    world.queue("a", "one", ResolutionPolicy::None {});
    world.queue("a", "two", ResolutionPolicy::None {});
    world.acts(
        "v1",
        vec![
            vec![set("b", "1"), set("a", "2")],
            vec![
                delete("a"),
                set("c", "3"),
                next(""),
                next("b"),
                next("c"),
                get("a"),
                get("b"),
            ],
        ],
    );
    world.run();
    let replies = world.vats.borrow().replies.clone();
    let key = |key: Option<&str>| SyscallReply::Key {
        key: key.map(str::to_owned),
    };
    assert_eq!(
        replies[4..],
        [
            key(Some("b")),
            key(Some("c")),
            key(None),
            SyscallReply::Value { value: None },
            SyscallReply::Value {
                value: Some(Blob(b"1".to_vec()))
            },
        ]
    );
    assert_eq!(world.keys("v1.vs."), ["v1.vs.b", "v1.vs.c"]);
}

#[test]
fn a_vats_own_limit_goes_before_the_default() {
    let mut own = vat("b");
    own.options.crank_limit = 55;
    let mut world = World::with(vec![vat("a"), own]);
    world.run();
    assert_eq!(world.vats.borrow().limits, [1000, 55]);
}

#[test]
fn an_exit_ends_the_vat_and_keeps_the_crank_unless_it_is_a_failure() {
    use swingset_abi::vat::VatSyscall;
    for failure in [false, true] {
        let mut world = World::started(&["bootstrap", "b"]);
        world.queue("bootstrap", "go", ResolutionPolicy::None {});
        let exit = VatSyscall::Exit {
            failure,
            info: data("#1", &[]),
        };
        world.script("v1", move |_| {
            Act::of(vec![send("o-50", "#[\"last\",[]]", &[], None), exit.clone()])
        });
        let reports = world.run();
        let ended = reports
            .iter()
            .find(|report| report.terminated.is_some())
            .expect("the vat ends");
        assert_eq!(ended.aborted, failure);
        assert_eq!(
            ended.terminated.as_deref(),
            Some(if failure { "exit with failure" } else { "exit" })
        );
        assert_eq!(
            world.messages().iter().filter(|line| line.starts_with("v2")).count(),
            usize::from(!failure)
        );
        assert_eq!(world.keys("v1."), Vec::<String>::new(), "cleaned up");
    }
}
