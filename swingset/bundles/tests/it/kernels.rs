//! Three kernels, one after the other: version-1's, version-2's, and one of schema 3 that is in no release.

use swingset_bundles::{release, test_bundle};
use swingset_host::{
    EngineError, RejectCode,
    controller::{MigrationBudget, SwingsetBundles},
};

use crate::world::{World, bundles};

/// A first slice so small that the step is not done in it; those of later blocks have the engine's size.
const SMALL: MigrationBudget = MigrationBudget { slice: 2, slices_max: 1, may_continue: true };

fn kernel(schema: u32) -> Vec<u8> {
    let bytes = match schema {
        3 => test_bundle("kernel-3"),
        _ => release(&format!("version-{schema}")).map(|release| release.kernel),
    };
    bytes.expect("a kernel of this schema").to_vec()
}

/// Version-1 at work: a durable counter, a promise in the queues, messages in both of them.
struct Story {
    world: World,
    queued: Vec<String>,
}

impl Story {
    fn begin() -> Story {
        let mut world = World::version_1(&["bootstrap=stories", "b=stories", "c=stories", "mint", "counter"]);
        assert_eq!(world.ask("bootstrap", "count", "[]"), "#\"+1\"");
        assert_eq!(world.ask("bootstrap", "hand_over", "[]"), "#\"+2\"");
        assert_eq!(world.ask("counter", "add", "[\"before\"]"), "#\"+1\"");
        let mut queued = vec![world.queue("counter", "add", "[\"first\"]"), world.queue("bootstrap", "count", "[]")];
        for _ in 0..2 {
            world.controller.step(&mut world.env).expect("a crank runs");
        }
        queued.push(world.queue("bootstrap", "pipeline", "[]"));
        queued.push(world.queue("counter", "add", "[\"second\"]"));
        Story { world, queued }
    }

    fn schema(&self) -> (Option<u32>, bool) {
        let view = self.world.controller.view(&self.world.env).expect("state can be read");
        (view.schema, view.migrating)
    }

    /// Another kernel, in slices, with the controller made anew between any two; gives how many slices there were.
    fn take_over(&mut self, schema: u32) -> u32 {
        self.world.restart();
        let next = SwingsetBundles { kernel: kernel(schema), ..bundles("version-2") };
        let World { controller, env, .. } = &mut self.world;
        let before = controller.view(env).expect("state can be read").schema;
        let receipt = controller.reinitialize_swingset(env, &next, SMALL).expect("it is swapped");
        assert_eq!((Some(receipt.schema_before), receipt.schema_after), (before, schema));
        let mut slices = 1;
        while self.schema().1 {
            assert_eq!(self.schema().0, before, "the version is written last");
            self.world.restart();
            self.world.run();
            slices += 1;
            assert!(slices < 100, "the migration ends");
        }
        assert_eq!(self.schema(), (Some(schema), false));
        slices
    }

    /// Everything that was queued is answered, once.
    fn end(mut self) -> World {
        self.world.restart();
        self.world.run();
        let outcomes: Vec<String> = self.queued.iter().map(|kpid| self.world.outcome(kpid)).collect();
        assert_eq!(outcomes, ["#\"+2\"", "#\"+2\"", "#\"+7\"", "#\"+3\""]);
        assert_eq!(self.world.ask("counter", "ids", "[0,9]"), "#[\"before\",\"first\",\"second\"]");
        assert_eq!(self.world.ask("bootstrap", "count", "[]"), "#\"+3\"");
        assert_eq!(self.world.ask("bootstrap", "hand_over", "[]"), "#\"+2\"");
        self.world
    }
}

/// Counts of references, compared with the c-lists.
fn check_references(world: &World) {
    let dump = world.controller.dump(&world.env).expect("state can be read");
    for number in 1..=5 {
        let clist = format!("v{number}.c.");
        let starts = ["o+", "o-", "p", "d"].map(|kind| format!("{clist}{kind}"));
        let counts =
            starts.map(|start| dump.keys().filter(|key| key.starts_with(start.as_bytes())).count().to_string());
        let text = dump.get(format!("v{number}.references").as_bytes()).expect("counts");
        assert_eq!(String::from_utf8_lossy(text), counts.join(","), "v{number}");
    }
}

#[test]
fn three_kernels_take_over_one_after_the_other_with_every_message() {
    let mut story = Story::begin();
    assert_eq!(story.take_over(2), 2, "five vats, two in the first slice");
    story.world.controller.step(&mut story.world.env).expect("a crank runs on the second kernel");
    assert_eq!(story.take_over(3), 2, "vats and their references, two in the first slice");
    check_references(&story.world);
    check_references(&story.end());
}

#[test]
fn the_third_kernel_takes_over_from_the_first_directly() {
    let mut story = Story::begin();
    assert_eq!(story.take_over(3), 3, "the first step in two slices, then the second");
    check_references(&story.world);
    check_references(&story.end());
}

#[test]
fn a_kernel_of_an_older_schema_is_refused_and_all_stays_as_it_was() {
    for (newer, older) in [(3, 2), (3, 1), (2, 1)] {
        let mut story = Story::begin();
        story.take_over(newer);
        let World { controller, env, .. } = &mut story.world;
        let id = controller.validate_and_install_bundle(env, &kernel(older), None).expect("it may be installed").id;
        let before: Vec<_> = env.entries().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        let refused = [
            controller.set_kernel_bundle_id(env, &id, MigrationBudget::IN_BAND).map(|_| ()),
            controller
                .reinitialize_swingset(env, &bundles(&format!("version-{older}")), MigrationBudget::UPGRADE)
                .map(|_| ()),
        ];
        for outcome in refused {
            let Err(EngineError::Rejected(rejection)) = outcome else {
                panic!("{newer} to {older}: {outcome:?}");
            };
            assert_eq!(rejection.code, RejectCode::Compatibility);
            let reason = format!("starts from the schemas 1 to {older}; the state has {newer}");
            assert!(rejection.problem.contains(&reason), "{}", rejection.problem);
        }
        let after: Vec<_> = env.entries().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        assert_eq!(after, before, "{newer} to {older}: nothing changed");
        story.end();
    }
}
