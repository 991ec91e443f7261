//! States as older kernels left them, committed, and woken by this one. `SWINGD_BLESS=1` records the state of the schema that is built.

use std::{collections::BTreeMap, path::PathBuf};

use swingset_abi::{
    kernel::{Command, PromiseState, Reply, ResolutionPolicy},
    vat::{CapData, VatDelivery, VatSyscall},
    wire::Blob,
};
use swingset_kernel::SCHEMA;

use crate::{
    audit,
    world::{Act, World, send, settle, subscribe, vat},
};

/// The last schema that is in a release: later ones change freely, and nothing is recorded of them.
const RELEASED: u32 = 2;

/// A world in the middle of its work: messages in all queues and behind a promise, a dynamic vat under a meter, stored objects, and a
/// vat that was terminated and not yet deleted.
fn story() -> World {
    let mut world = World::with(["bootstrap", "b", "c", "gone"].map(vat).to_vec());
    world.acts("v1", vec![vec![], vec![settle("p-60", false, "#true", &[])]]);
    world.run();
    let id = world.install('a');
    world.call_of("o-53", "#[\"createVatAdminService\",[]]", &[], "p+1");
    world.call_of("o-54", &format!("#[\"getBundleCap\",[\"{id}\"]]"), &[], "p+2");
    world.call_of("o-54", "#[\"createMeter\",[100000,5]]", &[], "p+3");
    world.call_of(
        "o-54",
        "#[\"createVat\",[\"$0\",{\"meter\":\"$1\"}]]",
        &["d-74", "o-55"],
        "p+4",
    );
    // b stores, and exports objects of its stores; c promises an answer, and b sends to it.
    let store = |key: &str| VatSyscall::VatstoreSet {
        key: key.to_owned(),
        value: Blob(key.as_bytes().repeat(9)),
    };
    world.go(vec![
        send("o-51", "#[\"get\",[]]", &[], Some("p+5")),
        subscribe("p+5"),
        send("o-50", "#[\"use\",[\"&0\",\"$1\"]]", &["p+5", "o+0"], None),
        send("o-52", "#[\"hold\",[\"$0\"]]", &["o+7"], Some("p+6")),
        subscribe("p+6"),
    ]);
    world.acts(
        "v2",
        vec![vec![
            store("o.d1/1"),
            store("vc.1"),
            send("o-50", "#[\"take\",[]]", &["o+v1/1", "o+d2/7", "o+3"], None),
            send("p-60", "#[\"first\",[]]", &["o+d2/7"], Some("p+7")),
            send("p-60", "#[\"second\",[]]", &[], None),
            subscribe("p+7"),
        ]],
    );
    world.queue("b", "go", ResolutionPolicy::None {});
    world.run();
    assert!(
        matches!(world.promise("kp40"), PromiseState::Unknown {}),
        "bootstrap's result was nobody's"
    );
    world.call(&Command::ReapAllVats {});
    world.call(&Command::TerminateVat {
        vat_id: "v4".to_owned(),
        reason: CapData::default(),
    });
    world.queue("b", "one", ResolutionPolicy::None {});
    world.queue("c", "two", ResolutionPolicy::None {});
    world.step();
    world.queue("c", "answer", ResolutionPolicy::None {});
    world.vats.borrow_mut().delivered.clear();
    world
}

/// What is delivered from there on.
fn finish(world: &mut World) -> Vec<(String, VatDelivery)> {
    let mut answered = false;
    world.script("v3", move |delivery| {
        let asked = matches!(delivery, VatDelivery::Message { methargs, .. } if methargs.body.contains("answer"));
        if !asked || answered {
            return Act::of(Vec::new());
        }
        answered = true;
        Act::of(vec![settle("p-60", false, "#\"$0\"", &["o+5"])])
    });
    for report in world.run() {
        assert_eq!((report.terminated, report.panic), (None, None));
    }
    audit::check(world);
    world.delivered()
}

fn file(schema: u32) -> PathBuf {
    PathBuf::from(format!(
        "{}/tests/golden/schema-{schema}.txt",
        env!("CARGO_MANIFEST_DIR")
    ))
}

