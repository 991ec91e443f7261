//! From version-1 to version-2 with messages in the queues.

use swingset_bundles::{release, test_bundle};
use swingset_host::controller::{MigrationBudget, UpgradeOptions};

use crate::world::{World, bundles};

fn deliveries(world: &World, vat_id: &str) -> Option<String> {
    let dump = world.controller.dump(&world.env).expect("state can be read");
    dump.get(format!("{vat_id}.deliveries").as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
}

#[test]
fn version_2_takes_over_with_every_queued_message() {
    let mut world = World::version_1(&["bootstrap", "counter"]);
    assert_eq!(world.ask("counter", "add", "[\"before\"]"), "#\"+1\"");
    let queued = world.queue("counter", "add", "[\"queued\"]");
    assert_eq!(deliveries(&world, "v2"), None);
    world.controller.end_block(&mut world.env).expect("a block ends");
    let report = world
        .controller
        .reinitialize_swingset(&mut world.env, &bundles("version-2"), MigrationBudget::UPGRADE)
        .expect("it is swapped");
    assert_ne!(report.kernel_before, report.kernel_after);
    assert_eq!((report.schema_before, report.schema_after), (1, 2));
    assert_eq!(deliveries(&world, "v2").as_deref(), Some("0"), "the migration begins the count");
    world.restart();
    world.run();
    assert_eq!(world.outcome(&queued), "#\"+2\"");
    assert_eq!(world.ask("counter", "ids", "[0,9]"), "#[\"before\",\"queued\"]");
    assert_eq!(deliveries(&world, "v2").as_deref(), Some("2"), "from schema 2 on deliveries are counted");
}

/// Upgrades the vat `stories` to a bundle; gives the incarnation, or `!` and why not.
fn upgraded_to(world: &mut World, bundle: &[u8]) -> String {
    let bundle =
        world.controller.validate_and_install_bundle(&mut world.env, bundle, None).expect("it is installed").id;
    let options = UpgradeOptions::default();
    let kpid = world.controller.upgrade_static_vat(&mut world.env, "stories", &bundle, options).expect("it is queued");
    world.controller.kp_register_interest(&mut world.env, &kpid).expect("interest is registered");
    world.run();
    world.outcome(&kpid)
}

#[test]
fn a_vat_of_the_sdk_finds_its_durable_objects_again_in_its_next_incarnation() {
    let mut world = World::version_1(&["bootstrap", "stories"]);
    assert_eq!(world.ask("stories", "count", "[]"), "#\"+1\"");
    world.restart();
    let again = test_bundle("stories").expect("a test bundle");
    assert_eq!(upgraded_to(&mut world, again), "#{\"incarnationNumber\":1}");
    world.restart();
    assert_eq!(world.ask("stories", "count", "[]"), "#\"+2\"");
}

#[test]
fn an_upgrade_to_code_that_forgets_a_durable_kind_leaves_the_vat_as_it_was() {
    let mut world = World::version_1(&["bootstrap", "stories"]);
    assert_eq!(world.ask("stories", "count", "[]"), "#\"+1\"");
    let forgetful = release("version-1").expect("a release").vats.iter().find(|(name, _)| *name == "counter");
    let outcome = upgraded_to(&mut world, forgetful.expect("it has a counter").1);
    assert!(outcome.starts_with('!'), "{outcome}");
    world.restart();
    assert_eq!(world.ask("stories", "count", "[]"), "#\"+2\"", "nothing of the failed upgrade stays");
}
