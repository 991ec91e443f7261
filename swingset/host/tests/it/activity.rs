//! The activity hash, computed again from the kvStore before and after: by a few lines of its own, from the rule in
//! `docs/adr/0009-engine-room.md`.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use swingset_abi::{
    kernel::{CrankReport, KernelOptions},
    vat::{CapData, VatSyscall},
};
use swingset_host::{ControllerOptions, EngineError};

use crate::{
    scripted::{Do, keep, scripted, send, settle},
    support::{World, kernel_1, kernel_2, raw_vat, release},
};

type Dump = BTreeMap<Vec<u8>, Bytes>;

/// The rule.
fn activity_after(hash: &str, before: &Dump, after: &Dump) -> String {
    let mut writes = Vec::new();
    let with_length = |bytes: &[u8]| [&(bytes.len() as u64).to_be_bytes(), bytes].concat();
    for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        if before.get(key) != after.get(key) {
            writes.extend(with_length(key));
            match after.get(key) {
                Some(value) => writes.extend([vec![1], with_length(value)].concat()),
                None => writes.push(0),
            }
        }
    }
    if writes.is_empty() {
        return hash.to_owned();
    }
    hex::encode(Sha256::digest([hash.as_bytes(), &Sha256::digest(&writes)[..]].concat()))
}

/// A world whose activity hash is computed again after each step.
struct Witness {
    world: World,
    dump: Dump,
    hash: String,
}

impl Witness {
    fn of(world: World) -> Witness {
        let (dump, hash) = (world.controller.dump(&world.env).unwrap(), world.activity());
        Witness { world, dump, hash }
    }

    /// What was done since the last time; says whether it changed anything.
    #[track_caller]
    fn check(&mut self, what: &str) -> bool {
        let after = self.world.controller.dump(&self.world.env).unwrap();
        let expected = activity_after(&self.hash, &self.dump, &after);
        assert_eq!(self.world.activity(), expected, "{what}");
        let changed = expected != self.hash;
        assert_eq!(changed, self.dump != after, "{what}");
        (self.dump, self.hash) = (after, expected);
        changed
    }

    /// Cranks until nothing is left.
    #[track_caller]
    fn cranks(&mut self) -> Vec<CrankReport> {
        let mut reports = Vec::new();
        while let Some(report) = self.world.controller.step(&mut self.world.env).unwrap() {
            assert!(self.check(&format!("{report:?}")), "a crank is counted: {report:?}");
            reports.push(report);
        }
        reports
    }
}

/// Alice writes short and long values, overwrites and deletes; bob undoes all that he did.
fn world(bob_is_critical: bool) -> World {
    let long = "x".repeat(5_000);
    let delete = |key: &str| Do::Call(VatSyscall::VatstoreDelete { key: key.to_owned() });
    let alice = scripted(&[
        vec![keep("a", "1"), keep("b", "2"), keep("same", "3")],
        vec![
            keep("long", &long),
            keep("a", ""),
            delete("b"),
            keep("fleeting", "4"),
            delete("fleeting"),
            keep("same", "3"),
        ],
        vec![send("o+0", "#[\"me\",[]]", &[], None), keep("long", "short")],
    ]);
    let bob = scripted(&[vec![], vec![keep("k", "never"), settle("p-60", "#1"), Do::Trap]]);
    let mut vats = ["alice", "bob"].map(raw_vat);
    vats[1].options.critical = bob_is_critical;
    World::start(&release(kernel_1(), &[("alice", alice), ("bob", bob)]), &vats, ControllerOptions::default())
}

#[test]
fn every_crank_and_command_is_in_the_hash_by_what_it_changed_and_by_nothing_else() {
    let mut witness = Witness::of(world(false));
    witness.cranks();
    assert!(!witness.check("nothing"));
    for vat in ["alice", "alice", "bob"] {
        witness.world.queue(vat, "go", "[]");
        assert!(witness.check("a queued message"));
    }
    let reports = witness.cranks();
    assert_eq!(reports.iter().filter(|report| report.aborted).count(), 1);
    assert_eq!(witness.world.kernel_key("v2.vs.k"), None);
    assert!(reports.iter().any(|report| report.cleaned > 0));
    let World { env, controller } = &mut witness.world;
    controller.get_stats(env).unwrap();
    controller.inject_queued_upgrade_events(env).unwrap();
    controller.validate_and_install_bundle(env, &kernel_2(), None).unwrap();
    assert!(controller.pin_vat_root(env, "bob").is_err());
    assert!(!witness.check("what asks, refuses or is the host's"));
    let World { env, controller } = &mut witness.world;
    let mut options = KernelOptions::default();
    options.reap_default.computrons = Some(5);
    controller.change_kernel_options(env, options).unwrap();
    assert!(witness.check("options"));
    let World { env, controller } = &mut witness.world;
    controller.terminate_vat(env, "v1", CapData::default()).unwrap();
    assert!(witness.check("an end"));
    witness.cranks();
}

#[test]
fn a_crank_that_stops_the_engine_is_in_no_hash() {
    let mut witness = Witness::of(world(true));
    witness.cranks();
    witness.world.queue("bob", "go", "[]");
    witness.check("a queued message");
    assert!(witness.world.controller.step(&mut witness.world.env).unwrap().is_some(), "it is routed");
    witness.check("a routing crank");
    let stopped = witness.world.controller.step(&mut witness.world.env);
    assert_eq!(stopped, Err(EngineError::Stopped("kernel panic: critical vat v2 died".to_owned())));
    assert!(!witness.check("a crank that was undone"));
    assert!(witness.world.kernel_key("v2.options").is_some(), "bob is as he was, and his message waits");
    assert_eq!(witness.world.run().stopped.as_deref(), Some("kernel panic: critical vat v2 died"));
    assert!(!witness.check("a stopped engine"));
}
