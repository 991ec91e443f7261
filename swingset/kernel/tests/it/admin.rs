//! Vat administration: dynamic vats and their admin nodes.

use swingset_abi::{
    kernel::{Command, CrankKind, Reply, ResolutionPolicy, VatOptions},
    vat::{DeliveryVerdict, SyscallReply, VatDelivery, VatSyscall},
    wire::Wire,
};

use crate::world::{Act, World, data, send, settle, subscribe};

/// `v1` has the root of vat administration as `o-51`, its device as `d-70`, the service as `o-52` and a bundlecap as `d-74`.
pub fn world() -> World {
    let mut world = World::started(&["bootstrap", "b"]);
    let id = world.install('a');
    let service = world.call_of("o-51", "#[\"createVatAdminService\",[\"$0\"]]", &["d-70"], "p+1");
    assert_eq!(service, "v1 p+1=#\"$0.Alleged: vatAdminService\"[o-52]");
    assert_eq!(call_device(&mut world, "d-70", "getBundleCap", &id), cap());
    world.vats.borrow_mut().delivered.clear();
    world
}

pub fn cap() -> SyscallReply {
    SyscallReply::Data {
        data: data("#\"$0.Alleged: bundlecap\"", &["d-74"]),
    }
}

pub fn call_device(world: &mut World, target: &str, method: &str, argument: &str) -> SyscallReply {
    let call = VatSyscall::CallNow {
        target: target.to_owned(),
        method: method.to_owned(),
        args: data(&format!("#[\"{argument}\"]"), &[]),
    };
    world.go(vec![call]).1.remove(0)
}

/// `createVat(bundlecap, options)`.
pub fn create(world: &mut World, options: &str, slots: &[&str], result: &str) -> String {
    let body = format!("#[\"createVat\",[\"$0\",{options}]]");
    world.call_of("o-52", &body, &[&["d-74"], slots].concat(), result)
}

fn exit(failure: bool) -> VatSyscall {
    VatSyscall::Exit {
        failure,
        info: data("#\"bye\"", &[]),
    }
}

#[test]
fn a_dynamic_vat_is_made_and_started_in_one_crank() {
    let mut world = world();
    let told = create(
        &mut world,
        "{\"name\":\"new\",\"vatParameters\":{\"to\":\"$1.Alleged: b\"}}",
        &["o-50"],
        "p+2",
    );
    assert_eq!(
        told,
        "v1 p+2=#{\"adminNode\":\"$0.Alleged: adminNode\",\"root\":\"$1.Alleged: root\"}[o-53,o-54]"
    );
    let starts: Vec<_> = world.delivered().into_iter().filter(|(vat, _)| vat == "v3").collect();
    let parameters = data("#{\"to\":\"$0.Alleged: b\"}", &["o-50"]);
    assert_eq!(starts, [("v3".to_owned(), VatDelivery::StartVat { parameters })]);
    assert_eq!(world.text("vat.dynamicIDs.v3").as_deref(), Some("new"));
    assert_eq!(world.stats()["vat.dynamicIDs"], 1);
    world.go(vec![send("o-54", "#[\"hello\",[]]", &[], None)]);
    assert_eq!(
        world.messages().last().map(String::as_str),
        Some("v3 o+0 #[\"hello\",[]] [] -")
    );
}

#[test]
fn a_vat_created_counts_for_the_policy_and_runs_under_the_present_supervisor() {
    let mut world = world();
    world.kv.insert(b"supervisorBundleID".to_vec(), b"b1-later".to_vec());
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.acts(
        "v1",
        vec![vec![send("o-52", "#[\"createVat\",[\"$0\"]]", &["d-74"], None)]],
    );
    let created: u32 = world.run().iter().map(|report| report.vats_created).sum();
    assert_eq!(created, 1);
    let source = swingset_abi::kernel::VatSource::from_bytes(&world.kv[&b"v3.source".to_vec()]).unwrap();
    assert_eq!(source.supervisor_bundle_id, "b1-later");
    assert_eq!(source.lockdown_bundle_id, "b1-lockdown");
    let (_, last) = world.delivered().pop().unwrap();
    assert_eq!(
        last,
        VatDelivery::RetireExports {
            vrefs: vec!["o+0".to_owned()]
        },
        "nobody has its root"
    );
}

