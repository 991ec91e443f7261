//! What is left in state when everything that a story has made is dropped: with the real supervisor, whatever it keeps in the vatstore
//! among it.

use std::collections::BTreeMap;

use swingset_abi::{supervisor::StoredId, wire::Wire, wire_struct};
use swingset_bundles::test_bundle;
use swingset_host::controller::UpgradeOptions;

use crate::world::World;

/// What only grows: IDs are never used again, queues go on where they were, hashes are of everything that ever was.
const MONOTONIC: [&str; 10] = [
    "acceptanceQueue",
    "activityhash",
    "crankNumber",
    "ko.nextID",
    "kp.nextID",
    "meter.nextID",
    "reapQueue",
    "runQueue",
    "vat.nextID",
    "vats.terminated",
];

/// The same of each vat.
const MONOTONIC_OF_VATS: [&str; 4] = ["incarnation", "o.nextID", "p.nextID", "reapDirt"];

/// Rounds of bringOutYourDead within which nothing more may be found.
const ROUNDS_MAX: u32 = 20;

/// The supervisor's record of an incarnation (`vN.vs.m`).
#[derive(Debug)]
struct Meta {
    incarnation: u64,
    next_export: u64,
    last_promise: u64,
    last_kind: u64,
    last_collection: u64,
    imports_in_store: u64,
    kinds: Vec<KindRecord>,
    weak_imports: Vec<u64>,
    dying: Vec<StoredId>,
    gone_imports: Vec<u64>,
    gone_stored: Vec<StoredId>,
    stale_collections: u64,
    stale: bool,
}
wire_struct!(Meta {
    incarnation,
    next_export,
    last_promise,
    last_kind,
    last_collection,
    imports_in_store,
    kinds,
    weak_imports,
    dying,
    gone_imports,
    gone_stored,
    stale_collections,
    stale
});

#[derive(Debug)]
struct KindRecord {
    id: u64,
    name: String,
    durable: bool,
    instances: u64,
}
wire_struct!(KindRecord { id, name, durable, instances });

/// The record without what only grows.
fn without_numbers(bytes: &[u8]) -> String {
    let mut meta = Meta::from_bytes(bytes).expect("the supervisor's record can be read");
    (meta.incarnation, meta.next_export, meta.last_promise) = (0, 0, 0);
    (meta.last_kind, meta.last_collection, meta.stale_collections) = (0, 0, 0);
    for kind in &mut meta.kinds {
        // Each incarnation has virtual kinds of its own.
        (kind.id, kind.instances) = (if kind.durable { kind.id } else { 0 }, 0);
    }
    format!("{meta:?}")
}

/// A vat's stored bytes (`vN.stored`) without those of the record, whose numbers get longer.
fn without_record(stored: &[u8], record: usize) -> String {
    let text = std::str::from_utf8(stored).expect("it is text");
    let (bytes, max) = text.split_once(',').expect("bytes and the most");
    format!("{},{max}", bytes.parse::<usize>().expect("a number") - record)
}

/// The whole kvStore, but for what only grows.
fn state(world: &World) -> BTreeMap<String, String> {
    let dump = world.controller.dump(&world.env).expect("state can be read");
    let lengths: BTreeMap<Vec<u8>, usize> = dump.iter().map(|(key, value)| (key.clone(), value.len())).collect();
    let mut state = BTreeMap::new();
    for (key, value) in dump {
        let key = String::from_utf8(key).expect("keys are text");
        let of_vat = key.strip_prefix('v').and_then(|rest| rest.split_once('.'));
        let of_vat = of_vat.filter(|(number, _)| number.parse::<u64>().is_ok()).map(|(_, rest)| rest);
        if MONOTONIC.contains(&key.as_str()) || of_vat.is_some_and(|rest| MONOTONIC_OF_VATS.contains(&rest)) {
            continue;
        }
        let value = match of_vat {
            Some("vs.m") => without_numbers(&value),
            Some("stored") => {
                let record = key.replace(".stored", ".vs.m").into_bytes();
                without_record(&value, lengths.get(&record).copied().unwrap_or_default())
            }
            _ => value.escape_ascii().to_string(),
        };
        state.insert(key, value);
    }
    state
}

/// A world in which everything that is asked for can be let go of again.
struct Story {
    world: World,
    kept: Vec<String>,
}

impl Story {
    fn ask(&mut self, target: &str, method: &str, args: &str) -> String {
        let kpid = self.world.queue(target, method, args);
        self.world.run();
        self.kept.push(kpid.clone());
        self.world.outcome(&kpid)
    }

    /// The object that a message with at most one reference gives.
    fn make(&mut self, target: &str, method: &str, args: &str, krefs: &[&str]) -> String {
        let kpid = self.world.queue_with(target, method, args, krefs);
        self.world.run();
        self.kept.push(kpid.clone());
        let settled = self.world.controller.kp_resolution(&mut self.world.env, &kpid).expect("a promise has a status");
        let (rejected, data) = settled.expect("it is settled");
        assert!(!rejected, "{method}: {}", data.body);
        data.slots.into_iter().next().expect("the result is an object")
    }

