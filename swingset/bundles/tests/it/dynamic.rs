//! A vat of the SDK that makes another one while the chain runs.

use swingset_bundles::test_bundle;
use swingset_host::bundle::{Bundle, bundle_id};

use crate::world::World;

/// Computrons that are enough for some deliveries, and a threshold that the first start of a vat does not reach.
const PLENTY: u64 = 1_000_000_000;

fn world() -> World {
    let mut world = World::version_1(&["bootstrap=founder"]);
    assert_eq!(world.ask("bootstrap", "begin", "[]"), "#\"#undefined\"");
    world
}

fn found(world: &mut World, remaining: u64, threshold: u64) -> String {
    world.ask("bootstrap", "found", &format!("[\"stories\",{remaining},{threshold}]"))
}

#[test]
fn a_vat_makes_another_talks_to_it_upgrades_it_and_is_told_of_its_end() {
    let mut world = world();
    let stories = bundle_id(test_bundle("stories").expect("a test bundle"));
    assert_eq!(found(&mut world, PLENTY, 5), format!("#\"{stories}\""), "a bundlecap says whose it is");
    assert_eq!(world.ask("bootstrap", "count", "[]"), "#\"+1\"");
    world.restart();
    assert_eq!(world.ask("bootstrap", "count", "[]"), "#\"+2\"");
    assert_eq!(world.ask("bootstrap", "upgrade", "[\"stories\",\"a fix\"]"), "#\"+1\"");
    world.restart();
    assert_eq!(world.ask("bootstrap", "count", "[]"), "#\"+3\"", "what is durable is kept");
    let refused = world.ask("bootstrap", "upgrade", "[\"counter\",\"forgets a kind\"]");
    assert!(refused.starts_with("!#{\"#error\":\"the vat was not upgraded"), "{refused}");
    assert_eq!(world.ask("bootstrap", "count", "[]"), "#\"+4\"", "and it goes on as it was");
    assert_eq!(world.ask("bootstrap", "told", "[]"), "#[]", "it lives");
    world.ask("bootstrap", "end", "[\"enough\"]");
    assert_eq!(world.ask("bootstrap", "told", "[]"), "#[[\"failed\",\"enough\"]]");
    let dead = world.ask("bootstrap", "count", "[]");
    assert!(dead.starts_with('!') && dead.contains("vat terminated"), "{dead}");
}

#[test]
fn a_meter_tells_of_its_threshold_is_refilled_and_ends_its_vat_when_it_is_empty() {
    let left = |world: &mut World| {
        let left = world.ask("bootstrap", "refill", "[0]");
        left.trim_matches(['#', '"', '+']).parse::<u64>().expect("a number")
    };
    let mut world = world();
    found(&mut world, PLENTY, 0);
    let after_start = left(&mut world);
    world.ask("bootstrap", "count", "[]");
    let (start, count) = (PLENTY - after_start, after_start - left(&mut world));
    assert!(start > 0 && count > 0, "both are paid");

    let mut world = self::world();
    found(&mut world, PLENTY, after_start);
    assert_eq!(world.ask("bootstrap", "told", "[]"), "#[]", "it is not below its threshold yet");
    assert_eq!(world.ask("bootstrap", "count", "[]"), "#\"+1\"");
    assert_eq!(world.ask("bootstrap", "told", "[]"), "#[[\"meter\",[\"ended\",\"+1\"]]]");

    let mut world = self::world();
    found(&mut world, start + count - 1, 0);
    assert_eq!(world.ask("bootstrap", "refill", "[1]"), format!("#\"+{count}\""));
    assert_eq!(world.ask("bootstrap", "count", "[]"), "#\"+1\"", "it is enough for one");
    let unpaid = world.ask("bootstrap", "count", "[]");
    assert!(unpaid.starts_with('!') && unpaid.contains("vat terminated"), "{unpaid}");
    let told = world.ask("bootstrap", "told", "[]");
    assert!(told.contains("meter underflow"), "{told}");

    let mut world = self::world();
    let unpaid = found(&mut world, start - 1, 0);
    assert!(unpaid.contains("the vat could not be created: meter underflow"), "{unpaid}");
}

#[test]
fn a_bundlecap_of_a_freed_bundle_makes_no_vat_and_upgrades_none() {
    let mut world = world();
    found(&mut world, PLENTY, 0);
    assert_eq!(world.ask("bootstrap", "count", "[]"), "#\"+1\"");
    // The child's own code under another name, which no release has.
    let mut bundle = Bundle::decode(test_bundle("stories").expect("a test bundle")).expect("it can be read");
    bundle.manifest.name = "again".to_owned();
    let bytes = bundle.encode().expect("a bundle");
    let install = |world: &mut World| {
        world.controller.validate_and_install_bundle(&mut world.env, &bytes, None).expect("it is installed").id
    };
    let id = install(&mut world);
    let code = world.make("bootstrap", "code", &format!("[\"{id}\"]"));
    world.controller.release_bundle(&mut world.env, &id).expect("it is released");
    assert_eq!(world.controller.free_bundles(&mut world.env).expect("bundles are freed"), [id.as_str()]);
    world.restart();

    let refused = world.pass("bootstrap", "both", "[\"$0\"]", &[&code]);
    let words = ["could not be created", "was not upgraded"]
        .map(|what| format!("\"the vat {what}: delivery error: bundle is not installed\""));
    assert_eq!(refused, format!("#[{}]", words.join(",")));
    assert_eq!(world.ask("bootstrap", "count", "[]"), "#\"+2\"", "it goes on as it was");
    assert_eq!(world.ask("bootstrap", "told", "[]"), "#[]");
    let gone = world.ask("bootstrap", "code", &format!("[\"{id}\"]"));
    assert!(gone.contains("no bundle with this ID is installed"), "{gone}");

    // The same bundlecap is good again once the bundle is there again.
    assert_eq!(install(&mut world), id);
    assert_eq!(world.pass("bootstrap", "both", "[\"$0\"]", &[&code]), "#[\"\",\"\"]");
    assert_eq!(world.ask("bootstrap", "count", "[]"), "#\"+3\"");
}