#[test]
fn a_vat_that_fails_its_start_leaves_nothing_and_the_asker_is_told() {
    let mut world = world();
    world.script("v3", |_| Act {
        syscalls: vec![VatSyscall::VatstoreSet {
            key: "k".to_owned(),
            value: swingset_abi::wire::Blob(vec![1]),
        }],
        verdict: DeliveryVerdict::Error {
            problem: "trap".to_owned(),
        },
        computrons: 50,
    });
    let told = create(&mut world, "{\"vatParameters\":\"$1\"}", &["o+5"], "p+2");
    let words = "the vat could not be created: delivery error: trap";
    assert_eq!(told, format!("v1 p+2!#{{\"#error\":\"{words}\",\"name\":\"Error\"}}[]"));
    assert_eq!(world.keys("v3"), Vec::<String>::new());
    assert_eq!(world.vats.borrow().abandoned, ["v3"]);
    assert_eq!(world.stats()["vat.dynamicIDs"], 0);
    assert_eq!(world.stats()["runQueue"], 0);
    let dropped = world.delivered().iter().any(|(vat, delivery)| {
        vat == "v1"
            && *delivery
                == VatDelivery::RetireExports {
                    vrefs: vec!["o+5".to_owned()],
                }
    });
    assert!(dropped, "its parameters are given back");
}

#[test]
fn options_that_are_not_understood_are_refused_before_anything_is_made() {
    for (options, slots, words) in [
        (
            "{\"nmae\":\"x\"}",
            &[][..],
            "there is an option that createVat does not know",
        ),
        ("[]", &[], "the options are not an object"),
        ("{\"name\":7}", &[], "the option name is not a short string"),
        (
            "{\"critical\":true}",
            &[],
            "the option critical is not the critical vat key",
        ),
        (
            "{\"critical\":\"$1\"}",
            &["o-50"],
            "the option critical is not the critical vat key",
        ),
        ("{\"meter\":\"$1\"}", &["o-50"], "the option meter is not a meter"),
        (
            "{\"vatParameters\":\"$9\"}",
            &[],
            "the parameters name a slot that is not there",
        ),
        (
            "{\"reapInterval\":\"often\"}",
            &[],
            "a reap threshold is neither a natural number nor 'never'",
        ),
        ("{\"enableSetup\":1}", &[], "an option is not true or false"),
        (
            "{\"enablePipelining\":true}",
            &[],
            "pipelining is for raw vats: the supervisor takes no messages for promises",
        ),
    ] {
        let mut world = world();
        let told = create(&mut world, options, slots, "p+2");
        assert_eq!(
            told,
            format!("v1 p+2!#{{\"#error\":\"{words}\",\"name\":\"Error\"}}[]"),
            "{options}"
        );
        assert_eq!(world.text("vat.nextID").as_deref(), Some("3"));
    }
    let mut world = world();
    let told = world.call_of("o-52", "#[\"createVat\",[\"b1-aa\"]]", &[], "p+2");
    assert!(told.contains("the first argument is not a bundlecap"), "{told}");
    let told = world.call_of("o-52", "#\"createVat\"", &[], "p+3");
    assert!(told.contains("not a method and a list"), "{told}");
}

#[test]
fn a_critical_vat_needs_the_key_and_its_death_stops_the_engine() {
    let mut world = world();
    let key = world.call_of("o-51", "#[\"getCriticalVatKey\",[]]", &[], "p+2");
    assert!(key.ends_with("[o-53]"), "{key}");
    create(&mut world, "{\"critical\":\"$1\"}", &["o-53"], "p+3");
    let options = VatOptions::from_bytes(&world.kv[&b"v3.options".to_vec()]).unwrap();
    assert!(options.critical);
    world.acts("v3", vec![vec![exit(false)]]);
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.acts("v1", vec![vec![send("o-55", "#[\"end\",[]]", &[], None)]]);
    let panic = world.run().last().and_then(|report| report.panic.clone());
    assert_eq!(panic.as_deref(), Some("critical vat v3 died"));
}