fn to_text(kv: &BTreeMap<Vec<u8>, Vec<u8>>) -> String {
    let lines = kv.iter();
    lines
        .map(|(key, value)| format!("{}\t{}\n", key.escape_ascii(), value.escape_ascii()))
        .collect()
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (&kind, after) = rest.split_first().expect("something is escaped");
        rest = after;
        bytes.push(match kind {
            b't' => b'\t',
            b'r' => b'\r',
            b'n' => b'\n',
            b'x' => {
                let digits = std::str::from_utf8(&rest[..2]).unwrap();
                rest = &rest[2..];
                u8::from_str_radix(digits, 16).unwrap()
            }
            other => other,
        });
    }
    bytes
}

fn golden(schema: u32) -> World {
    let text = std::fs::read_to_string(file(schema)).expect("the golden state is committed");
    let mut world = World::default();
    for line in text.lines() {
        let (key, value) = line.split_once('\t').expect("a key and a value");
        world.kv.insert(unescaped(key), unescaped(value));
    }
    world
}

/// Migrates in slices of this size; the kernel is another instance at each. Gives how many slices there were.
fn migrate(world: &mut World, budget: u64) -> u32 {
    let mut cursor = Blob(vec![]);
    let mut slices = 0;
    loop {
        let command = Command::Migrate { cursor, budget };
        let Reply::Migrated { cursor: next, more } = world.call(&command) else {
            panic!("a slice is done");
        };
        slices += 1;
        if !more {
            return slices;
        }
        let step = Command::Step {
            crank_limit_default: 1000,
            cleanup_max: 100,
            now: 0,
            unchanged: false,
        };
        assert!(
            matches!(world.call(&step), Reply::Refused { code: 7, .. }),
            "no crank runs before the last slice"
        );
        cursor = next;
    }
}

#[test]
fn the_state_of_this_schema_is_the_golden_one() {
    if SCHEMA > RELEASED {
        return;
    }
    let text = to_text(&story().kv);
    if std::env::var_os("SWINGD_BLESS").is_some() {
        std::fs::write(file(SCHEMA), &text).unwrap();
    }
    let committed = std::fs::read_to_string(file(SCHEMA)).expect("the golden state is committed");
    for (line, expected) in text.lines().zip(committed.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(text.len(), committed.len());
}

#[test]
fn golden_states_of_older_schemas_are_woken_and_all_goes_on() {
    let expected = finish(&mut story());
    let messages = |told: &[(String, VatDelivery)], word: &str| {
        let named = |delivery: &VatDelivery| matches!(delivery, VatDelivery::Message { methargs, .. } if methargs.body.contains(word));
        told.iter().filter(|(_, delivery)| named(delivery)).count()
    };
    for word in ["\"one\"", "\"two\"", "\"answer\"", "\"first\"", "\"second\""] {
        assert_eq!(messages(&expected, word), 1, "{word} is delivered once");
    }
    for schema in 1..SCHEMA.min(RELEASED + 1) {
        for budget in [1, 3, 1_000] {
            let mut world = golden(schema);
            assert_eq!(world.text("version"), Some(schema.to_string()));
            let slices = migrate(&mut world, budget);
            if budget < 10 {
                assert!(slices > 1, "{slices} slices");
            }
            assert_eq!(world.text("version"), Some(SCHEMA.to_string()));
            assert_eq!(world.text("kernel.migrating"), None);
            audit::check(&world);
            assert_eq!(
                finish(&mut world),
                expected,
                "from schema {schema} in slices of {budget}"
            );
        }
    }
}

#[test]
fn the_way_through_every_schema_and_the_direct_one_lead_to_the_same_state() {
    let states = (1..SCHEMA.min(RELEASED + 1)).map(|schema| {
        let mut world = golden(schema);
        migrate(&mut world, 1_000);
        // What has been counted since is another thing than what was there.
        world.kv.retain(|key, _| !key.ends_with(b".deliveries"));
        world.kv
    });
    let states: Vec<_> = states.collect();
    assert!(states.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_state_of_a_later_schema_is_neither_run_nor_migrated() {
    let mut world = story();
    world
        .kv
        .insert(b"version".to_vec(), (SCHEMA + 1).to_string().into_bytes());
    let before = world.kv.clone();
    let step = Command::Step {
        crank_limit_default: 1,
        cleanup_max: 1,
        now: 0,
        unchanged: false,
    };
    let migrate = Command::Migrate {
        cursor: Blob(vec![]),
        budget: 1,
    };
    for command in [step, migrate, Command::ReapAllVats {}] {
        assert!(matches!(world.call(&command), Reply::Refused { code: 6, .. }));
    }
    assert_eq!(world.kv, before);
}
