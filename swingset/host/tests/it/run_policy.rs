//! What a policy is told of real cranks, and that its word is kept.

use swingset_abi::vat::{CapData, VatSyscall};
use swingset_host::{
    ControllerOptions,
    bundle::BundleKind,
    controller::{PolicyVerdict, RunPolicy},
};

use crate::{
    scripted::{Do, call, scripted, send, subscribe},
    support::{World, pack, raw_vat, release, wat},
};

/// Notes what it is told, and says "enough" at one of the notes.
#[derive(Default)]
struct Recorder {
    told: Vec<&'static str>,
    computrons: u64,
    enough_at: Option<usize>,
}

impl Recorder {
    fn note(&mut self, what: &'static str, computrons: u64) -> PolicyVerdict {
        self.told.push(what);
        self.computrons += computrons;
        if self.enough_at == Some(self.told.len()) { PolicyVerdict::Enough } else { PolicyVerdict::GoOn }
    }
}

impl RunPolicy for Recorder {
    fn vat_created(&mut self) -> PolicyVerdict {
        self.note("created", 0)
    }
    fn crank_complete(&mut self, computrons: u64) -> PolicyVerdict {
        self.note("complete", computrons)
    }
    fn crank_failed(&mut self, computrons: u64) -> PolicyVerdict {
        self.note("failed", computrons)
    }
    fn empty_crank(&mut self) -> PolicyVerdict {
        self.note("empty", 0)
    }
    fn did_cleanup(&mut self, entries: u64) -> PolicyVerdict {
        self.note(if entries > 0 { "cleaned" } else { "empty" }, 0)
    }
}

/// Bootstrap makes a vat, `v4`, and sends to it, to one that traps, to one that exits and to what is no object.
fn story() -> World {
    let create = "#[\"createVat\",[\"$0\",{\"enableSetup\":true}]]";
    let go = |target: &str| send(target, "#[\"go\",[]]", &[], None);
    let bootstrap = scripted(&[
        vec![],
        vec![
            send("o-52", "#[\"createVatAdminService\",[]]", &[], Some("p+1")),
            call("d-70", "getNamedBundleCap", "#[\"child\"]"),
            send("p+1", create, &["d-74"], Some("p+2")),
            subscribe("p+2"),
        ],
        vec![go("o-54"), go("o-50"), go("o-51"), go("p+3")],
    ]);
    let exit = Do::Call(VatSyscall::Exit { failure: false, info: CapData::default() });
    let code = [
        ("bootstrap", bootstrap),
        ("trapper", scripted(&[vec![], vec![Do::Trap]])),
        ("leaver", scripted(&[vec![], vec![exit]])),
        ("child", scripted(&[])),
    ];
    World::with_raw_vats(&["bootstrap", "trapper", "leaver"].map(raw_vat), &code)
}

#[test]
fn a_policy_is_told_what_each_crank_was_and_what_it_cost() {
    let mut world = story();
    let mut policy = Recorder::default();
    let summary = world.controller.run(&mut world.env, &mut policy).unwrap();
    assert!(summary.idle);
    assert_eq!(policy.computrons, summary.computrons, "failed cranks count too");
    let count = |what: &str| policy.told.iter().filter(|told| **told == what).count() as u64;
    assert_eq!(count("created"), 1);
    assert_eq!(count("failed"), 2, "the trap and the exit");
    assert_eq!(count("complete") + count("failed"), summary.deliveries);
    assert_eq!(policy.told.len() as u64, summary.cranks + 1, "the crank that made a vat is told of twice");
}

#[test]
fn a_kernel_that_says_that_it_made_more_vats_than_there_can_be_is_not_asked_about_each() {
    // Crank { Empty, no vat, …, vats_created: 2^32 - 1, cleaned: 0 } at 16
    let boastful =
        wat(r#"(module (memory (export "memory") 1 1) (data (i32.const 16) "\02\03\00\00\00\00\00\ff\ff\ff\ff\0f\00")
          (func (export "kernel_alloc") (param i32) (result i32) i32.const 1024)
          (func (export "kernel_call") (param $at i32) (param i32) (result i64)
            (select (i64.const 0x100000000d) (i64.const 0x1c00000001)
              (i32.eq (i32.load8_u (local.get $at)) (i32.const 2)))))"#);
    let kernel = pack(BundleKind::Kernel {}, "boastful", boastful);
    let mut world = World::start(&release(kernel, &[]), &[], ControllerOptions::default());
    let mut policy = Recorder { enough_at: Some(3), ..Recorder::default() };
    world.controller.run(&mut world.env, &mut policy).unwrap();
    assert_eq!(policy.told, ["created", "created", "created", "empty"]);
}

#[test]
fn a_run_ends_when_the_policy_has_enough_and_goes_on_where_it_was() {
    let mut whole = story();
    let mut policy = Recorder::default();
    whole.controller.run(&mut whole.env, &mut policy).unwrap();
    let all = policy.told;
    for at in 1..all.len() {
        let mut world = story();
        let mut policy = Recorder { enough_at: Some(at), ..Recorder::default() };
        let summary = world.controller.run(&mut world.env, &mut policy).unwrap();
        // A new vat is told of before its crank's end.
        let told = at + usize::from(all[at - 1] == "created");
        assert_eq!(policy.told, all[..told]);
        assert!(!summary.idle, "{at}");
        let rest = world.run();
        assert!(rest.idle);
        assert!(world.state() == whole.state(), "{at}");
    }
}