#[test]
fn done_is_told_to_those_who_wait_and_to_those_who_ask_later() {
    for (ending, told) in [
        (vec![exit(false)], "=#\"bye\"[]"),
        (vec![exit(true)], "!#\"bye\"[]"),
        (
            vec![subscribe("p-99")],
            "!#{\"#error\":\"illegal syscall: vref was not allocated by the kernel\",\"name\":\"Error\"}[]",
        ),
    ] {
        let mut world = world();
        create(&mut world, "{}", &[], "p+2");
        assert_eq!(world.call_of("o-53", "#[\"done\",[]]", &[], "p+3"), "", "not yet");
        world.acts("v3", vec![ending]);
        let (notifies, _) = world.go(vec![send("o-54", "#[\"end\",[]]", &[], None)]);
        assert_eq!(notifies, [format!("v1 p+3{told}")]);
        assert_eq!(world.keys("v3."), Vec::<String>::new());
        assert_eq!(
            world.call_of("o-53", "#[\"done\",[]]", &[], "p+4"),
            format!("v1 p+4{told}")
        );
        assert_eq!(world.stats()["vat.dynamicIDs"], 0);
    }
}

#[test]
fn last_words_that_name_what_was_undone_are_replaced() {
    let mut world = world();
    create(&mut world, "{}", &[], "p+2");
    world.call_of("o-53", "#[\"done\",[]]", &[], "p+3");
    let info = data("#\"$0\"", &["o+77"]);
    world.acts("v3", vec![vec![VatSyscall::Exit { failure: true, info }]]);
    let (notifies, _) = world.go(vec![send("o-54", "#[\"end\",[]]", &[], None)]);
    assert_eq!(
        notifies,
        ["v1 p+3!#{\"#error\":\"exit with failure\",\"name\":\"Error\"}[]"]
    );
}

#[test]
fn an_admin_node_terminates_its_vat_for_a_reason() {
    let mut world = world();
    create(&mut world, "{}", &[], "p+2");
    world.call_of("o-53", "#[\"done\",[]]", &[], "p+3");
    let body = "#[\"terminateWithFailure\",[\"$0\"]]";
    let (notifies, _) = world.go(vec![send("o-53", body, &["o+8"], Some("p+4")), subscribe("p+4")]);
    assert_eq!(notifies, ["v1 p+3!#\"$0\"[o+8]", "v1 p+4=#\"#undefined\"[]"]);
    assert_eq!(world.keys("v3."), Vec::<String>::new());
    let splat = world.call_of("o-54", "#[\"hello\",[]]", &[], "p+5");
    assert!(splat.contains("vat terminated"), "{splat}");
    let again = world.call_of("o-53", "#[\"terminateWithFailure\",[\"x\"]]", &[], "p+6");
    assert_eq!(again, "v1 p+6=#\"#undefined\"[]");
}

#[test]
fn options_are_changed_by_a_delivery() {
    let mut world = world();
    create(&mut world, "{}", &[], "p+2");
    let told = world.call_of(
        "o-53",
        "#[\"changeOptions\",[{\"reapInterval\":3,\"virtualObjectCacheSize\":50}]]",
        &[],
        "p+3",
    );
    assert_eq!(told, "v1 p+3=#\"#undefined\"[]");
    let options = VatOptions::from_bytes(&world.kv[&b"v3.options".to_vec()]).unwrap();
    assert_eq!((options.reap.deliveries, options.reap.gc_krefs), (Some(3), None));
    let options = "{\"reapInterval\":3,\"virtualObjectCacheSize\":50}".to_owned();
    assert!(
        world
            .delivered()
            .contains(&("v3".to_owned(), VatDelivery::ChangeVatOptions { options }))
    );
    let told = world.call_of("o-53", "#[\"changeOptions\",[{\"size\":3}]]", &[], "p+4");
    assert!(told.contains("an option is unknown"), "{told}");
}

