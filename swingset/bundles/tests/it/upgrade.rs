//! From version-1 to version-2 with messages in the queues.

use swingset_host::controller::MigrationBudget;

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