    fn upgrade(&mut self, vat: &str, bundle: &str) {
        let bytes = test_bundle(bundle).expect("a test bundle");
        let (controller, env) = (&mut self.world.controller, &mut self.world.env);
        let id = controller.validate_and_install_bundle(env, bytes, None).expect("it is installed").id;
        let kpid = controller.upgrade_static_vat(env, vat, &id, UpgradeOptions::default()).expect("it is queued");
        controller.kp_register_interest(env, &kpid).expect("interest is registered");
        self.world.run();
        assert!(self.world.outcome(&kpid).starts_with("#{\"incarnationNumber\":"), "{}", self.world.outcome(&kpid));
        self.kept.push(kpid);
    }

    /// Lets go of all results, and has all vats bring out their dead until that changes nothing. Gives the state.
    fn settle(&mut self) -> BTreeMap<String, String> {
        for kpid in self.kept.drain(..) {
            self.world.controller.kp_release_interest(&mut self.world.env, &kpid).expect("interest is released");
        }
        self.world.run();
        let mut before = state(&self.world);
        for _ in 0..ROUNDS_MAX {
            self.world.controller.reap_all_vats(&mut self.world.env).expect("all vats are told");
            self.world.run();
            let after = state(&self.world);
            if after == before {
                return after;
            }
            before = after;
        }
        panic!("after {ROUNDS_MAX} rounds of bringOutYourDead there is still more");
    }
}

/// Runs a story between two equal states. What `first` does is made once and stays.
#[track_caller]
fn check(vats: &[&str], first: impl FnOnce(&mut Story), tell: impl FnOnce(&mut Story)) {
    let mut story = Story { world: World::version_1(vats), kept: Vec::new() };
    first(&mut story);
    let before = story.settle();
    tell(&mut story);
    let during = state(&story.world);
    let after = story.settle();
    assert_ne!(during, before, "the story made something");
    let differs = |key: &&String| before.get(*key) != after.get(*key);
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).filter(differs).collect();
    keys.dedup();
    let told: Vec<_> = keys.iter().map(|key| (key, before.get(*key), after.get(*key))).collect();
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn objects_that_were_handed_from_vat_to_vat_leave_nothing() {
    let vats = ["bootstrap=stories", "b=stories", "c=stories", "mint"];
    check(
        &vats,
        |_| (),
        |story| {
            for method in ["hand_over", "hand_over_early", "pipeline"] {
                assert!(story.ask("bootstrap", method, "[]").starts_with('#'));
            }
            story.make("c", "gadget", "[]", &[]);
            assert!(story.ask("bootstrap", "nothing", "[]").starts_with('!'));
        },
    );
}

#[test]
fn a_chain_of_links_around_two_vats_leaves_nothing() {
    check(
        &["bootstrap=founder", "other=founder"],
        |_| (),
        |story| {
            let mut link = story.make("bootstrap", "link", "[null]", &[]);
            for vat in ["other", "bootstrap", "other", "bootstrap"] {
                link = story.make(vat, "link", "[\"$0\"]", &[&link]);
            }
        },
    );
}

#[test]
fn a_dynamic_vat_that_was_metered_upgraded_and_ended_leaves_nothing() {
    check(
        &["bootstrap=founder"],
        // The service is kept, and a bundlecap is for ever.
        |story| {
            story.ask("bootstrap", "begin", "[]");
            story.ask("bootstrap", "found", "[\"stories\",1000000000,5]");
            story.ask("bootstrap", "end", "[\"enough\"]");
            story.ask("bootstrap", "forget", "[]");
            story.ask("bootstrap", "told", "[]");
        },
        |story| {
            story.ask("bootstrap", "found", "[\"stories\",1000000000,5]");
            assert_eq!(story.ask("bootstrap", "count", "[]"), "#\"+1\"");
            assert_eq!(story.ask("bootstrap", "upgrade", "[\"stories\",\"again\"]"), "#\"+1\"");
            assert_eq!(story.ask("bootstrap", "count", "[]"), "#\"+2\"");
            story.ask("bootstrap", "end", "[\"enough\"]");
            story.ask("bootstrap", "forget", "[]");
            assert!(story.ask("bootstrap", "told", "[]").contains("enough"));
        },
    );
}

#[test]
fn a_vat_that_is_upgraded_leaves_nothing_of_what_its_memory_held() {
    check(
        &["bootstrap=stories", "b=stories", "c=stories", "other=founder"],
        |story| story.upgrade("bootstrap", "stories"),
        |story| {
            story.ask("bootstrap", "hand_over", "[]");
            story.ask("bootstrap", "grow", "[20]");
            let link = story.make("other", "link", "[null]", &[]);
            story.make("other", "link", "[\"$0\"]", &[&link]);
            story.upgrade("bootstrap", "stories");
            story.upgrade("other", "founder");
        },
    );
}

#[test]
fn a_vat_that_lets_go_of_a_thousand_stored_objects_at_once_lives_on_and_deletes_them_bit_by_bit() {
    check(
        &["bootstrap=stories", "b=stories", "c=stories", "mint"],
        |_| (),
        |story| {
            for _ in 0..4 {
                story.ask("bootstrap", "grow", "[400]");
            }
            story.ask("bootstrap", "fell", "[]");
        },
    );
}