#[test]
fn an_instance_that_stays_goes_by_changed_options_at_once() {
    let mut world = world();
    world.keeps_instance = true;
    create(&mut world, "{}", &[], "p+2");
    let reaped = |world: &World| {
        let delivered = world.delivered();
        delivered.iter().filter(|(vat, told)| vat == "v3" && *told == VatDelivery::BringOutYourDead {}).count()
    };
    let hello = |result: Option<&str>| send("o-54", "#[\"hello\",[]]", &[], result);
    let change = send("o-53", "#[\"changeOptions\",[{\"reapInterval\":1}]]", &[], Some("p+3"));
    let end = send("o-53", "#[\"terminateWithFailure\",[\"x\"]]", &[], Some("p+4"));
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    // All in one run: any other command between the cranks makes the kernel read everything again.
    world.acts(
        "v1",
        vec![
            vec![hello(None), hello(None), change, subscribe("p+3")],
            vec![hello(None), hello(None), end, subscribe("p+4")],
            vec![hello(Some("p+5")), subscribe("p+5")],
        ],
    );
    // What the vat leaves waits, so that its objects have an owner still.
    while world.step_with(0).kind != (CrankKind::Idle {}) {}
    assert_eq!(reaped(&world), 3, "the change's own delivery and each after it is one too many");
    let splat = world.notifies().pop().unwrap_or_default();
    assert!(splat.contains("vat terminated"), "{splat}");
}

#[test]
fn a_message_to_the_kernel_is_answered_with_no_delivery() {
    let mut world = world();
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.acts(
        "v1",
        vec![vec![send("o-52", "#[\"createUnlimitedMeter\",[]]", &[], None)]],
    );
    let kinds: Vec<CrankKind> = world.run().iter().map(|report| report.kind).collect();
    assert_eq!(
        kinds,
        [
            CrankKind::Routing {},
            CrankKind::Delivery {},
            CrankKind::Routing {},
            CrankKind::Empty {}
        ]
    );
    assert_eq!(world.keys("m1"), Vec::<String>::new(), "nobody has it");
}

#[test]
fn a_message_pipelined_to_what_the_kernel_will_answer_waits_for_it() {
    let mut world = world();
    let (notifies, _) = world.go(vec![
        send("o-52", "#[\"createMeter\",[5,1]]", &[], Some("p+2")),
        send("p+2", "#[\"get\",[]]", &[], Some("p+3")),
        subscribe("p+3"),
    ]);
    assert_eq!(notifies, ["v1 p+3=#{\"remaining\":\"+5\",\"threshold\":\"+1\"}[]"]);
}

#[test]
fn a_static_vat_has_no_name_of_the_kernels_and_no_meter() {
    let mut metered = crate::world::vat("a");
    metered.options.meter = Some("m1".to_owned());
    for vat in [crate::world::vat("vatAdmin"), metered] {
        let mut world = World::default();
        let command = Command::Initialize {
            vats: vec![vat],
            supervisor_bundle_id: "b1-s".to_owned(),
            lockdown_bundle_id: "b1-l".to_owned(),
        };
        assert!(matches!(world.call(&command), Reply::Refused { code: 3, .. }));
    }
}

#[test]
fn a_vats_result_may_be_settled_with_an_object_of_the_kernel() {
    let mut world = world();
    let kpid = world.ask("bootstrap", "give");
    world.acts("v1", vec![vec![settle("p-61", false, "#\"$0\"", &["o-52"])]]);
    world.run();
    assert!(
        matches!(
            world.promise(&kpid),
            swingset_abi::kernel::PromiseState::Fulfilled { .. }
        ),
        "{:?}",
        world.promise(&kpid)
    );
}
