//! Vat administration: meters and bundlecaps.

use swingset_abi::{
    kernel::{Command, Reply, ResolutionPolicy},
    vat::SyscallReply,
};

use crate::{
    admin::{call_device, cap, create, world},
    world::{data, let_go, send},
};

#[test]
fn a_meter_pays_for_its_vats_and_tells_when_it_is_low() {
    let mut world = world();
    assert_eq!(
        world.call_of("o-52", "#[\"createMeter\",[\"+30\",\"+20\"]]", &[], "p+2"),
        "v1 p+2=#\"$0.Alleged: meter\"[o-53]"
    );
    create(&mut world, "{\"meter\":\"$1\"}", &["o-53"], "p+3");
    world.call_of("o-53", "#[\"getNotifier\",[]]", &[], "p+4");
    assert_eq!(world.text("m1.remaining").as_deref(), Some("23"), "startVat cost 7");
    let first = world.call_of("o-56", "#[\"getUpdateSince\",[]]", &[], "p+5");
    assert_eq!(first, "v1 p+5=#{\"updateCount\":\"+0\",\"value\":\"+23\"}[]");
    assert_eq!(world.call_of("o-56", "#[\"getUpdateSince\",[\"+0\"]]", &[], "p+6"), "");
    let (notifies, _) = world.go(vec![send("o-55", "#[\"work\",[]]", &[], None)]);
    assert_eq!(notifies, ["v1 p+6=#{\"updateCount\":\"+1\",\"value\":\"+16\"}[]"]);
    let (notifies, _) = world.go(vec![send("o-55", "#[\"work\",[]]", &[], None)]);
    assert_eq!(notifies, Vec::<String>::new(), "the threshold is crossed once");
    assert_eq!(
        world.call_of("o-53", "#[\"addRemaining\",[100]]", &[], "p+7"),
        "v1 p+7=#\"#undefined\"[]"
    );
    assert_eq!(
        world.call_of("o-53", "#[\"setThreshold\",[\"+50\"]]", &[], "p+8"),
        "v1 p+8=#\"#undefined\"[]"
    );
    let get = world.call_of("o-53", "#[\"get\",[]]", &[], "p+9");
    assert_eq!(get, "v1 p+9=#{\"remaining\":\"+109\",\"threshold\":\"+50\"}[]");
}

#[test]
fn a_crank_that_its_meter_cannot_pay_is_undone_and_ends_the_vat() {
    let mut world = world();
    world.call_of("o-52", "#[\"createMeter\",[10,0]]", &[], "p+2");
    create(&mut world, "{\"meter\":\"$1\"}", &["o-53"], "p+3");
    world.acts("v3", vec![vec![send("o+0", "#[\"never\",[]]", &[], None)]]);
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.acts("v1", vec![vec![send("o-55", "#[\"work\",[]]", &[], None)]]);
    let reports = world.run();
    let ended = reports
        .iter()
        .find(|report| report.terminated.is_some())
        .expect("the vat ends");
    assert_eq!(
        (ended.aborted, ended.computrons, ended.terminated.as_deref()),
        (true, 7, Some("meter underflow"))
    );
    assert_eq!(world.text("m1.remaining").as_deref(), Some("0"));
    assert!(!world.messages().iter().any(|line| line.contains("never")));
}

#[test]
fn an_unlimited_meter_is_never_low_and_a_meter_that_nobody_uses_is_gone() {
    let mut world = world();
    world.call_of("o-52", "#[\"createUnlimitedMeter\",[]]", &[], "p+2");
    create(&mut world, "{\"meter\":\"$1\"}", &["o-53"], "p+3");
    let get = world.call_of("o-53", "#[\"get\",[]]", &[], "p+4");
    assert_eq!(get, "v1 p+4=#{\"remaining\":\"unlimited\",\"threshold\":\"+0\"}[]");
    world.go(let_go(vec!["o-53".to_owned()]));
    assert_eq!(world.text("m1.refCount").as_deref(), Some("1"), "the vat uses it");
    world.go(vec![send("o-54", "#[\"terminateWithFailure\",[0]]", &[], None)]);
    assert_eq!(world.keys("m1"), Vec::<String>::new());
}

#[test]
fn a_bundlecap_is_one_node_for_one_bundle_and_tells_its_id() {
    let mut world = world();
    let id = world.install('a');
    assert_eq!(
        call_device(&mut world, "d-74", "getBundleID", ""),
        SyscallReply::Data {
            data: data(&format!("#\"{id}\""), &[])
        }
    );
    assert_eq!(call_device(&mut world, "d-70", "getBundleCap", &id), cap());
    world.kv.insert(b"namedBundleID.mint".to_vec(), id.clone().into());
    assert_eq!(call_device(&mut world, "d-70", "getNamedBundleCap", "mint"), cap());
    let told = world.call_of("o-52", &format!("#[\"getBundleCap\",[\"{id}\"]]"), &[], "p+2");
    assert_eq!(told, "v1 p+2=#\"$0.Alleged: bundlecap\"[d-74]");
    let told = world.call_of("o-52", "#[\"getBundleIDByName\",[\"mint\"]]", &[], "p+3");
    assert_eq!(told, format!("v1 p+3=#\"{id}\"[]"));
}

#[test]
fn a_device_that_refuses_leaves_the_caller_alive() {
    let mut world = world();
    for (target, method, argument, words) in [
        ("d-70", "getBundleCap", "b1-00", "no bundle with this ID is installed"),
        ("d-70", "getNamedBundleCap", "none", "no bundle has this name"),
        ("d-70", "destroy", "", "vatAdmin has no such method"),
        ("d-74", "getBytes", "", "a bundlecap has no such method"),
    ] {
        let refused = SyscallReply::Failed {
            problem: words.to_owned(),
        };
        assert_eq!(call_device(&mut world, target, method, argument), refused);
    }
    assert!(world.text("v1.options").is_some());
}

#[test]
fn who_waits_for_a_bundle_is_told_when_it_is_installed() {
    let mut world = world();
    let id = format!("b1-{}", "e".repeat(128));
    let wait = format!("#[\"waitForBundleCap\",[\"{id}\"]]");
    assert_eq!(world.call_of("o-52", &wait, &[], "p+2"), "");
    world.install('e');
    world.acts("v1", vec![]);
    assert_eq!(world.call(&Command::BundlesInstalled { ids: vec![id] }), Reply::Done {});
    world.run();
    assert_eq!(
        world.notifies().last().map(String::as_str),
        Some("v1 p+2=#\"$0.Alleged: bundlecap\"[d-75]")
    );
    assert_eq!(world.keys("bundleWait"), Vec::<String>::new());
    assert!(
        world.call_of("o-52", &wait, &[], "p+3").ends_with("[d-75]"),
        "at once when it is there"
    );
}
